"""Critical paths: the marker ``ssot_journey``, and what the application counts by itself."""

import sys

import pytest

POLICY = """+
[[journeys]]
id = "golden-path"
target = 0.9
max-seconds = 0.5
min-runs = 40
[[journeys]]
id = "watched"
target = 0.9
max-mode = "observe"
"""
MARKED = """
    import asyncio
    import functools
    import itertools
    import threading
    import time
    import unittest

    import pytest
    import ssot_guard
    from acme import lazy
    from ssot_guard.watch.tenants.current import Tenants

    pytestmark = pytest.mark.usefixtures("once")
    NOBODY = Tenants([])
    SEEN = []

    @pytest.fixture
    def once():
        SEEN.clear()
        yield
        SEEN.clear()

    @pytest.fixture
    def counter():
        SEEN.append("set up")
        return itertools.count()

    @pytest.mark.ssot_journey("golden-path", runs=200, users=10)
    def test_all_well(counter):
        next(counter)
        SEEN.append((NOBODY.current(), threading.current_thread().name))

    @pytest.fixture
    def after():
        yield
        assert SEEN.count("set up") == 1
        users = [one for one in SEEN if one != "set up"]
        assert sorted(set(users)) == sorted((f"user-{number}", f"ssot-user-{number}") for number in range(1, 5))
        assert len(users) == 42 and users.count(("user-1", "ssot-user-1")) == 11

    @pytest.mark.ssot_journey("golden-path", runs=42, users=4)
    def test_users(after, counter):
        SEEN.append((NOBODY.current(), threading.current_thread().name))

    @pytest.fixture
    def forty():
        yield
        assert len(SEEN) == 40, SEEN

    @pytest.mark.ssot_journey("golden-path")
    def test_runs_by_default(forty):
        SEEN.append(1)

    @pytest.mark.ssot_journey("golden-path", runs=100, users=10)
    def test_enough(counter):
        if next(counter) % 10 == 0:
            raise ConnectionError("refused for alice")

    @pytest.mark.ssot_journey("golden-path", runs=100, users=10)
    def test_bad_rate(counter):
        number = next(counter)
        assert number % 5, "every fifth"
        assert number % 7

    @pytest.mark.ssot_journey("golden-path", runs=20)
    def test_bad_always():
        answer = 41
        assert answer == 42

    @pytest.mark.ssot_journey("golden-path", runs=20)
    def test_bad_pytest_fail(counter):
        if next(counter) % 2:
            pytest.fail("no good")

    @pytest.mark.ssot_journey("golden-path", runs=4, users=4)
    def test_bad_slow(counter):
        time.sleep(0.55 if next(counter) == 3 else 0)

    @pytest.mark.ssot_journey("golden-path", runs=100, users=5)
    def test_skips(counter):
        if next(counter) == 7:
            pytest.skip("not here")

    @pytest.mark.ssot_journey("golden-path", runs=10)
    @pytest.mark.xfail(reason="known")
    def test_bad_xfail(counter):
        assert next(counter)
        assert next(counter) % 2

    @pytest.mark.ssot_journey("golden-path", runs=10)
    @pytest.mark.ssot_allow("SSG501", reason="while it is new")
    def test_allowed(counter):
        assert next(counter) % 2

    @pytest.mark.ssot_journey("watched", runs=10)
    def test_watched(counter):
        assert next(counter) % 2

    @pytest.mark.ssot_journey("watched", runs=10)
    def test_bad_watched_always():
        assert False, "a plain failure is no rate"

    @pytest.mark.ssot_journey("golden-path", runs=20)
    def test_bad_violates():
        lazy.use()

    @pytest.mark.ssot_journey("golden-path", runs=6, users=3)
    @pytest.mark.parametrize("number", [1, 2])
    def test_bad_parametrized(number, counter):
        assert next(counter) % 6 >= number

    @pytest.mark.ssot_journey("golden-path", runs=6, users=3)
    class TestClass:
        def test_method(self):
            SEEN.append(1)

        @pytest.mark.ssot_journey("golden-path", runs=2, users=1)
        def test_closest(self, two):
            SEEN.append(1)

        @pytest.fixture
        def two(self):
            yield
            assert len(SEEN) == 2

    class TestCase(unittest.TestCase):
        @pytest.mark.ssot_journey("golden-path", runs=12, users=3)
        def test_case(self):
            SEEN.append(1)

        @pytest.mark.ssot_journey("golden-path", runs=12, users=3)
        def test_bad_case(self):
            SEEN.append(1)
            self.assertGreater(len(SEEN), 8)

        def tearDown(self):
            assert len(SEEN) == 12, SEEN

    class TestAsyncCase(unittest.IsolatedAsyncioTestCase):
        @pytest.mark.ssot_journey("golden-path", runs=12, users=3)
        async def test_async_case(self):
            await asyncio.sleep(0)
            SEEN.append(1)

        def tearDown(self):
            assert len(SEEN) == 12, SEEN

    class Check:
        __name__ = "test_bad_object"

        def __call__(self):
            SEEN.append(1)
            assert len(SEEN) > 10

    check = Check()

    @pytest.mark.ssot_journey("golden-path", runs=20)
    @functools.wraps(check)
    def test_bad_object():
        check()

    @pytest.mark.ssot_journey("golden-paht")
    def test_bad_unknown(): pass

    @pytest.mark.ssot_journey()
    def test_bad_nothing(): pass

    @pytest.mark.ssot_journey("golden-path", runs=0)
    def test_bad_runs(): pass

    @pytest.mark.ssot_journey("golden-path", runs=True)
    def test_bad_truth(): pass

    @pytest.mark.ssot_journey("golden-path", users="3")
    def test_bad_users(): pass

    @pytest.mark.ssot_journey("golden-path", runs=3, users=4)
    def test_bad_more_users(): pass

    @pytest.mark.ssot_journey("golden-path", run=3)
    def test_bad_argument(): pass
"""
BAD = {
    "test_bad_rate": "of 100 runs succeeded",
    "test_bad_always": "assert 41 == 42",
    "test_bad_pytest_fail": "of 20 runs succeeded",
    "test_bad_slow": "failed: 1 x longer than 500 ms",
    "test_bad_xfail": "of 10 runs succeeded",
    "test_bad_watched_always": "a plain failure is no rate",
    "test_bad_violates": "SSG101 old",
    "test_bad_parametrized[1]": "83.33 % of 6 runs succeeded",
    "test_bad_parametrized[2]": "66.66 % of 6 runs succeeded",
    "test_bad_case": "33.33 % of 12 runs succeeded",
    "test_bad_object": "50.00 % of 20 runs succeeded",
    "test_bad_unknown": "'golden-paht' is no journey of this policy; did you mean `golden-path`?",
    "test_bad_nothing": 'needs the id of a journey: @pytest.mark.ssot_journey("golden-path", runs=1000, users=10)',
    "test_bad_runs": "runs is a number from 1 on, not 0",
    "test_bad_truth": "runs is a number from 1 on, not True",
    "test_bad_users": "users is a number from 1 on, not '3'",
    "test_bad_more_users": "4 users need as many runs, not 3",
    "test_bad_argument": "needs the id of a journey",
}

WELL = ["TestAsyncCase", "TestCase", "TestClass", "TestClass", "test_all_well", "test_bad_violates", "test_enough"]
WELL += ["test_runs_by_default", "test_users"]


@pytest.fixture(scope="module")
def marked(projects):
    project = projects({"ssot-guard.toml": POLICY, "tests/test_it.py": MARKED})
    sessions = {"warn": project.run("--strict-markers", "tests"), "observe": project.run("--ssot", "observe", "tests")}
    sessions["two workers"] = project.run("-n2", "tests", plugins=("xdist", "ssot_guard.pytest_plugin"))
    return sessions


@pytest.mark.parametrize("way", ["warn", "two workers"])
def test_who_fails(marked, way):
    session = marked[way]
    assert {one.rpartition("::")[2] for one in session.failed} == BAD.keys(), session
    assert session.of("test_skips", "skipped"), session


@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_messages(marked, name, text):
    assert text in marked["warn"].of(name, "failed")[0]["text"]


def test_a_message_says_all(marked):
    (failed,) = marked["warn"].of("test_bad_rate", "failed")
    text = " ".join(failed["text"].split())
    # 0, 5, … 95, and of the others 7, 14, …
    assert (
        "SSG501 golden-path tests/test_it.py:60 found 68.00 % of 100 runs succeeded, the target is 90 % (95 %" in text
    )
    assert " interval 58.34 - 76.33 %); p50 " in text
    assert "; failed: 20 x AssertionError at tests/test_it.py:63, 12 x AssertionError at tests/test_it.py:64; " in text
    assert "; 10 users at once" in text
    assert "ssot_journey: the first failure" in failed["sections"]
    assert "AssertionError: every fifth" in marked["warn"].text, "the first traceback"
    assert failed["crash"].startswith("SSG501 golden-path: 68.00 % of 100 runs succeeded")


def test_a_test_that_never_succeeds_keeps_its_own_error(marked):
    (failed,) = marked["warn"].of("test_bad_always", "failed")
    assert failed["crash"].startswith("assert 41 == 42")
    assert "ssot-guard" in failed["sections"]
    assert "in_threads" not in failed["text"], "what is ours in the traceback is hidden"


def test_observe_fails_only_what_never_succeeds(marked):
    session = marked["observe"]
    usage = {name for name, text in BAD.items() if "runs succeeded" not in text and "longer" not in text}
    assert {one.rpartition("::")[2] for one in session.failed} == usage - {"test_bad_violates"}, session


@pytest.mark.parametrize("way", ["warn", "observe", "two workers"])
def test_the_summary_has_a_line_for_each_that_is_well(marked, way):
    lines = [line for line in marked[way].summary if line.startswith("journey ")]
    assert sorted(line.partition("::")[2].partition(":")[0] for line in lines) == WELL
    assert "90.00 % of 100 runs succeeded" in next(line for line in lines if "::test_enough:" in line)
    assert "100.00 % of 200 runs succeeded" in next(line for line in lines if "::test_all_well:" in line)
    assert "alice" not in str(lines)


def test_no_internal_error(marked):
    for session in marked.values():
        assert "INTERNAL" not in session.text, session


ASYNC = """
    import asyncio
    import pytest
    import ssot_guard
    from ssot_guard.watch.tenants.current import Tenants

    NOBODY = Tenants([])
    OPEN, MOST, SEEN = [0], [0], []

    @pytest.fixture
    async def resource():
        SEEN.clear()
        MOST[0] = 0
        await asyncio.sleep(0)
        yield "resource"
        assert MOST == [5], MOST  # so many at once
        assert sorted(SEEN) == sorted(f"user-{number % 5 + 1}" for number in range(50))

    {mark}
    @pytest.mark.ssot_journey("golden-path", runs=50, users=5)
    async def test_well(resource):
        OPEN[0] += 1
        MOST[0] = max(MOST[0], OPEN[0])
        await asyncio.sleep(0.001)
        SEEN.append(NOBODY.current())
        OPEN[0] -= 1

    {mark}
    @pytest.mark.ssot_journey("golden-path", runs=50, users=5)
    async def test_bad(resource):
        OPEN[0] += 1
        MOST[0] = max(MOST[0], OPEN[0])
        await asyncio.sleep(0.001)
        SEEN.append(NOBODY.current())
        OPEN[0] -= 1
        assert len(SEEN) > 20, "early"

    {mark}
    @pytest.mark.ssot_journey("golden-path", runs=20, users=5)
    async def test_bad_cancels():
        SEEN.append(1)
        if len(SEEN) % 2:
            raise asyncio.CancelledError

    {mark}
    @pytest.mark.ssot_journey("golden-path", runs=20, users=5)
    async def test_skips():
        await asyncio.sleep(0)
        pytest.skip("not here")
"""


@pytest.mark.parametrize("way", ["pytest_asyncio", "anyio on asyncio", "anyio on trio"])
def test_async_bodies_run_as_tasks_of_their_loop(projects, way):
    plugin, _, backend = way.partition(" on ")
    pytest.importorskip(plugin)
    if backend:
        pytest.importorskip(backend)
        source = ASYNC.replace("{mark}", "@pytest.mark.anyio").replace("asyncio.sleep", "anyio.sleep")
        source += f"\n    import anyio\n    @pytest.fixture\n    def anyio_backend(): return {backend!r}\n"
    else:
        source = ASYNC.replace("{mark}", "@pytest.mark.asyncio")
        source = source.replace("@pytest.fixture", "import pytest_asyncio\n    @pytest_asyncio.fixture")
    project = projects({"ssot-guard.toml": POLICY, "tests/test_it.py": source})
    names = {"pytest_asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}
    session = project.run("tests", plugins=(names[plugin], "ssot_guard.pytest_plugin"))
    assert session.failed == ["tests/test_it.py::test_bad", "tests/test_it.py::test_bad_cancels"], session
    assert "60.00 % of 50 runs succeeded" in session.of("test_bad")[1]["text"], session
    assert "50.00 % of 20 runs succeeded" in session.of("test_bad_cancels")[1]["text"], session
    assert session.of("test_skips", "skipped")


def test_a_rerun_makes_no_failure_unseen(projects):
    pytest.importorskip("pytest_rerunfailures")
    test = """
        import pytest
        ATTEMPTS = []

        @pytest.fixture
        def attempt():
            ATTEMPTS.append([])
            return ATTEMPTS

        @pytest.mark.ssot_journey("golden-path", runs=10)
        def test_it(attempt):
            attempt[-1].append(1)
            assert len(attempt) == 2 or len(attempt[-1]) % 2
    """
    project = projects({"ssot-guard.toml": POLICY, "tests/test_it.py": test})
    session = project.run("--reruns", "1", "tests", plugins=("pytest_rerunfailures", "ssot_guard.pytest_plugin"))
    assert session.status == 1, session
    assert "tests/test_it.py:10: SSG501 golden-path: 50.00 % of 10 runs succeeded" in session.text
    assert [line.split(": ")[1][:20] for line in session.summary if line.startswith("journey ")] == [
        "100.00 % of 10 runs "
    ]


def test_without_a_policy_the_body_runs_once(projects):
    test = """
        import pytest
        SEEN = []

        @pytest.mark.ssot_journey("golden-path", runs=10)
        def test_it():
            SEEN.append(1)

        def test_once():
            assert SEEN == [1]
    """
    project = projects({"tests/test_it.py": test})
    (project.root / "ssot-guard.toml").unlink()
    session = project.run("--strict-markers", "tests", report=False)
    assert (session.status, session.failed) == (0, []), session


def test_an_interrupted_journey_ends_at_once(projects):
    test = """
        import os, signal, threading, time
        import pytest

        @pytest.mark.ssot_journey("golden-path", runs=100_000, users=2)
        def test_it(interrupt):
            time.sleep(0.01)

        @pytest.fixture
        def interrupt():
            threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    """
    project = projects({"ssot-guard.toml": POLICY, "tests/test_it.py": test})
    session = project.run("tests")
    assert session.status == 2, session
    assert "KeyboardInterrupt" in session.text
    assert "SSG501" not in session.text, "half of its runs are no verdict"


# -- what the application counts ---------------------------------------------------------------------------------------

LIVE = {
    "ssot-guard.toml": POLICY.replace("min-runs = 40", "min-runs = 40\n[[journeys]]\nid = 'unused'\ntarget = 1"),
    "src/acme/app.py": """
        import ssot_guard

        @ssot_guard.journey("golden-path")
        def ask(fails=False):
            if fails:
                raise ConnectionError("refused for alice")

        def watched(fails=False):
            with ssot_guard.journey("watched"):
                if fails:
                    raise ValueError
        """,
    "tests/test_a.py": """
        import pytest
        from acme.app import ask, watched

        @pytest.mark.parametrize("number", range(20))
        def test_asks(number):
            ask()

        def test_copes():
            with pytest.raises(ConnectionError):
                ask(fails=True)

        def test_copes_too():
            with pytest.raises(ConnectionError):
                ask(fails=True)

        def test_watched():
            with pytest.raises(ValueError):
                watched(fails=True)
        """,
    "tests/test_b.py": """
        import threading
        import pytest
        from acme.app import ask

        def test_thread():
            def go():
                with pytest.raises(ConnectionError):
                    ask(fails=True)
            thread = threading.Thread(target=go)
            thread.start()
            thread.join()
        """,
}


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["here", "workers"])
def test_the_observed_rate_of_a_session_decides(projects, workers):
    """20 of 23 in all processes together; no process alone has seen the 40 runs that it would need live."""
    project = projects(LIVE)
    plugins = ("xdist", "ssot_guard.pytest_plugin") if workers else ("ssot_guard.pytest_plugin",)
    session = project.run(*workers, "tests", plugins=plugins)
    assert session.failed == ["ssot::src/acme/app.py"], session
    (failed,) = session.of("src/acme/app.py", "failed")
    text = " ".join(failed["text"].split())
    assert "SSG501 golden-path src/acme/app.py:4 found 86.95 % of 23 runs succeeded" in text
    assert "failed: 3 x ConnectionError at src/acme/app.py:7; last in tests/test_" in text
    for test in ("tests/test_a.py::test_copes", "tests/test_a.py::test_copes_too", "tests/test_b.py::test_thread"):
        assert test in text
    assert "alice" not in session.text
    watched = next(line for line in session.summary if "SSG501 watched" in line)
    assert "0.00 % of 1 runs succeeded" in watched
    assert watched.endswith("[fails nothing: mode observe]")
    assert "not checked: 1 journey was never run: unused" in session.summary


def test_nothing_is_told_before_or_after_the_session(projects):
    """Also where the application has had the runs that a verdict needs live."""
    test = """
        import pytest
        from acme.app import ask

        @pytest.mark.parametrize("number", range(50))
        def test_copes(number):
            with pytest.raises(ConnectionError):
                ask(fails=True)
    """
    files = {"ssot-guard.toml": LIVE["ssot-guard.toml"], "src/acme/app.py": LIVE["src/acme/app.py"]}
    session = projects({**files, "tests/test_a.py": test}).run("-W", "error", "tests")
    assert session.failed == ["ssot::src/acme/app.py"], session
    assert session.text.count("0.00 % of 50 runs succeeded") == 3, "the result, the summary, pytest's own summary"
    assert "Warning" not in session.text


def test_runs_that_may_fail_do_not_count(projects):
    allowed = '@pytest.mark.ssot_allow("golden-path", reason="it tests how the application copes")'
    tests = {
        "tests/test_b.py": LIVE["tests/test_b.py"].replace("def test_thread", f"{allowed}\n        def test_thread")
    }
    session = projects({**LIVE, **tests}).run("tests")
    assert session.failed == [], session
    line = next(line for line in session.summary if line.startswith("journey golden-path:"))
    assert "90.90 % of 22 runs succeeded" in line
    assert "; 1 more were allowed to fail; failed: 2 x ConnectionError at src/acme/app.py:7" in line


def test_an_unknown_journey_is_said(projects):
    test = """
        import ssot_guard

        def test_it():
            with ssot_guard.journey("golden-paht"):
                pass
    """
    session = projects({"ssot-guard.toml": POLICY, "tests/test_it.py": test}).run("tests")
    assert session.status == 0
    assert "tests/test_it.py:5: the policy has no such journey; it has: golden-path, watched" in session.text, session


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="once is enough")
def test_a_session_without_journeys_loads_nothing_of_them(projects):
    test = """
        import sys

        def test_it():
            import acme.new
            assert not [name for name in sys.modules if "journey" in name and name.startswith("ssot")]
            assert "ssot_guard.pytest_plugin.rates" not in sys.modules
    """
    session = projects({"tests/test_it.py": test}).run("tests")
    assert session.failed == [], session
