"""Running things side by side on a machine that others use, too.

All variants of a comparison run in every round, in rotating order, so that a busy minute hits all of them. Compared is
round by round; what is printed is the median over the rounds, and the minimum.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Series = dict[str, dict[int, float]]  # variant → round → value


class RunError(RuntimeError):
    """A measured program failed; the message ends with what it said."""


@dataclass(frozen=True)
class Usage:
    """One whole process: CPU seconds (user and system, waited-for children included), wall seconds, output."""

    cpu: float
    wall: float
    output: str


def run(command: Sequence[str], env: Mapping[str, str], folder: Path, expected: int = 0) -> Usage:
    """Run a program in a folder. Spawned, not forked: a fork of this process would be on the child's bill."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        before = Path.cwd()
        os.chdir(folder)
        try:
            began = time.perf_counter()
            pid = os.posix_spawn(command[0], list(command), dict(env), file_actions=actions)
        finally:
            os.chdir(before)
        _, status, used = os.wait4(pid, 0)
        wall = time.perf_counter() - began
        out.seek(0)
        err.seek(0)
        if (ended := os.waitstatus_to_exitcode(status)) != expected:
            said = (err.read() or out.read()).decode(errors="replace").strip()[-600:]
            raise RunError(f"{' '.join(command[:4])} … ended with status {ended}: {said}")
        return Usage(used.ru_utime + used.ru_stime, wall, out.read().decode(errors="replace"))


@dataclass(frozen=True)
class Variant:
    """One side of a comparison; ``every`` keeps the dear ones to every n-th round."""

    name: str
    measure: Callable[[int], Mapping[str, float]]  # round → quantity → value
    every: int = 1


def interleaved(variants: Sequence[Variant], rounds: int, say: Callable[[str], None]) -> dict[str, Series]:
    """Quantity → variant → round → value. A variant that cannot run is left out; the first one, the base, must run."""
    found: dict[str, Series] = {}
    broken: set[str] = set()
    for number in range(-1, rounds):  # round -1 warms up bytecode, caches and the disk
        turn = number % len(variants)
        for variant in [*variants[turn:], *variants[:turn]]:
            if variant.name in broken or (number > 0 and number % variant.every):
                continue
            try:
                values = variant.measure(max(number, 0))
            except (RunError, OSError) as error:
                if variant is variants[0]:
                    raise
                broken.add(variant.name)
                say(f"left out: {variant.name}: {error}")
                continue
            for quantity, value in values.items() if number >= 0 else ():
                found.setdefault(quantity, {}).setdefault(variant.name, {})[number] = value
    return found


def differences(values: Mapping[int, float], base: Mapping[int, float]) -> list[float]:
    """Round by round."""
    return [value - base[number] for number, value in values.items() if number in base]


def ratios(values: Mapping[int, float], base: Mapping[int, float]) -> list[float]:
    """Round by round."""
    return [value / base[number] for number, value in values.items() if base.get(number)]


def facts() -> str:
    """The machine, without names and paths."""
    system = os.uname()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    version = ".".join(map(str, sys.version_info[:3]))
    kernel = f"{system.sysname} {system.release.partition('-')[0]}"
    return (
        f"{sys.implementation.name} {version}, {kernel} on {system.machine}, {os.cpu_count()} cores, "
        f"load averages at the end {load}"
    )
