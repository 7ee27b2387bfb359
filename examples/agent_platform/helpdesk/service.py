"""What one process has: users, the registry of agents, and a way to ask them."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING

from helpdesk import model
from helpdesk.agents import handoff
from helpdesk.agents.factory import create_engine, create_registry
from helpdesk.agents.handoff import HandoffExecutionEngine
from helpdesk.users import UserStore
from helpdesk.ways import chosen
from helpdesk.ws.emitter import Emitter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from helpdesk.supervisor.agent_registry import AgentRegistry
    from helpdesk.supervisor.engine import ExecutionEngine
    from helpdesk.users import User

_PEOPLE = {
    "Ada": "engine",
    "Grace": "compiler",
    "Linus": "kernel",
    "Barbara": "type",
    "Dennis": "pointer",
    "Edsger": "path",
    "Frances": "graph",
    "Guido": "indent",
    "Ken": "pipe",
    "Margaret": "moon",
}

_runs = count(1)  # for the process: a run's name is never used again


def _an_own_engine(registry: AgentRegistry, user: User, question: str) -> ExecutionEngine | HandoffExecutionEngine:
    if model.plan(question).agent == handoff.NAME:
        # canonical: create_engine(registry, user)
        return HandoffExecutionEngine(user)  # fault: SSG203 execution-engine
    return create_engine(registry, user)


def _the_engine(registry: AgentRegistry, user: User, _: str) -> ExecutionEngine:
    return create_engine(registry, user)


engine_for = chosen(grown=_an_own_engine, canonical=_the_engine)


class Service:
    def __init__(self) -> None:
        self.log = logging.getLogger("uvicorn.error")
        self.users = UserStore()
        self.registry = create_registry()
        for name, password in _PEOPLE.items():
            self.users.add(name, password)

    async def ask(self, user: User, question: str, send: Callable[[dict], Awaitable[None]]) -> str:
        return await engine_for(self.registry, user, question).run(question, self.emitter(user, send))

    def emitter(self, user: User, send: Callable[[dict], Awaitable[None]]) -> Emitter:
        return Emitter(user.id, f"run-{next(_runs)}", send)
