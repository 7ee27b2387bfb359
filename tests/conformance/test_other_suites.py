"""Suites of well-known packages, from their source distributions, give test by test the same outcomes when guarded.

Each is governed together with its tests, by rules that its own code and tests break.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.conftest import Kit


class Suite(NamedTuple):
    sdist: str
    tests: tuple[str, ...]
    at_least: int  # tests
    codes: tuple[str, ...]  # of violations that the suite must have caused


ATTRS = (
    "abc",
    "annotations",
    "cmp",
    "forward_references",
    "import",
    "next_gen",
    "pattern_matching",
    "slots",
    "validators",
)
JSONSCHEMA = ("cli", "deprecations", "exceptions", "format", "types", "utils", "validators")
SUITES = {
    "pytest": Suite(
        f"pytest=={pytest.__version__}",
        ("testing/test_assertrewrite.py", "-p", "pytester"),
        100,
        ("SSG101", "SSG102"),
    ),
    "wrapt": Suite("wrapt==2.5.2", ("tests",), 1_000, ("SSG101", "SSG102", "SSG104", "SSG114")),
    "jsonschema": Suite(
        "jsonschema==4.26.0",
        tuple(f"jsonschema/tests/test_{name}.py" for name in JSONSCHEMA),
        300,
        ("SSG101", "SSG102"),
    ),
    "attrs": Suite("attrs==26.1.0", tuple(f"tests/test_{name}.py" for name in ATTRS), 300, ("SSG101", "SSG104")),
    "lazy_loader": Suite("lazy_loader==0.6", ("tests",), 10, ("SSG101", "SSG102", "SSG114")),
}
HELPERS = ("cloudpickle==3.1.2", "hypothesis==6.170.15", "jsonpath-ng==1.16.0")


@pytest.fixture(scope="session")
def python(environments: Any) -> Path:
    found: Path = environments("suites", *(suite.sdist for suite in SUITES.values()), *HELPERS)
    return found


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_passes_and_fails_the_same_tests_under_a_guard_that_governs_it(
    name: str, kit: Kit, python: Path, sdists: Any, policies: Path
) -> None:
    suite = SUITES[name]
    pair = kit.with_python(python).both(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml", "{junit}", *suite.tests),
        policy=policies / f"{name}.toml",
        cwd=sdists(suite.sdist),
    )
    pair.assert_same_tests(at_least=suite.at_least)
    seen = kit.sightings()
    assert set(suite.codes) <= set(seen.codes)
    assert seen.internal_errors == []
