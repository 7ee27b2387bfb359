"""Starting an interpreter that does nothing: whole processes, CPU time and wall time."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Variant, interleaved, run
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from scene import Scene

LAUNCHERS = ("opentelemetry-instrument", "ddtrace-run")
# Nobody listens where they would send to; what is measured is their start.
_QUIET = {
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_ENABLED": "false",
}
_BARE, _AGAIN = "bare", "bare, once more"


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Rows in CPU time, and the same in wall time."""
    found = interleaved([*_plain(scene), *_guarded(scene), *_peers(scene)], rounds, say)
    rows = []
    for quantity, text in (("cpu", "CPU time"), ("wall", "wall time")):
        series = found[quantity]
        target = Target("added", 5, "≤ 5 ms added")
        rows += [
            Row(
                f"Start-up of an interpreter, {text}",
                name,
                "ms",
                values,
                {} if name == _BARE else series[_BARE],
                target if name == "ssot-guard" else None,
                series[_AGAIN] if name == "ssot-guard" else {},
            )
            for name, values in series.items()
        ]
    return rows


def _start(scene: Scene, name: str, hook: str | None, statement: str = "pass", **more: str) -> Variant:
    def once(_round: int) -> dict[str, float]:
        usage = scene.python(scene.environment(hook, **more), "-c", statement)
        return {"cpu": usage.cpu, "wall": usage.wall}

    return Variant(name, once)


def _plain(scene: Scene) -> list[Variant]:
    return [
        _start(scene, _BARE, None),
        _start(scene, _AGAIN, None),
        _start(scene, "empty sitecustomize", "nothing"),
    ]


def _guarded(scene: Scene) -> list[Variant]:
    def cold(_round: int) -> dict[str, float]:
        scene.forget_bytecode()
        usage = scene.python(scene.environment("ssot-guard", SSOT_GUARD_CACHE=""), "-c", "pass")
        scene.python(scene.environment("ssot-guard"), "-c", "import legacy")  # the next one is warm again
        return {"cpu": usage.cpu, "wall": usage.wall}

    return [
        _start(scene, "ssot-guard", "ssot-guard"),
        _start(scene, "ssot-guard, and a governed module", "ssot-guard", "import app"),
        _start(scene, "ssot-guard, and a violation", "ssot-guard", "import legacy"),
        _start(scene, "ssot-guard, policy cache cold", "ssot-guard", SSOT_GUARD_CACHE=""),
        Variant("ssot-guard, policy cache and bytecode cold", cold, every=3),
    ]


def _peers(scene: Scene) -> list[Variant]:
    hooks = [_start(scene, name, name) for name in scene.hooks() if name not in ("nothing", "ssot-guard")]
    return [*hooks, *(_launcher(scene, name) for name in LAUNCHERS if _path(name))]


def _launcher(scene: Scene, name: str) -> Variant:
    def once(_round: int) -> dict[str, float]:
        command = [str(_path(name)), sys.executable, "-c", "pass"]
        usage = run(command, scene.environment(None, **_QUIET), scene.folder / "home")
        return {"cpu": usage.cpu, "wall": usage.wall}

    return Variant(name, once, every=5)


def _path(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))
