"""`ssot-guard explain`, and the pages of the documentation that say the same."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.cli.examples import EXAMPLES
from ssot_guard.cli.pages import index, page
from ssot_guard.policy.fields import MODULES

Run = Callable[..., subprocess.CompletedProcess[str]]

DOCS = Path(__file__).parents[3] / "docs" / "codes"


@pytest.mark.parametrize("code", CATALOGUE)
def test_documentation_page_says_what_the_catalogue_says(code: str) -> None:
    assert (DOCS / f"{code}.md").read_text(encoding="utf-8") == page(CATALOGUE[code]), (
        "run: python -m ssot_guard.cli.pages docs/codes"
    )


def test_index_of_the_pages_says_what_the_catalogue_says() -> None:
    assert (DOCS / "index.md").read_text(encoding="utf-8") == index(), "run: python -m ssot_guard.cli.pages docs/codes"
    assert [line[3:9] for line in index().splitlines() if line.startswith("| [")] == list(CATALOGUE)


def test_every_code_has_its_example_and_its_page_and_no_more() -> None:
    assert EXAMPLES.keys() == CATALOGUE.keys()
    assert {file.stem for file in DOCS.glob("SSG*.md")} == set(CATALOGUE)


@pytest.mark.parametrize("code", [code for code in EXAMPLES if EXAMPLES[code].language == "python"])
def test_examples_are_python(code: str) -> None:
    for snippet in EXAMPLES[code][:2]:
        lines = "".join(f"    {line}\n" for line in snippet.splitlines())
        compile(f"async def example():\n{lines.replace('global ', 'nonlocal_ = 0; global ')}", code, "exec")


HEALTH = {
    "failed-imports": "SSG111",
    "cycles": "SSG112",
    "double-imports": "SSG113",
    "re-executions": "SSG114",
    "import-budget": "SSG115",
}


@pytest.mark.parametrize(("rule", "code"), HEALTH.items())
def test_rule_that_reports_print_without_a_policy_naming_it_is_explained(rule: str, code: str, ssot: Run) -> None:
    assert ssot("explain", rule).stdout == page(CATALOGUE[code])


def test_every_health_key_of_the_policy_has_its_code() -> None:
    keys = set(MODULES.schema()["properties"])
    assert {entry.rule for entry in CATALOGUE.values() if entry.rule} == keys == set(HEALTH)


LATER = {"SSG103", "SSG105", "SSG903"}


@pytest.mark.parametrize("code", CATALOGUE)
def test_page_of_what_this_version_does_not_look_for_says_so(code: str) -> None:
    assert ("does not look for it yet" in page(CATALOGUE[code])) == (code in LATER)


def test_list_of_codes_marks_those_that_come_later(ssot: Run) -> None:
    lines = {line[:6]: line for line in ssot("explain").stdout.splitlines()}
    assert lines["SSG903"].endswith("(not yet)")
    assert "(not yet)" not in lines["SSG101"]


@pytest.mark.parametrize("word", ["SSG101", "ssg101", "deprecated-module"])
def test_code_is_explained(word: str, ssot: Run) -> None:
    assert ssot("explain", word).stdout == page(CATALOGUE["SSG101"])


def test_explanation_has_colours_on_request(ssot: Run) -> None:
    assert "\x1b[" in ssot("explain", "SSG101", "--color", "always").stdout


def test_without_a_code_all_are_listed(ssot: Run) -> None:
    assert len(ssot("explain").stdout.splitlines()) == len(CATALOGUE)


def test_unknown_code_gets_a_hint(ssot: Run) -> None:
    done = ssot("explain", "deprecated-modul")
    assert done.returncode == 2
    assert "did you mean deprecated-module?" in done.stderr
