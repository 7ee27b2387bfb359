"""One service for a test, and its users."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from helpdesk.app import create_app
from helpdesk.service import Service

PASSWORDS = {"Ada": "engine", "Grace": "compiler", "Linus": "kernel"}


@pytest.fixture
def app() -> FastAPI:
    return create_app()


@pytest.fixture
def service(app: FastAPI) -> Service:
    return app.state.service


@pytest.fixture
def request_as(app: FastAPI) -> Callable[..., httpx.Response]:
    """Log in as somebody (or nobody), send one request, and return the answer."""

    async def send(name: str | None, method: str, path: str, body: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://helpdesk") as client:
            if name is not None:
                reply = await client.post("/login", json={"name": name, "password": PASSWORDS[name]})
                client.headers["Authorization"] = f"Bearer {reply.json()['token']}"
            return await client.request(method, path, json=body)

    def request(name: str | None, method: str, path: str, body: Any = None) -> httpx.Response:
        return asyncio.run(send(name, method, path, body))

    return request
