from pathlib import Path
from typing import Any

import pytest

from ssot_guard.discover import discover
from ssot_guard.errors import PolicyError

TABLE = '[tool.ssot-guard]\npackages = ["a"]\n'
OWN = 'packages = ["a"]\n'
OTHER = '[project]\nname = "x"\n'

# (description, files below the root, where we start, what is found)
TREES = [
    ("the own file", {"r/.git/": "", "r/ssot-guard.toml": OWN}, "r", "r/ssot-guard.toml"),
    ("the project's file with our table", {"r/.git/": "", "r/pyproject.toml": TABLE}, "r", "r/pyproject.toml"),
    ("a project's file without our table is none", {"r/.git/": "", "r/pyproject.toml": OTHER}, "r", None),
    ("a mention in a comment is no table", {"r/.git/": "", "r/pyproject.toml": OTHER + "# ssot-guard"}, "r", None),
    (
        "a dependency on us is no table",
        {"r/.git/": "", "r/pyproject.toml": '[project]\ndependencies = ["ssot-guard"]'},
        "r",
        None,
    ),
    (
        "upward to the repository's root",
        {"r/.git/": "", "r/ssot-guard.toml": OWN, "r/a/b/": ""},
        "r/a/b",
        "r/ssot-guard.toml",
    ),
    ("never above it", {"ssot-guard.toml": OWN, "r/.git/": "", "r/a/": ""}, "r/a", None),
    (
        "the nearest wins",
        {"r/.git/": "", "r/ssot-guard.toml": OWN, "r/a/pyproject.toml": TABLE},
        "r/a",
        "r/a/pyproject.toml",
    ),
    ("a worktree's .git is a file", {"ssot-guard.toml": OWN, "r/.git": "gitdir: x", "r/a/": ""}, "r/a", None),
    ("without a repository only the folder itself", {"ssot-guard.toml": OWN, "r/": ""}, "r", None),
    ("without a repository the folder itself", {"r/ssot-guard.toml": OWN}, "r", "r/ssot-guard.toml"),
    (
        "one with our table",
        {"r/.git/": "", "r/ssot-guard.toml": OWN, "r/pyproject.toml": OTHER},
        "r",
        "r/ssot-guard.toml",
    ),
    ("a folder of that name is none", {"r/.git/": "", "r/ssot-guard.toml/": ""}, "r", None),
    (
        "a broken table is left to the loader",
        {"r/.git/": "", "r/pyproject.toml": TABLE + "x ="},
        "r",
        "r/pyproject.toml",
    ),
]


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


@pytest.mark.parametrize(("description", "files", "start", "expected"), TREES)
def test_a_policy_is_found(description: str, files: dict[str, str], start: str, expected: Any, tmp_path: Path) -> None:
    plant(tmp_path, files)
    found = discover(tmp_path / start)
    assert found == (None if expected is None else str(tmp_path / expected)), description


def test_the_working_directory_is_where_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {"ssot-guard.toml": OWN})
    monkeypatch.chdir(tmp_path)
    assert discover() == str(tmp_path / "ssot-guard.toml")


def test_two_policies_in_one_folder_are_an_error(tmp_path: Path) -> None:
    plant(tmp_path, {"ssot-guard.toml": OWN, "pyproject.toml": TABLE})
    with pytest.raises(PolicyError, match="keep one of the two"):
        discover(tmp_path)
