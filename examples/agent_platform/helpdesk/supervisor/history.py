"""What each user asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpdesk.users import User

_asked: dict[str, list[str]] = {}


def remember(user: User, question: str) -> None:
    _asked.setdefault(user.id, []).append(question)


def asked() -> list[str]:
    """The questions of the user who asks."""
    # canonical: from helpdesk.context import current_user as get_user
    from helpdesk.context import get_user  # fault: SSG102 current-user

    return list(_asked.get(get_user().id, ()))
