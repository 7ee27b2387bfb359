"""LangChain 0.2 resolves its old names through lazy module `__getattr__`, and imports them itself all the time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.timeout(900)  # the first run makes an environment

LABEL = re.compile(r"# deprecated: ([\w-]+)")


@pytest.fixture(scope="module")
def langchain(application: Callable[[str], Any]) -> Any:
    return application("langchain")


@pytest.fixture(scope="module")
def labels(langchain: Any) -> list[tuple[int, str]]:
    """(line, rule) of each labelled line of the script."""
    lines = (langchain.folder / "app.py").read_text(encoding="utf-8").splitlines()
    return [(number, match[1]) for number, line in enumerate(lines, 1) if (match := LABEL.search(line))]


@pytest.fixture
def observed(
    langchain: Any, tmp_path: Path, violations: Callable[[Path], list[dict[str, Any]]]
) -> tuple[Any, list[dict[str, Any]]]:
    report = tmp_path / "report.json"
    return langchain.guarded("observe", report, "app.py"), violations(report)


def test_each_deprecated_line_of_the_script_is_named_once(observed: Any, labels: list[tuple[int, str]]) -> None:
    _, found = observed
    named = [(one["line"], one["rule"]) for one in found if Path(one["path"]).name == "app.py"]
    assert len(labels) >= 10
    assert sorted(named) == labels


def test_the_program_does_not_notice(langchain: Any, observed: Any) -> None:
    guarded, _ = observed
    plain = langchain.run("app.py")
    assert plain.returncode == 0, plain.stderr
    assert (guarded.returncode, guarded.stdout, guarded.stderr) == (0, plain.stdout, plain.stderr)


def test_imports_of_langchain_within_its_own_packages_are_silent(observed: Any) -> None:
    """All that is left is true: LangChain's two `get_type_to_cls_dict` are different functions (SSG104)."""
    _, found = observed
    others = [(one["code"], one["target"]) for one in found if Path(one["path"]).name != "app.py"]
    assert others == [("SSG104", "langchain.llms:get_type_to_cls_dict")]


def test_strict_stops_at_the_first_deprecated_line(
    langchain: Any, labels: list[tuple[int, str]], tmp_path: Path
) -> None:
    done = langchain.guarded("strict", tmp_path / "report.json", "app.py")
    assert done.returncode == 1
    assert done.stdout == ""
    assert f'app.py", line {labels[0][0]}, in <module>' in done.stderr
    assert f"DeprecatedImportError: SSG101 {labels[0][1]}: " in done.stderr.splitlines()[-1]
