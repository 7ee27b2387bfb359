"""What the desk knows about a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.context import current_user
from helpdesk.ways import chosen

if TYPE_CHECKING:
    from helpdesk.users import User


class Profile:
    """Belongs to one user."""

    def __init__(self, user: User) -> None:
        self.user_id = user.id

    def customer_number(self) -> str:
        return f"your customer number is {1000 + int(self.user_id.removeprefix('user-'))}"


_profiles: dict[str, Profile] = {}
_latest: Profile | None = None


def _keep(user: User) -> None:
    """With one user at a time it was enough to know the latest."""
    global _latest  # noqa: PLW0603
    # canonical: _profiles[user.id] = Profile(user)
    _latest = _profiles[user.id] = Profile(user)  # fault: SSG302 profile


def _keep_for_the_user(user: User) -> None:
    _profiles[user.id] = Profile(user)


opened = chosen(grown=_keep, canonical=_keep_for_the_user)  # at each log in


def forget() -> None:
    """Begin without profiles."""
    global _latest  # noqa: PLW0603
    _latest = None
    _profiles.clear()


def latest() -> Profile:
    return _latest or mine()


def mine() -> Profile:
    """Of the user whose request this is."""
    return _profiles[current_user().id]
