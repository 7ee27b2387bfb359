"""What runs once belongs to its file, what a test does belongs to the test; and nothing makes it unseen.

The sessions under test are those of ``tests/fixtures/pytest_plugin/story``.
"""

import functools

import pytest

# One result each, whoever came first.
FILES = [
    "ssot::conftest.py",
    "ssot::src/acme/eager.py",
    "ssot::src/acme/late.py",
    "ssot::src/acme/lazy.py",  # a function, called by the body of another module
    "ssot::tests/test_story.py",
]

# (test, phase in which it fails)
TESTS = [
    ("test_call", "call"),
    ("test_call_too", "call"),
    ("test_loop", "call"),
    ("test_own_line", "call"),
    ("test_by_name", "call"),
    ("test_swallows", "call"),
    ("test_removed", "call"),
    ("test_typo", "call"),
    ("test_executes", "call"),
    ("test_thread", "call"),
    ("test_skips", "call"),
    ("test_xfails", "call"),
    ("test_xfails_strictly", "call"),
    ("test_xpasses", "call"),
    ("test_setup", "setup"),
    ("test_teardown", "teardown"),
    ("test_hooked", "setup"),
    ("TestUnit::test_unit", "call"),
    ("TestUnit::test_unit_skips", "call"),
    ("TestUnit::test_unit_expected", "call"),
    ("TestUnit::test_unit_subtests", "call"),
    ("TestAsync::test_async", "call"),
    ("test_subtests", "call"),
    ("documented.py::acme.documented", "call"),
]

CLEAN = [
    "test_clean",
    "test_wide",
    "test_reads_undecided",
    "test_quiet",
    "test_loads_again",
    "TestClass::test_method",
    "TestUnit::test_unit_clean",
    "TestAsync::test_async_clean",
    "test_subtests_clean",
]
ARGUMENTS = ("--doctest-modules", "-v", "tests", "src")


@pytest.fixture(scope="module")
def story(projects):
    """The session in a mode; each mode runs once."""

    @functools.cache
    def told(mode):
        return projects(tree="story").run("--ssot", mode, *ARGUMENTS)

    return told


def test_warn_makes_one_failed_result_per_file(story):
    session = story("warn")
    assert [one for one in session.failed if one.startswith("ssot::")] == FILES, session


@pytest.mark.parametrize(("name", "phase"), TESTS, ids=[name for name, _ in TESTS])
def test_warn_fails_the_test_in_the_phase_that_did_it(story, name, phase):
    failed = story("warn").of(name if "::" in name else f"::{name}", "failed")
    assert [one["when"] for one in failed] == [phase], story("warn")
    assert "SSG1" in failed[0]["text"]
    assert failed[0]["crash"].startswith("SSG1")
    assert not failed[0]["xfail"]


@pytest.mark.parametrize("name", CLEAN)
def test_who_does_nothing_does_not_fail(story, name):
    assert story("warn").of(f"::{name}"), story("warn")
    assert not story("warn").of(f"::{name}", "failed"), story("warn")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("::test_fails_by_itself", "my own error"),
        ("::TestUnit::test_unit_fails", "my own failure"),
    ],
)
def test_a_test_that_fails_anyway_keeps_its_own_error(story, name, own):
    failed = story("warn").of(name, "failed")
    assert own in failed[0]["text"]
    assert "SSG101" not in failed[0]["crash"]
    assert "ssot-guard" in failed[-1]["sections"]


def test_a_subtest_keeps_its_own_error_and_its_test_fails_for_ours(story):
    subtest, test = story("warn").of("::test_subtests_fail", "failed")
    assert "my own subtest" in subtest["text"]
    assert test["crash"].startswith("SSG101")


def test_a_failure_of_its_own_gets_no_word_of_ours(story):
    (failed,) = story("warn").of("::test_fails_only_by_itself", "failed")
    assert failed["sections"] == []


def test_an_expected_failure_stays_one_where_nothing_was_violated(story):
    assert [one["xfail"] for one in story("warn").of("::test_xfails_cleanly", "skipped")] == [True]


def test_every_failed_result_is_one_of_these(story):
    """Nobody else fails: 24 + 2 tests for what they do, one for itself, a subtest, and the files."""
    failed = story("warn").failed
    expected = (
        len(TESTS) + len(FILES) + len(["by itself, too"] * 2 + ["only by itself"] + ["a subtest, and its test"] * 2)
    )
    assert len(failed) == expected, failed


def test_the_three_numbers(story):
    (line,) = [line for line in story("warn").summary if line.startswith("failures:")]
    both = 3  # by itself and by us: a test, a unittest, a test with a failed subtest
    ours = len(TESTS) + len(FILES)
    assert line == f"failures: 1 of the suite's own, {ours} only by ssot-guard ({len(FILES)} files), {both} both"


def test_what_fails_nothing_is_in_the_summary(story):
    quiet = [line.split(": ")[1] + line.rpartition("[")[2] for line in story("warn").summary if "fails nothing" in line]
    assert quiet == [
        "SSG102 undecidedfails nothing: contested]",
        "SSG101 quietfails nothing: mode observe]",
        "SSG114 re-executionsfails nothing: SSG114 never does in tests]",
    ]


def test_observe_fails_nothing_and_finds_the_same(story):
    observed, warned = story("observe"), story("warn")
    assert observed.sites == warned.sites
    assert observed.failed == [
        "tests/test_story.py::TestUnit::test_unit_fails",
        "tests/test_story.py::test_fails_by_itself",
        "tests/test_story.py::test_fails_only_by_itself",
        "tests/test_story.py::test_setup",
        "tests/test_subtests.py::test_subtests_fail",
        "tests/test_subtests.py::test_subtests_fail",
    ]
    assert "ssot-guard" not in str([one["sections"] for one in observed.records])


def test_counts_are_executions_and_tests_are_named(story):
    (row,) = [row for row in story("warn").report["violations"] if row["path"] == "src/acme/lazy.py"]
    assert row["tests"] == 19
    assert row["count"] == 100 + 18 + 2 + 1  # the loop, the others, two more subtests, and a module's body
