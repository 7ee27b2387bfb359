"""Users and their tokens, in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

_ROUNDS = 1_000  # a demo's: a real store takes hundreds of thousands


@dataclass(frozen=True)
class User:
    id: str
    name: str


class UserStore:
    def __init__(self) -> None:
        self._users: dict[str, tuple[User, bytes, bytes]] = {}
        self._tokens: dict[str, User] = {}

    def add(self, name: str, password: str) -> User:
        user, salt = User(f"user-{len(self._users) + 1}", name), secrets.token_bytes(16)
        self._users[name] = user, salt, _hashed(password, salt)
        return user

    def log_in(self, name: str, password: str) -> str | None:
        """A fresh token, or None."""
        user, salt, known = self._users.get(name, (None, b"", b""))
        if user is None or not hmac.compare_digest(known, _hashed(password, salt)):
            return None
        token = secrets.token_urlsafe(24)
        self._tokens[token] = user
        return token

    def by_authorization(self, header: str) -> User | None:
        """The user of ``Bearer <token>``."""
        return self._tokens.get(header.removeprefix("Bearer "))


def _hashed(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
