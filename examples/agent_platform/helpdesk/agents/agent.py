"""One agent at work on one question."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from helpdesk.users import User
    from helpdesk.ws.emitter import Emitter


class Agent:
    """Belongs to one user. ``tool`` turns the plan's argument into what the answer says."""

    def __init__(self, name: str, user: User, tool: Callable[[str], str | Awaitable[str]] | None = None) -> None:
        self.name = name
        self.user = user
        self.tool = tool

    async def run(self, argument: str, emitter: Emitter) -> str:
        await emitter.emit("agent_thinking", about=argument)
        if self.tool is None:
            return f"I heard {argument!r}"
        await emitter.emit("tool_executing", tool=self.tool.__name__)
        await asyncio.sleep(0)  # other users' agents have their turn
        try:
            finding = self.tool(argument)
            return (await finding) if isawaitable(finding) else finding
        finally:
            await emitter.emit("tool_completed", tool=self.tool.__name__)
