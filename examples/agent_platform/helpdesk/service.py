"""What one process has: users, the registry of agents, and a way to ask them."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING

from helpdesk.agents.factory import create_engine, create_registry
from helpdesk.users import UserStore
from helpdesk.ws.emitter import Emitter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from helpdesk.users import User

_PEOPLE = {"Ada": "engine", "Grace": "compiler", "Linus": "kernel"}


class Service:
    def __init__(self) -> None:
        self.log = logging.getLogger("uvicorn.error")
        self.users = UserStore()
        self.registry = create_registry()
        self._runs = count(1)
        for name, password in _PEOPLE.items():
            self.users.add(name, password)

    async def ask(self, user: User, question: str, send: Callable[[dict], Awaitable[None]]) -> str:
        return await create_engine(self.registry, user).run(question, self.emitter(user, send))

    def emitter(self, user: User, send: Callable[[dict], Awaitable[None]]) -> Emitter:
        return Emitter(user.id, f"run-{next(self._runs)}", send)
