"""SSG401: the events of a run come as the rule's sequence says, whatever an emitter looks like."""

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "started (thinking | {tool done})* (completed | failed)",
}
WS = """
class Emitter:
    async def emit(self, event, run_id="r", **data):
        return data.get("answer")
"""
START = """
from acme.ws import Emitter
emitter = Emitter()
async def send(events, run="r"):
    for event in events.split():
        await emitter.emit(event, run)  # <-
async def main():
"""


def program(body, start=START):
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"{start}{lines}asyncio.run(main())\n"


# What main() does, and what is found in `send`: target → times.
BROKEN = {
    "a start is missing": ("await send('thinking completed')", {"started:missing": 1}),
    "all but the end is missing": ("await send('completed')", {"started:missing": 1}),
    "a result is missing": ("await send('started tool completed')", {"done:missing": 1}),
    "one of two results is missing": ("await send('started tool tool done completed')", {"done:missing": 1}),
    "a call is missing": ("await send('started done completed')", {"tool:missing": 1}),
    "more results than calls": ("await send('started tool done done completed')", {"done:duplicated": 1}),
    "a start again": ("await send('started started completed')", {"started:duplicated": 1}),
    "a start again, later": ("await send('started thinking started completed')", {"started:duplicated": 1}),
    "an end again": ("await send('started completed completed')", {"completed:after-end": 1}),
    "two ends": ("await send('started completed failed')", {"failed:after-end": 1}),
    "something after the end": ("await send('started completed thinking')", {"thinking:after-end": 1}),
    "a run after its end": (
        "await send('started completed started completed')",
        {"started:after-end": 1, "completed:after-end": 1},
    ),
    "something before a result that comes late": (
        "await send('started tool thinking done completed')",
        {"done:missing": 1, "done:out-of-order": 1},
    ),
    "a start that comes late": (
        "await send('thinking started completed')",
        {"started:missing": 1, "started:out-of-order": 1},
    ),
    "the same in many runs": ("for n in range(5): await send('started tool completed', str(n))", {"done:missing": 5}),
    "several things in one run": (
        "await send('thinking tool completed failed')",
        {"started:missing": 1, "done:missing": 1, "failed:after-end": 1},
    ),
    "one of two runs that take turns": (
        "for a, b in zip('started thinking completed'.split(), 'started failed completed'.split()): await send(a, 'a'); await send(b, 'b')",
        {"completed:after-end": 1},
    ),
}
SILENT = {
    "a whole run": "await send('started thinking tool done thinking completed')",
    "the shortest run": "await send('started failed')",
    "parallel tools": "await send('started tool tool done tool done done completed')",
    "many runs": "for n in range(50): await send('started tool done completed', str(n))",
    "runs that take turns": (
        "for event in 'started thinking tool tool done done completed'.split():\n"
        "    for n in range(20): await send(event, str(n))"
    ),
    "runs whose ids are numbers": "for n in range(5): await send('started completed', n)",
    "events that the sequence does not name": "await send('ping started ping ping completed ping bye')",
    "a run that is not named": "await send('started completed'); await emitter.emit('started', None)",
    "an event that was not sent, and is sent again": (
        "await emitter.emit('started', answer=False)\n"
        "await send('started')\n"
        "await emitter.emit('completed', answer=False)\n"
        "await send('completed')"
    ),
    "answers that are only false": (
        "for answer in (None, 0, '', []): await emitter.emit('started', run_id=str(answer), answer=answer)\n"
        "for answer in (None, 0, '', []): await emitter.emit('failed', run_id=str(answer))"
    ),
    "a run that is still open": "await send('started tool')",
    "tasks": (
        "await send('started')\n"
        "async def tool():\n"
        "    await send('tool')\n"
        "    await asyncio.sleep(0)\n"
        "    await send('done')\n"
        "await asyncio.gather(*[tool() for _ in range(10)])\n"
        "await send('completed')"
    ),
    "threads": (
        "await send('started')\n"
        "def tool():\n"
        "    for event in ('tool', 'done'):\n"
        "        try: emitter.emit(event, 'r').send(None)\n"
        "        except (AttributeError, StopIteration): pass\n"
        "threads = [threading.Thread(target=tool) for _ in range(20)]\n"
        "[one.start() for one in threads]; [one.join() for one in threads]\n"
        "await send('completed')"
    ),
}
ONLY_ASYNC = {"tasks"}
TABLE = {name: {"program": program(body)} for name, (body, _) in BROKEN.items()}
TABLE |= {name: {"program": program(body)} for name, body in SILENT.items()}
for name in ONLY_ASYNC:
    TABLE[name]["only"] = "async"


@pytest.fixture(scope="module")
def answers(stage):
    return stage.play(TABLE, rule=RULE, ws=WS)


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_run_is_found_where_its_event_was_sent(answers, name, way):
    answer = answers[name, way]
    (line,) = answer.marked

    assert (answer.error, answer.faults, answer.wrapped, answer.left, answer.unknown) == (None, {}, 1, [], {})
    assert answer.of("SSG401") == sorted((target, line, count) for target, count in BROKEN[name][1].items())
    assert [row["code"] for row in answer.violations] == ["SSG401"] * len(answer.violations)


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for name in SILENT for way in ("async", "sync") if TABLE[name].get("only", way) == way],
)
def test_a_run_that_is_right_says_nothing(answers, name, way):
    answer = answers[name, way]

    assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    assert answer.violations == []
    assert answer.dead == []
    assert answer.census["run"]["violated"] == 0
