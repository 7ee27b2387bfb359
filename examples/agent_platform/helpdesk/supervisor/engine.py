"""Runs agents for one user: the home of `ExecutionEngine`, and of an older engine for batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk import model
from helpdesk.supervisor import history

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpdesk.agents.agent import Agent
    from helpdesk.users import User
    from helpdesk.ws.emitter import Emitter


class SequentialEngine:
    """The engine of the first release: it answers, and remembers nothing."""

    def __init__(self, user: User, create_agent: Callable[[str], Agent]) -> None:
        self.user = user
        self._create_agent = create_agent

    async def run(self, question: str, emitter: Emitter) -> str:
        plan = model.plan(question)
        agent = self._create_agent(plan.agent)
        await emitter.emit("agent_started", agent=agent.name)
        try:
            finding = await agent.run(plan.argument, emitter)
        except Exception as error:
            await emitter.emit("agent_failed", error=f"{type(error).__name__}: {error}")
            raise
        answer = model.phrase(self.user.name, finding)
        await emitter.emit("agent_completed", answer=answer)
        return answer


class ExecutionEngine(SequentialEngine):
    """Remembers what was asked: the engine that everybody should get."""

    async def run(self, question: str, emitter: Emitter) -> str:
        history.remember(self.user, question)
        return await super().run(question, emitter)
