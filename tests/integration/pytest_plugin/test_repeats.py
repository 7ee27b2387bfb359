"""What a repeat costs, and that what was met before changes nothing about who it belongs to."""

import json
import sys

import pytest

FILE = "ssot::src/acme/lazy.py"
HOT = """
    import json, time
    from pathlib import Path
    from acme import lazy

    def cost():
        lazy.use()
        best = 9.0
        for _ in range(20):
            start = time.perf_counter()
            for _ in range(500):
                lazy.use()
            best = min(best, (time.perf_counter() - start) / 500)
        return best * 1e6

    def deep(depth):
        return deep(depth - 1) if depth else cost()

    def test_hot():
        Path("cost.json").write_text(json.dumps([cost(), deep(400)]))
    """


def test_a_repeat_costs_the_same_at_any_depth(projects):
    """It was 10 us, and 110 us at a depth of 400 frames."""
    project = projects({"tests/test_it.py": HOT})
    session = project.run("tests")
    shallow, deep = json.loads((project.root / "cost.json").read_text())
    assert shallow < 6, "microseconds"
    assert deep < 2 * shallow
    (row,) = session.report["violations"]
    assert row["count"] == 2 * (1 + 20 * 500)


# What a test does between two times that it calls lazy.use() → whether that belongs to a file.
BETWEEN = {
    "lazy.use()": False,
    "import acme.body": True,
    "sys.modules.pop('acme.other'); import acme.body": True,
    "request.getfixturevalue('wide')": True,
    "request.getfixturevalue('narrow')": False,
    "thread(lazy.use)": False,
    "thread(lambda: __import__('acme.body'))": True,
}
FILES = {
    "src/acme/body.py": "from acme import lazy\nlazy.use()\n",
    "src/acme/other.py": "",
    "tests/conftest.py": """
        import pytest
        from acme import lazy

        @pytest.fixture(scope="session")
        def wide():
            lazy.use()

        @pytest.fixture
        def narrow():
            lazy.use()
        """,
}
TEST = """
    import sys, threading
    import acme.other
    from acme import lazy

    def thread(target):
        started = threading.Thread(target=target)
        started.start()
        started.join()

    def test_it(request):
        for _ in range(3):
            lazy.use()
        {between}
        lazy.use()

    def test_after():
        pass
    """


@pytest.mark.parametrize("between", BETWEEN)
def test_what_comes_in_between_belongs_to_whom_it_did(projects, between):
    session = projects({**FILES, "tests/test_it.py": TEST.format(between=between)}).run("tests")
    assert session.failed == [*([FILE] if BETWEEN[between] else []), "tests/test_it.py::test_it"], session
    (row,) = [row for row in session.report["violations"] if row["path"] == "src/acme/lazy.py"]
    assert row["count"] == 3 + 1 + 1


def test_each_test_and_each_phase_is_looked_at_for_itself(projects):
    test = """
        import pytest
        from acme import lazy

        @pytest.fixture
        def after():
            yield
            lazy.use()

        def test_call(): lazy.use(), lazy.use()
        def test_expects(ssot):
            with ssot.expect("old"): lazy.use(), lazy.use()
        def test_teardown(after):
            with pytest.raises(ZeroDivisionError): 1 / 0
        @pytest.mark.ssot_allow("old", reason="theirs")
        def test_allowed(ssot):
            lazy.use(), lazy.use()
            with ssot.expect("old"): lazy.use()
        def test_again(ssot):
            with ssot.expect("old"): lazy.use(), lazy.use()
            lazy.use(), lazy.use()
        def test_raises():
            lazy.use(), lazy.use()
        """
    for mode in ("warn", "strict"):
        session = projects({"tests/test_it.py": test}).run("--ssot", mode, "tests")
        names = ["test_again", "test_call", "test_raises", "test_teardown"]
        assert session.failed == [f"tests/test_it.py::{name}" for name in names], session


@pytest.mark.skipif(sys.version_info < (3, 13), reason="an import that is cached cannot be blocked")
def test_strict_blocks_each_repeat_that_nothing_excuses(projects):
    test = """
        import pytest
        import acme.old
        from acme import lazy

        def other():
            import acme.old

        @pytest.mark.ssot_allow("old", reason="theirs")
        def test_allowed():
            for _ in range(3):
                lazy.use(), other()

        def test_blocked(ssot):
            for _ in range(2):
                with pytest.raises(ImportError): lazy.use()
                with ssot.expect("old"): lazy.use()
            with pytest.raises(ImportError): lazy.use()
        """
    session = projects({"tests/test_it.py": test}).run("--ssot", "strict", "tests")
    assert session.of("::test_allowed", "failed") == [], session
    (blocked,) = session.of("::test_blocked", "failed")
    assert blocked["crash"].startswith("SSG101"), session  # not for what it asserts


def test_fixtures_come_and_go_in_one_phase(projects):
    """In one teardown, what the test does and what a wide fixture does."""
    test = """
        import pytest
        from acme import lazy

        @pytest.fixture(scope="module")
        def wide():
            yield
            lazy.use()

        @pytest.fixture
        def narrow(wide):
            yield
            lazy.use()

        def test_it(narrow): pass
        """
    session = projects({"tests/test_it.py": test}).run("tests")
    assert session.failed == [FILE, "tests/test_it.py::test_it"], session


def test_where_only_the_exit_status_tells_each_test_is_named_too(projects):
    test = "from acme import lazy\ndef test_a(): lazy.use(), lazy.use()\ndef test_b(): lazy.use(), lazy.use()\n"
    policy = '+[profiles.test]\nfail = "session"\n'
    session = projects({"ssot-guard.toml": policy, "tests/test_it.py": test}).run("tests")
    (row,) = session.report["violations"]
    assert (session.status, row["tests"], row["count"]) == (1, 2, 4), session
