"""Many at once: in threads, or as tasks of the loop that is running; and the switch interval that finds races."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from contextvars import copy_context
from threading import Lock, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence
    from typing import Any

_HOSTILE = 1e-6  # seconds: CPython switches threads whenever it can


def in_threads(jobs: Sequence[Callable[[], object]], halt: Callable[[], object]) -> None:
    """Run all at once, each in a copy of the caller's context, and wait. Jobs keep what they raise to themselves.

    Where the caller is interrupted (a timeout, Ctrl-C), ``halt`` tells the jobs, and nobody waits for them.
    """
    __tracebackhide__ = True
    threads = [
        Thread(target=copy_context().run, args=(job,), name=f"ssot-user-{number}", daemon=True)
        for number, job in enumerate(jobs, 1)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        halt()
        raise


async def in_tasks(jobs: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """The same for coroutine functions, in the loop that is running: asyncio's or trio's."""
    __tracebackhide__ = True
    trio = _running_trio()
    if trio is None:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(_awaited(job))
    else:
        async with trio.open_nursery() as nursery:
            for job in jobs:
                nursery.start_soon(job)


def in_a_loop() -> bool:
    """Whether this thread runs a loop, so that what is async can only be awaited."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _running_trio() is not None
    return True


def _running_trio() -> Any:
    """The module, where its loop runs in this thread; anyio runs on either."""
    trio = sys.modules.get("trio")
    try:
        return trio if trio is not None and trio.lowlevel.current_trio_token() else None
    except RuntimeError:
        return None


def is_stopped(error: BaseException) -> bool:
    """Whether an error of a task is its loop's word to stop, not its own."""
    if isinstance(error, asyncio.CancelledError) and _running_trio() is None:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit) or type(error).__name__ == "Cancelled"  # of trio


async def _awaited(job: Callable[[], Awaitable[object]]) -> None:
    await job()


class _Interval:
    """The switch interval while somebody wants it hostile; it belongs to the process, so the last one restores it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holds = 0
        self._before = self._ours = 0.0

    def hold(self) -> None:
        with self._lock:
            if not self._holds:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(_HOSTILE)
                self._ours = sys.getswitchinterval()
            self._holds += 1

    def release(self) -> None:
        with self._lock:
            self._holds -= 1
            # What the code under test has set meanwhile stays.
            if not self._holds and sys.getswitchinterval() == self._ours:
                sys.setswitchinterval(self._before)


_interval = _Interval()


@contextmanager
def hostile() -> Generator[None, None, None]:
    """Threads are switched as often as CPython can: 33 of 300 check-then-create races show, instead of none."""
    _interval.hold()
    try:
        yield
    finally:
        _interval.release()
