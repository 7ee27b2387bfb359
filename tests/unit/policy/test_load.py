import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.errors import PolicyError
from ssot_guard.policy.load import from_environment, load, load_data, load_text

GOOD = 'packages = ["acme"]\n'
TABLE = "[tool.ssot-guard]\n" + GOOD


def refused(call: Any, *arguments: Any, **options: Any) -> Any:
    with pytest.raises(PolicyError) as caught:
        call(*arguments, **options)
    (problem,) = caught.value.problems
    return problem


READ = [
    ("the table of a pyproject.toml", "pyproject.toml", TABLE.encode()),
    ("the top level of an ssot-guard.toml", "ssot-guard.toml", GOOD.encode()),
    ("the top level of any other file", "acme-policy.toml", GOOD.encode()),
    ("the table of any other file that has it", "pyproject.staging.toml", TABLE.encode()),
    ("a file with a byte order mark", "ssot-guard.toml", b"\xef\xbb\xbf" + GOOD.encode()),
    ("a file with Windows line ends", "ssot-guard.toml", GOOD.replace("\n", "\r\n").encode()),
]


@pytest.mark.parametrize(("description", "name", "content"), READ)
def test_a_policy_is_read_from(description: str, name: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    policy = load(file, cache=False)
    assert policy.packages == ["acme"], description
    assert (policy.source, policy.root) == (str(file), str(tmp_path))


BROKEN = [
    ("an empty file", "ssot-guard.toml", b"", None, "is empty"),
    ("only blanks", "ssot-guard.toml", b"\n \n", None, "is empty"),
    ("no table", "pyproject.toml", b'[project]\nname = "x"\n', None, "has no [tool.ssot-guard] table"),
    ("a tool that is no table", "pyproject.toml", b"tool = 1", None, "has no [tool.ssot-guard] table"),
    ("our table is a number", "pyproject.toml", b"[tool]\nssot-guard = 1", 2, "must be a table, not the integer 1"),
    ("no UTF-8", "ssot-guard.toml", b'mode = "warn"\nbaseline = "\xff"', 2, "is not UTF-8: byte 0xff"),
    ("no TOML", "ssot-guard.toml", b'mode = "warn"\nbaseline = \n', 2, "is not TOML"),
    ("an end too early", "ssot-guard.toml", b'mode = "warn"\nx = [1,\n', 2, "is not TOML"),
    ("a table twice", "ssot-guard.toml", b"[modules]\n[modules]\n", 2, "is not TOML"),
    ("an endless integer", "ssot-guard.toml", b"a = " + b"9" * 10_000, None, "is not TOML"),
    ("an impossible day", "ssot-guard.toml", b"\ndue = 2027-02-30", 2, "is not TOML"),
    ("endless nesting", "ssot-guard.toml", b"a = " + b"[" * 100_000, None, ""),
]


@pytest.mark.parametrize(("description", "name", "content", "line", "message"), BROKEN)
def test_a_file_that_is_no_policy_is_one_clear_problem(
    description: str, name: str, content: bytes, line: Any, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    problem = refused(load, file, cache=False)
    assert problem.file == str(file), description
    assert message in problem.message
    assert problem.line in ((line, line + 1) if line and "early" in description else (line,))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "there is no such file" in refused(load, tmp_path / "x.toml").message


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    assert "is not a file" in refused(load, tmp_path).message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.toml")
    assert "is not a file" in refused(load, tmp_path / "x.toml").message


def test_a_null_byte_is_no_path() -> None:
    assert "cannot be read" in refused(load, "a\0b").message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.touch(mode=0)
    assert "cannot be read" in refused(load, file).message


def test_a_text_reads_like_the_file_of_its_name() -> None:
    assert load_text(TABLE, "pyproject.toml").packages == ["acme"]
    assert load_text(GOOD).packages == ["acme"]


def test_a_mapping_has_the_keys_of_the_file_and_the_working_directory_as_its_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = load_data({"packages": ["acme"]})
    assert (policy.packages, policy.root) == (["acme"], str(tmp_path))
    assert load_data({}, root="/srv").root == os.path.realpath("/srv")


def test_the_digest_changes_with_the_policy() -> None:
    assert load_data({}).digest == load_data({}).digest != load_data({"mode": "warn"}).digest
    assert load_text(GOOD).digest == load_text(GOOD).digest != load_text(GOOD + "\n").digest


def test_labels_take_variables_from_the_environment_and_unset_ones_are_empty() -> None:
    labels = {"release": "$GIT_SHA", "host": "$NOBODY_SETS_THIS", "team": "agents"}
    policy = load_data({"labels": labels}, environ={"GIT_SHA": "abc"})
    assert policy.labels == {"release": "abc", "host": "", "team": "agents"}


# -- the environment -------------------------------------------------------------------------------------------------


def test_without_the_variable_there_is_no_policy() -> None:
    assert from_environment({}) is None
    assert from_environment({"SSOT_GUARD_POLICY": ""}) is None


def test_the_variable_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(GOOD, "utf-8")
    environ = {"SSOT_GUARD_POLICY": str(tmp_path / "p.toml"), "SSOT_GUARD_CACHE": ""}
    policy = from_environment(environ)
    assert policy is not None
    assert policy.packages == ["acme"]


def test_the_variable_naming_nothing_is_an_error(tmp_path: Path) -> None:
    environ = {"SSOT_GUARD_POLICY": str(tmp_path / "p.toml")}
    assert "there is no such file" in refused(from_environment, environ).message


MODULE = """
import pathlib
import ssot_shipped_seen
FILE = str(pathlib.Path(__file__).with_name("shipped.toml"))
PATH = pathlib.Path(FILE)
MAPPING = {"packages": ["acme"]}
NUMBER = 3
def function():
    return MAPPING
def failing():
    raise OSError("no disk")
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed distribution with entry points for policies."""
    (tmp_path / "ssot_shipped.py").write_text(MODULE.replace("import ssot_shipped_seen\n", ""), "utf-8")
    (tmp_path / "shipped.toml").write_text(GOOD, "utf-8")
    info = tmp_path / "ssot_shipped-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ssot-shipped\nVersion: 1\n", "utf-8")
    names = ["FILE", "PATH", "MAPPING", "NUMBER", "function", "failing", "absent"]
    lines = [f"{name.lower()} = ssot_shipped:{name}" for name in names]
    (info / "entry_points.txt").write_text("[ssot_guard.policies]\n" + "\n".join(lines) + "\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("ssot_shipped", None)


def by_entry_point(name: str) -> Any:
    return from_environment({"SSOT_GUARD_POLICY": f"entry-point:{name}", "SSOT_GUARD_CACHE": ""})


@pytest.mark.parametrize("name", ["file", "path", "mapping", "function"])
@pytest.mark.parametrize("backport", [True, False], ids=["importlib_metadata", "importlib.metadata"])
def test_an_entry_point_leads_to_a_policy(
    name: str, *, backport: bool, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not backport:
        monkeypatch.setitem(sys.modules, "importlib_metadata", None)
    policy = by_entry_point(name)
    assert (policy.packages, policy.root) == (["acme"], str(shipped))


REFUSED = [
    ("one that nobody ships", "fiel", "did you mean `file`?"),
    ("one that loads to something else", "number", "is a int; it must be a path"),
    ("one that raises", "failing", "raised OSError: no disk"),
    ("one that points nowhere", "absent", "raised AttributeError"),
]


@pytest.mark.parametrize(("description", "name", "message"), REFUSED)
def test_an_entry_point_that_leads_nowhere_is_an_error(
    description: str, name: str, message: str, shipped: Path
) -> None:
    problem = refused(by_entry_point, name)
    assert message in problem.message, description
    assert problem.file == f"entry-point:{name}"


@pytest.mark.parametrize(
    ("kill", "expected"), [("off", "etc/off"), ("../run/off", "run/off"), ("/run/off", "/run/off")]
)
def test_a_kill_file_lies_below_the_policys_folder(
    kill: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ssot-guard.toml").write_text(f'profiles.p.kill-file = "{kill}"\n')
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # parsed, then out of the cache
        found = load("etc/ssot-guard.toml", environ={}).profiles["p"].kill_file
        assert os.path.normpath(str(found)) == str(tmp_path / expected)
