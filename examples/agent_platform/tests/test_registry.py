"""Tests are importers, too: this file still knows the old registry."""

from __future__ import annotations

# canonical: from helpdesk.supervisor.agent_registry import AgentRegistry
from helpdesk.agents.registry import AgentRegistry  # fault: SSG101 registry


def test_an_agent_is_listed_once_it_is_registered():
    registry = AgentRegistry()
    registry.register("billing", object)
    assert registry.names() == ["billing"]


def test_the_service_has_another_registry(service):
    assert not isinstance(service.registry, AgentRegistry)
