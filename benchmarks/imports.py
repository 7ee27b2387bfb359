"""What one import costs: a name nobody governs, a cached module, a first sight, a million repeats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from measure import Variant, interleaved
from scene import HOOKS, SITES, Scene
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from measure import Series

PLAIN, AGAIN, GUARD = "nothing", "nothing, once more", "ssot-guard"
KINDS = {
    "import_m": "import m",
    "from_m_import_x": "from m import X",
    "import_module": 'import_module("m")',
    "import_a_m": "import a.m",
}


def worker(scene: Scene, hook: str, *tasks: str, **more: str) -> dict[str, float]:
    """The quantities that one process measured."""
    usage = scene.python(scene.environment(hook, **more), str(scene.here / "worker.py"), *tasks)
    return dict(json.loads(usage.output.splitlines()[-1]))


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All rows of this file."""
    tasks = ("finder", "cached", "load_others")

    def variant(name: str, hook: str) -> Variant:
        return Variant(name, lambda _round: worker(scene, hook, *tasks))

    hooks = scene.hooks()
    found = interleaved([*(variant(hook, hook) for hook in hooks), variant(AGAIN, PLAIN)], rounds, say)
    return [
        *_finder_rows(found),
        *_cached_rows(found),
        *_young_rows(scene, rounds, say),
        *_sight_rows(scene, max(3, rounds // 3), say),
    ]


def _finder_rows(found: Mapping[str, Series]) -> list[Row]:
    calls, loads = found["finder"], found["load_others"]
    rows = []
    for name, values in calls.items():
        target = Target("added", 300, "≤ 300 ns added") if name == GUARD else None
        if name in HOOKS and "__import__" in name:
            continue  # no finder
        rows.append(
            Row("Finder: one look for a name that nobody governs", name, "ns", values, calls[PLAIN], target, best=True)
        )
    if "empty finder" in calls:
        section = "Finder: the same look, over a finder that does nothing"
        rows.append(Row(section, GUARD, "ns", calls[GUARD], calls["empty finder"], best=True))
    for name, values in loads.items():
        rows.append(
            Row("First import of a small module that nobody governs", name, "µs", values, loads[PLAIN], best=True)
        )
    return rows


def _cached_rows(found: Mapping[str, Series]) -> list[Row]:
    rows = []
    for quantity, series in found.items():
        what, _, kind = quantity.partition("__")
        if not kind:
            continue
        section = f"Cached import, {what} module: {KINDS[kind]}"
        for name, values in series.items():
            target = None
            if name == GUARD and what == "deprecated":
                target = Target("ratio", 3.0, "≤ 3 x plain")
                rows.append(_repeat(kind, values, series[PLAIN]))
            elif name == GUARD:
                target = _nothing(series)
            if name in (PLAIN, AGAIN, GUARD) or "__import__" in name:
                rows.append(Row(section, name, "ns", values, series[PLAIN], target, best=True))
    return rows


def _nothing(series: Series) -> Target:
    """Nothing added: no more than twice what two measurements of the same thing differ by, or 3 ns."""
    limit = max(3.0, 2e9 * abs(min(series[AGAIN].values()) - min(series[PLAIN].values())))
    return Target("added", limit, f"0 added (noise {limit:.1f})")


def _repeat(kind: str, values: Mapping[int, float], plain: Mapping[int, float]) -> Row:
    target = Target("added", 1000, "≤ 1,000 ns added")
    return Row("A repeated violation", KINDS[kind], "ns", values, plain, target, best=True)


def _young_rows(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    def variant(hook: str) -> Variant:
        return Variant(hook, lambda _round: worker(scene, hook, "cached_young"))

    series = interleaved([variant(hook) for hook in (PLAIN, GUARD, "empty __import__ wrapper")], rounds, say)["young"]
    section = "Cached import, governed module, its first 200 times: from m import X"
    return [Row(section, name, "ns", values, series[PLAIN], best=True) for name, values in series.items()]


def _sight_rows(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    def variant(hook: str, task: str) -> Variant:
        # The log as well: how often it speaks is one of the rows.
        sinks = {"SSOT_GUARD_SINKS": f"jsonl:{scene.folder / 'records'}" + (",log" if task == "million" else "")}
        return Variant(f"{hook} {task}", lambda _round: worker(scene, hook, task, **sinks))

    tasks = [
        (PLAIN, "first_sights"),
        (GUARD, "first_sights"),
        (PLAIN, "million"),
        (GUARD, "million"),
        (GUARD, "traced"),
    ]
    found = interleaved([variant(*task) for task in tasks], rounds, say)
    sights, very = found["first_sight"], found["very_first"]
    plain, guard = f"{PLAIN} first_sights", f"{GUARD} first_sights"
    section = "The first sight of a violation, written to disk (JSON lines)"
    rows = [
        Row(section, f"mean of {SITES - 50} statements", "µs", sights[guard], sights[plain], best=True),
        Row(section, "the very first in the process", "µs", very[guard], very[plain], best=True),
    ]
    plain, guard = f"{PLAIN} million", f"{GUARD} million"
    section = "A million repeats of one violation"
    turn = found["turn"]
    rows += [
        Row(
            section, "each repeat", "ns", turn[guard], turn[plain], Target("added", 1000, "≤ 1,000 ns added"), best=True
        ),
        Row(
            section, "resident memory grows by", "KiB", _scaled(found["memory"][guard]), {}, Target("value", 64, "flat")
        ),
        Row(
            section,
            "traced memory grows by (100,000 repeats)",
            "bytes",
            found["traced"][f"{GUARD} traced"],
            {},
            Target("value", 256, "flat"),
        ),
        Row(section, "log lines", "", found["lines"][guard], {}, Target("value", 5, "≤ 5 a minute")),
        Row(
            section, "miscounted, of 1,010,000", "", _miscounted(found["count"][guard]), {}, Target("value", 0, "exact")
        ),
    ]
    return rows


def _scaled(values: Mapping[int, float]) -> dict[int, float]:
    return {number: value / 1024 for number, value in values.items()}


def _miscounted(values: Mapping[int, float]) -> dict[int, float]:
    return {number: abs(value - 1_010_000) for number, value in values.items()}
