"""Instances in tests: what one test builds does not count against the next one, and what comes late is looked for.

What no constructor shows (copies, unpickled objects) is found through the collector, which costs a pass over the heap.
A test is to blame for what two looks around its call prove; where there is no time for them the summary says so: later
nobody can tell which test made it. What no test made is found at the next look, at the latest at the end.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter

import _pytest.python
import pytest

from ssot_guard.watch.classes import is_class
from ssot_guard.watch.construction.inherited import has_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.watch.construction.watcher import Construction

_python: Any = _pytest.python
_FREE = 1.0  # seconds that looks may take; else …
_SHARE = 0.01  # … so much of the session
_PLUGIN = "ssot_guard_late"
_TOKEN = "_ssot_guard_run"  # noqa: S105 - the name of an attribute


def listen(session: GuardedSession, construction: Construction) -> None:
    """Tell it which test is running."""
    construction.table.epoch = partial(_epoch, session)
    construction.measure_memory = True
    session.config.pluginmanager.register(Late(session, construction), _PLUGIN)
    _collect_as_before()


def forget(construction: Construction) -> None:
    """The session is over; the guard may go on."""
    construction.table.epoch = None
    construction.measure_memory = False
    if _theirs:
        _python.hasinit = _theirs.pop()


_theirs: list[Any] = []


def _collect_as_before() -> None:
    """Pytest collects no class that has a constructor: let it not take ours for one.

    It has no hook for that. Where the function that asks has another name some day, such classes are not collected.
    """
    asks = getattr(_python, "hasinit", None)
    if asks is None or _theirs:
        return
    _theirs.append(asks)
    _python.hasinit = lambda obj: asks(obj) and not (is_class(obj) and has_none(obj))


def _epoch(session: GuardedSession) -> object:
    """The run of the test that is to blame for what happens now; None where none is: wide fixtures, modules.

    What a thread builds that serves several tests counts for none of them: for which one nobody can tell.
    """
    place = session.place()
    if place is not None and place.foreign:
        return object()
    if place is None or not place.owned:
        return None
    # A rerun of a test has another request.
    request = getattr(place.item, "_request", None) or place.item
    return request.__dict__.setdefault(_TOKEN, object())


def unwatched(session: GuardedSession) -> int:
    """Tests around which there was no time to look."""
    plugin = session.config.pluginmanager.get_plugin(_PLUGIN)
    return 0 if plugin is None else plugin.missed


class Late:
    """A plugin, where the policy has roles whose instances count."""

    def __init__(self, session: GuardedSession, construction: Construction) -> None:
        self._session = session
        self._construction = construction
        self._began = perf_counter()
        self._spent = self._longest = 0.0
        self.missed = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """The outermost: what fixtures and other plugins made is there by now."""
        if not self._construction.matched:
            return (yield)
        if self._spent + 2 * self._longest > max(_FREE, _SHARE * (perf_counter() - self._began)):
            self.missed += 1
            return (yield)
        self._for_files()
        try:
            return (yield)
        finally:
            self._look()

    def _for_files(self) -> None:
        """Look for what no test is to blame for: :mod:`.attribution` knows this frame."""
        self._look()

    def _look(self) -> None:
        began = perf_counter()
        self._session.contained(self._construction.check)
        took = perf_counter() - began
        self._spent += took
        self._longest = max(self._longest, took)
