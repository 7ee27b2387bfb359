"""The HTTP side. `# reaches: f` marks a test that runs into the fault inside the function f."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize("path", ["/history", "/plugins"])
def test_nobody_gets_in_without_a_token(request_as, path):
    assert request_as(None, "GET", path).status_code == httpx.codes.UNAUTHORIZED


def test_a_wrong_password_gets_no_token(request_as):
    reply = request_as(None, "POST", "/login", {"name": "Ada", "password": "wrong"})
    assert reply.status_code == httpx.codes.UNAUTHORIZED


def test_an_answer_comes_with_its_steps(request_as):
    reply = request_as("Ada", "POST", "/ask", {"question": "what is 6 * 7?"})
    steps = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
    assert reply.json() == {"answer": "Ada, 6 * 7 = 42.", "events": steps}


def test_each_user_sees_own_orders(request_as):  # reaches: look_up
    answers = [
        request_as(name, "POST", "/ask", {"question": "my orders"}).json()["answer"] for name in ("Ada", "Grace")
    ]
    assert answers == ["Ada, 2 orders, 51.50 in total.", "Grace, 1 orders, 39.00 in total."]


def test_a_batch_answers_in_order(request_as):
    reply = request_as("Grace", "POST", "/batch", {"questions": ["1 + 1", "define tenant"]})
    assert [answer.partition(" ")[0] for answer in reply.json()] == ["Grace,", "Grace,"]


def test_questions_are_remembered(request_as):  # reaches: asked
    request_as("Linus", "POST", "/ask", {"question": "remember this"})
    assert request_as("Linus", "GET", "/history").json()[-1] == "remember this"


def test_prices_are_refreshed(request_as):  # reaches: refresh
    assert request_as("Ada", "POST", "/prices").json() == {"prices": 2}


def test_plugins_of_the_first_release_are_listed(request_as):  # reaches: legacy_registry
    assert request_as("Ada", "GET", "/plugins").json()["agents"] == []


def test_the_supervisor_knows_its_agents(request_as):
    assert request_as(None, "GET", "/health").json()["agents"] == [
        "account",
        "billing",
        "documents",
        "handoff",
        "mathematics",
        "report",
        "smalltalk",
        "words",
    ]
