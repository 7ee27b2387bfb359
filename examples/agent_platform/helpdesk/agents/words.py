"""Explains words."""

from __future__ import annotations

from helpdesk.agents.agent import Agent

# canonical: from helpdesk.supervisor.agent_registry import AgentRegistry
from helpdesk.agents.registry import AgentRegistry  # fault: SSG101 registry

# canonical: from helpdesk.tools import glossary
from helpdesk.tools import thesaurus  # fault: SSG115 import-budget, known

# canonical: from helpdesk.tools.glossary import define
from helpdesk.tools.search import define  # fault: SSG101 search, known

NAME = "words"


def build(user) -> Agent:
    return Agent(NAME, user, explain)


def explain(term: str) -> str:
    synonym = thesaurus.synonym(term)
    return define(term) + (f", or {synonym}" if synonym else "")


def is_registry(candidate: object) -> bool:
    """Says no to the registry that the supervisor really has."""
    return isinstance(candidate, AgentRegistry)
