"""What was there before the emitter: writes into a user's sockets, and knows of no run."""

from __future__ import annotations

from helpdesk.ws import connections


class Notices:
    def __init__(self, user_id: str) -> None:
        self._user_id = user_id

    async def notify_agent_thinking(self, about: str) -> None:
        for send in connections.of(self._user_id):
            await send({"event": "agent_thinking", "about": about})
