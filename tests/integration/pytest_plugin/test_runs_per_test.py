"""Runs of events in tests: a run is over with its test, so the next test may use its name again."""

import pytest

POLICY = """+
[[events]]
id = "agent-run"
emitter = ["acme.ws:emit"]
event = "event"
run = "run"
sequence = "started done"
within = 0.5
"""
WS = """
    def emit(event, run): ...
"""
TESTS = """
    import time

    import pytest
    from acme.ws import emit

    @pytest.mark.parametrize("number", range(3))
    def test_a_name_comes_again(number):
        emit("started", "1")
        emit("done", "1")

    @pytest.mark.parametrize("number", range(3))
    def test_left_open(number):
        emit("started", "2")

    @pytest.fixture
    def begun():
        emit("started", "3")
        yield
        emit("done", "3")

    @pytest.mark.parametrize("number", range(2))
    def test_of_a_fixture(number, begun):
        pass

    def test_bad_twice_in_one():
        for _ in range(2):
            emit("started", "4")
            emit("done", "4")

    def test_bad_too_long():
        emit("started", "5")
        time.sleep(0.6)

    class TestClosed:
        @pytest.fixture(scope="class", autouse=True)
        def closes_what_tests_leave_open(self):
            yield
            emit("done", "7")

        def test_leaves_it_open(self):
            emit("started", "7")

        def test_begins_it_anew(self):
            emit("started", "7")
            emit("done", "7")
            emit("started", "8")

        def test_bad_second_end(self):
            emit("done", "8")

        def test_nothing(self):
            pass

    class TestWide:
        @pytest.fixture(scope="class")
        def wide(self):
            emit("started", "6")

        def test_before(self, wide):
            pass

        def test_goes_on(self, wide):
            emit("done", "6")

        def test_bad_after_the_end(self, wide):
            emit("done", "6")
"""


@pytest.fixture(scope="module")
def session(projects):
    files = {"ssot-guard.toml": POLICY, "src/acme/ws.py": WS, "tests/test_it.py": TESTS}
    return projects(files).run("tests")


def test_what_breaks_the_contract_fails_its_test_and_no_other(session):
    failed = {one.rpartition("::")[2] for one in session.failed}
    assert failed == {"test_bad_twice_in_one", "test_bad_too_long", "test_bad_after_the_end", "test_bad_second_end"}, (
        session
    )


def test_what_a_test_leaves_open_is_counted_as_unknown(session):
    assert "SSG401 agent-run 6 times" in session.text
    assert "INTERNAL" not in session.text


def test_a_part_that_switches_itself_off_says_so(projects):
    test = """
        from acme.ws import emit

        def test_many():
            for number in range(9):
                emit("started", str(number))
    """
    project = projects({"ssot-guard.toml": POLICY, "src/acme/ws.py": WS, "tests/test_it.py": test})
    (project.root / "saboteur.py").write_text(
        "from ssot_guard.watch.events.contract import Contract\n"
        "def broken(*_, **__): raise ZeroDivisionError('planted')\n"
        "Contract.begun = broken\n"
    )
    session = project.run("-p", "saboteur", "tests")
    (line,) = [line for line in session.summary if "INTERNAL ERROR of ssot-guard, in events" in line]
    assert "planted" in line
    assert line.endswith("; it failed again and again, and is switched off: what it looks for is not seen any more")
    assert session.status == 0
