"""Several users. These tests look at what their authors thought of; `# reaches: f` says what else happens."""

from __future__ import annotations

import asyncio
import re
from itertools import cycle

import pytest

from helpdesk.service import engine_for

_users = cycle([("Ada", 1), ("Grace", 2), ("Linus", 3)])


def test_a_customer_number_has_four_digits(at_desk):  # reaches: _number_of_the_latest
    async def story(desk):
        ada, _ = await desk.log_in("Ada"), await desk.log_in("Grace")
        return await desk.ask(ada, "tell me my customer number")

    assert re.fullmatch(r"Ada, your customer number is \d{4}\.", at_desk(story))


def test_everybody_has_points(at_desk, ssot):  # reaches: _with_common_answers, _keep
    async def story(desk):
        return [await desk.ask(await desk.log_in(name), "how many are my points") for name in ("Ada", "Grace")]

    assert [re.sub(r"\d+", "so many", answer) for answer in at_desk(story)] == [
        "Ada, you have so many points.",
        "Grace, you have so many points.",
    ]
    ssot.check()  # what only a look at the whole process shows


def test_two_users_search_at_the_same_time(at_desk):  # reaches: _built, SearchIndex
    async def story(desk):
        users = [await desk.log_in(name) for name in ("Ada", "Grace")]
        return await asyncio.gather(*(desk.ask(user, "find shim") for user in users))

    assert at_desk(story) == ["Ada, 2 articles hold 'shim'.", "Grace, 2 articles hold 'shim'."]


def test_an_engine_works_for_who_wants_a_human(service):  # reaches: _an_own_engine
    user = service.users.add("Alan", "enigma")
    assert engine_for(service.registry, user, "let me talk to a human").user is user


def test_a_report_is_written(request_as):  # reaches: _begun_past_the_emitter
    reply = request_as("Ada", "POST", "/ask", {"question": "a report on sales"})
    assert reply.json()["answer"] == "Ada, all is well with sales."


# canonical: HELPDESK_WAYS=canonical
@pytest.mark.ssot_journey("golden-path", runs=20, users=5)  # fault: SSG501 golden-path
def test_a_user_has_points(at_desk, ssot):
    """Once it passes; with users who come at the same time most runs fail."""
    name, number = next(_users)

    async def story(desk):
        return await desk.ask(await desk.log_in(name), "how many are my points")

    with ssot.tenant(f"user-{number}"):
        assert at_desk(story) == f"{name}, you have {10 * number} points."
