"""Beside other plugins, settings of pytest, and pytest inside pytest."""

import sys

import pytest

FILE = "ssot::tests/conftest.py"
CONFTEST = {"tests/conftest.py": "import acme.old\n"}
USES = "tests/test_it.py::test_uses"
TESTS = CONFTEST | {
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


# Description, and arguments.
STRICTNESS = [
    ("warnings are errors", ["-W", "error"]),
    ("--strict-config --strict-markers", ["--strict-config", "--strict-markers"]),
    ("timeouts", ["-p", "pytest_timeout", "--timeout=60"]),
    ("a thread for each timeout", ["-p", "pytest_timeout", "--timeout=60", "--timeout-method=thread"]),
    ("coverage", ["-p", "pytest_cov", "--cov=acme", "--cov-branch"]),
    ("coverage and xdist", ["-p", "pytest_cov", "--cov=acme", "-p", "xdist", "-n1"]),
    ("reruns", ["-p", "pytest_rerunfailures", "--reruns=2"]),
    ("plain asserts", ["--assert=plain"]),
    ("no capturing", ["-s"]),
    ("no terminal", ["-p", "no:terminal"]),
    ("no cache", ["-p", "no:cacheprovider"]),
    ("a profiler's trace function", ["-p", "tracing"]),
]


@pytest.mark.parametrize("arguments", [row[1] for row in STRICTNESS], ids=[row[0] for row in STRICTNESS])
def test_beside(it, arguments):
    (it.root / "tracing.py").write_text("import sys\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: None)\n")
    session = it.run(*arguments, "tests")
    assert session.status == 1
    assert session.failed == [FILE, USES], session


CONFIGURATIONS = {
    "native": (
        "pyproject.toml",
        "[tool.pytest]\nstrict = true\ntestpaths = ['tests']\naddopts = ['--import-mode=importlib']\n",
    ),
    "pytest.toml": ("pytest.toml", "[pytest]\nstrict = true\nfilterwarnings = ['error']\n"),
    "ini_options": ("pyproject.toml", "[tool.pytest.ini_options]\nxfail_strict = true\ntestpaths = 'tests'\n"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configured_by(projects, name):
    file, content = CONFIGURATIONS[name]
    project = projects(TESTS | {file: content})
    (project.root / "pytest.ini").unlink()
    session = project.run()
    assert (session.status, session.failed) == (1, [FILE, USES]), session


def test_required_plugins_and_addopts(projects):
    ini = "[pytest]\naddopts = --ssot warn --ssot-report from_ini.json\nmarkers = own: mine\n"
    project = projects(TESTS | {"pytest.ini": ini})
    assert project.run("--strict-markers", "tests", report=False).status == 1
    assert (project.root / "from_ini.json").exists()


def test_reruns_cannot_make_it_unseen(projects):
    """The import runs once per process: the second attempt would pass."""
    files = {
        "tests/test_it.py": """
            seen = []

            def test_once():
                if not seen:
                    seen.append(1)
                    import acme.old

            def test_flaky():
                seen.append(1)
                assert len(seen) > 3
            """,
    }
    session = projects(files).run("-p", "pytest_rerunfailures", "--reruns=3", "tests")
    assert session.failed == ["tests/test_it.py::test_once"]
    assert [one["outcome"] for one in session.of("::test_once") if one["when"] == "call"] == ["rerun"] * 3 + ["failed"]
    assert session.of("::test_flaky")[-1]["outcome"] == "passed"


ASYNC = {
    "tests/test_it.py": """
        import asyncio

        import pytest
        from acme import lazy

        async def in_a_task():
            lazy.use()

        @pytest.mark.{mark}
        async def test_directly():
            lazy.use()

        @pytest.mark.{mark}
        async def test_in_a_task():
            await asyncio.gather(in_a_task(), in_a_task())

        @pytest.mark.{mark}
        async def test_in_a_thread():
            await asyncio.to_thread(lazy.use)

        @{fixture}
        async def before():
            lazy.use()
            yield

        @pytest.mark.{mark}
        async def test_setup(before):
            pass

        @pytest.mark.{mark}
        async def test_clean():
            await asyncio.sleep(0)
        """,
}


@pytest.mark.parametrize(
    ("plugin", "mark", "fixture"),
    [
        ("pytest_asyncio.plugin", "asyncio", "__import__('pytest_asyncio').fixture"),
        ("anyio.pytest_plugin", "anyio", "pytest.fixture"),
    ],
    ids=["asyncio", "anyio"],
)
def test_asynchronous_tests(projects, plugin, mark, fixture):
    files = {"tests/test_it.py": ASYNC["tests/test_it.py"].replace("{mark}", mark).replace("{fixture}", fixture)}
    files["tests/conftest.py"] = "import pytest\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
    session = projects(files).run("-p", plugin, "tests")
    assert session.failed == sorted(
        f"tests/test_it.py::test_{name}" for name in ("directly", "in_a_task", "in_a_thread", "setup")
    ), session
    assert [one["when"] for one in session.of("::test_setup", "failed")] == ["setup"]


NESTED = {
    "tests/test_it.py": """
        import sys

        import pytest
        import ssot_guard
        from acme import lazy

        def guarded():
            return [type(finder).__name__ for finder in sys.meta_path].count("Finder")

        @pytest.mark.parametrize("policy", ["", "packages = ['acme']", "packages = ['elsewhere']", "nonsense"])
        def test_inner(pytester, policy):
            if policy:
                pytester.makefile(".toml", **{"ssot-guard": policy})
            pytester.makepyfile("import acme.new\\ndef test_inner(): assert acme.new")
            result = pytester.runpytest_inprocess("-p", "ssot_guard.pytest_plugin", "-p", "no:randomly")
            if policy == "nonsense":
                assert result.ret == 4
            elif policy == "packages = ['elsewhere']" and OUTER:
                result.stdout.fnmatch_lines(["ssot-guard: inactive: the session around this one is guarded, by *"])
            assert guarded() == OUTER

        def test_after():
            assert ssot_guard.active() is bool(OUTER)
            lazy.use()
        """,
}


@pytest.mark.parametrize("outer", [1, 0])
def test_a_session_inside_of_a_test_breaks_nothing(projects, outer):
    files = {"tests/test_it.py": NESTED["tests/test_it.py"].replace("OUTER", str(outer))}
    mode = "warn" if outer else "off"
    session = projects(files).run("--ssot", mode, "-p", "pytester", "tests")
    assert session.failed == (["tests/test_it.py::test_after"] if outer else []), session


def test_a_process_that_is_guarded_already_is_listened_to(projects):
    """By sitecustomize or ``ssot-guard run``: what it saw before the session counts, too."""
    files = TESTS | {
        "starter.py": """
            import sys
            from ssot_guard import bootstrap
            bootstrap.start()
            import acme.old
            import pytest
            sys.exit(pytest.main(sys.argv[1:]))
            """,
        # As pytest does with an installed plugin's packages.
        "rewrites.py": "import pytest\npytest.register_assert_rewrite('ssot_guard', 'ssot_guard.pytest_plugin')\n",
    }
    project = projects(files)
    environ = {"SSOT_GUARD_POLICY": str(project.root / "ssot-guard.toml")}
    session = project.run("-W", "error", "-p", "rewrites", "tests", environ=environ, starter="starter.py")
    assert session.failed == ["ssot::starter.py", FILE, USES], session
    assert session.text.count("SsotWarning") == 1  # the one of before
    other = project.run("--ssot", "strict", "tests", environ=environ, starter="starter.py", report=False)
    assert other.status == 4
    assert "already guarded, in mode warn" in other.text


# What is broken, and the failed results that are left.
BUGS = {
    "attribution.place": ["ssot::src/acme/lazy.py", FILE],  # the ledger has them all the same
    "attribution.in_phase": ["ssot::src/acme/lazy.py", FILE],
    "attribution._module_body": ["ssot::src/acme/lazy.py", FILE],
    "book.Book.take": [],
    "book.Book.of_phase": ["ssot::src/acme/lazy.py", FILE],
    "outcome._failure": [FILE, USES],  # one way of two
    "outcome.representation": ["ssot::src/acme/lazy.py", FILE, USES],
    "outcome.Phases._tell": ["ssot::src/acme/lazy.py", FILE, USES],
    "conclusion.Conclusion._judge": [USES],
    "conclusion._places": [USES],
    "conclusion._report": [FILE, USES],
    "file_results._send": [USES],
    "markers._marked": [FILE, USES],
    "session.allowed": ["ssot::src/acme/lazy.py", FILE],
    "partial.facts": [USES],
    "partial.governed_modules": [],
    "session.GuardedSession.settle": [USES],
    "session.GuardedSession.fails": [],
    "summary._lines": [FILE, USES],
    "options._kept": [],
}


@pytest.mark.parametrize("where", BUGS)
def test_a_bug_of_ours_breaks_nothing_and_is_said_loudly(it, where):
    (it.root / "saboteur.py").write_text(
        "from ssot_guard.pytest_plugin import attribution, book, conclusion, file_results, markers, options, outcome\n"
        "from ssot_guard.pytest_plugin import partial, session, summary\n"
        "def broken(*_, **__): raise ZeroDivisionError('planted')\n"
        f"{where} = broken\n"
    )
    session = it.run("-p", "saboteur", "tests")
    assert session.of("::test_clean", "failed") == []
    assert session.failed == BUGS[where], session
    assert session.status == int(bool(BUGS[where]))
    assert "planted" in session.text
    assert "INTERNALERROR" not in session.text
    assert any("INTERNAL ERROR" in line or "internal error" in line for line in session.summary), session


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_child_writes_nothing_into_the_session(projects):
    files = {
        "tests/test_it.py": """
            import os

            def test_forks():
                if not (child := os.fork()):
                    try:
                        import acme.old
                    finally:
                        os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
            """,
    }
    session = projects(files).run("-p", "xdist", "-n1", "-W", "ignore", "tests")
    assert (session.status, session.failed) == (0, []), session
