"""What is known fails nothing, and a session may only take out of the baseline what it looked at."""

import json

import pytest

from ssot_guard.baseline import Key
from ssot_guard.pytest_plugin import gone

LAZY = {
    "src/acme/eager.py": "import acme.old\n",
    "tests/test_it.py": """
        import acme.eager
        from acme import lazy

        def test_uses():
            lazy.use()

        def test_other():
            pass
        """,
}


def entries(project, name="ssot-baseline.json"):
    known = json.loads((project.root / name).read_text())["known"]
    return [item for item in known if isinstance(item, str)], sum(isinstance(item, dict) for item in known)


@pytest.fixture(scope="module")
def written(projects):
    """The baseline that a session writes for these files."""
    project = projects(LAZY)
    session = project.run("--ssot-update-baseline", "tests")
    assert session.status == 0, session
    assert any(line.endswith("ssot-baseline.json written: 2 violations in, 0 entries out") for line in session.summary)
    return (project.root / "ssot-baseline.json").read_text()


@pytest.fixture
def known(projects, written):
    """A project whose violations are all known."""
    return projects(LAZY | {"ssot-baseline.json": written})


@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_known_never_fails(known, mode):
    session = known.run("--ssot", mode, "tests")
    assert (session.status, session.failed) == (0, [])
    assert session.summary[0] == "0 new violations, 2 known, 0 fixed"
    assert [row["status"] for row in session.report["violations"]] == ["known", "known"]


def test_new_fails_beside_known(known):
    known.write(
        {"src/acme/other.py": "import acme.old\n", "tests/test_new.py": "import acme.other\ndef test(): pass\n"}
    )
    session = known.run("tests")
    assert (session.status, session.failed) == (1, ["ssot::src/acme/other.py"])
    assert session.summary[0] == "1 new violation, 2 known, 0 fixed"


def test_another_baseline(known):
    (known.root / "ssot-baseline.json").rename(known.root / "other.json")
    assert known.run("tests").status == 1
    assert known.run("--ssot-baseline", "other.json", "tests").status == 0
    missing = known.run("--ssot-baseline", "missing.json", "tests", report=False)
    assert missing.status == 4
    assert "there is no" in missing.text


def test_a_damaged_baseline_is_said_before_the_session(known):
    (known.root / "ssot-baseline.json").write_text("{")
    session = known.run("tests", report=False)
    assert (session.status, session.records) == (4, [])
    assert "ssot-baseline.json" in session.text


def test_what_is_fixed_is_said_and_taken_out(known):
    known.write({"src/acme/eager.py": "import acme.new\n"})
    session = known.run(".")
    assert session.status == 0
    assert session.summary[0] == "0 new violations, 1 known, 1 fixed"
    assert any(line.startswith("SSG902 fixed") and "src/acme/eager.py" in line for line in session.summary)
    known.run(".", "--ssot-update-baseline")
    assert entries(known)[1] == 1


def test_entries_of_a_deleted_file_are_taken_out(known):
    (known.root / "src/acme/eager.py").unlink()
    known.write({"tests/test_it.py": "from acme import lazy\ndef test(): lazy.use()\n"})
    session = known.run(".")
    assert session.summary[0] == "0 new violations, 1 known, 1 fixed"
    known.run(".", "--ssot-update-baseline")
    assert entries(known)[1] == 1


# (description, arguments) of runs that do not look at everything
PARTIAL = [
    ("-k", ["-k", "uses", "."]),
    ("a path", ["tests/test_it.py"]),
    ("a node id", ["tests/test_it.py::test_uses"]),
    ("--deselect", ["--deselect", "tests/test_it.py::test_other", "."]),
    ("--ignore", ["--ignore", "nothing", "."]),
    ("-x", ["-x", ".", "--ssot-profile", "test"]),
    ("--lf", ["--lf", "."]),
]


@pytest.mark.parametrize("arguments", [row[1] for row in PARTIAL], ids=[row[0] for row in PARTIAL])
def test_a_partial_run_takes_nothing_out(known, arguments):
    known.write(
        {
            "src/acme/eager.py": "import acme.new\n",
            "tests/test_zero.py": "def test_zero():\n    import acme.old\n    assert 0\n",
            "ssot-guard.toml": (known.root / "ssot-guard.toml").read_text() + "\n[profiles.test]\n",
        }
    )
    if "--lf" in arguments:
        known.run("--cache-clear", "tests/test_zero.py", plugins=())
    session = known.run(*arguments, "--ssot-update-baseline")
    assert any(line.startswith("not checked: the rest of the suite: ") for line in session.summary), session
    files, count = entries(known)
    assert "src/acme/eager.py" in files
    assert count == 2 + ("tests/test_zero.py" in files)


def test_in_doubt_an_entry_stays(known):
    """The function is there, but no test calls it."""
    known.write({"tests/test_it.py": "import acme.eager\nfrom acme import lazy\ndef test_other(): pass\n"})
    session = known.run(".", "--ssot-update-baseline")
    assert session.summary[0] == "0 new violations, 1 known, 0 fixed"
    assert entries(known)[1] == 2


# What stands in the place of an import that a known violation came from → whether that may still mean the target.
REMAINS = {
    "import importlib; importlib.import_module('acme.' + 'old')": True,
    "from importlib import import_module as load; load('acme.' + name)": True,
    "import importlib; list(map(importlib.import_module, names))": True,
    "import importlib; importlib.import_module(name=name)": True,
    "import importlib; importlib.import_module('.old', 'acme')": True,
    "__import__(name)": True,
    "import acme; getattr(acme, 'old')": True,
    "import acme; getattr(acme, name)": True,
    "exec(name)": True,
    "import importlib; importlib.import_module('acme.new')": False,
    "import importlib; importlib.reload": False,
    "import acme; getattr(acme, 'new', None)": False,
    "model.eval(); frame.exec(name)": False,
    "'it is old: import acme.new'": False,
}


@pytest.mark.parametrize(("line", "stays"), REMAINS.items(), ids=REMAINS)
def test_an_entry_stays_where_a_computed_name_may_mean_it(tmp_path, line, stays):
    (tmp_path / "a.py").write_text(f"def use(name, names, model, frame):\n    {line}\n")
    assert gone.is_gone(str(tmp_path), Key("SSG101", "old", "a.py", "acme.old", "use")) is not stays


def test_a_skipped_test_does_not_take_the_entry_of_a_computed_import_out(known):
    """The only test that ran it is skipped: the whole session did not see it, and the file does not spell it."""
    known.write({"src/acme/lazy.py": "def use(which='old'):\n    __import__('acme.' + which)\n"})
    known.run(".", "--ssot-update-baseline")
    before = entries(known)
    known.write({"tests/test_it.py": "import acme.eager, acme.lazy\ndef test_other(): pass\n"})
    session = known.run(".", "--ssot-update-baseline")
    assert session.summary[0] == "0 new violations, 1 known, 0 fixed", session
    assert entries(known) == before


def test_a_renamed_file_keeps_its_entries(known):
    known.write({"tests/test_it.py": "import acme.keen\nfrom acme import lazy\ndef test(): lazy.use()\n"})
    (known.root / "src/acme/eager.py").rename(known.root / "src/acme/keen.py")
    session = known.run(".")
    assert (session.status, session.summary[0]) == (0, "0 new violations, 2 known, 0 fixed"), session
    assert any("src/acme/eager.py -> src/acme/keen.py" in line for line in session.summary)


def test_a_renamed_file_with_a_function_keeps_its_entries_too(known):
    known.write({"tests/test_it.py": "import acme.eager\nfrom acme import slow\ndef test(): slow.use()\n"})
    (known.root / "src/acme/lazy.py").rename(known.root / "src/acme/slow.py")
    assert known.run(".").failed == []


def test_a_file_that_only_looks_renamed_fails(known):
    """One entry is homeless, two files claim it."""
    lazy = known.root / "src/acme/lazy.py"
    known.write(
        {"tests/test_it.py": "from acme import a, b\ndef test(): a.use(), b.use()\n", "src/acme/a.py": lazy.read_text()}
    )
    lazy.rename(known.root / "src/acme/b.py")
    session = known.run(".")
    assert (session.status, session.failed) == (1, ["ssot::src/acme/b.py"])


def test_an_inline_ignore_fails_nothing(projects):
    lazy = "def use():\n    import acme.old  # ssot: ignore[SSG101] a plugin of theirs needs it\n"
    session = projects(LAZY | {"src/acme/lazy.py": lazy, "src/acme/eager.py": ""}).run("--ssot", "strict", "tests")
    assert (session.status, session.failed) == (0, [])
    assert session.summary[0] == "0 new violations, 0 known, 0 fixed, 1 suppressed"


def test_expected_violations_are_not_written(projects):
    test = "from acme import lazy\ndef test(ssot):\n    with ssot.expect('SSG101'): lazy.use()\n"
    project = projects({"tests/test_it.py": test})
    project.run("--ssot-update-baseline", ".")
    assert entries(project) == ([], 0)
