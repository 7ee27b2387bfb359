"""CPython's own tests of the import system run the same with a guard that governs that very import system."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.conftest import Kit

SUITES = ("test_import", "test_importlib", "test_runpy")


def test_cpythons_import_tests_run_the_same_under_a_guard_that_governs_them(kit: Kit, policies: Path) -> None:
    if kit.run("-c", "import test.test_importlib").returncode:
        pytest.skip("this interpreter came without its `test` package")
    pair = kit.both("-m", "test", "--junit-xml", "{junit}", *SUITES, policy=policies / "cpython.toml")

    pair.assert_same_tests(at_least=1_200)
    assert _totals(pair.guarded.output) == _totals(pair.plain.output)
    seen = kit.sightings()
    # The guard was there, in the process that ran the tests and in those that the tests started …
    assert seen.processes >= (1 if sys.version_info < (3, 12) else 20)
    # … and every rule of the policy was really broken by the suites.
    assert seen.rules >= {"abc", "support", "suite-util", "resource-data", "names", "extensions", "failed-imports"}
    assert seen.codes["SSG101"] > 50
    assert seen.internal_errors == []


def _totals(output: str) -> list[str]:
    """What the run itself says about tests run and skipped."""
    return [line for line in output.splitlines() if line.startswith(("Total tests:", "Total test files:", "Result:"))]
