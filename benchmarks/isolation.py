"""What whose-is-it costs: a call of an isolated object's method, and a search for shared state."""

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

PLAIN, AGAIN, EMPTY, BY_HAND, GUARD = (
    "plain",
    "plain, once more",
    "empty wrapt wrapper",
    "hand-written closure",
    "ssot-guard",
)
CASES = {"2 tenants, nothing shared": (2, ""), "2 tenants, a leak": (2, "leak"), "100 tenants, a leak": (100, "leak")}
_CONTEXT = "from contextvars import ContextVar\n\nuser = ContextVar('user')\n"
_ENGINE = """\
class Part:
    def __init__(self):
        self.notes, self.limits = [], {"a": 1}


class Engine:
    def __init__(self, parts):
        self.parts = [Part() for _ in range(parts)]

    def ask(self, question):
        return question

    def tune(self, what, *, limit=1, deep=False):
        return limit

    @property
    def name(self):
        return "engine"

    async def think(self, question):
        return question

    def stream(self):
        yield 1
"""
_POLICY = """
[[roles]]
id = "engine"
canonical = "tenants.engine:Engine"
isolated = true

[tenant]
current = ["tenants.context:user"]
"""


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All rows of this file."""
    package = scene.lib / "tenants"
    package.mkdir(exist_ok=True)
    for name, text in (("__init__", ""), ("context", _CONTEXT), ("engine", _ENGINE)):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    policy = scene.write_policy("isolation", ["tenants"], [], _POLICY)

    def variant(name: str, hook: str, *arguments: str) -> Variant:
        return Variant(name, lambda _round: _run(scene, policy, hook, *arguments))

    sides = [variant(name, "nothing", name) for name in (PLAIN, AGAIN, EMPTY, BY_HAND)]
    found = interleaved([*sides, variant(GUARD, "ssot-guard", PLAIN)], rounds, say)
    cases = [variant(name, "ssot-guard", "search", str(tenants), leak) for name, (tenants, leak) in CASES.items()]
    searches = interleaved(cases, max(3, rounds // 3), say)["search"]
    return [*_call_rows(found), *_search_rows(searches)]


def _run(scene: Scene, policy: Path, hook: str, *arguments: str) -> dict[str, float]:
    usage = scene.python(scene.environment(hook, policy), str(scene.here / "isolated.py"), *arguments)
    return dict(json.loads(usage.output.splitlines()[-1]))


def _call_rows(found: Mapping[str, Series]) -> list[Row]:
    rows = []
    for kind, series in found.items():
        section = f"Use of an isolated object by its own tenant: {kind.replace('_', ' ')}"
        rows += [Row(section, name, "ns", values, series[PLAIN], best=True) for name, values in series.items()]
        if EMPTY in series:
            added = {name: min(series[name].values()) - min(series[PLAIN].values()) for name in (GUARD, EMPTY)}
            ratio = {0: added[GUARD] / added[EMPTY]}
            text = f"{GUARD}: added, by what the empty wrapper adds"
            rows.append(Row(section, text, "x", ratio, {}, Target("value", 0.6, "≤ 0.6 x")))
    return rows


def _search_rows(searches: Series) -> list[Row]:
    section = "Search for shared state, 100,000 objects reachable, one guard.check()"
    target = Target("value", 500, "≤ 500 ms")
    return [Row(section, name, "ms", values, {}, target) for name, values in searches.items()]
