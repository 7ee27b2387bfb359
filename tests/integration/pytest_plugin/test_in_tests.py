"""What a test may say about itself: the marker ``ssot_allow`` and the fixture ``ssot``."""

import pytest

TESTS = {
    "ssot-guard.toml": """+
tags = ["wave1"]
[[imports]]
id = "other"
deprecated = "acme.other"
[[imports]]
id = "twin"
deprecated = "acme.copy"
canonical = "acme.home"
max-mode = "observe"
""",
    "src/acme/other.py": "",
    "src/acme/copy.py": "class Home: ...\n",
    "src/acme/home.py": "class Home: ...\n",
    "src/acme/late.py": "import acme.old\n",
    "src/acme/later.py": "import acme.old\n",
    "tests/test_it.py": """
        import sys

        import pytest
        from acme import lazy

        @pytest.mark.ssot_allow("SSG101", reason="a plugin of theirs")
        def test_allow_code():
            lazy.use()

        @pytest.mark.ssot_allow("old", reason="a plugin of theirs")
        def test_allow_rule():
            lazy.use()

        @pytest.mark.ssot_allow("tag:wave1", "other", reason="a plugin of theirs")
        def test_allow_tag():
            lazy.use()

        @pytest.mark.ssot_allow("other", reason="a plugin of theirs")
        def test_allow_another():
            lazy.use()

        @pytest.mark.ssot_allow("SSG101", reason="a plugin of theirs")
        def test_allow_loads():
            sys.modules.pop("acme.old", None)
            import acme.old

        @pytest.mark.ssot_allow("SSG101", reason="not for what belongs to a file")
        def test_allow_does_not_cover_files():
            sys.modules.pop("acme.old", None)
            import acme.late

        @pytest.mark.ssot_allow("SSG101", reason="for all of them")
        class TestClass:
            def test_allow_class(self):
                lazy.use()

        @pytest.mark.ssot_allow("SSG101")
        def test_bad_no_reason():
            pass

        @pytest.mark.ssot_allow("SSG101", reason="  ")
        def test_bad_empty_reason():
            pass

        @pytest.mark.ssot_allow(reason="what?")
        def test_bad_no_code():
            pass

        @pytest.mark.ssot_allow("SSG1O1", reason="a typo")
        def test_bad_unknown():
            pass

        def test_expect_met(ssot):
            with ssot.expect("SSG101", "old", "tag:wave1") as met:
                lazy.use()
            assert [found.rule for found in met.violations] == ["old"]

        def test_expect_loads(ssot):
            sys.modules.pop("acme.old", None)
            with ssot.expect("old"):
                import acme.old

        def test_bad_expect_in_a_file(ssot):
            with ssot.expect("old"):
                import acme.later

        def test_bad_expect_not_met(ssot):
            with ssot.expect("old", "other"):
                lazy.use()

        def test_bad_expect_unknown(ssot):
            with ssot.expect("odl"):
                pass

        def test_bad_expect_nothing(ssot):
            with ssot.expect():
                pass

        def test_expect_keeps_errors(ssot):
            with pytest.raises(ValueError), ssot.expect("old"):
                raise ValueError

        def test_bad_outside_of_expect(ssot):
            with ssot.expect("old"):
                lazy.use()
            lazy.use()

        @pytest.fixture
        def before():
            lazy.use()

        @pytest.mark.ssot_allow("SSG101", reason="a plugin of theirs")
        def test_violations(before, ssot, request):
            assert [(found.code, found.file, found.count) for found in ssot.violations] == [
                ("SSG101", "src/acme/lazy.py", 1)
            ]
            assert {found.test for found in ssot.violations} == {request.node.nodeid}

        def test_violations_of_others(ssot):
            assert ssot.violations == ()

        def test_check(ssot):
            with ssot.expect("SSG101"):
                import acme.copy
            import acme.home
            acme.copy.Home = type("Home", (), {})
            assert isinstance(ssot.check(), tuple)
        """,
}


@pytest.fixture(scope="module")
def sessions(projects):
    project = projects(TESTS)
    return {mode: project.run("--ssot", mode, "--strict-markers", "tests") for mode in ("warn", "strict")}


BAD = {
    "test_bad_no_reason": "ssot_allow needs a reason: @pytest.mark.ssot_allow('SSG101', reason=\"...\")",
    "test_bad_empty_reason": "ssot_allow needs a reason",
    "test_bad_no_code": "ssot_allow needs codes or rule ids",
    "test_bad_unknown": "'SSG1O1' is no code and no rule of this policy",
    "test_bad_expect_not_met": "expected other to be violated here; what happened: SSG101 old",
    "test_bad_expect_unknown": "'odl' is no code and no rule of this policy; did you mean `old`?",
    "test_bad_expect_nothing": "needs codes or rule ids",
    "test_bad_expect_in_a_file": "SSG101 old",
    "test_bad_outside_of_expect": "SSG101 old",
    "test_allow_another": "SSG101 old",
}


@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_who_fails(sessions, mode):
    session = sessions[mode]
    tests = {one.rpartition("::")[2] for one in session.failed if not one.startswith("ssot::")}
    late = {"test_allow_does_not_cover_files"} if mode == "strict" else set()
    assert tests == BAD.keys() | late, session


@pytest.mark.parametrize("mode", ["warn", "strict"])
@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_messages(sessions, mode, name, text):
    assert text in sessions[mode].of(name, "failed")[0]["text"]


@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_what_belongs_to_a_file_fails_whatever_a_test_allows_or_expects(sessions, mode):
    files = [one for one in sessions[mode].failed if one.startswith("ssot::")]
    assert files == ["ssot::src/acme/late.py", "ssot::src/acme/later.py"]


def test_what_was_expected_of_a_file_is_said(sessions):
    (failed,) = sessions["warn"].of("test_bad_expect_in_a_file", "failed")
    assert "what happened: nothing; SSG101 old in src/acme/later.py does not belong to this test" in failed["text"]


def test_an_expectation_means_the_same_in_any_order(projects):
    """Whoever imports a module first runs its body: `expect` excused that, where it was the first."""
    test = "def test_expects(ssot):\n    with ssot.expect('old'):\n        import acme.later, acme.old\n"
    first = "def test_first(): import acme.later\n"
    for files in ({"tests/test_it.py": test}, {"tests/test_a.py": first, "tests/test_it.py": test}):
        session = projects({"src/acme/later.py": "import acme.old\n", **files}).run("tests")
        assert session.failed == ["ssot::src/acme/later.py"], session


def test_the_summary_says_who_was_excused(sessions):
    summary = sessions["warn"].summary
    assert "allowed or expected by tests" in summary[0]
    assert any("[fails nothing: allowed: a plugin of theirs]" in line for line in summary), summary


def test_a_full_ledger_excuses_the_same(projects):
    """What was not recorded any more was raised, whatever the test may do or expects."""
    files = {
        "tests/conftest.py": "import ssot_guard.ledger\nssot_guard.ledger._MOST = 0\n",
        "tests/test_it.py": """
            import sys

            import pytest

            @pytest.fixture(autouse=True)
            def unloaded():
                sys.modules.pop("acme.old", None)

            @pytest.mark.ssot_allow("old", reason="a plugin of theirs")
            def test_allowed(): import acme.old

            def test_expected(ssot):
                with ssot.expect("old") as met:
                    import acme.old
                assert [found.rule for found in met.violations] == ["old"]

            def test_neither(): import acme.old
            """,
    }
    session = projects(files).run("--ssot", "strict", "tests")
    assert session.failed == ["tests/test_it.py::test_neither"], session
    assert session.of("test_neither", "failed")[0]["text"].count("DeprecatedImportError")
