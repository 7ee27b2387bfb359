"""Emitters that give back a task or a future: the event is sent when that is done."""

from typing import Any

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit", "acme.ws:now"],
    "event": "event",
    "run": "run_id",
    "sequence": "started tool* completed",
}
WS = """
import asyncio
class Emitter:
    "Fails for what is in `down`, takes as long as `slow` says, and answers `answer`."
    def __init__(self): self.down, self.slow, self.answer = set(), {}, None
    async def _send(self, event):
        for _ in range(self.slow.get(event, 1)): await asyncio.sleep(0)
        if event in self.down: raise ConnectionError(event)
        return self.answer
    def emit(self, event, run_id='r'): return asyncio.ensure_future(self._send(event))
def now(event, run_id='r'): pass
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
class Emitter:
    def __init__(self): self.down = set()
    def _send(self, event):
        if event in self.down: raise ConnectionError(event)
    def emit(self, event, run_id='r'): return pool.submit(self._send, event)
def now(event, run_id='r'): pass
"""
HEAD = "from acme.ws import Emitter, now\ne = Emitter()\n"
RETRY = """
e.down = {"started"}
try: await e.emit("started")
except ConnectionError: e.down = set()
await e.emit("started")
await e.emit("completed")
"""


def program(body):
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return f"{HEAD}async def main():\n{lines}asyncio.run(main())\n"


RIGHT: dict[str, Any] = {
    "awaited one after the other": {"program": program("for one in ('started', 'tool', 'completed'): await e.emit(one)")},
    "a retry": {"program": program(RETRY)},
    "a retry in a pool": {"ws": POOL, "program": HEAD + RETRY.replace("await ", "").replace('")', '").result()')},
    "False is not sent": {"program": program("e.answer = False; await e.emit('started')\ne.answer = None\n" + RETRY)},
    "a future that is done": {
        "ws": WS.replace("return asyncio.ensure_future(self._send(event))", "f = asyncio.Future(); f.set_result(1); return f"),
        "program": program("for one in ('started', 'tool', 'completed'): e.emit(one)"),
    },
    "a coroutine that gives one back": {
        "ws": WS.replace("    def emit", "    async def emit"),
        "program": program("for one in ('started', 'tool', 'completed'): await (await e.emit(one))"),
    },
    "cancelled, and again": {
        "program": program(
            "task = e.emit('started'); task.cancel()\nawait asyncio.wait([task])\n"
            "for one in ('started', 'completed'): await e.emit(one)"
        ),
    },
    "nobody waits for the first": {
        "program": program("first = e.emit('started'); await e.emit('tool'); await e.emit('completed'); await first"),
    },
    "the first takes longer than the next": {
        "program": program("e.slow = {'started': 9}\nfirst = e.emit('started')\nawait e.emit('completed'); await first"),
    },
    "the next one is sent at once": {
        "program": program("first = e.emit('started'); now('tool'); now('completed'); await first"),
    },
    "an emitter that calls such a one": {
        "ws": WS + "emitter = Emitter()\nasync def send(event, run_id='r'):\n    now('tool', 'other')\n"
        "    await emitter.emit(event, run_id)\n",
        "program": "from acme.ws import send\nasync def main():\n    now('started', 'other')\n"
        "    for one in ('started', 'tool', 'completed'): await send(one)\n    now('completed', 'other')\n"
        "from acme.ws import now\nasyncio.run(main())",
        "differs": {"emitter": ["acme.ws:Emitter.emit", "acme.ws:now", "acme.ws:send"]},
        "finished": 2,
    },
    "what it sends itself": {
        "ws": WS.replace("        return self.answer", "        if event == 'started': now('tool')\n        return self.answer"),
        "program": program("await e.emit('started'); await e.emit('completed')"),
    },
}  # fmt: skip
WRONG: dict[str, Any] = {
    "a start that failed": {
        "program": program("e.down = {'started'}\nawait asyncio.wait([e.emit('started')])\nawait e.emit('completed')  # <-"),
        "target": "started:missing",
    },
    "sent again": {
        "program": program("await e.emit('started'); await e.emit('tool')\nawait e.emit('started')  # <-"),
        "target": "started:duplicated",
    },
    "strict raises nothing in the loop": {
        "program": program("await e.emit('started')\nawait e.emit('started')  # <-\nawait e.emit('completed')"),
        "mode": "strict",
        "target": "started:duplicated",
    },
    "sent again by a pool": {
        "ws": POOL,
        "program": HEAD + "e.emit('started').result(); e.emit('tool').result()\ne.emit('started').result()  # <-\n"
        "e.emit('completed').result()",
        "target": "started:duplicated",
    },
}  # fmt: skip
UNKNOWN: dict[str, Any] = {
    "one that is overtaken": {
        "program": program("await e.emit('started')\ntask = e.emit('tool'); now('completed'); await task"),
    },
    "one that was taken for sent, and failed": {
        "program": program(
            "e.down = {'started'}\ntask = e.emit('started'); now('tool'); await asyncio.wait([task])\n"
            "e.down = set(); await e.emit('started'); await e.emit('completed')"
        ),
    },
}
TOLD = """
import gc
heard = []
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: heard.append(context["message"]))
    e.down = {"started"}
    task = e.emit("started")
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.run(main())
told["heard"] = heard
"""
MANY = """
async def main():
    loop = asyncio.get_running_loop()
    kept = [e.emit("started", str(number)) for number in range(12_000)]
    told["kept"] = len(ssot_guard.guard.current_guard().engine().parts.parts[0].contracts[0].futures._waiting)
    await asyncio.wait(kept)
    told["left"] = len(ssot_guard.guard.current_guard().engine().parts.parts[0].contracts[0].futures._waiting)
asyncio.run(main())
"""
OTHERS = {"told": {"program": HEAD + TOLD}, "many": {"program": HEAD + MANY}}


@pytest.fixture(scope="module")
def answers(stage):
    # Neither the words `async` and `await` nor the emitter can be spelled otherwise here.
    table = {name: {"only": "async", **case} for name, case in {**RIGHT, **WRONG, **UNKNOWN, **OTHERS}.items()}
    found = stage.play(table, rule=RULE, ws=WS)
    for name, _ in found:
        answer = found[name, "async"]
        assert (name, answer.error, answer.faults, answer.left) == (name, None, {}, [])
    return {name: found[name, "async"] for name in table}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_run_is_followed_to_its_end(answers, name):
    answer = answers[name]

    assert (answer.violations, answer.unknown) == ([], {})
    assert answer.census["run"] == {"open": 0, "finished": RIGHT[name].get("finished", 1), "violated": 0, "evicted": 0}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_at_the_call(answers, name):
    answer = answers[name]
    (row,) = answer.violations

    assert (row["target"], row["count"], [row["line"]]) == (WRONG[name]["target"], 1, answer.marked)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_can_tell_is_counted(answers, name):
    assert answers[name].violations == []
    assert answers[name].unknown["SSG401 run"] >= 1


def test_an_error_that_nobody_has_asked_for_is_told_as_ever(answers):
    assert answers["told"].told == {"heard": ["Task exception was never retrieved"]}


def test_what_waits_is_bounded(answers):
    assert answers["many"].told == {"kept": 10_000, "left": 0}
