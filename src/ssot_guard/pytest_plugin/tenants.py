"""``ssot.run_as_tenants(fn, n=10)``: the same code for many tenants at once, where races and shared state show."""

from __future__ import annotations

import inspect
from threading import Barrier, BrokenBarrierError

import pytest

from ssot_guard.pytest_plugin.concurrently import hostile, in_a_loop, in_tasks, in_threads, is_stopped
from ssot_guard.watch.tenants.current import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST = 1_000  # threads


class _Call:
    """One tenant's call, and what became of it."""

    def __init__(self, function: Callable[..., Any], user: str, *, told: bool) -> None:
        self.user = user
        self.result: Any = None
        self.error: BaseException | None = None
        self._function = function
        self._arguments = (user,) if told else ()

    def run(self) -> None:
        """In a thread of its own."""
        __tracebackhide__ = True
        try:
            with stand_in(self.user):
                self.result = self._function(*self._arguments)
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            self.error = error

    async def task(self) -> None:
        """In a task of its own; what cancels it is its loop's business."""
        __tracebackhide__ = True
        try:
            with stand_in(self.user):
                self.result = await self._function(*self._arguments)
        except BaseException as error:  # the caller raises it
            if is_stopped(error):
                raise
            self.error = error


def run_as_tenants(function: Callable[..., Any], n: int, after: Callable[[], object]) -> Any:
    """Results in the order of the tenants ``user-1`` … ``user-n``, or the first one's error; ``after`` looks at all.

    An awaitable, where a coroutine function is to run in a loop that is running already.
    """
    __tracebackhide__ = True
    if not 1 <= n <= _MOST:
        raise pytest.UsageError(f"ssot.run_as_tenants(): n is a number of tenants from 1 to {_MOST:,}, not {n!r}")
    told = _wants_the_tenant(function)
    calls = [_Call(function, f"user-{number}", told=told) for number in range(1, n + 1)]
    if not _is_async(function):
        _at_once(calls)
    elif in_a_loop():
        return _in_this_loop(calls, after)
    else:
        import asyncio

        asyncio.run(in_tasks([call.task for call in calls]))
    return _results(calls, after)


def _at_once(calls: list[_Call]) -> None:
    """In threads that begin together."""
    __tracebackhide__ = True
    barrier = Barrier(len(calls))

    def begun(call: _Call) -> Callable[[], None]:
        def job() -> None:
            try:
                barrier.wait()
            except BrokenBarrierError:
                return
            call.run()

        return job

    with hostile():
        in_threads([begun(call) for call in calls], barrier.abort)


async def _in_this_loop(calls: list[_Call], after: Callable[[], object]) -> list[Any]:
    __tracebackhide__ = True
    await in_tasks([call.task for call in calls])
    return _results(calls, after)


def _results(calls: list[_Call], after: Callable[[], object]) -> list[Any]:
    __tracebackhide__ = True
    after()
    failed = [call for call in calls if call.error is not None]
    if not failed:
        return [call.result for call in calls]
    first, *others = failed
    error = first.error
    assert error is not None  # noqa: S101 - for the type checker
    error.add_note(f"ssot.run_as_tenants: {first.user}, the first of {len(failed)} of {len(calls)} tenants that failed")
    for call in others:
        error.add_note(f"{call.user}: {type(call.error).__name__}: {call.error}")
    raise error


def _is_async(function: Callable[..., Any]) -> bool:
    called = getattr(function, "func", function)  # of a partial
    return inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(type(called).__call__)


def _wants_the_tenant(function: Callable[..., Any]) -> bool:
    """Whether it cannot be called without an argument."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of C: mocks and types have one
        return False
    for arguments in ((), ("user-1",)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return bool(arguments)
    text = "takes the tenant as its only argument, or none"
    raise pytest.UsageError(f"ssot.run_as_tenants(): a function that {text}; not {function!r}{signature}")
