"""A test session of 5,000 trivial tests under the pytest plugin, whole processes; and its instructions.

All variants run the same files. No other plugin is loaded, and each variant looks through the entry points once, as
every pytest does: with ``-p``, where the plugin is not wanted for one that is empty.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import instructions
from measure import RunError, Variant, interleaved
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from scene import Scene

FILES, TESTS = 25, 200  # and tests of each file
REACHING = 8  # of these: 200 in all
FEW = 500  # tests of the small suite
_PARTS = 8  # governed modules that a file imports
_SKIN = ("-m", "pytest", "-q", "-c")  # with pytest's cache, as everywhere: the parsed policy is kept there
_BASE = ("-p", "unplugged", "-p", "no:ssot_guard")
_PLUGIN = ("-p", "ssot_guard")
_BARE, _AGAIN, _INERT = "-p no:ssot_guard", "-p no:ssot_guard, once more", "inert: no policy found"
_HIT = f"{FILES * REACHING} tests reach a violation"


@dataclass(frozen=True)
class _Case:
    """One way to run a suite; ``policy`` names a file beside it."""

    name: str
    policy: str = ""
    mode: str = "observe"
    target: Target | None = None
    fails: bool = False

    def options(self, suite: Path) -> tuple[str, ...]:
        if not self.policy:
            return _PLUGIN
        return (*_PLUGIN, "--ssot", self.mode, "--ssot-policy", str(suite / self.policy))


_LITTLE, _SOME = Target("ratio", 1.005, "≤ 1.005"), Target("ratio", 1.03, "≤ 1.03")
_CASES = (
    _Case(_INERT, target=_LITTLE),
    _Case("active, observe", "quiet.toml", "observe", _SOME),
    _Case("active, warn", "quiet.toml", "warn", _SOME),
)
_HITS = (
    _Case(f"observe, {_HIT}, new", "hit.toml", "observe"),
    _Case(f"warn, {_HIT}, known", "known.toml", "warn"),
    _Case(f"warn, {_HIT}, new: they fail", "hit.toml", "warn", fails=True),
)


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Rows in CPU time and wall time, and in instructions; none where pytest is not installed."""
    if importlib.util.find_spec("pytest") is None:
        say("left out: the session (no pytest here)")
        return []
    suite = _suite(scene, "suite", FILES)
    options = _Case("", "known.toml").options(suite)
    _pytest(scene, suite, (*options, "--ssot-update-baseline"), 0)
    variants = [
        _variant(scene, suite, _BARE, _BASE),
        *(_variant(scene, suite, case.name, case.options(suite)) for case in _CASES),
        _variant(scene, suite, _AGAIN, _BASE),
        *(_variant(scene, suite, case.name, case.options(suite), every=3, fails=case.fails) for case in _HITS),
    ]
    found = interleaved(variants, rounds, say)
    targets = {case.name: case.target for case in _CASES}
    rows = []
    for quantity, text in (("cpu", "CPU time"), ("wall", "wall time")):
        section, series = f"A session of {FILES * TESTS:,} trivial tests, {text}", found[quantity]
        for name, values in series.items():
            target = targets.get(name) if quantity == "cpu" else None
            again = series[_AGAIN] if target else {}
            rows.append(Row(section, name, "s", values, {} if name == _BARE else series[_BARE], target, again))
    return rows + _instructions(scene, say)


# -- running ---------------------------------------------------------------------------------------------------------


def _variant(
    scene: Scene, suite: Path, name: str, options: tuple[str, ...], *, every: int = 1, fails: bool = False
) -> Variant:
    return Variant(name, lambda number: _pytest(scene, suite, options, number, fails=fails), every)


def _pytest(
    scene: Scene, suite: Path, options: tuple[str, ...], number: int, *, fails: bool = False
) -> Mapping[str, float]:
    usage = scene.python(_environment(scene, number), *_command(suite, options), status=int(fails))
    failed = FILES * REACHING if fails else 0
    told = re.search(r"(?:(\d+) failed, )?(\d+) passed", usage.output)
    if told is None or (int(told[1] or 0), int(told[2])) != (failed, FILES * TESTS - failed):
        raise RunError(f"another session than it should be: {usage.output[-300:]}")
    return {"cpu": usage.cpu, "wall": usage.wall}


def _command(suite: Path, options: tuple[str, ...]) -> list[str]:
    return [*_SKIN, str(suite / "pytest.ini"), *options, str(suite)]


def _environment(scene: Scene, number: int) -> dict[str, str]:
    return scene.environment(None, PYTHONHASHSEED=str(number + 1), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


# -- counting --------------------------------------------------------------------------------------------------------


def _instructions(scene: Scene, say: Callable[[str], None]) -> list[Row]:
    """A small session, which shows what is paid once, and the large one. `warn` executes the same as `observe`."""
    if shutil.which("valgrind") is None:
        say("left out: instructions of a session (no valgrind here)")
        return []
    rows: list[Row] = []
    for tests in (FEW, FILES * TESTS):
        section = f"A session of {tests:,} trivial tests, millions of instructions"
        suite = _suite(scene, f"counted-{tests}", FILES, tests // FILES)
        base, again = (_count(scene, suite, _BASE) for _ in range(2))
        rows.append(Row(section, _BARE, "M", base))
        for case in (one for one in _CASES if one.mode != "warn"):
            counts = _count(scene, suite, case.options(suite))
            rows.append(Row(section, case.name, "M", counts, base, None if tests == FEW else case.target, again))
        rows.append(Row(section, _AGAIN, "M", again, base))
    return rows


def _count(scene: Scene, suite: Path, options: tuple[str, ...]) -> dict[int, float]:
    return {0: instructions.count(scene, _command(suite, options), _environment(scene, 0))}


# -- the suite -------------------------------------------------------------------------------------------------------


def _suite(scene: Scene, name: str, files: int, tests: int = TESTS) -> Path:
    """Tests, and beside them policies under names that nobody finds by himself."""
    folder = scene.folder / name
    folder.mkdir()
    (scene.lib / "unplugged.py").write_text('"""A plugin that does nothing."""\n', encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for number in range(files):
        (folder / f"test_part_{number:02}.py").write_text(_tests(number, tests), encoding="utf-8")
    gone = [(f"app.gone_{number:02}", "app.new") for number in range(60)]
    moved = [*gone, ("legacy", "app.new")]
    (folder / "quiet.toml").write_text(scene.policy_text(["app", "legacy"], gone), encoding="utf-8")
    for hit in ("hit", "known"):
        text = scene.policy_text(["app", "legacy"], moved, f'baseline = "{hit}.json"')
        (folder / f"{hit}.toml").write_text(text, encoding="utf-8")
    return folder


def _tests(number: int, tests: int) -> str:
    first = number * _PARTS
    imports = [f"from app.part_{part:04} import function as function_{part}" for part in range(first, first + _PARTS)]
    bodies = [
        f"def test_{index}():\n    from legacy import function\n\n    assert function() == 1\n"
        if index < REACHING
        else f"def test_{index}():\n    assert function_{first + index % _PARTS}() == 1\n"
        for index in range(tests)
    ]
    return "\n\n".join(["\n".join(imports) + "\n", *bodies])
