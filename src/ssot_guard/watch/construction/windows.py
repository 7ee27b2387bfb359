"""The calls in which instances are built: what is inside of a factory, and which constructions overlap.

A window is open from the start of a factory's call (or of a class's own ``__new__``) to its end, over all its awaits.
A context variable knows the innermost one; what outlives the call, such as a task that it started, finds it closed.
"""

from __future__ import annotations

from _contextvars import ContextVar
from _thread import get_ident

from ssot_guard.watch.construction.instances import OPEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.construction.population import Population


class Window:
    """One call. ``since``: the number of the last instance that was built before it."""

    __slots__ = ("began", "is_open", "outer", "populations", "since", "suspends", "thread")

    def __init__(
        self, populations: tuple[Population, ...], since: int, outer: Window | None, *, suspends: bool = False
    ) -> None:
        self.populations = populations
        self.since = since
        self.outer = outer
        self.suspends = suspends  # others may run in its thread between its start and its end
        self.thread = get_ident()
        self.is_open = True
        self.began = 0.0  # perf_counter(), where it is a part of the construction itself


inside: ContextVar[Window | None] = ContextVar("ssot_guard.factory", default=None)


def around(population: Population) -> Window | None:
    """The innermost open call of a factory of these instances, as the context knows it."""
    window = inside.get()
    while window is not None:
        if window.is_open and population in window.populations:
            return window
        window = window.outer
    return None


def overlap(later: Instance, earlier: Instance) -> bool:
    """Whether two constructions overlapped in time: neither was done when the other began, and none is part of it."""
    same_thread = later.thread == earlier.thread
    if earlier.stage == OPEN and not same_thread:
        return True
    window = earlier.window
    if window is not None and window.is_open and _apart(window, later, same_thread=same_thread):
        return True
    outermost = _outermost(later)
    if outermost is None or earlier.number <= outermost.since:
        return False
    return _apart(outermost, earlier, same_thread=same_thread)


def _apart(window: Window, built: Instance, *, same_thread: bool) -> bool:
    """Whether what was built while a window was open was not built by what happens in it."""
    inner = built.window
    while inner is not None:
        if inner is window:
            return False
        inner = inner.outer
    return window.suspends or not same_thread


def _outermost(instance: Instance) -> Window | None:
    """The widest call that an instance was built in, among those that build its kind."""
    window, found = instance.window, None
    while window is not None:
        if instance.kind.population in window.populations:
            found = window
        window = window.outer
    return found
