"""pytest-xdist: one session, whatever its workers do."""

import re

import pytest

XDIST = ("-p", "xdist")
BROKEN = {
    "tests/conftest.py": "import acme.old\n",
    "tests/test_crash.py": """
        import os

        def test_violates_and_crashes():
            import acme.old
            os._exit(1)
        """,
    "tests/test_fine.py": """
        import pytest

        @pytest.mark.parametrize("number", range(20))
        def test_fine(number):
            pass
        """,
}


@pytest.fixture(scope="module")
def crashed(projects):
    return projects(BROKEN).run(*XDIST, "-n2", "--max-worker-restart=0", "tests")


def test_what_a_lost_worker_saw_is_not_lost(crashed):
    assert crashed.status == 1
    assert crashed.imports == [("tests/conftest.py", 1), ("tests/test_crash.py", 5)]
    assert [one for one in crashed.failed if one.startswith("ssot::")] == [
        "ssot::tests/conftest.py",
        "ssot::tests/test_crash.py",  # its test could not tell any more
    ]


def test_a_lost_worker_is_named(crashed):
    assert any(re.match(r"not checked: worker gw\d was lost", line) for line in crashed.summary), crashed


def test_one_result_per_file_and_session_in_junit_xml(projects):
    files = {
        "tests/conftest.py": "import acme.old\nimport acme.old as twice\n",
        "tests/test_it.py": "def test_it(): pass\ndef test_too(): pass\n",
    }
    project = projects(files)
    project.run(*XDIST, "-n2", "--junitxml=junit.xml", "tests")
    text = (project.root / "junit.xml").read_text()
    cases = re.findall(r'<testcase classname="(.+?)" name="(.+?)" time="[\d.]+"( />|><failure)', text)
    assert sorted(cases) == [
        ("ssot", "tests/conftest.py", "><failure"),
        ("tests.test_it", "test_it", " />"),
        ("tests.test_it", "test_too", " />"),
    ]
    assert 'failures="1"' in text
    assert 'tests="3"' in text


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_one_site_too_many_fails_wherever_it_was_seen(projects, workers):
    """Each worker alone sees as many sites as the baseline knows."""
    files = {
        "src/acme/twice.py": """
            def use(first):
                if first:
                    import acme.old
                else:
                    import acme.old
            """,
        "tests/test_first.py": "from acme import twice\ndef test_first(): twice.use(True)\n",
        "tests/test_second.py": "from acme import twice\ndef test_second(): twice.use(False)\n",
    }
    project = projects(files)
    project.run("--ssot-update-baseline", "tests/test_first.py")
    assert project.run("tests/test_first.py").status == project.run("tests/test_second.py").status == 0
    session = project.run(*XDIST, workers, "--dist", "loadfile", "tests")
    assert session.status == 1
    assert session.summary[0] == "1 new violation, 1 known, 0 fixed"


def test_a_worker_leaves_no_spool_behind(projects, tmp_path):
    session = projects(BROKEN).run(*XDIST, "-n2", "tests", environ={"TMPDIR": str(tmp_path)})
    assert session.status == 1
    assert not list(tmp_path.glob("ssot-guard-*"))


def test_stopping_early_keeps_the_record(projects):
    files = {
        "tests/conftest.py": "import acme.old\n",
        "tests/test_it.py": "def test_fails(): assert 0\ndef test_too(): assert 0\n",
    }
    project = projects(files)
    for workers in ("-n0", "-n2"):
        session = project.run(*XDIST, workers, "-x", "tests")
        assert session.status in (1, 2)  # xdist calls it an interruption
        assert "ssot::tests/conftest.py" in session.failed
        assert any("it stopped early" in line for line in session.summary)
