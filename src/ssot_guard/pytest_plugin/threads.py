"""Threads that belong to no single test: what they do belongs to files, whichever test is running by then.

A thread does not know who started it. But what runs already when a test begins was started by something else, and what
a wide fixture starts serves other tests, too.
"""

from __future__ import annotations

import sys
import threading
from _thread import _count, get_ident

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

# Numbers of threads are used again, perhaps at once: only with the thread's own object it is the same one.
_threads: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]  # noqa: SLF001 - no lock
# Taken now: test suites remove it for a while.
_current_frames = sys._current_frames  # noqa: SLF001 - documented, in spite of its name


class Threads:
    """A plugin: the only thing of ours that runs once per test, for less than a microsecond."""

    def __init__(self) -> None:
        self._first = self._shared = _running()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """What plugins have started by now is none of the tests'."""
        self._first = _running()

    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._shared = _running() if _count() else {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """What a wide fixture starts is not the test's that happens to come first."""
        if fixturedef.scope == "function":
            return (yield)
        before = _running()
        try:
            return (yield)
        finally:
            new = {thread: what for thread, what in _running().items() if before.get(thread, _NONE) is not what}
            self._shared = {**self._shared, **new}

    def is_shared(self, thread: int) -> bool:
        """Whether a thread came from elsewhere than the test that is running."""
        return self._shared.get(thread, _NONE) is _threads.get(thread)

    def running(self) -> list[str]:
        """Names of threads that tests left behind."""
        known = {*self._first, get_ident()}
        return sorted(thread.name for thread in threading.enumerate() if thread.ident not in known)


_NONE: object = object()


def _running() -> dict[int, threading.Thread | None]:
    """Number → thread, of all that run; None for one that ``threading`` has not started and not met."""
    return {thread: _threads.get(thread) for thread in _current_frames()}
