"""What a session shows, and what it remembers."""

import json

import pytest

from ssot_guard.report.model import Report
from ssot_guard.report.read import read

TESTS = {
    "ssot-guard.toml": """+
[[imports]]
id = "far"
deprecated = "acme.far.away"
[[imports]]
id = "dead"
deprecated = "acme.ded"
""",
    "src/acme/early.py": "",
    "tests/conftest.py": "import acme.old\n",
    "tests/test_it.py": """
        from acme import lazy

        def test_uses():
            lazy.use()

        def test_clean():
            pass
        """,
}


@pytest.fixture(scope="module")
def it(projects):
    return projects(TESTS)


def test_a_file_is_shown_and_counted_like_a_test(it):
    text = it.run("tests").text
    assert "ssot F" in text
    assert "_ ssot::tests/conftest.py " in text
    assert (
        "FAILED ssot::tests/conftest.py - SSG101 old: imports acme.old, which is deprecated; write: import acme.new"
        in text
    )
    assert "2 failed, 1 passed" in text
    verbose = it.run("-v", "tests").text
    assert "ssot::tests/conftest.py FAILED" in verbose
    assert "[100%]" in verbose
    assert "133%" not in verbose


def test_a_violation_is_told_as_in_every_report(it):
    assert (
        """\
SSG101 old  src/acme/lazy.py:2
  imports  acme.old                        (deprecated)
  write    import acme.new
  allow    # ssot: ignore[SSG101] <reason>
"""
        in it.run("tests").text
    )


def test_what_was_not_checked_is_said(it):
    (it.root / "early_bird.py").write_text("import acme.early\n")
    summary = it.run("-p", "early_bird", ".").summary
    assert "not checked: 1 rule had no chance to match, their packages were never loaded: far" in summary
    assert "not checked: imports of 2 modules loaded before the guard: acme, acme.early" in summary
    assert "SSG901 matched nothing, so misspelt, or done and ready to be deleted: dead" in summary


def test_a_guard_that_was_put_out_of_action_is_noticed(projects):
    files = {"tests/test_it.py": "import sys\ndef test_it(): sys.meta_path[:] = sys.meta_path[1:]\n"}
    summary = projects(files).run("tests").summary
    assert "not checked: the guard was not active any more at the end of 1 process" in summary


def test_an_application_that_uninstalls_takes_out_only_what_it_installed(projects):
    """The guard that it is given is the session's."""
    files = {
        "tests/test_it.py": """
            import ssot_guard
            from acme import lazy

            def test_lifecycle():
                guard = ssot_guard.install("ssot-guard.toml")
                guard.uninstall()
                guard.uninstall()
                with ssot_guard.install("ssot-guard.toml"):
                    pass

            def test_uses():
                lazy.use()
            """,
        "starter.py": """
            import sys, pytest, ssot_guard
            before = list(sys.meta_path)
            status = pytest.main()
            assert not ssot_guard.active(), "the session left its guard behind"
            sys.exit(status)
            """,
    }
    project = projects(files)
    session = project.run("tests", starter="starter.py")
    assert "AssertionError" not in session.text
    assert (session.status, session.failed) == (1, ["tests/test_it.py::test_uses"]), session
    assert not any("not active" in line for line in session.summary)


@pytest.mark.parametrize("arguments", [[], ["-p", "xdist", "-n2"]], ids=["one process", "workers"])
def test_records_name_each_test_and_tell_what_to_do_first(projects, arguments):
    tests = "from acme import lazy\n" + "".join(f"def test_{name}(): lazy.use(), lazy.use()\n" for name in "abc")
    project = projects({"tests/test_it.py": tests})
    project.run(*arguments, "--ssot-report", "found.jsonl", "tests", report=False)
    rows = [json.loads(line) for line in (project.root / "found.jsonl").read_text().splitlines()]
    assert sorted((row["test"], row["count"]) for row in rows if row["record"] == "violation") == [
        (f"tests/test_it.py::test_{name}", 2) for name in "abc"
    ]
    known = Report()
    read([str(project.root / "found.jsonl")], known)
    (row,) = known.rows.values()
    assert (len(row.tests), row.count) == (3, 6)


def test_what_comes_after_the_summary_is_said(projects):
    files = {
        "conftest.py": "def pytest_unconfigure(): import acme.old\n",
        "tests/test_it.py": """
            import threading, time

            def test_leaves_a_thread():
                threading.Thread(target=time.sleep, args=(5,), daemon=True, name="straggler").start()
            """,
    }
    for arguments in (["tests"], ["-p", "xdist", "-n1", "tests"]):
        summary = projects(files).run(*arguments).summary
        assert "not checked: what 1 thread of tests will still do: straggler" in summary, summary
        assert "not checked: pytest_unconfigure of conftest.py: it runs after this summary" in summary, summary


def test_the_next_run_does_not_look_for_files_among_the_tests(it):
    it.run("--cache-clear", "tests")
    assert json.loads((it.root / ".pytest_cache/v/cache/lastfailed").read_text()) == {
        "tests/test_it.py::test_uses": True
    }
    session = it.run("--lf", "tests")
    assert "rerun previous 1 failure" in session.text
    assert len(session.of("::test_clean")) == 0


def test_stepwise_resumes_at_a_test(it):
    session = it.run("--stepwise", "--deselect", "tests/test_it.py::test_uses", "tests")
    assert session.failed == ["ssot::tests/conftest.py"]
    assert "test_clean" not in (it.root / ".pytest_cache/v/cache/stepwise").read_text()
    assert "ssot::" not in (it.root / ".pytest_cache/v/cache/stepwise").read_text()


def test_collecting_only_shows_and_fails_nothing(it):
    session = it.run("--co", "-q", "tests", report=False)
    assert session.status == 0
    assert "ssot" not in session.text


def test_no_tests_at_all(projects):
    session = projects({"tests/conftest.py": "import acme.old\n"}).run("tests")
    assert (session.status, session.failed) == (1, ["ssot::tests/conftest.py"])
    assert projects().run("tests", report=False).status in (4, 5)


def test_errors_of_collection_stay_what_they_are(projects):
    files = {"tests/test_it.py": "import acme.old\nraise ValueError\n"}
    session = projects(files).run("tests")
    assert session.status == 2
    assert session.failed == ["ssot::tests/test_it.py"]
    assert "not checked: the rest of the suite: " in session.text


def test_a_late_violation_still_counts(projects):
    files = {
        "tests/conftest.py": "def pytest_sessionfinish():\n    import acme.old\n",
        "tests/test_it.py": "def test_it(): pass\n",
    }
    session = projects(files).run("tests")
    assert (session.status, session.failed) == (1, ["ssot::tests/conftest.py"]), session


@pytest.mark.parametrize("suffix", ["json", "txt"])
def test_the_report_of_a_suffix(it, suffix):
    it.run("--ssot-report", f"out/report.{suffix}", "tests", report=False)
    text = (it.root / f"out/report.{suffix}").read_text()
    assert "src/acme/lazy.py" in text
    if suffix == "json":
        document = json.loads(text)
        rows = {row["path"]: (row["status"], row["tests"], row["first_test"]) for row in document["violations"]}
        assert rows == {
            "src/acme/lazy.py": ("new", 1, "tests/test_it.py::test_uses"),
            "tests/conftest.py": ("new", 0, None),
        }
        assert document["rules"] == [
            {"id": "dead", "matched": 0},
            {"id": "far", "matched": 0},
            {"id": "old", "matched": 2},
        ]


def test_many_violations_are_cut_in_the_summary(projects):
    many = {f"src/acme/m{number}.py": "import acme.old\n" for number in range(30)}
    many["tests/test_it.py"] = "".join(f"import acme.m{number}\n" for number in range(30)) + "def test_it(): pass\n"
    project = projects(many)
    summary = project.run("--tb=no", "tests").summary
    assert "and 10 more: -v lists them, --ssot-report FILE writes them" in summary
    assert len([line for line in project.run("--tb=no", "-v", "tests").summary if ": SSG101 old: " in line]) == 30


def test_sinks_of_the_profile_are_used_and_no_others(projects, tmp_path):
    policy = f'+\n[profiles.test]\nsinks = ["jsonl:{tmp_path}/run.jsonl"]\n'
    projects(TESTS | {"ssot-guard.toml": policy}).run("tests")
    assert (tmp_path / "run.jsonl").read_text().count('"record":"violation"') == 2


def test_the_session_leaves_nothing_beside_the_policy(projects):
    project = projects(TESTS)
    before = {path.name for path in project.root.iterdir()}
    project.run("-p", "no:cacheprovider", "tests", report=False)
    assert {path.name for path in project.root.iterdir()} - before == {"records1.jsonl"}
