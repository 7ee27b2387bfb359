"""What the events of runs cost: one event, and whole runs, with everything that a rule can ask for and without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from measure import Variant, interleaved
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from measure import Series
    from scene import Scene

PLAIN, AGAIN, EMPTY, BY_HAND, GUARD, TENANTS = (
    "plain",
    "plain, once more",
    "empty wrapt wrapper",
    "hand-written check",
    "ssot-guard",
    "ssot-guard, with `tenant` and `within`",
)
_EMITTER = """\
class Emitter:
    def __init__(self, user_id):
        self.user_id = user_id

    def emit(self, event, run_id, data=None):
        return True

    async def send(self, event, run_id, data=None):
        return True
"""
_RULE = """
[[events]]
id = "run"
emitter = ["runs.emitter:Emitter.emit", "runs.emitter:Emitter.send"]
event = "event"
run = "run_id"
sequence = "started (thinking | {tool done})* (completed | failed)"
"""
_MORE = 'tenant = "self.user_id"\nwithin = 3600.0\n'


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All rows of this file."""
    package = scene.lib / "runs"
    package.mkdir(exist_ok=True)
    for name, text in (("__init__", ""), ("emitter", _EMITTER)):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    small = scene.write_policy("events", ["runs"], [], _RULE)
    full = scene.write_policy("events-full", ["runs"], [], _RULE + _MORE)

    def variant(name: str, hook: str, dress: str, policy: Path) -> Variant:
        return Variant(name, lambda _round: _run(scene, policy, hook, dress))

    sides = [variant(name, "nothing", name, small) for name in (PLAIN, AGAIN, EMPTY, BY_HAND)]
    guarded = [variant(name, "ssot-guard", PLAIN, policy) for name, policy in ((GUARD, small), (TENANTS, full))]
    return _rows(interleaved([*sides, *guarded], rounds, say))


def _run(scene: Scene, policy: Path, hook: str, dress: str) -> dict[str, float]:
    usage = scene.python(scene.environment(hook, policy), str(scene.here / "emitting.py"), dress)
    return dict(json.loads(usage.output.splitlines()[-1]))


def _rows(found: Mapping[str, Series]) -> list[Row]:
    rows = []
    for kind, series in found.items():
        section = f"Events of runs: {kind.replace('_', ' ')}"
        rows += [Row(section, name, "ns", values, series[PLAIN], best=True) for name, values in series.items()]
        for name in (GUARD, TENANTS) if EMPTY in series else ():
            added = {one: min(series[one].values()) - min(series[PLAIN].values()) for one in (name, EMPTY)}
            target = Target("value", 3.0, "≤ 3 x")
            text = f"{name}: added, by what the empty wrapper adds"
            rows.append(Row(section, text, "x", {0: added[name] / added[EMPTY]}, {}, target))
    return rows
