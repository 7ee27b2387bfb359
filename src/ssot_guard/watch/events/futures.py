"""Emitters that give back a task or a future: the event is sent when that is done, unless it failed.

Meanwhile the run may go on, and other events of it may be done first. So what would break the run is looked at as if
those that are on their way had been sent; and of one that is done too late, but was in time when it was called, nobody
knows.
"""

from __future__ import annotations

from _collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.watch.events.calls import Call
    from ssot_guard.watch.events.sequence import State

_MOST = 10_000  # runs
_MISSING: Any = object()


class Futures:
    """The calls of one rule that wait for what they gave back, by run."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, dict[Call, State]] = OrderedDict()

    def add(self, call: Call, state: State) -> None:
        """A call waits; ``state`` is its run's."""
        self._waiting.setdefault(call.key, {})[call] = state
        if len(self._waiting) > _MOST:
            try:  # noqa: SIM105 - contextlib would be imported for it
                self._waiting.popitem(last=False)
            except KeyError:  # another thread did
                pass

    def remove(self, call: Call) -> State | None:
        """A call waits no longer; the state that its run was in, None where that was forgotten."""
        calls = self._waiting.get(call.key, {})
        state: State | None = calls.pop(call, None)
        if not calls:
            self._waiting.pop(call.key, None)
        return state

    def forget(self) -> None:
        """Start from nothing."""
        self._waiting.clear()

    def of(self, key: str) -> list[Call]:
        """The calls of a run that wait, the oldest first."""
        calls = self._waiting.get(key)
        return [call for call in calls.copy() if not call.counted] if calls else []


def came_to(future: Any) -> bool:
    """Whether a future that is done came to something else than an error or False.

    The error is looked at behind its back: asyncio no longer tells of one that somebody has asked for.
    """
    if future.cancelled():
        return False
    error = getattr(future, "_exception", _MISSING)
    if error is _MISSING:
        error = future.exception()
    return error is None and future.result() is not False
