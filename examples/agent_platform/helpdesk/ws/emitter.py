"""The one way by which events of a run reach its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Emitter:
    """One run's events, in order, to one user. ``send`` takes each of them as a dictionary."""

    def __init__(self, user_id: str, run_id: str, send: Callable[[dict], Awaitable[None]]) -> None:
        self.user_id = user_id
        self.run_id = run_id
        self.send = send

    async def emit(self, event_type: str, **data: object) -> None:
        await self.send({"event": event_type, "run": self.run_id, "user": self.user_id, **data})
