"""How much memory a construction keeps: where it is traced already, or where a test session asks for it."""

from __future__ import annotations

import _tracemalloc


class Traced:
    """Traced bytes at the start; ``ours``: whether the tracing was switched on for it."""

    __slots__ = ("before", "ours")

    def __init__(self, before: int, *, ours: bool) -> None:
        self.before = before
        self.ours = ours


def begin(*, on_request: bool) -> Traced | None:
    """Before the constructor; None where nothing is traced."""
    ours = on_request and not _tracemalloc.is_tracing()
    if ours:
        _tracemalloc.start(1)
    return Traced(_tracemalloc.get_traced_memory()[0], ours=ours) if _tracemalloc.is_tracing() else None


def end(traced: Traced | None) -> int | None:
    """After it: the bytes that are there now and were not before, other threads' included."""
    if traced is None or not _tracemalloc.is_tracing():
        return None
    used = _tracemalloc.get_traced_memory()[0] - traced.before
    if traced.ours:
        _tracemalloc.stop()
    return used
