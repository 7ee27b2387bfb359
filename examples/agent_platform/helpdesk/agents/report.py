"""Writes reports, and tells how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.agents.agent import Agent
from helpdesk.ways import chosen
from helpdesk.ws import connections
from helpdesk.ws.emitter import Emitter
from helpdesk.ws.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NAME = "report"


class ReportAgent(Agent):
    async def run(self, argument: str, emitter: Emitter) -> str:
        await _begun(emitter)
        await _half_done(emitter)
        return f"all is well with {argument}"


async def _begun_past_the_emitter(emitter: Emitter) -> None:
    # canonical: await emitter.emit("agent_thinking", about="begun")
    await Notices(emitter.user_id).notify_agent_thinking("begun")  # fault: SSG402 agent-run


async def _half_done_for_the_newest(emitter: Emitter) -> None:
    """To whoever came last: with one user at a time that was who asked."""
    user_id, send = connections.newest() or (emitter.user_id, emitter.send)
    # canonical: await emitter.emit("agent_thinking", about="half done")
    await Emitter(user_id, emitter.run_id, send).emit("agent_thinking", about="half done")  # fault: SSG403 agent-run


def _by_the_emitter(about: str) -> Callable[[Emitter], Awaitable[None]]:
    return lambda emitter: emitter.emit("agent_thinking", about=about)


_begun = chosen(grown=_begun_past_the_emitter, canonical=_by_the_emitter("begun"))
_half_done = chosen(grown=_half_done_for_the_newest, canonical=_by_the_emitter("half done"))


def build(user) -> Agent:
    return ReportAgent(NAME, user)
