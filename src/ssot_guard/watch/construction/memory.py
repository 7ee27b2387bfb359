"""How much memory a construction keeps: where it is traced already, or where a test session asks for it."""

from __future__ import annotations

import _tracemalloc


class Traced:
    """Traced bytes at the start; ``ours``: whether the tracing was switched on for it."""

    __slots__ = ("before", "ours")

    def __init__(self, before: int, *, ours: bool) -> None:
        self.before = before
        self.ours = ours

    def end(self) -> int | None:
        """The bytes that are there now and were not before, other threads' included."""
        if not _tracemalloc.is_tracing():
            return None
        used = _tracemalloc.get_traced_memory()[0] - self.before
        if self.ours:
            _tracemalloc.stop()
        return used


def begin(*, on_request: bool) -> Traced | None:
    """Before the constructor runs; None where nothing is traced."""
    ours = on_request and not _tracemalloc.is_tracing()
    if ours:
        _tracemalloc.start(1)
    return Traced(_tracemalloc.get_traced_memory()[0], ours=ours) if _tracemalloc.is_tracing() else None
