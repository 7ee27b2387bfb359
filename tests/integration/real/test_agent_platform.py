"""The example platform keeps its word: what `make demo` shows of it, and what its index says."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ssot_guard.catalogue import CATALOGUE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = [
    pytest.mark.timeout(900),  # the first run makes an environment
    pytest.mark.skipif(
        (3, 11) < sys.version_info[:2] < (3, 15), reason="takes a minute: runs on the oldest and the newest Python"
    ),
]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "example.md"

# Every code that a live process can find, but for those about rules and baselines.
CODES = {code for code, entry in CATALOGUE.items() if entry.runtime and not code.startswith("SSG9")}


@pytest.fixture(scope="module")
def platform(application: Callable[[str], Any]) -> Any:
    return application("agent_platform")


@pytest.fixture(scope="module")
def shown(platform: Any) -> subprocess.CompletedProcess[str]:
    """The demo, run once."""
    done: subprocess.CompletedProcess[str] = platform.run("demo.py")
    return done


def test_the_demo_sees_exactly_what_is_planted(shown: Any) -> None:
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.endswith("Everything was exactly as expected.\n")


def test_the_demo_makes_its_claims(shown: Any) -> None:
    """A demo that skips a step would be silent, not wrong."""
    steps = re.findall(r"^(\d)\. ", shown.stdout, re.MULTILINE)
    claims = [line for line in shown.stdout.splitlines() if line.startswith("  ok  ")]
    assert steps == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert len(claims) >= 30


def test_the_page_of_the_docs_shows_what_the_demo_prints(shown: Any) -> None:
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        printed = iter(shown.stdout.splitlines())
        excerpts = [line for line in block.splitlines() if line != "..."]
        assert [line for line in excerpts if line not in printed] == [], block  # in this order


def test_each_code_is_planted_and_indexed(platform: Any) -> None:
    source = {path: path.read_text(encoding="utf-8") for path in platform.folder.rglob("*.py")}
    labels = [
        (code, f"{path.relative_to(platform.folder).as_posix()}:{number}")
        for path, text in source.items()
        for number, line in enumerate(text.splitlines(), 1)
        for label in re.findall(r"# fault: (.+)", line)
        for code in re.findall(r"SSG\d{3}", label)
    ]
    index = (platform.folder / "README.md").read_text(encoding="utf-8")
    indexed = re.findall(r"^\| \[(SSG\d{3})\].*?\[`([^`]+)`\]", index, re.MULTILINE)
    assert {code for code, _ in labels} == CODES
    assert sorted(labels) == sorted(indexed)


def test_a_fault_more_is_noticed(platform: Any, tmp_path: Path) -> None:
    """Else the demo would prove nothing: two that have no label, one shows at import and one in use, and it fails."""
    copy = tmp_path / "agent_platform"
    _copied(platform.folder, copy)
    shutil.copy(platform.folder.parent / "story.py", tmp_path)
    users = copy / "helpdesk" / "users.py"
    users.write_text(users.read_text(encoding="utf-8") + "\nimport helpdesk.agents.registry\n", encoding="utf-8")
    account = copy / "helpdesk" / "agents" / "account.py"
    account.write_text(account.read_text(encoding="utf-8").replace("# fault: ", "# was: "), encoding="utf-8")
    done = platform.run(copy / "demo.py", "warn")
    assert done.returncode == 1
    assert "too much  ('helpdesk/users.py', " in done.stdout
    assert "too much  ('helpdesk/agents/account.py', " in done.stdout


def _copied(folder: Path, copy: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
