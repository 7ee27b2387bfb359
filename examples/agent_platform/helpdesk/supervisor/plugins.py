"""Tools and agents that come by name."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

try:
    # canonical: from helpdesk.agents.factory import create_agent as build_agent
    from helpdesk.agents.factory import build_agent  # fault: SSG102 build-agent, known
except ImportError:
    build_agent = None  # removed a year ago; nobody noticed

_TOOLS = str(Path(__file__).parents[1] / "tools")


def legacy_registry() -> object:
    """What plug-ins of the first release register with."""
    # canonical: import_module("helpdesk.supervisor.agent_registry")
    return import_module("helpdesk.agents.registry").AgentRegistry()  # fault: SSG101 registry


def load_tool(name: str) -> object:
    """A tool by the name of its file: the same file, under another name than everybody else's."""
    if _TOOLS not in sys.path:
        sys.path.append(_TOOLS)
    return import_module(name)
