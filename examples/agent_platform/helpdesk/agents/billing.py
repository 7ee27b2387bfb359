"""Knows what a user ordered."""

from __future__ import annotations

from helpdesk.agents.agent import Agent
from helpdesk.context import current_user
from helpdesk.tools.orders import bill, ordered_by

NAME = "billing"


def build(user) -> Agent:
    return Agent(NAME, user, look_up)


def look_up(_: str) -> str:
    # canonical: from helpdesk.supervisor.agent_registry import AgentRegistry
    from helpdesk.agents.registry import AgentRegistry  # fault: SSG101 registry

    AgentRegistry().register(NAME, build)  # what it learns is gone with the answer
    return bill(ordered_by(current_user().name))
