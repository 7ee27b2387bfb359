"""The agents that there are: the one home of `AgentRegistry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpdesk.agents.agent import Agent
    from helpdesk.users import User


class AgentRegistry:
    """How to build each agent, by name. One for the process; what it builds belongs to a user."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[User], Agent]] = {}

    def register(self, name: str, builder: Callable[[User], Agent]) -> None:
        if name in self._builders:
            raise ValueError(f"there is an agent {name!r} already")
        self._builders[name] = builder

    def builder(self, name: str) -> Callable[[User], Agent]:
        return self._builders[name]

    def names(self) -> list[str]:
        return sorted(self._builders)
