"""The HTTP side."""

from __future__ import annotations

from typing import Annotated, Any

import ssot_guard
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from pydantic import BaseModel

from helpdesk import profiles

# canonical: from helpdesk.supervisor.engine import ExecutionEngine
from helpdesk.agents.engine import ExecutionEngine  # fault: SSG101 engine, known
from helpdesk.agents.factory import create_agent
from helpdesk.context import acting_for
from helpdesk.service import Service
from helpdesk.supervisor import history, limits, metrics, plugins
from helpdesk.tools import calculator, orders, usage
from helpdesk.users import User

router = APIRouter()


class Credentials(BaseModel):
    name: str
    password: str


class Question(BaseModel):
    question: str


class Batch(BaseModel):
    questions: list[str]


def the_service(request: Request) -> Service:
    return request.app.state.service


Here = Annotated[Service, Depends(the_service)]


def the_user(service: Here, authorization: Annotated[str, Header()] = "") -> User:
    user = service.users.by_authorization(authorization)
    if user is None:
        raise HTTPException(401, "log in first")
    return user


Me = Annotated[User, Depends(the_user)]


@router.post("/login")
async def log_in(service: Here, credentials: Credentials) -> dict[str, str]:
    token = service.users.log_in(credentials.name, credentials.password)
    if token is None:
        raise HTTPException(401, "wrong name or password")
    user = service.users.by_authorization(token)
    with acting_for(user):
        profiles.opened(user)
    return {"token": token}


@router.post("/ask")
async def ask(service: Here, user: Me, body: Question) -> dict[str, Any]:
    metrics.record_run("http")
    events: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    with acting_for(user):
        answer = await service.ask(user, body.question, send)
    return {"answer": answer, "events": [event["event"] for event in events]}


@router.post("/batch")
async def batch(service: Here, user: Me, body: Batch) -> list[str]:
    async def send(_: dict[str, Any]) -> None:
        """Nobody listens to a batch."""

    engine = ExecutionEngine(user, lambda name: create_agent(service.registry, name, user))
    with acting_for(user):
        return [await engine.run(question, service.emitter(user, send)) for question in body.questions]


@router.get("/history")
async def asked(user: Me) -> list[str]:
    with acting_for(user):
        return history.asked()


@router.post("/prices")
async def refresh_prices(_: Me) -> dict[str, int]:
    return {"prices": orders.refresh()}


@router.get("/plugins")
async def known_plugins(_: Me) -> dict[str, Any]:
    tool = plugins.load_tool("calculator")
    return {
        "agents": plugins.legacy_registry().names(),
        "calculated": [calculator.calls["done"], tool.calls["done"]],  # one file, two counters
    }


@router.get("/health")
async def health(service: Here) -> dict[str, Any]:
    guard = ssot_guard.current_guard()
    return {
        "guarded": ssot_guard.active(),
        "agents": service.registry.names(),
        "counted": usage.known(),
        "runs": metrics.runs,
        "sockets-per-user": limits.SOCKETS_PER_USER,
        "census": {} if guard is None else guard.census(),
    }
