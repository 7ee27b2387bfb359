"""Passes a user on to a human: with an engine of its own, or as an agent like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk import model
from helpdesk.agents.agent import Agent

if TYPE_CHECKING:
    from helpdesk.users import User
    from helpdesk.ws.emitter import Emitter

NAME = "handoff"


def build(user) -> Agent:
    return Agent(NAME, user, transfer)


def transfer(_: str) -> str:
    return "a colleague will write to you"


# canonical: from helpdesk.supervisor.engine import ExecutionEngine
class HandoffExecutionEngine:  # fault: SSG201 execution-engine
    """A copy of the first release's: what was mended there since is not here."""

    def __init__(self, user: User) -> None:
        self.user = user

    async def run(self, question: str, emitter: Emitter) -> str:
        # canonical: await emitter.emit("agent_completed", answer=answer)
        await emitter.emit("agent_started", agent=NAME)  # fault: SSG401 agent-run
        answer = model.phrase(self.user.name, transfer(question))
        await emitter.emit("agent_thinking", about=answer)  # the last that its user hears
        return answer
