"""The local model: reads a question, chooses an agent and a tool, phrases the answer. Same question, same answer."""

from __future__ import annotations

import re
from typing import NamedTuple


class Plan(NamedTuple):
    """Which agent is to answer, and what its tool is asked."""

    agent: str
    argument: str


_INTENTS = (
    ("words", re.compile(r"\b(?:define|meaning of) (?P<argument>[\w-]+)", re.IGNORECASE)),
    ("billing", re.compile(r"\bmy (?P<argument>orders|bill)\b", re.IGNORECASE)),
    ("account", re.compile(r"\bmy (?P<argument>customer number|points)\b", re.IGNORECASE)),
    ("documents", re.compile(r"\bfind (?P<argument>[\w-]+)", re.IGNORECASE)),
    ("report", re.compile(r"\breport on (?P<argument>[\w-]+)", re.IGNORECASE)),
    ("handoff", re.compile(r"\b(?P<argument>talk to a human)\b", re.IGNORECASE)),
    ("mathematics", re.compile(r"(?P<argument>\d[\d\s+*/().-]*)")),
)


def plan(question: str) -> Plan:
    for agent, intent in _INTENTS:
        match = intent.search(question)
        if match:
            return Plan(agent, match["argument"].strip())
    return Plan("smalltalk", question.strip())


def phrase(name: str, finding: str) -> str:
    return f"{name}, {finding}."
