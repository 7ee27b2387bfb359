"""Whose request this is. The entry points say so, and nobody else."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpdesk.users import User

_user: ContextVar[User | None] = ContextVar("user", default=None)


def current_user() -> User:
    user = _user.get()
    if user is None:
        raise LookupError("nobody is logged in here")
    return user


def user_id() -> str | None:
    user = _user.get()
    return None if user is None else user.id


@contextmanager
def acting_for(user: User) -> Iterator[None]:
    before = _user.set(user)
    try:
        yield
    finally:
        _user.reset(before)


get_user = current_user  # the name of two years ago
