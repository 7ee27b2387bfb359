"""``/ws``: questions in, events out, and whether the user was served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ssot_guard
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from helpdesk.context import acting_for
from helpdesk.ws import connections, rooms
from helpdesk.ws.channels import SocketChannel

if TYPE_CHECKING:
    from helpdesk.service import Service
    from helpdesk.users import User

try:
    # canonical: from helpdesk.supervisor.metrics import record_run
    from helpdesk.supervisor.metrics import record_runs as record_run  # fault: SSG111 failed-imports, known
except ImportError:

    def record_run(channel: str) -> None:
        """Misspelt above, so this stub counts nothing."""


router = APIRouter()


class NotServedError(Exception):
    """The user says so: no answer, a wrong one, or steps that are not the run's."""


@router.websocket("/ws")
async def talk(socket: WebSocket) -> None:
    service: Service = socket.app.state.service
    user = service.users.by_authorization(socket.headers.get("authorization", ""))
    if user is None or not rooms.enter(user.id):
        await socket.close(code=1008)
        return
    send = SocketChannel(socket.send_json).deliver
    try:
        with connections.opened(user.id, send):
            await socket.accept()
            while True:
                await _answer(service, user, socket, send)
    except WebSocketDisconnect:
        pass
    finally:
        rooms.leave(user.id)


async def _answer(service: Service, user: User, socket: WebSocket, send: connections.Send) -> None:
    question = (await socket.receive_json())["question"]
    record_run("ws")
    try:
        # canonical: HELPDESK_WAYS=canonical
        with ssot_guard.journey("golden-path"), acting_for(user):  # fault: SSG501 golden-path
            await _run(service, user, socket, send, question)
    except WebSocketDisconnect:
        raise
    except Exception:
        service.log.exception("a run failed")  # its user has been told by `agent_failed`


async def _run(service: Service, user: User, socket: WebSocket, send: connections.Send, question: str) -> None:
    """From the question until its user has said what came of it."""
    try:
        await service.ask(user, question, send)
    finally:
        served = (await socket.receive_json())["served"]
    if not served:
        raise NotServedError
