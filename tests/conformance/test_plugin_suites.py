"""Suites of well-known projects, from their source distributions, give test by test the same outcomes with the plugin.

Each is governed together with its tests, in ``observe``, by rules that its own code and tests break.
"""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.conftest import Kit, Pair


# The suites take minutes, and the guard itself is held against others on every version.
pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="runs on one Python")


class Suite(NamedTuple):
    sdist: str
    tests: tuple[str, ...]  # and options
    at_least: int  # tests
    policy: str
    codes: tuple[str, ...]  # of violations that the suite must have caused


def named(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/test_{name}.py" for name in names.split())


SUITES = {
    # Asynchronous: each test runs on asyncio and on trio, under the project's own plugin, with strict configuration.
    "anyio": Suite(
        "anyio==4.16.0",
        named("tests", "taskgroups synchronization lowlevel contextmanagers functools"),
        500,
        """
        packages = ["anyio", "tests"]

        [[imports]]
        id = "names"
        deprecated = ["anyio:create_task_group", "anyio:run"]

        [[imports]]
        id = "backend"
        deprecated = "anyio._backends"
        canonical = "anyio.backends"
        """,
        ("SSG101", "SSG102"),
    ),
    # Doctests of a whole package, beside its tests.
    "boltons": Suite(
        "boltons==26.2.0",
        ("--doctest-modules", "boltons", "tests"),
        600,
        """
        packages = ["boltons", "tests"]

        [[imports]]
        id = "typing"
        deprecated = "boltons.typeutils"
        canonical = "boltons.sentinels"

        [[imports]]
        id = "names"
        deprecated = ["boltons.cacheutils:LRU", "boltons.strutils:slugify"]
        """,
        ("SSG101", "SSG102"),
    ),
    # Its own environments run it with xdist; import mode importlib, strict xfail.
    "attrs": Suite(
        "attrs==26.1.0",
        (*named("tests", "make functional dunders slots validators annotations import next_gen"), "-n", "2"),
        1_000,
        """
        packages = ["attr", "attrs", "tests"]

        [[imports]]
        id = "one-home"
        deprecated = "attr"
        canonical = "attrs"

        [[imports]]
        id = "names"
        deprecated = ["attrs:asdict", "attrs.validators:instance_of", "tests.utils:make_class"]
        """,
        ("SSG101", "SSG102"),
    ),
    # Large, one process, with a conftest, classes and parametrised fixtures.
    "jinja2": Suite(
        "jinja2==3.1.6",
        ("tests",),
        900,
        """
        packages = ["jinja2"]

        [[imports]]
        id = "runtime"
        deprecated = "jinja2.runtime"
        canonical = "jinja2.execution"

        [[imports]]
        id = "names"
        deprecated = ["jinja2:Environment", "jinja2:DictLoader"]
        """,
        ("SSG101", "SSG102"),
    ),
    # unittest classes and some ten thousand subtests.
    "more_itertools": Suite(
        "more_itertools==11.2.1",
        ("--doctest-modules", "more_itertools/recipes.py", "tests/test_recipes.py"),
        190,
        """
        packages = ["more_itertools", "tests"]

        [[imports]]
        id = "recipes"
        deprecated = "more_itertools.recipes"
        canonical = "more_itertools.more"
        """,
        ("SSG101",),
    ),
    # Every warning is an error.
    "packaging": Suite(
        "packaging==26.3",
        named("tests", "requirements markers metadata utils tags"),
        1_000,
        """
        packages = ["packaging", "tests"]

        [[imports]]
        id = "structures"
        deprecated = "packaging._structures"

        [[imports]]
        id = "names"
        deprecated = ["packaging.version:Version", "packaging.utils:canonicalize_name"]
        """,
        ("SSG102",),
    ),
}
HELPERS = (
    "cloudpickle==3.1.2",
    "hypothesis==6.170.15",
    "pretend==1.0.9",
    "psutil==7.2.2",
    "pytest-mock==3.17.0",
    "pytest-timeout==2.4.0",
    "pytest-xdist==3.8.0",
    "tomli_w==1.2.0",
    "trio==0.35.0",
    "trustme==1.2.1",
)


@pytest.fixture(scope="session")
def python(environments: Any) -> Path:
    found: Path = environments(
        "plugin-suites", *(s.sdist for s in SUITES.values()), *HELPERS, f"pytest=={pytest.__version__}"
    )
    return found


def both(name: str, mode: str, kit: Kit, python: Path, sdists: Any, *tests: str) -> Pair:
    suite = SUITES[name]
    return kit.with_python(python).both(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml", "{junit}", *(tests or suite.tests)),
        policy=f'mode = "{mode}"\n{dedent(suite.policy)}',
        cwd=sdists(suite.sdist),
        plugin=True,
    )


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_passes_and_fails_the_same_tests_under_the_plugin(
    name: str, kit: Kit, python: Path, sdists: Any
) -> None:
    pair = both(name, "observe", kit, python, sdists)
    pair.assert_same_tests(at_least=SUITES[name].at_least)
    seen = kit.sightings()
    assert set(SUITES[name].codes) <= set(seen.codes), pair.guarded.output[-3000:]
    assert "INTERNAL ERROR of ssot-guard" not in pair.guarded.output
    assert [record for record in seen.records if record["record"] == "internal_error"] == []


def test_the_comparison_notices_a_plugin_that_fails_tests(kit: Kit, python: Path, sdists: Any) -> None:
    pair = both("boltons", "warn", kit, python, sdists, "tests/test_strutils.py", "tests/test_cacheutils.py")
    assert (pair.plain.status, pair.guarded.status) == (0, 1)
    with pytest.raises(AssertionError, match="outcomes of the guarded run only"):
        pair.assert_same_tests(at_least=10)
