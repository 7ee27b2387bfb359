"""A hundred tenants at once, in threads, tasks, executors and a real server: no false alarm, and every leak is found."""

import importlib.util

import pytest

TREE = {
    "acme/engine.py": """
        import asyncio
        class Tool:
            def __init__(self): self.cache = {}
        class Engine:
            def __init__(self, name):
                self.name, self.tool, self.log = name, Tool(), []
            def ask(self, question):
                self.log.append(question)
                return self.helper(question)
            def helper(self, question):
                self.tool.cache[question] = question
                return f"{self.name}: {question}"
            @property
            def size(self): return len(self.log)
            async def think(self, question):
                await asyncio.sleep(0)
                return self.ask(question)
            async def stream(self, question):
                for part in range(3):
                    await asyncio.sleep(0)
                    yield self.helper(f"{question}{part}")
            def parts(self):
                yield self.size
                yield self.ask("part")
            def __enter__(self): return self
            def __exit__(self, *exc): pass
    """
}
BEGIN = """
import asyncio, concurrent.futures, contextvars, random, sys, threading
import lab
sys.setswitchinterval(1e-5)
guard = lab.install()
from acme.context import user
from acme.engine import Engine, Tool
import ssot_guard
TENANTS = 100
names = [f"user{number}" for number in range(TENANTS)]
engines, wrong = {}, []
def serve(name, way=None):
    # the whole of what one tenant does, in its own context
    user.set(name)
    engine = engines.get(name) or engines.setdefault(name, Engine(name))
    for number in range(10):
        if engine.ask(str(number)) != f"{name}: {number}":
            wrong.append(name)
        with engine:
            list(engine.parts())
async def aserve(name):
    user.set(name)
    engine = engines.get(name) or engines.setdefault(name, Engine(name))
    loop = asyncio.get_running_loop()
    for number in range(3):
        await engine.think(str(number))
        async for _ in engine.stream("s"):
            pass
        answers = await asyncio.gather(engine.think("a"), asyncio.create_task(engine.think("b")), asyncio.to_thread(engine.ask, "c"))
        answers.append(await loop.run_in_executor(None, engine.ask, "d"))
        if answers != [f"{name}: {what}" for what in "abcd"]:
            wrong.append(name)
"""
END = """
new = guard.check()
lab.out(wrong=wrong, unknown=guard.status()["unknown"], errors=guard.status()["internal_errors"])
"""
WAYS = {
    "threads": """
threads = [threading.Thread(target=contextvars.Context().run, args=(serve, name)) for name in names for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    "a thread pool": """
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    futures = [pool.submit(contextvars.copy_context().run, serve, name) for name in names for _ in range(2)]
    for future in futures: future.result()
""",
    "a thread pool whose threads keep what was set last": """
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    for future in [pool.submit(serve, name) for name in names for _ in range(2)]: future.result()
""",
    "tasks": """
async def main():
    await asyncio.gather(*(asyncio.create_task(aserve(name)) for name in names))
asyncio.run(main())
""",
    "loops in threads": """
def loop(some):
    async def main():
        await asyncio.gather(*map(aserve, some))
    asyncio.run(main())
threads = [threading.Thread(target=loop, args=(names[number::4],)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    "declared tenants": """
def declared(name):
    with ssot_guard.tenant(name):
        engine = engines.get(name) or engines.setdefault(name, Engine(name))
        for number in range(10):
            engine.ask(str(number)), engine.size
async def adeclared(name):
    async with ssot_guard.tenant(name):
        await engines[name].think("x")
        await asyncio.gather(*(engines[name].think("y") for _ in range(3)))
async def main():
    await asyncio.gather(*map(adeclared, names))
threads = [threading.Thread(target=declared, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
asyncio.run(main())
""",
    "background work that outlives its tenant": """
queue = []
def worker():
    while True:
        work = queue.pop(0) if queue else None
        if work is None: return
        work()
def request(name):
    with ssot_guard.tenant(name):
        engine = engines.setdefault(name, Engine(name))
        queue.append(lambda: engine.ask("later"))
        return contextvars.copy_context()
contexts = [request(name) for name in names]
contexts[0].run(worker)  # the first tenant's request started it, and its context is all the worker has
async def late(release, engine):
    await release.wait()
    engine.ask("late"); engine.size
async def main():
    release, tasks = asyncio.Event(), []
    for name in names:
        with ssot_guard.tenant(name):
            tasks.append(asyncio.create_task(late(release, engines[name])))
    release.set()
    await asyncio.gather(*tasks)
asyncio.run(main())
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_tenants_at_once_raise_no_alarm(lab, policy, way):
    answer = lab.run(policy.tree | TREE | {"main.py": BEGIN + WAYS[way] + END}, policy.data, mode="strict")

    assert answer.error is None, answer.stderr
    assert answer.out["wrong"] == []
    assert answer.out["errors"] == {}
    assert answer.violations == []


LEAKS = {
    "an engine that another thread took": (
        """
def leak(): engines["user5"].ask("leak")  # <-
def work(name):
    serve(name)
    if name == "user7": leak()
threads = [threading.Thread(target=contextvars.Context().run, args=(work, name)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
        [("SSG301", "acme.engine:Engine.ask")],
    ),
    "an engine that another task took": (
        """
async def work(name):
    await aserve(name)
    if name == "user7":
        await asyncio.gather(engines["user5"].think("leak"))  # <-
async def main():
    await asyncio.gather(*map(work, names))
asyncio.run(main())
""",
        [("SSG301", "acme.engine:Engine.think")],
    ),
    "a cache that two of them share": (
        """
def work(name):
    serve(name)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for future in [pool.submit(work, name) for name in names]: future.result()
engines["user7"].tool.cache = engines["user5"].tool.cache
""",
        [("SSG302", "acme.engine:Engine.tool.cache")],
    ),
    "a pool that mixes its objects": (
        """
idle = [Engine("pooled") for name in names[:3] if user.set(name) or True]
async def work(name):
    user.set(name)
    engine = idle[hash(name) % 3]
    await asyncio.sleep(0)
    engine.ask("leak")  # <-
async def main():
    await asyncio.gather(*map(work, names))
asyncio.run(main())
""",
        [("SSG301", "acme.engine:Engine.ask")],
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_among_a_hundred_is_found(lab, policy, leak):
    program, found = LEAKS[leak]
    source = BEGIN + program + END
    answer = lab.run(policy.tree | TREE | {"main.py": source}, policy.data)

    assert answer.error is None, answer.stderr
    assert answer.out["errors"] == {}
    assert [(row["code"], row["target"]) for row in answer.violations] == found
    marked = [number for number, line in enumerate(source.removeprefix("\n").splitlines(), 1) if line.endswith("# <-")]
    assert [row["line"] for row in answer.of("SSG301")] == marked
    for row in answer.of("SSG302"):
        assert row["details"]["one"].endswith(".tool.cache")
        assert row["details"]["other"].endswith(".tool.cache")


SERVER = """
import asyncio, contextlib, socket, threading
import lab
guard = lab.install()
import ssot_guard
from contextvars import ContextVar
from acme.context import user
from acme.engine import Engine
from starlette.middleware.base import BaseHTTPMiddleware
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from starlette.responses import StreamingResponse
import httpx, uvicorn

engines = {}
app = FastAPI()
async def current(request: Request, call_next):
    user.set(request.headers["x-user"])
    return await call_next(request)
app.add_middleware(BaseHTTPMiddleware, dispatch=current)

def engine(request: Request):
    name = request.headers["x-user"]
    return engines.get(name) or engines.setdefault(name, Engine(name))

@app.get("/sync")
def sync(engine=Depends(engine)):  # in a thread of the pool
    return engine.ask("sync")

@app.get("/async")
async def asynchronous(background: BackgroundTasks, engine=Depends(engine)):
    background.add_task(engine.ask, "background")
    background.add_task(engine.think, "background")
    await asyncio.gather(engine.think("a"), asyncio.to_thread(engine.ask, "b"))
    await asyncio.get_running_loop().run_in_executor(None, engine.ask, "lost")
    return await engine.think("async")

@app.get("/stream")
async def stream(engine=Depends(engine)):
    return StreamingResponse(engine.stream("s"), media_type="text/plain")

@app.get("/parts")
def parts(engine=Depends(engine)):
    return StreamingResponse((str(part) for part in engine.parts()), media_type="text/plain")

@app.get("/leak")
async def leak():
    return await engines["user5"].think("leak")  # <-

sock = socket.socket(); sock.bind(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}); thread.start()
base = f"http://127.0.0.1:{sock.getsockname()[1]}"
statuses = []
async def client(name, paths):
    # keep-alive connections are shared by all users, as behind a proxy
    for path in paths:
        answer = await http.get(base + path, headers={"x-user": name})
        statuses.append((answer.status_code, answer.text))
async def main():
    global http
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(limits=limits, timeout=60) as http:
        while not server.started: await asyncio.sleep(0.01)
        await asyncio.gather(*(client(f"user{n}", PATHS * ROUNDS) for n in range(USERS)))
        clean = len(guard.violations()), len(guard.check())
        if LEAK: await client("user7", ["/leak"])
    return clean
clean = asyncio.run(main())
server.should_exit = True; thread.join()
wrong = [text for status, text in statuses if status != 200]
lab.out(clean=clean, wrong=wrong, requests=len(statuses), unknown=guard.status()["unknown"],
        errors=guard.status()["internal_errors"])
"""
PATHS = ["/sync", "/async", "/stream", "/parts"]


def serve(lab, policy, *, users, rounds, leak, **case):
    head = f"PATHS, USERS, ROUNDS, LEAK = {PATHS!r}, {users}, {rounds}, {leak}\n"
    return lab.run(policy.tree | TREE | {"main.py": head + SERVER.removeprefix("\n")}, policy.data, **case)


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("fastapi", "httpx", "uvicorn")),
    reason="fastapi, httpx and uvicorn are not installed",
)
def test_a_real_server_with_a_middleware_that_copies_contexts(lab, policy):
    answer = serve(lab, policy, users=25, rounds=1, leak=True)

    assert answer.error is None, answer.stderr
    assert answer.out["wrong"] == []
    assert answer.out["clean"] == [0, 0]
    assert answer.out["errors"] == {}
    (row,) = answer.violations
    assert (row["code"], row["target"], row["scope"]) == ("SSG301", "acme.engine:Engine.think", "leak")
