"""The fixture ``ssot`` on behalf of tenants: ``tenant`` and ``run_as_tenants``."""

import pytest

CALLS = """
    import asyncio
    import contextvars
    import functools
    import sys
    import threading
    import time
    from unittest import mock

    import pytest
    from acme import lazy
    from ssot_guard.watch.tenants.current import UNKNOWN, Tenants

    NOBODY = Tenants([])
    ALL = [f"user-{number}" for number in range(1, 11)]

    def test_tenant(ssot):
        with ssot.tenant("alice"):
            assert NOBODY.current() == "alice"
            with ssot.tenant("bob"):
                assert NOBODY.current() == "bob"
            assert NOBODY.current() == "alice"
        assert NOBODY.current() is UNKNOWN

    def test_sync(ssot):
        assert ssot.run_as_tenants(NOBODY.current) == ALL
        assert NOBODY.current() is UNKNOWN

    def test_at_once(ssot):
        together = threading.Barrier(10)
        def go(tenant):
            together.wait(10)
            return tenant, threading.current_thread() is threading.main_thread()
        assert ssot.run_as_tenants(go) == [(one, False) for one in ALL]

    def test_number(ssot):
        assert ssot.run_as_tenants(lambda tenant: tenant, n=3) == ALL[:3]
        assert ssot.run_as_tenants(lambda tenant: tenant, 1) == ["user-1"]

    class Chat:
        def ask(self, tenant): return tenant
        async def answer(self): return NOBODY.current()
        async def __call__(self, tenant): return tenant

    @pytest.mark.parametrize("function, result", [
        (lambda: 1, 1), (lambda tenant: tenant, "user-1"), (lambda tenant, more=2: (tenant, more), ("user-1", 2)),
        (lambda tenant="mine": tenant, "mine"), (lambda *args: args, ()), (lambda **kwargs: kwargs, {}),
        (functools.partial(lambda a, b: (a, b), 1), (1, "user-1")), (Chat().ask, "user-1"),
        (Chat().answer, "user-1"), (Chat(), "user-1"), (functools.partial(Chat().answer), "user-1"),
        (dict, {}), (mock.Mock(return_value=3), 3),
    ])
    def test_arguments(ssot, function, result):
        assert ssot.run_as_tenants(function, n=2)[0] == result

    @pytest.mark.parametrize("function", [lambda a, b: 1, lambda *, tenant: 1])
    def test_bad_arguments(ssot, function):
        ssot.run_as_tenants(function)

    @pytest.mark.parametrize("n", [0, -1, 1001])
    def test_bad_number(ssot, n):
        ssot.run_as_tenants(lambda: 1, n=n)

    def test_async(ssot):
        async def go(tenant):
            await asyncio.sleep(0)
            return tenant, NOBODY.current(), threading.current_thread() is threading.main_thread()
        assert ssot.run_as_tenants(go) == [(one, one, True) for one in ALL]

    def test_async_at_once(ssot):
        events = []
        async def go(tenant):
            events.append(tenant)
            await asyncio.sleep(0.01)
            return len(events)
        assert ssot.run_as_tenants(go) == [10] * 10

    def test_in_a_running_loop(ssot):
        async def go(tenant):
            await asyncio.sleep(0)
            return asyncio.get_running_loop(), NOBODY.current()
        async def main():
            loop = asyncio.get_running_loop()
            assert await ssot.run_as_tenants(go) == [(loop, one) for one in ALL]
            assert ssot.run_as_tenants(NOBODY.current, n=2) == ALL[:2], "sync code runs in threads, also here"
        asyncio.run(main())

    def test_the_context_of_the_test_is_there(ssot):
        variable = contextvars.ContextVar("request")
        variable.set("of the test")
        def go():
            before = variable.get()
            variable.set("of a tenant")
            return before
        assert ssot.run_as_tenants(go) == ["of the test"] * 10
        assert variable.get() == "of the test"

    def test_interval(ssot):
        sys.setswitchinterval(0.004)
        try:
            assert set(ssot.run_as_tenants(sys.getswitchinterval)) == {1e-6}
            assert sys.getswitchinterval() == 0.004
            with pytest.raises(ZeroDivisionError):
                ssot.run_as_tenants(lambda: 1 / 0)
            assert sys.getswitchinterval() == 0.004
            ssot.run_as_tenants(lambda: ssot.run_as_tenants(lambda: 1, n=2), n=3)
            assert sys.getswitchinterval() == 0.004
            threads = [threading.Thread(target=ssot.run_as_tenants, args=(lambda: time.sleep(wait),)) for wait in (0, 0.05, 0.1)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert sys.getswitchinterval() == 0.004
            ssot.run_as_tenants(lambda: sys.setswitchinterval(0.003), n=1)
            assert sys.getswitchinterval() == 0.003, "what the code under test sets stays"
        finally:
            sys.setswitchinterval(0.005)

    def test_bad_errors(ssot):
        def go(tenant):
            if tenant in ("user-2", "user-7"):
                raise ValueError(f"no {tenant}")
        ssot.run_as_tenants(go)

    def test_bad_async_errors(ssot):
        async def go(tenant):
            await asyncio.sleep(0)
            assert tenant not in ("user-2", "user-7"), f"no {tenant}"
        ssot.run_as_tenants(go)

    def test_bad_exit(ssot):
        ssot.run_as_tenants(lambda: sys.exit(3), n=2)

    def test_bad_cancelled(ssot):
        async def go():
            raise asyncio.CancelledError
        ssot.run_as_tenants(go, n=2)

    def test_skips(ssot):
        ssot.run_as_tenants(lambda: pytest.skip("not here"))

    def test_bad_violates(ssot):
        lazy.use()  # the first import of a submodule by many threads at once is a race of CPython's own
        ssot.run_as_tenants(lazy.use)
        assert [(one.code, one.count) for one in ssot.violations] == [("SSG101", 11)]

    def test_bad_violates_in_tasks(ssot):
        async def go():
            await asyncio.sleep(0)
            lazy.use()
        ssot.run_as_tenants(go)

    def test_finds_a_race(ssot):
        class Once:
            one = None
            def get(self):
                if self.one is None:
                    prepared = [str(number) for number in range(100)]
                    self.one = object()
                return self.one
        attempts = (set(map(id, ssot.run_as_tenants(Once().get, n=8))) for _ in range(300))
        assert any(len(made) > 1 for made in attempts), "a race that 300 attempts of 8 threads do not show"
"""
BAD = {
    "test_bad_arguments[<lambda>0]": "a function that takes the tenant as its only argument, or none; not <function",
    "test_bad_arguments[<lambda>1]": "a function that takes the tenant as its only argument, or none; not <function",
    "test_bad_number[0]": "n is a number of tenants from 1 to 1,000, not 0",
    "test_bad_number[-1]": "n is a number of tenants from 1 to 1,000, not -1",
    "test_bad_number[1001]": "n is a number of tenants from 1 to 1,000, not 1001",
    "test_bad_errors": "ValueError: no user-2",
    "test_bad_async_errors": "AssertionError: no user-2",
    "test_bad_exit": "SystemExit: 3",
    "test_bad_cancelled": "CancelledError",
    "test_bad_violates": "SSG101 old",
    "test_bad_violates_in_tasks": "SSG101 old",
}


@pytest.fixture(scope="module")
def calls(projects):
    return projects({"tests/test_it.py": CALLS}).run("tests")


def test_who_fails(calls):
    assert {one.rpartition("::")[2] for one in calls.failed} == BAD.keys(), calls
    assert calls.of("test_skips", "skipped")
    assert "INTERNAL" not in calls.text


@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_messages(calls, name, text):
    assert text in calls.of(name, "failed")[0]["text"]


@pytest.mark.parametrize("name", ["test_bad_errors", "test_bad_async_errors"])
def test_the_errors_of_all_are_told(calls, name):
    text = calls.of(name, "failed")[0]["text"]
    assert "ssot.run_as_tenants: user-2, the first of 2 of 10 tenants that failed" in text
    assert "user-7: " in text
    assert "in_threads" not in text, "what is ours in the traceback is hidden"


def test_without_a_policy(projects):
    test = """
        import sys

        def test_it(ssot):
            with ssot.tenant("alice"):
                pass
            assert ssot.run_as_tenants(lambda tenant: tenant, n=2) == ["user-1", "user-2"]
            assert ssot.check() == ()
            assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("ssot_guard")]
    """
    project = projects({"tests/test_it.py": test})
    (project.root / "ssot-guard.toml").unlink()
    session = project.run("tests", report=False)
    assert (session.status, session.failed) == (0, []), session


@pytest.mark.parametrize("way", ["pytest_asyncio", "anyio on asyncio", "anyio on trio"])
def test_in_async_tests(projects, way):
    plugin, _, backend = way.partition(" on ")
    pytest.importorskip(plugin)
    pytest.importorskip(backend or "asyncio")
    test = f"""
        import pytest
        from acme import lazy
        pytestmark = pytest.mark.{"anyio" if backend else "asyncio"}

        @pytest.fixture
        def anyio_backend():
            return {backend!r}

        async def test_well(ssot):
            async def go(tenant):
                return tenant
            assert await ssot.run_as_tenants(go, n=3) == ["user-1", "user-2", "user-3"]

        async def test_bad(ssot):
            async def go(tenant):
                lazy.use()
            await ssot.run_as_tenants(go, n=3)
    """
    project = projects({"tests/test_it.py": test})
    names = {"pytest_asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}
    session = project.run("tests", plugins=(names[plugin], "ssot_guard.pytest_plugin"))
    (failed,) = session.failed
    assert "::test_bad" in failed, session


POLICY = """+
[[roles]]
id = "session"
canonical = "acme.desk:Session"
isolated = true
tenant-from = "self.user_id"
[tenant]
current = ["acme.desk:user"]
[[journeys]]
id = "golden"
target = 1
"""
DESK = """
    from contextvars import ContextVar
    user = ContextVar("user")

    class Session:
        def __init__(self, user_id):
            self.user_id = user_id
        def ask(self): return self.user_id

    def log_in(name):
        user.set(name)
        return Session(name)
"""
GOLDEN = """
    import uuid
    import pytest
    from acme import desk

    @pytest.mark.ssot_journey("golden", runs=12, users=3)
    def test_golden():
        desk.log_in(uuid.uuid4().hex).ask()

    def test_as_tenants(ssot):
        ssot.run_as_tenants(lambda: desk.log_in(uuid.uuid4().hex).ask())

    def test_before_the_log_in(ssot):
        desk.user.set("somebody")  # what was said before is not the users'
        assert ssot.run_as_tenants(lambda user: desk.Session(user).ask(), n=2) == ["user-1", "user-2"]

    def test_bad_other_user(ssot):
        def go():
            session = desk.log_in(uuid.uuid4().hex)
            desk.user.set(uuid.uuid4().hex)
            session.ask()
        ssot.run_as_tenants(go)

    def test_bad_kept(ssot):
        session = desk.Session("user-1")
        ssot.run_as_tenants(session.ask, n=2)
"""


def test_whom_the_application_itself_serves_is_the_tenant(projects):
    """A journey logs in as whom it likes: the user that the marker has given is there until then."""
    files = {"ssot-guard.toml": POLICY, "src/acme/desk.py": DESK, "tests/test_it.py": GOLDEN}
    session = projects(files).run("tests")
    assert {one.rpartition("::")[2] for one in session.failed} == {"test_bad_other_user", "test_bad_kept"}, session
    assert {row[0] for row in session.sites} == {"SSG301"}, session
