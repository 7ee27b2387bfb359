"""Runs in tests: those that begin in a test are over with it, so the next test may use their names again.

A run that is still open then can be judged by nobody: it is counted as unknown, unless it has taken too long already.
So are its events that come later, from a wider fixture that closes what tests have left open.
Runs of wider fixtures and of modules go on.
"""

from __future__ import annotations

from functools import partial

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.watch.events.contract import Contract
    from ssot_guard.watch.events.watcher import EventWatcher

_PLUGIN = "ssot_guard_runs"


def listen(session: GuardedSession, events: EventWatcher) -> None:
    """Hear of each new run."""
    plugin = Chapters(session, events)
    for contract in events.contracts:
        contract.runs.noted = partial(plugin.noted, contract)
    session.config.pluginmanager.register(plugin, _PLUGIN)


def forget(events: EventWatcher) -> None:
    """The session is over; the guard may go on."""
    for contract in events.contracts:
        contract.runs.noted = None


class Chapters:
    """A plugin, where the policy has events."""

    def __init__(self, session: GuardedSession, events: EventWatcher) -> None:
        self._session = session
        self._events = events
        self._begun: list[tuple[Contract, str]] = []

    def noted(self, contract: Contract, key: str) -> bool:
        """A run begins; whether it is a test's."""
        place = self._session.place()
        if place is None or not place.owned:
            return False
        self._begun.append((contract, key))
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """The outermost: what fixtures send while they are torn down is the test's. A rerun comes here, too."""
        try:
            return (yield)
        finally:
            if self._begun:
                self._session.contained(self._close)

    def _close(self) -> None:
        self._events.check()  # what has taken too long is this test's
        begun, self._begun = self._begun, []
        for contract, key in begun:
            contract.close(key)
