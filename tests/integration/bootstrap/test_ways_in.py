"""Each way into a process, in real processes: what is guarded, what stays as it was, and what is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ASK = "import ssot_guard; print(ssot_guard.active())"
POLICY = """\
packages = ["acme"]

[[imports]]
deprecated = "acme.old"
canonical = "acme.new"
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy" / "ssot-guard.toml"
    path.parent.mkdir()
    path.write_text(POLICY)
    return path


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(ROOT / "sitecustomize_example" / "sitecustomize.py", folder)
    return folder


def python(
    *arguments: str, folders: tuple[Path, ...] = (), cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SSOT"))}
    environ["PYTHONPATH"] = os.pathsep.join([*map(str, folders), str(ROOT / "src")])
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environ | variables, cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_example_guards_where_the_environment_names_a_policy(example: Path, policy: Path) -> None:
    done = python("-c", ASK, folders=(example,), SSOT_GUARD_POLICY=str(policy))
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize(
    ("description", "variables"),
    [
        ("no policy", {}),
        ("an empty policy", {"SSOT_GUARD_POLICY": ""}),
        ("switched off", {"SSOT_GUARD_POLICY": "{policy}", "SSOT_GUARD": "off"}),
        ("mode off", {"SSOT_GUARD_POLICY": "{policy}", "SSOT_GUARD_MODE": "off"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_installed_and_nothing_said(
    description: str, variables: dict[str, str], example: Path, policy: Path
) -> None:
    filled = {key: value.format(policy=policy) for key, value in variables.items()}
    code = "import sys; print([type(f).__module__ for f in sys.meta_path if 'ssot' in str(type(f).__module__)])"
    done = python("-c", code, folders=(example,), **filled)
    assert (done.stdout, done.stderr) == ("[]\n", ""), description


def test_the_example_runs_the_sitecustomize_that_it_hides(example: Path, policy: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("print('hidden', __name__)")
    done = python("-c", ASK, folders=(example, hidden), SSOT_GUARD_POLICY=str(policy))
    assert done.stdout == "hidden sitecustomize\nTrue\n"


def test_the_example_survives_that_ssot_guard_is_gone(example: Path, policy: Path) -> None:
    done = python("-c", "print('runs')", folders=(example,), SSOT_GUARD_POLICY=str(policy), PYTHONPATH=str(example))
    assert (done.stdout, done.stderr) == ("runs\n", "")


def test_running_the_example_twice_installs_one_finder(example: Path, policy: Path) -> None:
    code = (
        "import sys, runpy, ssot_guard; runpy.run_path(sys.argv[1]); "
        "print(sum(type(f).__module__.startswith('ssot_guard') for f in sys.meta_path))"
    )
    done = python("-c", code, str(example / "sitecustomize.py"), folders=(example,), SSOT_GUARD_POLICY=str(policy))
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("policy_text", "expected"),
    [
        ("packages = 3", "ssot-guard.toml:1"),
        ("packages = [", "ssot-guard.toml:1"),
        (None, "ssot-guard.toml"),
    ],
    ids=["wrong type", "not TOML", "missing file"],
)
def test_a_policy_that_cannot_be_used_is_one_line_on_stderr_and_the_program_runs(
    policy_text: str | None, expected: str, example: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ssot-guard.toml"
    if policy_text is not None:
        path.write_text(policy_text)
    done = python("-c", "print('runs')", folders=(example,), SSOT_GUARD_POLICY=str(path))
    assert done.stdout == "runs\n"
    assert done.returncode == 0
    assert done.stderr.startswith("ssot-guard: NOT guarding this process: ")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_value_of_the_switch_is_said_and_changes_nothing(example: Path, policy: Path) -> None:
    done = python("-c", ASK, folders=(example,), SSOT_GUARD_POLICY=str(policy), SSOT_GUARD="0")
    assert done.stdout == "True\n"
    assert "SSOT_GUARD='0' changes nothing" in done.stderr


def test_production_never_looks_in_the_working_directory(example: Path, policy: Path) -> None:
    done = python("-c", ASK, folders=(example,), cwd=policy.parent)
    assert done.stdout == "False\n"


def test_a_bare_guarded_start_imports_only_a_handful_of_small_modules(example: Path, policy: Path) -> None:
    code = "import sys; print(*sorted(m for m in sys.modules if not m.startswith('ssot_guard')))"
    python("-c", "pass", folders=(example,), SSOT_GUARD_POLICY=str(policy))  # warms the policy's cache
    guarded = set(python("-c", code, folders=(example,), SSOT_GUARD_POLICY=str(policy)).stdout.split())
    bare = set(python("-c", code, folders=(example,)).stdout.split())
    assert guarded - bare <= {"_blake2", "atexit", "marshal", "__future__"}


def test_importing_the_package_installs_nothing() -> None:
    code = "import sys; before = list(sys.meta_path); import ssot_guard; print(sys.meta_path == before)"
    assert python("-c", code).stdout == "True\n"
