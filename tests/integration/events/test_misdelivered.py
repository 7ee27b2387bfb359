"""SSG403: an event of one tenant's run is sent for another tenant; in strict it is never sent."""

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "tenant": "self.user_id",
    "sequence": "(started | thinking | completed)*",
}
WS = """
sent = []
class Emitter:
    def __init__(self, user_id):
        self.user_id = user_id

    async def emit(self, event, run_id="r"):
        sent.append((event, str(self.user_id)))

class Loud(Emitter):
    async def emit(self, event, run_id="r"):
        return await super().emit(event, run_id)

class Broken(Emitter):
    user_id = property(lambda self: 1 / 0)

    def __init__(self):
        pass

    async def emit(self, event, run_id="r"):
        pass
"""
START = """
from acme.ws import Emitter, Loud, sent
from acme.context import user
import uuid, enum
alice, bob = Emitter("alice"), Emitter("bob")
async def main():
"""


def program(body):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{START}{lines}asyncio.run(main())\ntold['sent'] = sent\n"


CURRENT = ["acme.context:user"]
# What main() does; the last line sends the event that is for somebody else.
ASTRAY = {
    "the end": "await alice.emit('started')\nawait bob.emit('completed')  # <-",
    "the second event": "await alice.emit('started')\nawait bob.emit('thinking')  # <-\nawait alice.emit('completed')",
    "an override": "await Loud('alice').emit('started')\nawait Loud('bob').emit('completed')  # <-",
    "another object of another tenant": "await alice.emit('started')\nawait Emitter('carol').emit('completed')  # <-",
    "an emitter whose tenant changes": "await alice.emit('started')\nalice.user_id = 'bob'\nawait alice.emit('completed')  # <-",
    "a tenant that is a number": "await Emitter(1).emit('started')\nawait Emitter(2).emit('completed')  # <-",
    "a tenant that is a UUID": "await Emitter(uuid.UUID(int=1)).emit('started')\nawait Emitter(uuid.UUID(int=2)).emit('completed')  # <-",
    "runs that take turns": (
        "for event in ('started', 'thinking'):\n    await alice.emit(event, 'a')\n    await bob.emit(event, 'b')\n"
        "await alice.emit('completed', 'b')  # <-"
    ),
    "a first event that is for somebody else than who is served": "user.set('alice')\nawait bob.emit('started')  # <-",
    "a run of the tenant that was served": (
        "user.set('alice')\nawait alice.emit('started')\nuser.set('bob')\nawait bob.emit('completed')  # <-"
    ),
    "in a with block": (
        "with ssot_guard.tenant('alice'): await alice.emit('started')\n"
        "with ssot_guard.tenant('bob'): await bob.emit('completed')  # <-"
    ),
    "many times": (
        "await alice.emit('started')\nfor _ in range(4):\n    try:\n        await bob.emit('thinking')  # <-\n"
        "    except RuntimeError: pass"
    ),
}
RIGHT = {
    "one tenant": "await alice.emit('started')\nawait alice.emit('completed')",
    "two objects of one tenant": "await alice.emit('started')\nawait Emitter('alice').emit('completed')",
    "a run for each tenant": (
        "for event in ('started', 'thinking', 'completed'):\n"
        "    for n in range(20): await Emitter(f'user {n}').emit(event, f'run {n}')"
    ),
    "the same id as number and as text": "await Emitter(7).emit('started')\nawait Emitter('7').emit('completed')",
    "the same id as UUID and as text": (
        "one = uuid.UUID(int=3)\nawait Emitter(one).emit('started')\nawait Emitter(str(one)).emit('completed')"
    ),
    "the tenant that is served": "user.set('alice')\nawait alice.emit('started')\nawait alice.emit('completed')",
    "somebody else is served meanwhile": (
        "user.set('alice')\nawait alice.emit('started')\nuser.set('bob')\nawait alice.emit('completed')"
    ),
    "a task that kept the context of an old block": (
        "with ssot_guard.tenant('bob'):\n"
        "    async def later():\n"
        "        await asyncio.sleep(0.01)\n"
        "        await alice.emit('started')\n"
        "    task = asyncio.ensure_future(later())\n"
        "await task"
    ),
    "an event that the sequence does not name": "await alice.emit('started')\nawait bob.emit('ping')",
    "an event of no run": "await alice.emit('started', None)\nawait bob.emit('completed', None)",
    "tasks": (
        "async def serve(name):\n"
        "    user.set(name)\n"
        "    for event in ('started', 'thinking', 'completed'):\n"
        "        await asyncio.sleep(0)\n"
        "        await Emitter(name).emit(event, name)\n"
        "await asyncio.gather(*[serve(f'user {n}') for n in range(50)])"
    ),
    "threads": (
        "def serve(name):\n"
        "    for event in ('started', 'thinking', 'completed'):\n"
        "        try: Emitter(name).emit(event, name).send(None)\n"
        "        except (AttributeError, StopIteration): pass\n"
        "threads = [threading.Thread(target=serve, args=(f'user {n}',)) for n in range(20)]\n"
        "[one.start() for one in threads]; [one.join() for one in threads]"
    ),
}
ONLY_ASYNC = {"tasks", "a task that kept the context of an old block"}
# Nobody can say: counted, and never a violation.
UNKNOWN = {
    "no tenant": ("await Emitter(None).emit('started')\nawait Emitter(None).emit('completed')", 2),
    "a tenant that appears later": ("await Emitter(None).emit('started')\nawait alice.emit('completed')", 2),
    "a tenant that cannot be read": (
        "from acme.ws import Broken\nawait Broken().emit('ping')\nawait Broken().emit('started')",
        1,
    ),
    "objects that are only equal to themselves": (
        "await Emitter(object()).emit('started')\nawait Emitter(object()).emit('completed')",
        2,
    ),
}
TABLE = {name: {"program": program(body)} for name, body in {**ASTRAY, **RIGHT}.items()}
TABLE |= {name: {"program": program(body)} for name, (body, _) in UNKNOWN.items()}
for name in ONLY_ASYNC:
    TABLE[name]["only"] = "async"
STRICT = {f"strict: {name}": {**TABLE[name], "mode": "strict"} for name in ASTRAY}


@pytest.fixture(scope="module")
def answers(stage):
    return stage.play(TABLE | STRICT, rule=RULE, ws=WS, tenants=CURRENT)


def ways(table):
    return [(name, way) for name in table for way in ("async", "sync") if TABLE[name].get("only", way) == way]


@pytest.mark.parametrize(("name", "way"), ways(ASTRAY))
def test_an_event_that_goes_astray_is_found_at_its_call(answers, name, way):
    answer = answers[name, way]
    (line,) = answer.marked
    (row,) = answer.violations

    assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    assert (row["code"], row["file"], row["line"]) == ("SSG403", "main.py", line)
    assert row["target"] == (
        "started"
        if "first event" in name
        else "thinking"
        if name in ("the second event", "many times")
        else "completed"
    )


@pytest.mark.parametrize(("name", "way"), ways(ASTRAY))
def test_strict_does_not_let_it_leave(answers, name, way):
    observed, answer = answers[name, way], answers[f"strict: {name}", way]
    (row,) = answer.violations
    events = [event for event, _ in answer.told.get("sent", [])]

    assert (row["code"], row["action"], answer.faults, answer.left) == ("SSG403", "blocked", {}, [])
    if name != "many times":
        assert answer.error.startswith("SsotViolationError: SSG403 run:")
    assert len(observed.told["sent"]) > len(events)


@pytest.mark.parametrize(("name", "way"), ways(RIGHT))
def test_an_event_for_its_own_tenant_says_nothing(answers, name, way):
    answer = answers[name, way]

    assert (answer.error, answer.faults, answer.left, answer.violations) == (None, {}, [], [])


@pytest.mark.parametrize(("name", "way"), ways(UNKNOWN))
def test_what_nobody_can_tell_is_counted(answers, name, way):
    answer = answers[name, way]

    assert (answer.error, answer.faults, answer.violations) == (None, {}, [])
    assert answer.unknown == {"SSG403 run": UNKNOWN[name][1]}


def test_no_tenant_and_no_run_leaves_the_process_under_its_own_name(answers):
    row = answers["the end", "async"].violations[0]

    assert len(row["tenant"]) == len(row["details"]["sent-for"]) == len(row["details"]["run"]) == 12
    assert "alice" not in str(row)
    assert "bob" not in str(row)


def test_the_same_tenant_has_the_same_pseudonym_where_processes_share_a_key(stage):
    table = {"the end": TABLE["the end"], "the same again": TABLE["the end"]}
    key = {"SSOT_GUARD_HASH_KEY": "k"}
    first, second = (stage.play(table, key, rule=RULE, ws=WS, tenants=CURRENT) for _ in "12")

    assert {
        row["tenant"] for answers in (first, second) for answer in answers.values() for row in answer.violations
    } == {first["the end", "sync"].violations[0]["tenant"]}
