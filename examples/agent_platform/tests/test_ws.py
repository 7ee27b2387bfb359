"""The WebSocket, on a real server in a thread."""

from __future__ import annotations

import json
import threading

import pytest
import uvicorn
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


@pytest.fixture
def address(app):
    """Where a server of this app listens: a free port of the loopback interface."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while thread.is_alive() and not server.started:
        thread.join(0.01)
    yield "ws://{}:{}/ws".format(*server.servers[0].sockets[0].getsockname())
    server.should_exit = True
    thread.join()


@pytest.fixture
def enter(address, service):
    """Log in, and open a socket."""

    def enter(name, password):
        token = service.users.log_in(name, password)
        return connect(address, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None)

    return enter


def test_a_run_tells_its_steps_to_its_user(enter):
    with enter("Ada", "engine") as socket:
        socket.send(json.dumps({"question": "what is 2 + 2?"}))
        events = [json.loads(socket.recv()) for _ in range(5)]
        socket.send(json.dumps({"served": True}))
    assert [event["event"] for event in events] == [
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]
    assert {event["user"] for event in events} == {"user-1"}
    assert events[-1]["answer"] == "Ada, 2 + 2 = 4."


def test_a_report_ends_with_an_answer(enter):  # reaches: _half_done_for_the_newest
    with enter("Ada", "engine") as socket, enter("Grace", "compiler"):
        socket.send(json.dumps({"question": "a report on sales"}))
        while (event := json.loads(socket.recv()))["event"] != "agent_completed":
            pass
        socket.send(json.dumps({"served": True}))
    assert event["answer"] == "Ada, all is well with sales."


def test_nobody_talks_without_a_token(address):
    with pytest.raises(InvalidStatus), connect(address, proxy=None):
        pass
