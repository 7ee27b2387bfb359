"""A hundred tenants and 100,000 requests at a real server: false alarms, planted leaks found, and the time for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from scene import Scene

USERS, REQUESTS = 100, 100_000
_POLICY = """
[[roles]]
id = "engine"
canonical = "crowd.engine:Engine"
isolated = true

[tenant]
current = ["crowd.engine:user"]
"""
_ENGINE = """\
import asyncio
from contextvars import ContextVar

user = ContextVar("user")


class Tool:
    def __init__(self):
        self.cache = {}


class Engine:
    def __init__(self, name):
        self.name, self.tool = name, Tool()

    def ask(self, question):
        return f"{self.name}: {self.look(question)}"

    def look(self, question):
        self.tool.cache[question] = question
        return self.tool.cache[question]

    async def think(self, question):
        await asyncio.sleep(0)
        return self.ask(question)

    async def stream(self, question):
        for _ in range(3):
            await asyncio.sleep(0)
            yield self.ask(question)
"""
_PROGRAM = '''\
import asyncio, json, random, sys, threading, time
import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse

from crowd.engine import Engine, user

USERS, REQUESTS, LEAKS = int(sys.argv[1]), int(sys.argv[2]), ["/leak/thread", "/leak/task", "/leak/cache"]
engines, app = {}, FastAPI()


async def enter(request, call_next):
    user.set(request.headers["x-user"])
    return await call_next(request)


app.add_middleware(BaseHTTPMiddleware, dispatch=enter)


def engine(request: Request):
    name = request.headers["x-user"]
    return engines.get(name) or engines.setdefault(name, Engine(name))


@app.get("/sync")
def sync(engine=Depends(engine)):
    return PlainTextResponse(engine.ask("q"))


@app.get("/async")
async def asynchronous(background: BackgroundTasks, engine=Depends(engine)):
    background.add_task(engine.ask, "later")
    await asyncio.gather(engine.think("a"), asyncio.get_running_loop().run_in_executor(None, engine.ask, "b"))
    return PlainTextResponse(await engine.think("q"), background=background)


@app.get("/stream")
async def stream(engine=Depends(engine)):
    return StreamingResponse(engine.stream("q"))


@app.get("/leak/thread")
def leak_in_thread():
    return engines["user5"].ask("leak")


@app.get("/leak/task")
async def leak_in_task():
    return await asyncio.create_task(engines["user5"].think("leak"))


@app.get("/leak/cache")
async def leak_cache(engine=Depends(engine)):
    engine.tool.cache = engines["user5"].tool.cache


async def ask(reader, writer, path, name):
    writer.write(f"GET {path} HTTP/1.1\\r\\nhost: x\\r\\nx-user: {name}\\r\\n\\r\\n".encode())
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    length = next((line[15:] for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:")), None)
    if length is not None:
        return head[9:12], await reader.readexactly(int(length))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return head[9:12], body


async def client(port, work):
    """One connection, used by everybody, as behind a proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wrong = 0
    while work:
        path, name = work.pop()
        status, body = await ask(reader, writer, path, name)
        strangers = set(body.decode().split("q")) - {f"{name}: ", ""}
        wrong += status != b"200" or (bool(strangers) and not path.startswith("/leak"))
    writer.close()
    return wrong


async def main(port):
    paths = ["/sync", "/async", "/stream"]
    work = [(paths[number % 3], f"user{number % USERS}") for number in range(REQUESTS)]
    random.Random(1).shuffle(work)
    began = time.process_time()
    wrong = sum(await asyncio.gather(*(client(port, work) for _ in range(40))))
    took = (time.process_time() - began) / REQUESTS
    await client(port, [(path, "user7") for path in LEAKS])
    return wrong, took


import socket

sock = socket.socket()
sock.bind(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
thread.start()
while not server.started:
    time.sleep(0.01)

import ssot_guard.guard

guard = ssot_guard.guard.current_guard()
try:
    wrong, took = asyncio.run(main(sock.getsockname()[1]))
finally:
    server.should_exit = True
    thread.join()
if guard is not None:
    guard.check()
unknown = 0 if guard is None else sum(guard.status()["unknown"].values())
lines = [] if guard is None else [(one.code, one.target, one.site.scope, one.count) for one in guard.violations()]
print(json.dumps({"wrong": wrong, "took": took, "unknown": unknown, "lines": lines}))
'''
_LEAKS = {
    ("SSG301", "crowd.engine:Engine.ask", "leak_in_thread"),
    ("SSG301", "crowd.engine:Engine.think", "leak_in_task"),
    ("SSG302", "crowd.engine:Engine.tool.cache", "engine"),
}


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """One run without the guard and one with it, whatever ``rounds``: each takes minutes."""
    del rounds
    package = scene.lib / "crowd"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "engine.py").write_text(_ENGINE, encoding="utf-8")
    program = scene.folder / "crowd.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    policy = scene.write_policy("crowd", ["crowd"], [], _POLICY)
    found = {}
    for hook in ("nothing", "ssot-guard"):
        say(f"crowd: {REQUESTS:,} requests, {hook}")
        usage = scene.python(scene.environment(hook, policy), str(program), str(USERS), str(REQUESTS))
        found[hook] = json.loads(usage.output.splitlines()[-1])
    guarded = found["ssot-guard"]
    seen = {(code, target, scope) for code, target, scope, _ in guarded["lines"]}
    section = f"{USERS} tenants, {REQUESTS:,} requests at uvicorn, FastAPI and a BaseHTTPMiddleware"
    took = {hook: {0: one["took"]} for hook, one in found.items()}
    return [
        Row(section, "false alarms", "", {0: float(len(seen - _LEAKS))}, {}, Target("value", 0, "0")),
        Row(section, "planted leaks missed, of 3", "", {0: float(len(_LEAKS - seen))}, {}, Target("value", 0, "0")),
        Row(section, "wrong answers", "", {0: float(guarded["wrong"])}, {}, Target("value", 0, "0")),
        Row(section, "uses that nobody could judge", "", {0: float(guarded["unknown"])}),
        Row(section, "each request, unguarded, CPU time of server and clients", "µs", took["nothing"]),
        Row(
            section, "each request, guarded, CPU time of server and clients", "µs", took["ssot-guard"], took["nothing"]
        ),
    ]
