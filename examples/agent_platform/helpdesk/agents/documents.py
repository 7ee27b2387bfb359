"""Finds words in the desk's articles."""

from __future__ import annotations

from helpdesk.agents.agent import Agent
from helpdesk.tools import index

NAME = "documents"


def build(user) -> Agent:
    return Agent(NAME, user, find)


async def find(word: str) -> str:
    return (await index.shared()).find(word)
