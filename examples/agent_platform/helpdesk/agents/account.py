"""Knows a user's customer number and points."""

from __future__ import annotations

from helpdesk import profiles
from helpdesk.agents import notebook
from helpdesk.agents.agent import Agent
from helpdesk.context import current_user
from helpdesk.ways import chosen

NAME = "account"

# canonical: with acting_for(visitor): Notebook({})
of_visitors = notebook.Notebook({})  # fault: SSG303 notebook


def build(user) -> Agent:
    return Agent(NAME, user, look_up)


def look_up(what: str) -> str:
    return _number() if what == "customer number" else notebook.mine().recall("points", _points)


def _number_of_the_latest() -> str:
    # canonical: profiles.mine().customer_number()
    return profiles.latest().customer_number()  # fault: SSG301 profile


def _number_of_mine() -> str:
    return profiles.mine().customer_number()


_number = chosen(grown=_number_of_the_latest, canonical=_number_of_mine)


def _points() -> str:
    return f"you have {10 * int(current_user().id.removeprefix('user-'))} points"
