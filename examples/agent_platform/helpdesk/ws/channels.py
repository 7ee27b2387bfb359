"""The ways by which events leave the house."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Channel(ABC):
    @abstractmethod
    async def deliver(self, event: dict) -> None: ...


class SocketChannel(Channel):
    def __init__(self, send: Callable[[dict], Awaitable[None]]) -> None:
        self._send = send

    async def deliver(self, event: dict) -> None:
        await self._send(event)


class MailChannel(Channel):  # fault: SSG205 channel
    # canonical: async def deliver(self, event: dict) -> None: ...
    def deliver(self, event: dict, subject: str) -> None:  # who awaits this fails, on the day on which mail is needed
        raise NotImplementedError


class PagerChannel(Channel):  # fault: SSG207 channel
    # canonical: [SocketChannel, MailChannel, PagerChannel]
    async def deliver(self, event: dict) -> None:
        raise NotImplementedError


def installed() -> list[type[Channel]]:
    """What a user can choose from."""
    return [SocketChannel, MailChannel]
