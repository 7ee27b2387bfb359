import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.policy.globs import Globs, complaint, is_path

# (description, patterns, path, matches); every row is also asked of git itself.
ROWS = [
    ("a name matches at any depth", ["x.py"], "a/b/x.py", True),
    ("a name matches a whole segment only", ["x.py"], "a/xx.py", False),
    ("a leading slash anchors", ["/x.py"], "a/x.py", False),
    ("a leading slash matches at the root", ["/x.py"], "x.py", True),
    ("a slash in the middle anchors", ["a/x.py"], "b/a/x.py", False),
    ("a slash in the middle matches from the root", ["a/x.py"], "a/x.py", True),
    ("a slash at the end matches folders", ["build/"], "a/build/x.py", True),
    ("a slash at the end does not match a file", ["build/"], "a/build", False),
    ("a folder's name matches what is in it", ["build"], "a/build/b/x.py", True),
    ("a star stays in its segment", ["a/*.py"], "a/b/x.py", False),
    ("a star matches within its segment", ["a/*.py"], "a/x.py", True),
    ("a star may match nothing", ["a*.py"], "a.py", True),
    ("a star matches names with a dot in front", ["*.py"], ".x.py", True),
    ("a question mark is one character", ["?.py"], "x.py", True),
    ("a question mark is no slash", ["a?b"], "a/b", False),
    ("a question mark is not two characters", ["?.py"], "xy.py", False),
    ("leading stars match at the root", ["**/x.py"], "x.py", True),
    ("leading stars match deep down", ["**/x.py"], "a/b/x.py", True),
    ("leading stars with a folder", ["**/a/x.py"], "b/a/x.py", True),
    ("trailing stars match all below", ["a/**"], "a/b/c.py", True),
    ("trailing stars are anchored", ["a/**"], "b/a/c.py", False),
    ("trailing stars do not match the folder's own name as a file", ["a/**"], "a", False),
    ("stars in the middle match nothing", ["a/**/x.py"], "a/x.py", True),
    ("stars in the middle match several", ["a/**/x.py"], "a/b/c/x.py", True),
    ("stars in the middle need the start", ["a/**/x.py"], "b/x.py", False),
    ("stars within a name are one star", ["a/x**.py"], "a/xyz.py", True),
    ("stars within a name do not cross a slash", ["a/x**.py"], "a/x/y.py", False),
    ("stars alone match everything", ["**"], "a/b.py", True),
    ("one star alone matches everything", ["*"], "a/b.py", True),
    ("a bracket matches one of", ["[ab].py"], "b.py", True),
    ("a bracket does not match others", ["[ab].py"], "c.py", False),
    ("a range", ["[a-c].py"], "b.py", True),
    ("a negated bracket", ["[!a].py"], "b.py", True),
    ("a negated bracket refuses", ["[!a].py"], "a.py", False),
    ("a negated bracket is no slash", ["a[!x]b"], "a/b", False),
    ("a bracket that begins with a bracket", ["[]a].py"], "].py", True),
    ("an open bracket matches nothing", ["[a.py"], "[a.py", False),
    ("a dot is a dot", ["a.py"], "abpy", False),
    ("a plus is a plus", ["a+.py"], "a+.py", True),
    ("an exclamation mark takes back", ["*.py", "!x.py"], "x.py", False),
    ("the last match decides", ["!x.py", "*.py"], "x.py", True),
    ("taking back keeps others", ["*.py", "!x.py"], "y.py", True),
    ("nothing can be taken back from a matched folder", ["a/", "!a/x.py"], "a/x.py", True),
    ("but from matched contents it can", ["a/*", "!a/x.py"], "a/x.py", False),
    ("a folder's contents can be taken back by folder", ["a/*", "!a/b/"], "a/b/x.py", False),
    ("an escaped exclamation mark is a name", ["\\!x.py"], "!x.py", True),
    ("an escaped hash is a name", ["\\#x.py"], "#x.py", True),
    ("a hash begins a comment", ["#x.py"], "#x.py", False),
    ("an escaped star is a star", ["\\*.py"], "*.py", True),
    ("an escaped star is nothing else", ["\\*.py"], "x.py", False),
    ("blanks at the end do not count", ["x.py  "], "x.py", True),
    ("an escaped blank at the end counts", ["x\\ "], "x ", True),
    ("an empty pattern matches nothing", [""], "x.py", False),
    ("no pattern matches nothing", [], "x.py", False),
    ("a slash alone matches nothing", ["/"], "x.py", False),
    ("case counts", ["X.py"], "x.py", False),
    ("any script is fine", ["données/**"], "données/é.py", True),
    ("a blank in the middle is a blank", ["a b.py"], "a b.py", True),
]


@pytest.mark.parametrize(("description", "patterns", "path", "expected"), ROWS)
def test_paths_match_as_gitignore_says(description: str, patterns: list[str], path: str, expected: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Globs(patterns).matches(path) is expected, description


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_agrees_with_every_row(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    wrong = []
    for description, patterns, path, expected in ROWS:
        (tmp_path / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns), "utf-8")
        command = ["git", "-c", "core.ignorecase=false", "check-ignore", "-q", "--no-index", "--", path]
        if (subprocess.run(command, cwd=tmp_path, check=False).returncode == 0) is not expected:
            wrong.append(description)
    assert not wrong


def test_a_folder_itself_can_be_asked_for() -> None:
    globs = Globs(["build/"])
    assert globs.matches("src/build", folder=True)
    assert not globs.matches("src/build")


def test_absolute_paths_outside_of_the_tree_can_be_asked_for() -> None:
    assert Globs(["*.py"]).matches("/usr/lib/x.py")
    assert not Globs(["src/**"]).matches("/usr/src/x.py")


COMPLAINTS = [
    ("#x", "comment"),
    ("a\\b", "written with `/`"),
    ("./a", "without `.`"),
    ("a/../b", "without `.`"),
    ("[a", "matches no path"),
    ("/", "matches no path"),
    ("!", "matches no path"),
    ("[z-a]", "matches no path"),
]


@pytest.mark.parametrize(("text", "message"), COMPLAINTS)
def test_what_can_match_no_path_is_complained_about(text: str, message: str) -> None:
    assert message in str(complaint(text))


@pytest.mark.parametrize("text", ["a/**", "!a", "*.py", "\\#x", "[a-z]/x", "a b"])
def test_what_can_match_is_not(text: str) -> None:
    assert complaint(text) is None


@pytest.mark.parametrize(("text", "expected"), [("a/b", True), ("x.py", True), ("a.b", False), ("a.b:N", False)])
def test_a_slash_or_the_suffix_makes_a_path(text: str, expected: Any) -> None:
    assert is_path(text) is expected
