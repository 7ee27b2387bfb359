"""One service for a test, and its users."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from helpdesk import profiles
from helpdesk.agents import notebook
from helpdesk.app import create_app
from helpdesk.service import Service

PASSWORDS = {"Ada": "engine", "Grace": "compiler", "Linus": "kernel"}


class Desk:
    """What users can do, any number of them in one event loop."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def log_in(self, name: str) -> dict[str, str]:
        """The header that says who asks."""
        reply = await self.client.post("/login", json={"name": name, "password": PASSWORDS[name]})
        return {"Authorization": f"Bearer {reply.json()['token']}"}

    async def ask(self, who: dict[str, str], question: str) -> str:
        return (await self.client.post("/ask", json={"question": question}, headers=who)).json()["answer"]


@pytest.fixture
def app() -> Iterator[FastAPI]:
    yield create_app()
    notebook.forget()
    profiles.forget()


@pytest.fixture
def service(app: FastAPI) -> Service:
    return app.state.service


@pytest.fixture
def at_desk(app: FastAPI) -> Callable[[Callable[[Desk], Awaitable[Any]]], Any]:
    """Run a coroutine function that is given a desk of this app."""

    async def run(story: Callable[[Desk], Awaitable[Any]]) -> Any:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://helpdesk") as client:
            return await story(Desk(client))

    return lambda story: asyncio.run(run(story))


@pytest.fixture
def request_as(at_desk: Callable[..., Any]) -> Callable[..., httpx.Response]:
    """Log in as somebody (or nobody), send one request, and return the answer."""

    def request(name: str | None, method: str, path: str, body: Any = None) -> httpx.Response:
        async def send(desk: Desk) -> httpx.Response:
            who = None if name is None else await desk.log_in(name)
            return await desk.client.request(method, path, json=body, headers=who)

        return at_desk(send)

    return request
