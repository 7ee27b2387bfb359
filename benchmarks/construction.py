"""What building an object of a role costs: the empty wrapper, a counter written by hand, and the guard."""

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
    "hand-written counter",
    "ssot-guard",
)
# Beyond the counting itself stands what each of these asks for; the target is about the others.
MORE = ("one per tenant", "by its factory", "without a constructor of its own")
_ROLES = """\
class Plain:
    def __init__(self, a, b=1):
        self.a, self.b = a, b


class Only:
    def __init__(self, a):
        self.a = a


class Derived(Only):
    def __init__(self, a):
        super().__init__(a)


class Budgeted:
    def __init__(self, a):
        self.a = a


class ForTenants:
    def __init__(self, a):
        self.a = a


class Factored:
    def __init__(self, a):
        self.a = a


def create(a):
    return Factored(a)


class Nothing:
    pass
"""
_POLICY = """
[[roles]]
id = "plain"
canonical = "built.roles:Plain"
instances = { max = 100000 }

[[roles]]
id = "only"
canonical = "built.roles:Only"
instances = { max = 1 }

[[roles]]
id = "budgeted"
canonical = "built.roles:Budgeted"
construct-budget = { seconds = 60 }

[[roles]]
id = "tenants"
canonical = "built.roles:ForTenants"
instances = { max = 1, per = "tenant" }

[[roles]]
id = "factored"
canonical = "built.roles:Factored"
factory = ["built.roles:create"]

[[roles]]
id = "nothing"
canonical = "built.roles:Nothing"
instances = { max = 100000 }
"""


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All rows of this file."""
    package = scene.lib / "built"
    package.mkdir(exist_ok=True)
    for name, text in (("__init__", ""), ("roles", _ROLES)):
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    policy = scene.write_policy("construction", ["built"], [], _POLICY)

    def variant(name: str, hook: str) -> Variant:
        return Variant(name, lambda _round: _run(scene, policy, hook, name))

    sides = [variant(name, "nothing") for name in (PLAIN, AGAIN, EMPTY, BY_HAND)]
    return _rows(interleaved([*sides, variant(GUARD, "ssot-guard")], rounds, say))


def _run(scene: Scene, policy: Path, hook: str, variant: str) -> dict[str, float]:
    usage = scene.python(scene.environment(hook, policy), str(scene.here / "constructing.py"), variant)
    return dict(json.loads(usage.output.splitlines()[-1]))


def _rows(found: Mapping[str, Series]) -> list[Row]:
    rows = []
    for kind, series in found.items():
        section = f"Building an object of a role: {kind}"
        rows += [Row(section, name, "ns", values, series[PLAIN], best=True) for name, values in series.items()]
        if EMPTY in series:
            added = {one: min(series[one].values()) - min(series[PLAIN].values()) for one in (GUARD, EMPTY)}
            target = None if kind in MORE else Target("value", 2.0, "≤ 2 x")
            text = "added, by what the empty wrapper adds"
            rows.append(Row(section, text, "x", {0: added[GUARD] / added[EMPTY]}, {}, target))
    return rows
