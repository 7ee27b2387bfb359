"""Instructions instead of seconds: the same on a busy machine. Needs valgrind, and some minutes."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from application import GONE, MOVED, PROGRAM
from measure import run
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scene import Scene

_TOOL = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--log-file=instructions.log")


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Start-up and the application, once each: two counts of the same thing differ by less than 0.1 %."""
    del rounds
    if shutil.which("valgrind") is None:
        say("left out: instructions (no valgrind here)")
        return []
    program = scene.folder / "application.py"
    program.write_text(PROGRAM, encoding="utf-8")
    quiet = scene.write_policy("quiet", ["prefect"], GONE)
    moved = scene.write_policy("moved", ["prefect"], [*GONE, *((old, f"{old}_new") for old in MOVED)])
    cases: list[tuple[str, list[str], tuple[str, Path | None], Target | None]] = [
        ("Start-up", ["-c", "pass"], ("guarded", quiet), None),
        ("Import of the application", [str(program)], ("guarded, 60 rules", quiet), Target("ratio", 1.01, "≤ 1.01")),
        (
            "Import of the application",
            [str(program)],
            ("guarded, 68 rules, hit", moved),
            Target("ratio", 1.01, "≤ 1.01"),
        ),
    ]
    rows: list[Row] = []
    plain: dict[str, dict[int, float]] = {}
    for what, command, (name, policy), target in cases:
        section = f"{what}, millions of instructions"
        if what not in plain:
            plain[what] = {0: _count(scene, command, None)}
            rows.append(Row(section, "unguarded", "M", plain[what]))
        rows.append(Row(section, name, "M", {0: _count(scene, command, policy)}, plain[what], target))
    return rows


def _count(scene: Scene, command: list[str], policy: Path | None) -> float:
    hook = None if policy is None else "ssot-guard"
    home = str(scene.folder / "home")
    env = scene.environment(
        hook, policy, PYTHONHASHSEED="1", PREFECT_HOME=home, PREFECT_SERVER_ANALYTICS_ENABLED="false"
    )
    return count(scene, command, env)


def count(scene: Scene, command: list[str], env: dict[str, str]) -> float:
    """Millions of instructions of one process that has run before."""
    scene.python(env, *command)  # bytecode and caches
    run([str(shutil.which("valgrind")), *_TOOL, sys.executable, *command], env, scene.folder / "home")
    log = (scene.folder / "home" / "instructions.log").read_text(encoding="utf-8")
    found = re.search(r"I\s+refs:\s+([\d,]+)", log)
    return int(found[1].replace(",", "")) / 1e6 if found else float("nan")
