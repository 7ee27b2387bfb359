"""Calculates."""

from __future__ import annotations

from helpdesk.agents.agent import Agent
from helpdesk.tools.calculator import calculate

# canonical: from helpdesk.supervisor.agent_registry import AgentRegistry
from .registry import AgentRegistry  # fault: SSG101 registry

NAME = "mathematics"


def build(user) -> Agent:
    return Agent(NAME, user, calculate)


listed = AgentRegistry()
listed.register(NAME, build)  # nobody asks there any more
