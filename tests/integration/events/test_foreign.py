"""SSG402: a call that is to send an event returns, and no emitter was reached on the way."""

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "(started | thinking | completed)*",
    "foreign": ["acme.**:*.notify_*", "acme.old.**", "acme.tools:push"],
}
WS = """
class Emitter:
    async def emit(self, event, run_id="r"):
        return True

class Manager:
    async def notify_plain(self): pass
    async def notify_well(self): return await Emitter().emit("thinking")
    async def notify_unsent(self): return await Emitter().emit("something else")
    async def notify_through(self): return await self.notify_well()
    async def notify_both(self): await self.notify_plain(); await self.notify_well()
    async def notify_fails(self): raise ValueError
    async def notify_maybe(self, well): return await (self.notify_well() if well else self.other())
    async def notify_in_between(self): return await between()
    async def other(self): pass
    @staticmethod
    async def notify_static(): pass
    @classmethod
    async def notify_class(cls): pass
    def notify_lazily(self): return self.other()
    def notify_lazily_well(self): return self.notify_well()
    def notify_items(self): yield 1
    class Inner:
        async def notify_inner(self): pass

async def between(): return await Emitter().emit("thinking")
async def notify_function(): pass

class Talkative(Emitter):
    async def emit(self, event, run_id="r"):
        await Manager().notify_plain()
        return await super().emit(event, run_id)
"""
FILES = {
    "acme/old.py": "async def send(): pass\nclass Old:\n    def __init__(self): pass\n    async def say(self): pass\n",
    "acme/tools.py": "async def push(): pass\nasync def pull(): pass\n",
    "acme/sub.py": "from acme.ws import Manager\nclass Sub(Manager):\n    async def notify_plain(self): pass\n"
    "class Other:\n    async def notify_me(self): pass\n    notify_not = len\n    notify_object = property(lambda self: 1)\n",
    "other/__init__.py": "",
    "other/ws.py": "class Manager:\n    async def notify_plain(self): pass\n",
}
START = """
from acme.ws import *
from acme.ws import notify_function
from acme.sub import Sub, Other
import acme.old, acme.tools, other.ws
manager = Manager()
async def main():
"""


def program(body):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{START}{lines}asyncio.run(main())\n"


# What main() does, and the target of what is found in the line that ends with an arrow.
PAST = {
    "a method": ("await manager.notify_plain()  # <-", "acme.ws:Manager.notify_plain"),
    "through the class": ("await Manager.notify_plain(manager)  # <-", "acme.ws:Manager.notify_plain"),
    "a static method": ("await Manager.notify_static()  # <-", "acme.ws:Manager.notify_static"),
    "a class method": ("await manager.notify_class()  # <-", "acme.ws:Manager.notify_class"),
    "a method of a nested class": ("await Manager.Inner().notify_inner()  # <-", "acme.ws:Manager.Inner.notify_inner"),
    "an override": ("await Sub().notify_plain()  # <-", "acme.sub:Sub.notify_plain"),
    "an inherited method": ("await Sub().notify_static()  # <-", "acme.ws:Manager.notify_static"),
    "another class": ("await Other().notify_me()  # <-", "acme.sub:Other.notify_me"),
    "a function": ("await acme.tools.push()  # <-", "acme.tools:push"),
    "a function of a foreign module": ("await acme.old.send()  # <-", "acme.old:send"),
    "a method in a foreign module": ("await acme.old.Old().say()  # <-", "acme.old:Old.say"),
    "a coroutine from a plain function": ("await manager.notify_lazily()  # <-", "acme.ws:Manager.notify_lazily"),
    "one that sometimes reaches an emitter": (
        "await manager.notify_maybe(True)\nawait manager.notify_maybe(False)  # <-",
        "acme.ws:Manager.notify_maybe",
    ),
    "after an emitter": (
        "await Emitter().emit('started')\nawait manager.notify_plain()  # <-",
        "acme.ws:Manager.notify_plain",
    ),
    "many times": ("for _ in range(7): await manager.notify_plain()  # <-", "acme.ws:Manager.notify_plain"),
}
WELL = {
    "by the emitter": "await manager.notify_well()",
    "an event that the sequence does not name": "await manager.notify_unsent()",
    "through another foreign call": "await manager.notify_through()",
    "through a function": "await manager.notify_in_between()",
    "a coroutine from a plain function": "await manager.notify_lazily_well()",
    "an exception": "try: await manager.notify_fails()\nexcept ValueError: pass",
    "what an emitter itself calls": "await Talkative().emit('started')",
    "another name": "await manager.other(); await acme.tools.pull()",
    "a module-level function with that name": "await notify_function()",
    "another package": "await other.ws.Manager().notify_plain()",
    "the construction of a foreign class": "acme.old.Old()",
    "what is no function": "assert Other().notify_not([]) == 0 and Other().notify_object == 1",
    "a generator": "assert list(manager.notify_items()) == [1]",
    "the emitter in a task that is awaited": "await manager.notify_task()",
}
TASK = """
import asyncio
class Manager:
    async def notify_task(self): await asyncio.gather(Emitter().emit("thinking"))
    async def notify_future(self): return asyncio.ensure_future(Emitter().emit("thinking"))
    def notify_spawned(self): return asyncio.ensure_future(Emitter().emit("thinking"))
"""
TABLE = {name: {"program": program(body)} for name, (body, _) in PAST.items()}
TABLE |= {f"well: {name}": {"program": program(body)} for name, body in WELL.items()}
TABLE["well: the emitter in a task that is awaited"] |= {
    "ws": WS + TASK, "only": "async", "files": {**FILES, "acme/sub.py": "Sub = Other = None"}
}  # fmt: skip
TABLE["both are seen"] = {"program": program("await manager.notify_both()")}
TABLE["a task is returned"] = TABLE["well: the emitter in a task that is awaited"] | {
    "program": program("await manager.notify_spawned()")
}


@pytest.fixture(scope="module")
def answers(stage):
    return stage.play(TABLE, rule=RULE, ws=WS, files=FILES)


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("name", PAST)
def test_a_call_that_goes_past_the_emitter_is_found_at_the_caller(answers, name, way):
    answer = answers[name, way]
    (line,) = answer.marked
    count = 7 if name == "many times" else 1

    assert (answer.error, answer.faults, answer.left, answer.unknown) == (None, {}, [], {})
    assert [(row["code"], row["target"], row["file"], row["line"], row["count"]) for row in answer.violations] == [
        ("SSG402", PAST[name][1], "main.py", line, count)
    ]


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for name in WELL for way in ("async", "sync") if TABLE[f"well: {name}"].get("only", way) == way],
)
def test_a_call_that_reaches_the_emitter_says_nothing(answers, name, way):
    answer = answers[f"well: {name}", way]

    assert (answer.error, answer.faults, answer.left, answer.unknown) == (None, {}, [], {})
    assert answer.violations == []


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_detour_inside_of_a_good_call_is_found_all_the_same(answers, way):
    (row,) = answers["both are seen", way].violations

    assert (row["target"], row["file"], row["scope"]) == (
        "acme.ws:Manager.notify_plain",
        "ws.py",
        "Manager.notify_both",
    )


def test_what_a_task_will_do_is_not_known_when_it_is_returned(answers):
    answer = answers["a task is returned", "async"]

    assert (answer.error, answer.violations, answer.unknown) == (None, [], {"SSG402 run": 1})
