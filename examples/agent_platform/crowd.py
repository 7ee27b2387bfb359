"""Ten users on the golden path: each logs in, asks over a WebSocket, follows the run, and says whether it was served.

All do so at the same time, question by question: everybody is there before anybody asks, and stays until all have
what they asked for. So who came last is one and the same user for a whole question, and the outcomes can be counted.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from client import LAST, ORDERS, PASSWORDS, SHIM, STEPS, logged_in, to_socket

if TYPE_CHECKING:
    from collections.abc import Callable

    Outcomes = dict[str, Counter[str]]  # by question: how often which

PATIENCE = 3.0  # seconds without an event after which a user gives up
RIGHT, REFUSED, NO_END = "right", "refused", "without an end"
OTHERS, STEP_LOST = "with somebody else's data", "with a step lost"


class Right(NamedTuple):
    steps: list[str]
    finding: Callable[[str, int], str]  # of a user's name and number


QUESTIONS = {
    "hello there": Right(["agent_thinking"], lambda *_: "I heard 'hello there'"),
    "what is 6 * 7?": Right(STEPS, lambda *_: "6 * 7 = 42"),
    "define shim": Right(STEPS, lambda *_: f"shim means {SHIM}"),
    "show me my orders": Right(STEPS, lambda name, _: ORDERS.get(name, "0 orders, 0.00 in total")),
    "let me talk to a human": Right(STEPS, lambda *_: "a colleague will write to you"),
    "find shim": Right(STEPS, lambda *_: "2 articles hold 'shim'"),
    "tell me my customer number": Right(STEPS, lambda _, number: f"your customer number is {1000 + number}"),
    "how many are my points": Right(STEPS, lambda _, number: f"you have {10 * number} points"),
    "a report on sales": Right(["agent_thinking", "agent_thinking"], lambda *_: "all is well with sales"),
}
ASKED = [*list(QUESTIONS)[:4] * 2, *list(QUESTIONS)[4:]]


class Seen:
    """What one user saw until the end of one run: its events, and those of other people's runs."""

    def __init__(self) -> None:
        self.own: list[dict[str, Any]] = []
        self.foreign: list[dict[str, Any]] = []

    def take(self, event: dict[str, Any]) -> None:
        """What names no run cannot be shown, and is dropped."""
        if "run" in event:
            is_own = event["run"] == self.own[0]["run"] if self.own else event["event"] == "agent_started"
            (self.own if is_own else self.foreign).append(event)

    @property
    def last(self) -> dict[str, Any]:
        return self.own[-1] if self.own else {"event": "none"}


def as_grown() -> Outcomes:
    """What the faults do to ten users. Who came last is well served; so is the first whose answer was kept."""
    number = len(PASSWORDS)
    outcomes = as_it_should_be()
    for question in ("tell me my customer number", "how many are my points"):
        outcomes[question] = Counter({RIGHT: 1, OTHERS: number - 1})
    outcomes["a report on sales"] = Counter({OTHERS: 1, STEP_LOST: number - 1})
    outcomes["let me talk to a human"] = Counter({NO_END: number})
    return outcomes


def kept_apart() -> Outcomes:
    """The same where `strict` stops what it can; a cache that two share is nothing that anybody calls."""
    number = len(PASSWORDS)
    outcomes = as_grown()
    outcomes["tell me my customer number"] = Counter({RIGHT: 1, REFUSED: number - 1})
    outcomes["a report on sales"] = Counter({STEP_LOST: 1, REFUSED: number - 1})
    return outcomes


def as_it_should_be() -> Outcomes:
    return {question: Counter({RIGHT: len(PASSWORDS) * ASKED.count(question)}) for question in QUESTIONS}


def right(outcomes: Outcomes) -> int:
    return sum(counts[RIGHT] for counts in outcomes.values())


def walk(address: str) -> tuple[Outcomes, dict[str, str]]:
    """Everybody's outcomes, and by question an error that somebody was told."""
    errors: dict[str, str] = {}

    async def everybody() -> Outcomes:
        together = asyncio.Barrier(len(PASSWORDS))
        users = (_walk(address, number, together, errors) for number in range(1, len(PASSWORDS) + 1))
        outcomes: Outcomes = {question: Counter() for question in QUESTIONS}
        for question, outcome in (run for runs in await asyncio.gather(*users) for run in runs):
            outcomes[question][outcome] += 1
        return outcomes

    return asyncio.run(everybody()), errors


async def _walk(address: str, number: int, together: asyncio.Barrier, errors: dict[str, str]) -> list[tuple[str, str]]:
    """One user's questions and their outcomes."""
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
        runs = []
        for question in ASKED:
            seen = await _run(client, number, question, together)
            runs.append((question, _outcome(seen, number, question)))
            if "error" in seen.last:
                errors[question] = seen.last["error"]
        return runs


async def _run(client: httpx.AsyncClient, number: int, question: str, together: asyncio.Barrier) -> Seen:
    """From log in to answer."""
    name, seen = list(PASSWORDS)[number - 1], Seen()
    client.headers.update(await logged_in(client, name))
    async with to_socket(client) as socket:
        await together.wait()
        await socket.send(json.dumps({"question": question}))
        while seen.last["event"] not in LAST and await _took(socket, seen, PATIENCE):
            pass
        await together.wait()
        await (await socket.ping())  # what was sent before has arrived when the answer to this has
        while await _took(socket, seen, 0):
            pass
        await socket.send(json.dumps({"served": _outcome(seen, number, question) == RIGHT}))
        await together.wait()
    return seen


async def _took(socket: Any, seen: Seen, patience: float) -> bool:
    try:
        async with asyncio.timeout(patience):
            seen.take(json.loads(await socket.recv()))
    except TimeoutError:
        return False
    return True


def _outcome(seen: Seen, number: int, question: str) -> str:
    name, (steps, finding) = list(PASSWORDS)[number - 1], QUESTIONS[question]
    if "SsotViolationError: SSG" in seen.last.get("error", ""):
        return REFUSED
    if seen.last["event"] != "agent_completed":
        return NO_END
    if seen.foreign or seen.last["answer"] != f"{name}, {finding(name, number)}.":
        return OTHERS
    told = [event["event"] for event in seen.own]
    return RIGHT if told == ["agent_started", *steps, "agent_completed"] else STEP_LOST
