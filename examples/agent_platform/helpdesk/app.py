"""The application: both sides, and the moment from which it is ready."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import ssot_guard
from fastapi import FastAPI

from helpdesk import api
from helpdesk.service import Service
from helpdesk.ws import endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    ssot_guard.ready()  # everything is loaded: from here on a canary may block
    yield
    if ssot_guard.active():
        ssot_guard.install().check()  # the guard in force: what only a look at the whole process shows


def create_app() -> FastAPI:
    app = FastAPI(title="help desk", lifespan=_lifespan)
    app.state.service = Service()
    app.include_router(api.router)
    app.include_router(endpoint.router)
    return app
