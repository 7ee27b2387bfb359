"""Where the mode comes from, what each one does, and that nothing but the plugin speaks."""

import sys

import pytest

TESTS = {
    "tests/test_it.py": """
        import sys

        import acme.old
        from acme import lazy

        def test_uses():
            lazy.use()
            assert "acme.old" in sys.modules

        def test_loads():
            sys.modules.pop("acme.old", None)
            try:
                import acme.old
            finally:
                print("reached the end of the import")

        def test_loads_late():
            sys.modules.pop("acme.old", None)
            sys.modules.pop("acme.late", None)
            import acme.late

        def test_is_clean():
            pass
        """,
    "src/acme/late.py": "import acme.old\n",
}
FILES = ["ssot::src/acme/late.py", "ssot::tests/test_it.py"]
USERS = ["tests/test_it.py::test_loads", "tests/test_it.py::test_uses"]
LATE = "tests/test_it.py::test_loads_late"


@pytest.fixture(scope="module")
def it(projects):
    return projects(TESTS)


def test_strict_raises_on_the_spot_once_collection_is_over(it):
    session = it.run("--ssot", "strict", "tests")
    assert session.status == 1
    assert session.failed == sorted([*FILES, *USERS, LATE])
    (loads,) = session.of("::test_loads", "failed")
    assert "DeprecatedImportError" in loads["text"]
    (late,) = session.of("::test_loads_late", "failed")
    assert "DeprecatedImportError" in late["crash"]
    assert "failures: 0 of the suite's own, 5 only by ssot-guard (2 files), 0 both" in session.summary


def test_warn_lets_the_code_run_on(it):
    session = it.run("--ssot", "warn", "tests")
    assert session.failed == sorted([*FILES, *USERS])
    assert "DeprecatedImportError" not in session.text


def test_no_warning_and_no_log_record_is_made(it):
    session = it.run("-W", "error", "-o", "log_cli=true", "--log-level=DEBUG", "tests")
    assert session.failed == sorted([*FILES, *USERS])
    assert "SsotWarning" not in session.text
    assert "ssot_guard:" not in session.text


PROFILES = """
mode = "strict"
packages = ["acme"]
[[imports]]
deprecated = "acme.old"
[profiles.test]
mode = "observe"
[profiles.other]
mode = "warn"
[profiles.silent]
fail = "never"
[profiles.exit]
fail = "session"
[profiles.exit-strict]
mode = "strict"
fail = "session"
"""

# What `strict` raises fails by itself; from 3.13 on a cached import can be blocked, too.
RAISED = 3 if sys.version_info >= (3, 13) else 2
# (description, arguments, environment, header, exit status, failed results)
CHOICES = [
    ("the profile test, where there is one", [], {}, "mode observe, policy ssot-guard.toml, profile test", 0, 0),
    ("another profile", ["--ssot-profile", "other"], {}, "mode warn, policy ssot-guard.toml, profile other", 1, 4),
    (
        "by the environment",
        [],
        {"SSOT_GUARD_PROFILE": "other"},
        "mode warn, policy ssot-guard.toml, profile other",
        1,
        4,
    ),
    (
        "the environment's mode",
        [],
        {"SSOT_GUARD_MODE": "warn"},
        "mode warn, policy ssot-guard.toml, profile test",
        1,
        4,
    ),
    ("the option's mode", ["--ssot", "warn"], {"SSOT_GUARD_MODE": "strict"}, "mode warn, policy", 1, 4),
    ("only the exit status", ["--ssot-profile", "exit", "--ssot", "warn"], {}, "profile exit", 1, 0),
    ("nothing at all", ["--ssot-profile", "silent", "--ssot", "warn"], {}, "profile silent", 0, 0),
    ("strict, but only the exit status", ["--ssot-profile", "exit-strict"], {}, "mode strict", 1, RAISED),
]


@pytest.mark.parametrize(
    ("arguments", "environ", "header", "status", "failed"),
    [row[1:] for row in CHOICES],
    ids=[row[0] for row in CHOICES],
)
def test_mode_and_profile(projects, arguments, environ, header, status, failed):
    session = projects(TESTS | {"ssot-guard.toml": PROFILES}).run(*arguments, "tests", environ=environ)
    assert header in next(line for line in session.text.splitlines() if line.startswith("ssot-guard: "))
    assert (session.status, len(session.failed)) == (status, failed), session
    assert len(session.imports) == 4


def test_due_fails_whatever_mode_baseline_and_allow_say(projects):
    policy = """+
allow = ["test_it", "acme"]
max-mode = "observe"
due = 2020-01-01
"""
    project = projects(TESTS | {"ssot-guard.toml": policy})
    first = project.run("--ssot", "observe", "--ssot-update-baseline", "tests")
    for session in (first, project.run("--ssot", "observe", "tests")):
        assert session.status == 1
        assert session.failed == sorted([*FILES, *USERS])
    assert "due      2020-01-01" in session.of("::test_uses", "failed")[0]["text"]
    assert any("[overdue since 2020-01-01]" in line for line in session.summary)


def test_due_in_the_future_changes_nothing(projects):
    policy = '+\nallow = ["test_it", "acme"]\ndue = 2999-01-01\n'
    session = projects(TESTS | {"ssot-guard.toml": policy}).run("tests")
    assert (session.status, session.imports) == (0, [])


def test_an_override_lowers(projects):
    policy = '+[[overrides]]\npaths = ["tests/**"]\nmax-mode = "observe"\n'
    session = projects(TESTS | {"ssot-guard.toml": policy}).run("tests")
    assert session.failed == ["ssot::src/acme/late.py", "tests/test_it.py::test_uses"]


BREAKER = """
mode = "strict"
packages = ["acme"]
[[imports]]
id = "old"
deprecated = "acme.old"
[profiles.test]
max-blocks = { count = 1, seconds = 60 }
"""
ALLOWED_FIRST = """
    import sys
    import pytest

    @pytest.fixture(autouse=True)
    def not_loaded():
        sys.modules.pop("acme.old", None)

    @pytest.mark.ssot_allow("SSG101", reason="shows the old way")
    @pytest.mark.parametrize("number", range(3))
    def test_allowed(number, not_loaded):
        import acme.old

    def test_is_blocked(not_loaded):
        import acme.old
"""


def test_what_a_test_may_do_is_no_block_for_the_circuit_breaker(projects):
    project = projects({"ssot-guard.toml": BREAKER, "tests/test_it.py": ALLOWED_FIRST})
    session = project.run("--ssot-profile", "test", "tests")
    assert session.failed == ["tests/test_it.py::test_is_blocked"]
    (blocked,) = session.of("::test_is_blocked", "failed")
    assert "DeprecatedImportError" in blocked["crash"]
