"""The ways to the users who are there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Send = Callable[[dict], Awaitable[None]]

_open: list[tuple[str, Send]] = []


@contextmanager
def opened(user_id: str, send: Send) -> Iterator[None]:
    _open.append((user_id, send))
    try:
        yield
    finally:
        _open.remove((user_id, send))


def of(user_id: str) -> list[Send]:
    return [send for owner, send in _open if owner == user_id]


def newest() -> tuple[str, Send] | None:
    """Who came last."""
    return _open[-1] if _open else None
