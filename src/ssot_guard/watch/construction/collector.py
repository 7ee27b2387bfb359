"""Is it alive, or does it wait for the garbage collector? Asked before anything is said about it, within a budget.

An object that only garbage refers to still answers its weak references. So those that a verdict rests on must have
survived a collection, not long ago: of the young, where they are young, which costs next to nothing; else of all there
is, and nobody can tell where that would take more than a hundredth of the process's time.
"""

from __future__ import annotations

import gc
from _thread import get_ident
from time import monotonic, sleep

from ssot_guard.watch.construction.instances import OPEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssot_guard.watch.construction.instances import Instance

_FREE = 1.0  # seconds that may be spent at once
_SHARE = 100  # else one part in so many
_SHORTEST = 1.0  # seconds for which a collection proves that something is alive
_MOST = 1000
_PATIENCE = 200  # milliseconds to wait for another thread's collection
_YOUNG = (0, 1)


class Collector:
    """Runs collections, and remembers what survived them."""

    __slots__ = ("_began", "_busy", "_longest", "_proven", "_spent")

    def __init__(self) -> None:
        self._began = monotonic()
        self._spent = self._longest = 0.0
        self._busy: int | None = None  # the thread that collects
        self._proven: dict[int, float] = {}  # number of an instance → until when it is trusted to live

    def alive(self, find: Callable[[], list[Instance]], *, at_any_cost: bool = False) -> list[Instance] | None:
        """What ``find`` finds once all garbage is gone; None where this is not the time to look."""
        found, now = find(), monotonic()
        doubtful = [
            instance
            for instance in found
            if instance.stage != OPEN and self._proven.get(instance.number, 0.0) < now  # its constructor holds it
        ]
        if not doubtful or not gc.isenabled():
            return found
        if not self._collect_young(doubtful) and not self.collect(at_any_cost=at_any_cost):
            return None
        found = find()  # these have lived beside another one: they are there to stay
        if len(self._proven) > _MOST:
            self._proven.clear()
        until = monotonic() + max(_SHORTEST, _SHARE * self._longest)
        self._proven.update((instance.number, until) for instance in found)
        return found

    def collect(self, *, at_any_cost: bool = False) -> bool:
        """Collect all garbage, if there is time for it."""
        if self._busy is not None:
            return self._wait()
        began = monotonic()
        if self._spent > max(_FREE, (began - self._began) / _SHARE) and not at_any_cost:
            return False
        self._busy = get_ident()
        try:
            gc.collect()
        finally:
            self._busy = None
        took = monotonic() - began
        self._longest = max(self._longest, took)
        self._spent += took
        return True

    def _wait(self) -> bool:
        """Another thread collects, for both of us; not for ever, and not for a finaliser that it runs."""
        if self._busy != get_ident():
            for _ in range(_PATIENCE):
                sleep(0.001)
                if self._busy is None:
                    return True
        return False

    def _collect_young(self, doubtful: list[Instance]) -> bool:
        """Collect what is young; whether that settles it for some instances."""
        left, so_far = {id(instance()) for instance in doubtful}, _collections()
        for generation in _YOUNG:
            left.difference_update(map(id, gc.get_objects(generation)))
            if _collections() != so_far:  # one ran while that list held everything, and so made it old
                return False
            if not left:
                gc.collect(generation)
                return True
        return False


def _collections() -> list[int]:
    return [generation["collections"] for generation in gc.get_stats()]
