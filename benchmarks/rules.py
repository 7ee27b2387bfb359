"""What more rules cost: per governed module (it must be flat), and once at the start (it may grow)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from measure import Variant, interleaved
from table import Row, Target, plot

if TYPE_CHECKING:
    from collections.abc import Callable

    from scene import Scene

COUNTS = (1, 10, 100, 1_000, 10_000)
_PLAIN = "unguarded"


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> tuple[list[Row], str]:
    """Rows, and the plot."""
    variants = [
        _variant(scene, _PLAIN, "nothing", None),
        *(_variant(scene, _label(count), "ssot-guard", count) for count in COUNTS),
    ]
    found = interleaved(variants, rounds, say)
    loads, starts = found["load_parts"], found["start"]
    one = _label(COUNTS[0])
    section = "First import of a small governed module, by number of rules (base: one rule)"
    rows = [
        Row(
            section,
            name,
            "µs",
            values,
            {} if name == _PLAIN else loads[one],
            _flat() if name == _label(COUNTS[-1]) else None,
            best=True,
        )
        for name, values in loads.items()
    ]
    section = "Start-up with a warm policy cache, by number of rules, CPU time (base: unguarded)"
    rows += [Row(section, name, "ms", values, starts[_PLAIN]) for name, values in starts.items() if name != _PLAIN]
    points = [(f"{count:,}", min(loads[_label(count)].values()) * 1e6) for count in COUNTS]
    return rows, plot(points, "µs per governed module, by number of rules")


def _flat() -> Target:
    return Target("ratio", 1.05, "flat (≤ 1.05)")


def _label(count: int) -> str:
    return f"{count:,} rule{'s' * (count > 1)}"


def _variant(scene: Scene, name: str, hook: str, count: int | None) -> Variant:
    # Half of the rules are about modules beside the imported ones, half about packages elsewhere.
    pairs = [
        (
            f"app.gone_{number:05}" if number % 2 else f"vendor{number % 7}.area_{number % 89}.gone_{number:05}",
            "app.new",
        )
        for number in range(count or 0)
    ]
    policy = scene.write_policy(f"rules-{count}", ["app"], pairs) if count else None

    def once(_round: int) -> dict[str, float]:
        env = scene.environment(hook, policy)
        start = scene.python(env, "-c", "pass")
        loaded = scene.python(env, str(scene.here / "worker.py"), "load_parts")
        return {"start": start.cpu, **json.loads(loaded.output)}

    return Variant(name, once)
