"""Importing a large real application, whole processes: Prefect's server, more than 2,000 modules."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from measure import RunError, Variant, interleaved
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scene import Scene

PROGRAM = """\
import sys
import prefect.server.api.server
if "count" in sys.argv:
    own = sum(name.partition(".")[0] == "prefect" for name in sys.modules)
    guard = sys.modules.get("ssot_guard.guard")
    seen = [] if guard is None else guard._active.violations()
    tops = sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"ssot_guard"})
    print(len(sys.modules), own, len(seen), *(top for top in tops if top.isidentifier() and top.isascii()))
"""
# Modules that the application itself imports in many places, as if they had moved; and others that are gone.
MOVED = (
    "prefect.utilities.asyncutils",
    "prefect.utilities.collections",
    "prefect.utilities.importtools",
    "prefect.server.utilities.schemas",
    "prefect.server.database.dependencies",
    "prefect.logging.loggers",
    "prefect.client.schemas.objects",
    "prefect.types",
)
GONE = tuple((f"prefect.retired.part_{number:02}", f"prefect.server.part_{number:02}") for number in range(60))
_BARE, _AGAIN = "unguarded", "unguarded, once more"


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Rows in CPU time and wall time; none where the application is not installed."""
    if importlib.util.find_spec("prefect") is None:
        say("left out: the application (no prefect here)")
        return []
    program = scene.folder / "application.py"
    program.write_text(PROGRAM, encoding="utf-8")
    try:
        modules, own, _, *tops = _counts(scene, program, None)
    except RunError as error:
        say(f"left out: the application: {error}")
        return []
    variants, names = _variants(scene, program, tops)
    found = interleaved(variants, rounds, say)
    rows = []
    for quantity, text in (("cpu", "CPU time"), ("wall", "wall time")):
        section = f"Import of an application of {modules} modules, {own} of them its own, {text}"
        for name, values in found[quantity].items():
            base = {} if name == _BARE else found[quantity][_BARE]
            limit = Target("ratio", 1.01, "≤ 1.01") if quantity == "cpu" and name in names else None
            rows.append(Row(section, name, "s", values, base, limit, found[quantity][_AGAIN] if limit else {}))
    return rows


def _variants(scene: Scene, program: Path, tops: list[str]) -> tuple[list[Variant], set[str]]:
    """All variants, and the names of those that have a target."""
    quiet = scene.write_policy("quiet", ["prefect"], GONE)
    moved = scene.write_policy("moved", ["prefect"], [*GONE, *((old, f"{old}_new") for old in MOVED)])
    whole = scene.write_policy("whole", tops, GONE)
    seen = _counts(scene, program, moved)[2]
    guarded = {
        f"guarded: {len(GONE)} rules, health checks on": quiet,
        f"the same with {len(GONE) + len(MOVED)} rules and {seen} violations": moved,
    }

    def variant(name: str, hook: str | None, policy: Path | None = None, every: int = 1) -> Variant:
        def once(number: int) -> dict[str, float]:
            usage = scene.python(_environment(scene, hook, policy, number), str(program))
            return {"cpu": usage.cpu, "wall": usage.wall}

        return Variant(name, once, every)

    return [
        variant(_BARE, None),
        *(variant(name, "ssot-guard", policy) for name, policy in guarded.items()),
        variant(_AGAIN, None),
        variant(f"guarded: all {len(tops)} top-level packages", "ssot-guard", whole, every=3),
        variant("checking __import__ wrapper", "checking __import__ wrapper", every=3),
        *(
            variant(name, name, every=4)
            for name in scene.hooks()
            if name in ("wrapt hook", "typeguard hook", "beartype.claw")
        ),
    ], set(guarded)


def _counts(scene: Scene, program: Path, policy: Path | None) -> list[str]:
    """Modules, own modules, violations, and the top-level packages."""
    hook = None if policy is None else "ssot-guard"
    usage = scene.python(_environment(scene, hook, policy, 0), str(program), "count")
    return usage.output.split()


def _environment(scene: Scene, hook: str | None, policy: Path | None, number: int) -> dict[str, str]:
    # One hash seed for all variants of a round: sets then have the same order everywhere.
    more = {"PREFECT_HOME": str(scene.folder / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    return scene.environment(hook, policy, PYTHONHASHSEED=str(number + 1), **more)
