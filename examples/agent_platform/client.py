"""Users at work: each logs in, asks over HTTP and over a WebSocket, and looks at what else there is, all at once.

What they get is a transcript: (user, channel, question or path) -> answer.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    Transcript = dict[tuple[str, str, str], Any]

PASSWORDS = {
    "Ada": "engine",
    "Grace": "compiler",
    "Linus": "kernel",
    "Barbara": "type",
    "Dennis": "pointer",
    "Edsger": "path",
    "Frances": "graph",
    "Guido": "indent",
    "Ken": "pipe",
    "Margaret": "moon",
}
ORDERS = {"Ada": "2 orders, 51.50 in total", "Grace": "1 orders, 39.00 in total", "Linus": "3 orders, 37.50 in total"}
SHIM = "a module that stands at an old path and hands out what moved, or stand-in"
LAST = {"agent_completed", "agent_failed"}
STEPS = ["agent_thinking", "tool_executing", "tool_completed"]


def expected() -> Transcript:
    """The right answers; a socket tells the steps, too."""
    right: Transcript = {}
    for name, orders in ORDERS.items():
        findings = {
            "hello there": (["agent_thinking"], "I heard 'hello there'"),
            "what is 2 * (3 + 4)?": (STEPS, "2 * (3 + 4) = 14"),
            "define shim": (STEPS, f"shim means {SHIM}"),
            "show me my orders": (STEPS, orders),
        }
        for question, (steps, finding) in findings.items():
            answer, events = f"{name}, {finding}.", ["agent_started", *steps, "agent_completed"]
            right[name, "http", question] = answer, events
            right[name, "ws", question] = answer, events
        right[name, "http", "/batch"] = [f"{name}, 1 + 1 = 2.", f"{name}, I heard 'bye'."]
        right[name, "http", "/history"] = [*findings, *findings]  # the batch is not there: see `helpdesk.agents.engine`
        right[name, "http", "/prices"] = {"prices": 2}
        right[name, "http", "/plugins"] = []  # the old registry knows nobody
    return right


def visit(address: str) -> Transcript:
    """Everybody's transcript, of visits at the same time."""

    async def everybody() -> Transcript:
        visits = await asyncio.gather(*(_visit(address, name) for name in ORDERS))
        return {place: answer for transcript in visits for place, answer in transcript.items()}

    return asyncio.run(everybody())


async def _visit(address: str, name: str) -> Transcript:
    seen: Transcript = {}
    questions = [place[2] for place in expected() if place[:2] == (name, "ws")]
    # A server closes the connection on which a request failed, and the next one must not be sent into that.
    once = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False, limits=once) as client:
        client.headers.update(await logged_in(client, name))
        for question in questions:
            reply = await client.post("/ask", json={"question": question})
            seen[name, "http", question] = _taken(reply, "answer", "events")
        async with to_socket(client) as socket:
            for question in questions:
                seen[name, "ws", question] = await _told(socket, question)
        reply = await client.post("/batch", json={"questions": ["1 + 1", "bye"]})
        seen[name, "http", "/batch"] = _taken(reply)
        seen[name, "http", "/history"] = _taken(await client.get("/history"))
        seen[name, "http", "/prices"] = _taken(await client.post("/prices"))
        seen[name, "http", "/plugins"] = _taken(await client.get("/plugins"), "agents")
    return seen


async def logged_in(client: httpx.AsyncClient, name: str) -> dict[str, str]:
    """The header that says who asks."""
    reply = await client.post("/login", json={"name": name, "password": PASSWORDS[name]})
    return {"Authorization": f"Bearer {reply.json()['token']}"}


def to_socket(client: httpx.AsyncClient) -> connect:
    """A WebSocket of the user who is logged in."""
    address = f"ws{str(client.base_url).removeprefix('http').rstrip('/')}/ws"
    return connect(address, additional_headers={"Authorization": client.headers["Authorization"]}, proxy=None)


def _taken(reply: httpx.Response, *fields: str) -> Any:
    """The answer, or some fields of it, or the status of a failure."""
    if reply.status_code != httpx.codes.OK:
        return reply.status_code
    values = [reply.json()[field] for field in fields]
    return reply.json() if not fields else values[0] if len(values) == 1 else tuple(values)


async def _told(socket: Any, question: str) -> Any:
    """The answer and the events of one run; the error where it failed."""
    await socket.send(json.dumps({"question": question}))
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] not in LAST:
        events.append(json.loads(await socket.recv()))
    await socket.send(json.dumps({"served": events[-1]["event"] == "agent_completed"}))
    if len({(event["run"], event["user"]) for event in events}) != 1:
        return "events of several runs", events
    last = events[-1]
    return last.get("answer", last.get("error")), [event["event"] for event in events]
