"""Emitters of every shape: what is called, what names the event and the run, and what counts as sent."""

from typing import Any

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "started (thinking | {tool done})* (completed | failed)",
}
CLASS = """
class Emitter:
    run_id = "r"
    async def emit(self, event, run_id="r"):
        pass
"""
# name → what differs: the module, what its caller does for one event, the rule.
SHAPES: dict[str, Any] = {
    "a method": {},
    "by keyword": {"call": "await Emitter().emit(run_id='r', event=event)"},
    "through the class": {"call": "await Emitter.emit(Emitter(), event)"},
    "a bound method that was kept": {"ready": "kept = Emitter().emit", "call": "await kept(event)"},
    "a function": {
        "ws": "async def emit(event, run_id='r'): pass",
        "ready": "from acme.ws import emit",
        "call": "await emit(event)",
        "rule": {"emitter": ["acme.ws:emit"]},
    },
    "a function behind a re-export": {
        "ws": "from acme.impl import emit",
        "files": {"acme/impl.py": "async def emit(event, run_id='r'): pass"},
        "ready": "import acme.impl; from acme.ws import emit",
        "call": "await acme.impl.emit(event) if event == 'started' else await emit(event)",
        "rule": {"emitter": ["acme.ws:emit"]},
    },
    "a static method": {
        "ws": "class Emitter:\n    @staticmethod\n    async def emit(event, run_id='r'): pass",
        "call": "await Emitter.emit(event); await Emitter().emit('ping')",
    },
    "a class method": {
        "ws": "class Emitter:\n    @classmethod\n    async def emit(cls, event, run_id='r'): assert cls is Emitter",
        "call": "await Emitter.emit(event); await Emitter().emit('ping')",
    },
    "an inherited method": {
        "ws": "from acme.impl import Base\nclass Emitter(Base): pass",
        "files": {"acme/impl.py": "class Base:\n    async def emit(self, event, run_id='r'): pass"},
    },
    "a method of a nested class": {
        "ws": "class Outer:\n    class Emitter:\n        async def emit(self, event, run_id='r'): pass",
        "ready": "from acme.ws import Outer",
        "call": "await Outer.Emitter().emit(event)",
        "rule": {"emitter": ["acme.ws:Outer.Emitter.emit"]},
    },
    "a method of an object": {
        "ws": CLASS + "emitter = Emitter()",
        "ready": "from acme.ws import emitter",
        "call": "await emitter.emit(event)",
        "rule": {"emitter": ["acme.ws:emitter.emit"]},
    },
    "a slotted class": {"ws": "class Emitter:\n    __slots__ = ()\n    async def emit(self, event, run_id='r'): pass"},
    "keyword-only parameters": {
        "ws": "class Emitter:\n    async def emit(self, *, event, run_id='r'): pass",
        "call": "await Emitter().emit(event=event)",
    },
    "positional-only parameters": {
        "ws": "class Emitter:\n    async def emit(self, event, run_id='r', /, **more): pass"
    },
    "any keywords": {
        "ws": "class Emitter:\n    async def emit(self, **data): pass",
        "call": "await Emitter().emit(event=event, run_id='r')",
    },
    "a default event": {
        "ws": "class Emitter:\n    async def emit(self, event='thinking', run_id='r'): pass",
        "call": "await Emitter().emit() if event == 'thinking' else await Emitter().emit(event)",
    },
    "the run on the object": {"rule": {"run": "self.run_id"}},
    "the event in a message": {
        "ws": "class Emitter:\n    async def emit(self, message, run_id='r'): pass",
        "ready": "class Message: pass\nclass Head: pass",
        "call": "m = Message(); m.head = Head(); m.head.kind = event; await Emitter().emit(m)",
        "rule": {"event": "message.head.kind"},
    },
    "the event and the run in a dictionary": {
        "ws": "class Emitter:\n    async def emit(self, message): pass",
        "call": "await Emitter().emit({'type': event, 'run': 'r'})",
        "rule": {"event": "message.type", "run": "message.run"},
    },
    "an enumeration": {
        "ready": "import enum\nKind = enum.Enum('Kind', {n: n for n in 'started thinking tool done completed ping'.split()})",
        "call": "await Emitter().emit(Kind(event))",
    },
    "an enumeration of texts": {
        "ready": "import enum\nKind = enum.StrEnum('Kind', {n.upper(): n for n in 'started thinking tool done completed ping'.split()})",
        "call": "await Emitter().emit(Kind(event))",
    },
    "a subclass of text": {
        "ready": "class Text(str):\n    __hash__ = None",
        "call": "await Emitter().emit(Text(event))",
    },
    "a run that is a UUID": {
        "ready": "import uuid\nrun = uuid.uuid4()",
        "call": "await Emitter().emit(event, run if event == 'started' else str(run))",
    },
    "one method per event": {
        "ws": "class Emitter:\n"
        + "".join(
            f"    async def send_{n}(self, run_id='r'): pass\n"
            for n in ("started", "thinking", "tool", "done", "completed", "ping")
        ),
        "call": "await getattr(Emitter(), 'send_' + event)()",
        "rule": {
            "emitter": ["acme.ws:Emitter"],
            "event": {f"Emitter.send_{n}": n for n in ("started", "thinking", "tool", "done", "completed")},
        },
    },
    "several emitters": {
        "ws": CLASS + "async def end(event, run_id='r'): pass",
        "ready": "from acme.ws import Emitter, end",
        "call": "await end(event) if event == 'completed' else await Emitter().emit(event)",
        "rule": {"emitter": ["acme.ws:Emitter.emit", "acme.ws:end"]},
    },
    "an override": {
        "files": {
            "acme/sub.py": "from acme.ws import Emitter\nclass Sub(Emitter):\n    async def emit(self, event, run_id='r'): pass"
        },
        "ready": "from acme.sub import Sub",
        "call": "await Sub().emit(event)",
    },
    "an override that calls what it overrides": {
        "files": {
            "acme/sub.py": "from acme.ws import Emitter\n"
            "class Sub(Emitter):\n    async def emit(self, *args, **kwargs): return await super().emit(*args, **kwargs)\n"
            "class Third(Sub):\n    async def emit(self, event, run_id='r'): return await super().emit(event, run_id)\n"
        },
        "ready": "from acme.sub import Third",
        "call": "await Third().emit(event)",
    },
    "an emitter that calls another one": {
        "ws": CLASS
        + "async def send(event, run_id='r'):\n    await Emitter().emit(event)\n    await Emitter().emit('ping')",
        "ready": "from acme.ws import send",
        "call": "await send(event)",
        "rule": {"emitter": ["acme.ws:Emitter.emit", "acme.ws:send"]},
    },
    "an emitter that tries twice": {
        "ws": "class Emitter:\n    async def emit(self, event, run_id='r', left=2):\n"
        "        return (await self.emit(event, run_id, left - 1)) if left else True",
    },
    "an emitter in a decorator": {
        "ws": "import functools\ndef quiet(function):\n    @functools.wraps(function)\n"
        "    def inner(*args, **kwargs): return function(*args, **kwargs)\n    return inner\n"
        "class Emitter:\n    @quiet\n    async def emit(self, event, run_id='r'): pass",
    },
    "an emitter in a decorator with parameters of its own": {
        "ws": "import functools\ndef routed(function):\n    def inner(self, event, run_id='r'):"
        " return function(self, 'socket', event, run_id)\n    return functools.update_wrapper(inner, function)\n"
        "class Emitter:\n    @routed\n    async def emit(self, route, event, run_id): pass",
    },
    "an emitter that wrapt has decorated": {
        "ws": "import wrapt\n@wrapt.decorator\ndef quiet(wrapped, instance, args, kwargs): return wrapped(*args, **kwargs)\n"
        "class Emitter:\n    @quiet\n    async def emit(self, event, run_id='r'): pass",
    },
    "a partial": {
        "ws": "import functools\nasync def send(color, event, run_id='r'): pass\nemit = functools.partial(send, 'red')",
        "ready": "from acme.ws import emit",
        "call": "await emit(event)",
        "rule": {"emitter": ["acme.ws:emit"]},
    },
    "an object that is the run": {
        "ws": "class Emitter:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "    async def emit(self, event): pass",
        "ready": "from acme.ws import Emitter; emitter, other = Emitter(), Emitter()",
        "call": "await emitter.emit(event)",
        "rule": {"run": "self"},
    },
    "a subclass of an abstract one": {
        "ws": "from abc import ABC, abstractmethod\nclass Emitter(ABC):\n    @abstractmethod\n"
        "    async def emit(self, event, run_id='r'): ...\n"
        "class Socket(Emitter):\n    async def emit(self, event, run_id='r'): pass",
        "ready": "from acme.ws import Socket, Emitter; assert attempt(Emitter) == 'TypeError'",
        "call": "await Socket().emit(event)",
    },
}
EVENTS = {
    "right": "ping started thinking tool tool done done ping completed",
    "broken": "started tool thinking completed",
}


def program(shape, events):
    ready = shape.get("ready", "")
    imports = "" if "acme.ws import" in ready else "from acme.ws import Emitter\n"
    call = shape.get("call", "await Emitter().emit(event)")
    return (
        f"{imports}{ready}\nasync def main():\n    for event in '{events}'.split():\n"
        f"        if event != 'ping' or {'send_' not in call}: {call}  # <-\nasyncio.run(main())\n"
    )


# Emitters that send other events of the run before they return: which one came first, the sequence tells.
NESTED = {
    "listeners that send the next event": ("'started', 'r', 'thinking', 'completed'", []),
    "what is due before it": ("'completed', 'r', 'thinking', 'started'", []),
    "another run's events": ("'started', 'a', 'ping', 'ping'", []),
    "an event that cannot come before or after": ("'started', 'r', 'done', 'completed'", ["done:after-end"]),
    "a start that is missing": ("'thinking', 'r', 'completed'", ["started:missing", "thinking:after-end"]),
}
NEST = """
class Emitter:
    async def emit(self, event, run_id, *more):
        if more: await self.emit(more[0], run_id, *more[1:])
"""
TABLE = {
    f"{name}: {kind}": {
        "program": program(shape, events),
        "ws": shape.get("ws", CLASS),
        "differs": shape.get("rule", {}),
        "files": shape.get("files", {}),
    }
    for name, shape in SHAPES.items()
    for kind, events in EVENTS.items()
}

TABLE |= {
    f"nested: {name}": {
        "program": f"from acme.ws import Emitter\nasync def main(): await Emitter().emit({call})\nasyncio.run(main())\n",
        "ws": NEST,
    }
    for name, (call, _) in NESTED.items()
}


@pytest.fixture(scope="module")
def answers(stage):
    return stage.play(TABLE, rule=RULE)


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_right_run_is_followed_to_its_end(answers, name, way):
    answer = answers[f"{name}: right", way]

    assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    assert (answer.violations, answer.unknown, answer.dead) == ([], {}, [])
    assert answer.census == {"run": {"open": 0, "finished": 1, "violated": 0, "evicted": 0}}


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_broken_run_is_found_at_the_call_of_the_outermost_emitter(answers, name, way):
    answer = answers[f"{name}: broken", way]
    (line,) = answer.marked

    assert (answer.error, answer.faults, answer.left, answer.unknown) == (None, {}, [], {})
    assert [(row["code"], row["target"], row["file"], row["line"], row["count"]) for row in answer.violations] == [
        ("SSG401", "done:missing", "main.py", line, 1)
    ]


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("name", NESTED)
def test_events_that_are_sent_while_another_one_is(answers, name, way):
    answer = answers[f"nested: {name}", way]

    assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    assert [row["target"] for row in answer.violations] == NESTED[name][1]
