"""Listens. It needs no tool, and breaks no rule."""

from __future__ import annotations

from helpdesk.agents.agent import Agent

NAME = "smalltalk"


def build(user) -> Agent:
    return Agent(NAME, user)
