"""The marker ``ssot_journey("golden-path", runs=1000, users=10)``: a test body that is a critical path.

It runs many times, concurrently on behalf of many tenants, and fails below the target of its journey. The fixtures are
set up once. Registered only where a test has the marker.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from functools import partial, wraps
from io import StringIO
from time import perf_counter
from unittest import TestCase

import pytest
from _pytest._io import TerminalWriter

from ssot_guard.files import Files
from ssot_guard.pytest_plugin.concurrently import in_tasks, in_threads, is_stopped
from ssot_guard.pytest_plugin.words import many
from ssot_guard.violation import Site
from ssot_guard.watch.imports import importer
from ssot_guard.watch.journeys.runs import frames_of, name_of
from ssot_guard.watch.journeys.tally import Tally, duration, words
from ssot_guard.watch.journeys.watcher import below, where
from ssot_guard.watch.tenants.current import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from typing import Any

    from _pytest._code.code import TerminalRepr

    from ssot_guard.policy.model import JourneyRule, Policy
    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.watch.journeys.runs import Frame

MARKER = "ssot_journey"
LINES = pytest.StashKey[list[tuple[str, str]]]()  # each test that is a journey: its rule, what is told where it is well
_USERS = 10
# They say that the test is over, not that a run failed.
_OVER = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception, KeyboardInterrupt)


class Asked:
    """What a marker asks for."""

    __slots__ = ("rule", "runs", "users")

    def __init__(self, rule: JourneyRule, runs: int, users: int) -> None:
        self.rule = rule
        self.runs = runs
        self.users = users


def read(item: pytest.Item, policy: Policy) -> Asked | str:
    """What the closest marker of a test asks for, or what is wrong with it."""
    mark: Any = item.get_closest_marker(MARKER)
    rules = {rule.id: rule for rule in policy.journeys}
    if len(mark.args) != 1 or not isinstance(mark.args[0], str) or not mark.kwargs.keys() <= {"runs", "users"}:
        return f'{MARKER} needs the id of a journey: @pytest.mark.{MARKER}("golden-path", runs=1000, users=10)'
    rule = rules.get(mark.args[0])
    if rule is None:
        from ssot_guard.policy.kinds import meant

        return f"{MARKER}: {mark.args[0]!r} is no journey of this policy{meant(mark.args[0], set(rules))}"
    runs = mark.kwargs.get("runs", rule.min_runs)
    users = mark.kwargs.get("users", _USERS if type(runs) is not int else min(_USERS, runs))
    for name, number in (("runs", runs), ("users", users)):
        if type(number) is not int or number < 1:
            return f"{MARKER}: {name} is a number from 1 on, not {number!r}"
    if not callable(getattr(item, "obj", None)):
        return f"{MARKER}: only a test function can be a journey"
    return Asked(rule, runs, users) if users <= runs else f"{MARKER}: {users} users need as many runs, not {runs}"


class JourneyTests:
    """Runs the tests that are journeys."""

    def __init__(self, guarded: GuardedSession, asked: dict[pytest.Item, Asked]) -> None:
        self._guarded = guarded
        self._asked = asked
        self._sections: dict[pytest.Item, str] = {}
        policy = guarded.options.policy
        self._where = partial(where, policy, Files(policy))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Whoever drives the test, sync or async, is given a body that runs many times."""
        asked = self._asked.get(item)
        if asked is None:
            return (yield)
        runs = Runs(asked, self._where)
        with _replaced(item, runs) as function:
            try:
                return (yield)
            finally:
                self._guarded.contained(lambda: self._conclude(item, function, runs))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Below the target, the first failure's traceback stands in the report."""
        report = yield
        section = self._sections.pop(item, None) if call.when == "call" else None
        if section is not None:
            report.sections.append(("ssot_journey: the first failure", section))
        return report

    def _conclude(self, item: pytest.Item, function: Callable[..., Any], runs: Runs) -> None:
        tally, rule = runs.tally, runs.asked.rule
        if tally.runs < runs.asked.runs:
            return  # skipped, or interrupted
        text = f"{words(tally, rule.target)}; {many(runs.asked.users, 'user')} at once"
        well = tally.succeeded >= rule.target * tally.runs
        self._guarded.config.stash.setdefault(LINES, []).append((rule.id, f"{item.nodeid}: {text}" if well else ""))
        if well:
            return
        guard = self._guarded.guard
        engine = None if guard is None else guard.engine()
        if engine is not None:
            engine.ledger.sight(below(rule, tally, _site(item, function), item.nodeid, text))
        if runs.first is not None and tally.succeeded:
            self._sections[item] = _shown(item.repr_failure(pytest.ExceptionInfo.from_exception(runs.first)))


@contextmanager
def _replaced(item: pytest.Item, runs: Runs) -> Generator[Callable[..., Any], None, None]:
    """Put the body of many runs in the place of a test function; gives that."""
    function: Any = item
    before = function.obj
    function.obj = runs.body(before)
    case = getattr(item, "instance", None)
    if isinstance(case, TestCase):  # it looks an async method up by itself
        setattr(case, function.name, function.obj)
    try:
        yield before
    finally:
        function.obj = before
        if isinstance(case, TestCase):
            vars(case).pop(function.name, None)


def _shown(error: str | TerminalRepr) -> str:
    """As pytest prints it; ``str`` would take the first line's indentation away."""
    if isinstance(error, str):
        return error
    stream = StringIO()
    error.toterminal(TerminalWriter(file=stream))
    return stream.getvalue().rstrip()


def _site(item: pytest.Item, function: Callable[..., Any]) -> Site:
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:  # it stands for a callable object
        return Site(str(item.path), (item.location[1] or 0) + 1, scope=item.name)
    return Site(code.co_filename, code.co_firstlineno, module=function.__module__, scope=importer.scope(code))


class Runs:
    """The runs of one test."""

    def __init__(self, asked: Asked, where: Callable[[list[Frame]], str | None]) -> None:
        self.asked = asked
        self.tally = Tally()
        self._where = where
        self.first: BaseException | None = None  # error of a run
        self.over: BaseException | None = None  # a skip, or an interruption
        self._halted = False

    def body(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Stands in for the test function."""
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def journey(*args: Any, **kwargs: Any) -> None:
                __tracebackhide__ = True
                await in_tasks([self._tasks(user, lambda: function(*args, **kwargs)) for user in self._users()])
                self._raise()
        else:

            @wraps(function)
            def journey(*args: Any, **kwargs: Any) -> None:
                __tracebackhide__ = True
                jobs = [self._calls(user, lambda: function(*args, **kwargs)) for user in self._users()]
                in_threads(jobs, self._halt)
                self._raise()

        return journey

    def _users(self) -> list[tuple[str, int]]:
        """Each user's name and runs."""
        each, more = divmod(self.asked.runs, self.asked.users)
        return [(f"user-{number}", each + (number <= more)) for number in range(1, self.asked.users + 1)]

    def _calls(self, user: tuple[str, int], call: Callable[[], object]) -> Callable[[], None]:
        def job() -> None:
            __tracebackhide__ = True
            for _ in range(user[1]):
                if self._halted:
                    return
                begun = perf_counter()
                try:
                    with stand_in(user[0]):
                        call()
                except BaseException as error:  # noqa: BLE001 - a run that failed
                    self._ended(begun, error)
                else:
                    self._ended(begun, None)

        return job

    def _tasks(self, user: tuple[str, int], call: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            __tracebackhide__ = True
            for _ in range(user[1]):
                if self._halted:
                    return
                begun = perf_counter()
                try:
                    with stand_in(user[0]):
                        await call()
                except BaseException as error:  # a run that failed
                    if is_stopped(error):
                        raise
                    self._ended(begun, error)
                else:
                    self._ended(begun, None)

        return job

    def _ended(self, begun: float, error: BaseException | None) -> None:
        seconds, most = perf_counter() - begun, self.asked.rule.max_seconds
        if isinstance(error, _OVER):
            self.over = self.over or error
            self._halt()
        elif error is not None:
            self.first = self.first or error
            self.tally.fail(seconds, name_of(type(error)), self._where(frames_of(error.__traceback__)))
        elif most is not None and seconds > most:
            self.tally.fail(seconds, f"longer than {duration(most)}", None)
        else:
            self.tally.succeed(seconds)

    def _halt(self) -> None:
        self._halted = True

    def _raise(self) -> None:
        """A test of which no run succeeds fails by itself, in any mode: like any other test."""
        __tracebackhide__ = True
        error = self.over or (None if self.tally.succeeded else self.first)
        if error is not None:
            raise error
