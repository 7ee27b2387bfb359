"""Without a policy nothing happens; options, markers and the fixture are there all the same."""

import pytest

QUIET = {
    "tests/test_it.py": """
        import sys

        import pytest

        def test_nothing_is_loaded():
            ours = sorted(name for name in sys.modules if name.startswith("ssot_guard"))
            assert ours == ["ssot_guard", "ssot_guard.discover", "ssot_guard.errors", "ssot_guard.pytest_plugin"]

        def test_no_finder():
            assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("ssot_guard")]

        @pytest.mark.ssot_allow("SSG101")
        def test_marker():
            pass

        @pytest.mark.ssot_journey("golden-path", runs=10, users=2)
        def test_other_marker():
            pass

        def test_fixture(ssot):
            with ssot.expect("SSG101"):
                pass
            assert ssot.violations == ssot.check() == ()
        """,
}
OFF = {
    "tests/test_it.py": """
        import sys
        import acme.old

        def test_fixture(ssot):
            with ssot.expect("SSG101"):
                import acme.old as again
            assert ssot.violations == ssot.check() == ()
            assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("ssot_guard")]
        """,
}


def test_without_a_policy(projects):
    project = projects(QUIET)
    (project.root / "ssot-guard.toml").unlink()
    session = project.run("--strict-markers", "-W", "error", "tests", report=False)
    assert (session.status, session.failed) == (0, []), session
    assert "ssot" not in session.text


@pytest.mark.parametrize(
    "arguments",
    [["--ssot", "warn"], ["--ssot-report", "x.json"], ["--ssot-update-baseline"], ["--ssot-profile", "test"]],
    ids=lambda arguments: arguments[0],
)
def test_an_option_needs_a_policy(projects, arguments):
    project = projects(QUIET)
    (project.root / "ssot-guard.toml").unlink()
    session = project.run(*arguments, "tests", report=False)
    assert session.status == 4
    assert f"{arguments[0]}: no policy found" in session.text


# Description, arguments, environment, and what the header says.
SWITCHED_OFF = [
    ("--ssot off", ["--ssot", "off"], {}, "ssot-guard: off, by --ssot off"),
    ("SSOT_GUARD=off", ["--ssot", "strict"], {"SSOT_GUARD": "off"}, "ssot-guard: off, by SSOT_GUARD=off"),
    (
        "SSOT_GUARD_MODE=off",
        [],
        {"SSOT_GUARD_MODE": "off"},
        "ssot-guard: off, by the policy's or the environment's mode",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "environ", "header"), [row[1:] for row in SWITCHED_OFF], ids=[row[0] for row in SWITCHED_OFF]
)
def test_switched_off(projects, arguments, environ, header):
    session = projects(OFF).run(*arguments, "tests", environ=environ)
    assert (session.status, session.failed) == (0, []), session
    assert header in session.text.splitlines()
    assert "ssot-guard ==" not in session.text


def test_without_the_plugin(projects):
    files = {"tests/test_it.py": "import acme.old\ndef test_it(): import acme.old\n"}
    session = projects(files).run("-p", "no:ssot_guard", "tests", plugins=(), autoload=True)
    assert (session.status, session.failed) == (0, [])
    assert "ssot-guard:" not in session.text


@pytest.mark.parametrize("name", ["ssot_guard", "ssot_guard.pytest_plugin"])
def test_with_autoload_disabled_it_has_two_names(projects, name):
    session = projects({"tests/test_it.py": "import acme.old\ndef test_it(): pass\n"}).run("tests", plugins=(name,))
    assert (session.status, session.failed) == (1, ["ssot::tests/test_it.py"]), session


def test_its_entry_point_is_found(projects):
    """Of all plugins of this environment, those that act without being asked are left out."""
    files = {"tests/conftest.py": "import acme.old\n", "tests/test_it.py": "def test_it(): pass\n"}
    others = [part for name in ("randomly", "asyncio", "rerunfailures") for part in ("-p", f"no:{name}")]
    session = projects(files).run(*others, "-W", "error", "tests", plugins=(), autoload=True, report=False)
    assert (session.status, session.failed) == (1, ["ssot::tests/conftest.py"]), session


def test_a_conftest_that_names_the_plugin_is_late_and_hears_so(projects):
    files = {
        "conftest.py": 'pytest_plugins = ["ssot_guard.pytest_plugin"]\nimport acme.old\n',
        "tests/test_it.py": "import acme.old\ndef test_it(): pass\n",
    }
    session = projects(files).run("tests", plugins=())
    assert session.failed == ["ssot::acme.old", "ssot::tests/test_it.py"]
    assert any(line.startswith("not checked: conftests: the plugin was loaded by one") for line in session.summary)


@pytest.mark.parametrize("where", ["a subfolder of a repository", "another folder"])
def test_the_policy_is_looked_for_upward_and_in_the_root(projects, where):
    project = projects({"tests/test_it.py": "import acme.old\ndef test_it(): pass\n", "tests/deep/.keep": ""})
    if where == "another folder":
        session = project.run(str(project.root / "tests"), cwd=project.root.parent)
    else:
        (project.root / ".git").mkdir()
        session = project.run("..", cwd=project.root / "tests" / "deep")
    assert session.status == 1
    assert session.imports == [("tests/test_it.py", 1)]


def test_a_named_policy_wins(projects):
    project = projects(
        {"tests/test_it.py": "import acme.old\ndef test_it(): pass\n", "other.toml": 'packages = ["x"]\n'}
    )
    assert project.run("--ssot-policy", "other.toml", "tests").status == 0
    assert project.run("tests", environ={"SSOT_GUARD_POLICY": str(project.root / "other.toml")}).status == 0


def test_every_mistake_of_the_policy_is_said_before_the_session(projects):
    project = projects({"ssot-guard.toml": "pakages = []\nmode = 3\n", "tests/test_it.py": "def test_it(): pass\n"})
    session = project.run("tests", report=False)
    assert (session.status, session.records) == (4, [])
    assert "pakages" in session.text
    assert "mode" in session.text
    assert "Traceback" not in session.text


# Arguments, and what is said.
MISTAKES = [
    (["--ssot", "loud"], "invalid choice: 'loud'"),
    (["--ssot-profile", "nobody"], "there is no profile 'nobody'"),
    (["--ssot-report", "report.exe"], "has a suffix of no known format"),
    (["--ssot-policy", "missing.toml"], "there is no such file"),
]


@pytest.mark.parametrize(("arguments", "text"), MISTAKES, ids=[row[0][0] for row in MISTAKES])
def test_mistakes_are_usage_errors(projects, arguments, text):
    session = projects({"tests/test_it.py": "def test_it(): pass\n"}).run(*arguments, "tests", report=False)
    assert (session.status, session.records) == (4, [])
    assert text in session.text


def test_help_and_markers_name_what_there_is(projects):
    project = projects()
    assert "--ssot-update-baseline" in project.run("--help", report=False).text
    markers = project.run("--markers", report=False).text
    assert "@pytest.mark.ssot_allow(" in markers
    assert "@pytest.mark.ssot_journey(" in markers
