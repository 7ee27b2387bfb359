import re
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest

from ssot_guard import _version

ROOT = Path(__file__).parents[2]
PACKAGE = Path(_version.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

# Each of these costs a guarded process's start more than the whole of `import ssot_guard` may.
HEAVY = {
    "asyncio", "ast", "collections", "concurrent", "contextlib", "dataclasses", "enum", "functools", "hashlib",
    "importlib.metadata", "importlib_metadata", "inspect", "json", "logging", "orjson", "pathlib", "re", "tempfile",
    "threading", "tomllib", "traceback", "typing", "warnings", "wrapt",
}  # fmt: skip

ROOMS = ("ssot_guard.cli", "ssot_guard.ledger", "ssot_guard.policy", "ssot_guard.sinks", "ssot_guard.watch")


def modules_loaded_by(statement: str) -> set[str]:
    """The modules that a statement adds to a bare interpreter: no site, no environment."""
    code = f"""
import sys
bare = set(sys.modules)
sys.path.append({str(PACKAGE.parent)!r})
{statement}
print(*set(sys.modules) - bare)
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = modules_loaded_by("import ssot_guard")

    assert "ssot_guard" in loaded
    assert loaded & HEAVY == set()


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    loaded = modules_loaded_by("import ssot_guard")

    assert [name for name in loaded if name.startswith(ROOMS)] == []


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_the_package_and_its_distribution_tell_the_same_version() -> None:
    assert _version.__version__ == metadata.version("ssot-guard")


def test_the_command_is_installed() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="ssot-guard")

    assert command.value == "ssot_guard.cli:main"


def test_the_extra_all_names_every_other_extra() -> None:
    (everything,) = EXTRAS["all"]

    assert everything == f"ssot-guard[{','.join(sorted(EXTRAS.keys() - {'all'}))}]"


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *chain(*EXTRAS.values())])
def test_a_dependency_has_no_upper_bound(requirement: str) -> None:
    wanted = requirement.partition(";")[0]

    assert re.search(r"<|==|~=", wanted) is None


def test_ci_and_nox_try_every_python_that_the_metadata_promises() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    in_nox = re.search(r"^PYTHONS = \[(.*)\]$", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    in_ci = re.search(r"^versions=\((.*)\)$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)

    assert in_nox
    assert in_ci
    assert re.findall(r"3\.\d+", in_nox[1]) == promised
    assert in_ci[1].split() == promised
