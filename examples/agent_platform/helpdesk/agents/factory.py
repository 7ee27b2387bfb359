"""The one place that builds agents, their registry, and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.agents import account, billing, documents, handoff, mathematics, report, smalltalk, words
from helpdesk.supervisor.agent_registry import AgentRegistry
from helpdesk.supervisor.engine import ExecutionEngine

if TYPE_CHECKING:
    from helpdesk.agents.agent import Agent
    from helpdesk.users import User


def create_registry() -> AgentRegistry:
    registry = AgentRegistry()
    for home in (account, billing, documents, handoff, mathematics, report, smalltalk, words):
        registry.register(home.NAME, home.build)
    return registry


def create_agent(registry: AgentRegistry, name: str, user: User) -> Agent:
    return registry.builder(name)(user)


def create_engine(registry: AgentRegistry, user: User) -> ExecutionEngine:
    return ExecutionEngine(user, lambda name: create_agent(registry, name, user))
