"""Threads: those that a test starts are its own, those that serve others belong to their files."""

import threading

import pytest

FILE = "ssot::src/acme/lazy.py"


def test_a_thread_that_outlives_its_test_blames_no_other(projects):
    files = {
        "tests/test_it.py": """
            import threading
            from acme import lazy

            go = threading.Event()
            threads = []

            def test_starts():
                def later():
                    go.wait()
                    lazy.use()
                threads.append(threading.Thread(target=later))
                threads[0].start()

            def test_innocent():
                go.set()
                threads[0].join()
            """,
    }
    session = projects(files).run("tests")
    assert session.failed == [FILE], session


SERVED = """
    import queue, threading
    import pytest
    from acme import lazy

    def serve(todo):
        while (done := todo.get()) is not None:
            lazy.use()
            done.set()

    def ask(todo):
        done = threading.Event()
        todo.put(done)
        assert done.wait(30)

    @pytest.fixture(scope="{scope}")
    def server():
        todo = queue.Queue()
        thread = threading.Thread(target=serve, args=(todo,))
        thread.start()
        yield todo
        todo.put(None)
        thread.join()

    def test_a(server): ask(server)
    def test_b(server): ask(server)
    """


def test_a_thread_of_a_wide_fixture_belongs_to_no_test(projects):
    """Whoever comes first starts it: in any order, the same result."""
    project = projects({"tests/test_it.py": SERVED.format(scope="session")})
    assert project.run("tests").failed == [FILE]
    assert project.run("tests/test_it.py::test_b").failed == [FILE]


def test_a_thread_of_a_fixture_of_one_test_is_the_tests(projects):
    session = projects({"tests/test_it.py": SERVED.format(scope="function")}).run("tests")
    assert session.failed == ["tests/test_it.py::test_a", "tests/test_it.py::test_b"], session


def test_a_thread_that_gets_the_number_of_one_that_is_gone_is_another_one():
    """Worker threads come and go around tests, and numbers are used again at once."""
    from ssot_guard.pytest_plugin.threads import Threads

    threads, leave = Threads(), threading.Event()
    old = threading.Thread(target=leave.wait)
    old.start()
    threads.pytest_runtest_logstart()
    assert threads.is_shared(old.ident)
    leave.set()
    old.join()
    for _ in range(200):
        found: list[bool] = []
        new = threading.Thread(target=lambda found=found: found.append(threads.is_shared(threading.get_ident())))
        new.start()
        new.join()
        assert found == [False]
        if new.ident == old.ident:
            break
    else:
        pytest.fail("no number came again")
