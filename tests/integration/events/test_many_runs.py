"""Many runs at once, runs that were not seen from their start, runs without an end: bounded, exact, and honest."""

from typing import Any

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "started (thinking | {tool done})* (completed | failed)",
}
WS = "def emit(event, run_id='r'):\n    return None\n"
START = (
    "from acme.ws import emit\ndef send(events, run='r'):\n    for event in events.split():\n        emit(event, run)\n"
)
LATE = "from acme.ws import emit\nemit('started', 'before')\n"
INTERLEAVED = """
for event in ("started", "tool"):
    for number in range(100_000):
        emit(event, f"run {number}")
told["open"] = guard.census()["run"]
for event in ("done", "completed"):
    for number in range(100_000):
        if (number, event) != (77, "done"):
            emit(event, f"run {number}")
"""
MEMORY = """
import gc, tracemalloc
send("started", "first")
tracemalloc.start()
for event in ("started", "tool", "tool"):
    for number in range(5_000):
        emit(event, f"run {number}")
told["bytes"] = tracemalloc.get_traced_memory()[0] / 5_000
tracemalloc.stop()
"""
TOO_MANY = """
from ssot_guard.watch.events import runs
runs.MOST_OPEN = 1_000
send("started", "first")
for number in range(1_000):
    send("started", f"run {number}")
    if number % 10 == 0:
        send("thinking", "busy") if number else send("started", "busy")
told["open"] = guard.census()["run"]
send("tool completed", "first")
send("completed", "busy")
send("tool completed", "run 999")
"""
GROWS = """
import gc
def rounds(count, first):
    for number in range(first, first + count):
        send("started completed", f"run {number}")
    gc.collect()
    return sys.getallocatedblocks()
told["blocks"] = -rounds(22_000, 0) + rounds(22_000, 22_000)
"""
LONG = """
send("started")
for number in range(5_000):
    send("thinking tool tool done done")
send("failed")
send("started", "again")
for number in range(5_000): emit("started", "again")
told["kept"] = max(len(run.past) for contract in ssot_guard.guard.current_guard().engine().parts.parts[0].contracts
                   for run in contract.runs.open.values())
send("failed", "again")
send("started", "s")
for number in range(10_000): emit("tool", "s")
for number in range(10_000): emit("done", "s")
send("completed", "s")
"""
HAMMER = """
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(16)
def work(number):
    barrier.wait()
    for turn in range(100):
        send("started tool tool done done thinking" if turn % 2 else "started", f"{number} {turn}")
    for turn in range(100):
        send("completed" if not turn % 2 else "failed", f"{number} {turn}")
def share(number):
    barrier.wait()
    for turn in range(3_000):
        emit("tool", "shared")
        emit("done", "shared")
send("started", "shared")
threads = [threading.Thread(target=job, args=(n,)) for n in range(8) for job in (work, share)]
[one.start() for one in threads]; [one.join() for one in threads]
sys.setswitchinterval(0.005)
send("completed", "shared")
"""
WITHIN = "send('started tool', 'a'); time.sleep(0.06); "
FORK = """
import os
send("started tool", "parent")
reader, writer = os.pipe()
pid = os.fork()
if not pid:
    send("done completed", "parent")
    send("started completed completed", "child")
    seen = [violation.target for violation in guard.violations()]
    os.write(writer, repr([seen, guard.census(), guard.status()["unknown"]]).encode())
    os._exit(0)
os.waitpid(pid, 0)
told["child"] = os.read(reader, 10_000).decode()
send("done completed", "parent")
"""
TABLE: dict[str, Any] = {
    "interleaved": {"program": START + INTERLEAVED},
    "memory": {"program": START + MEMORY},
    "too many": {"program": START + TOO_MANY},
    "grows": {"program": START + GROWS},
    "long": {"program": START + LONG},
    "hammer": {"program": START + HAMMER, "mode": "warn"},
    "fork": {"program": START + FORK},
    "late": {
        "program": START + "send('completed', 'before'); send('done'); send('started completed completed', 's')",
        "late": LATE,
    },
    "late, long ago": {
        "program": START + "time.sleep(0.06); send('done', 'x')",
        "late": LATE,
        "rule": {**RULE, "within": 0.05},
    },
    "no end": {"program": f"{START}{WITHIN}guard.check(); guard.check()", "rule": {**RULE, "within": 0.05}},
    "no end yet": {"program": f"{START}{WITHIN}guard.check(); guard.check()", "rule": {**RULE, "within": 60.0}},
    "no end, and no time": {"program": f"{START}{WITHIN}guard.check(); guard.check()"},
    "no end, then another run": {"program": f"{START}{WITHIN}send('started', 'b')", "rule": {**RULE, "within": 0.05}},
    "no end, then more of it": {
        "program": f"{START}{WITHIN}guard.check(); send('done completed', 'a'); guard.check()",
        "rule": {**RULE, "within": 0.05},
    },
    "a late end": {"program": f"{START}{WITHIN}send('done completed', 'a')", "rule": {**RULE, "within": 0.05}},
    "no end needed": {
        "program": f"{START}{WITHIN}guard.check(); send('tool', 'a')",
        "rule": {**RULE, "within": 0.05, "sequence": "started tool*"},
    },
}


@pytest.fixture(scope="module")
def answers(stage):
    table = {name: {"only": "sync", **case} for name, case in TABLE.items()}
    found = stage.play(table, rule=RULE, ws=WS)
    for answer in found.values():
        assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    return {name: answer for (name, _), answer in found.items()}


def seen(answer):
    return [(row["code"], row["target"], row["count"]) for row in answer.violations]


def test_100_000_runs_that_take_turns_are_all_judged(answers):
    answer = answers["interleaved"]

    assert answer.told["open"] == {"open": 100_000, "finished": 0, "violated": 0, "evicted": 0}
    assert seen(answer) == [("SSG401", "done:missing", 1)]
    assert answer.census["run"] == {"open": 0, "finished": 100_000, "violated": 1, "evicted": 0}


def test_an_open_run_needs_little(answers):
    assert answers["memory"].told["bytes"] < 700  # its name included


def test_what_does_not_fit_is_counted_and_not_judged_any_more(answers):
    answer = answers["too many"]

    assert answer.told["open"]["open"] == 1_000
    assert answer.told["open"]["evicted"] == 2  # the oldest; who sends events all the time stays
    assert seen(answer) == [("SSG401", "done:missing", 1)]
    assert answer.unknown == {"SSG401 run": 2}  # the first run's two events


def test_runs_that_ended_leave_little_behind(answers):
    assert abs(answers["grows"].told["blocks"]) < 2_000
    assert answers["grows"].census["run"]["finished"] == 44_000


def test_a_run_may_have_any_number_of_events_and_of_open_tools(answers):
    assert seen(answers["long"]) == [("SSG401", "started:duplicated", 5_000)]
    assert answers["long"].census["run"]["finished"] == 3
    assert answers["long"].told["kept"] < 100


def test_threads_do_not_lose_events(answers):
    assert seen(answers["hammer"]) == []
    assert answers["hammer"].census["run"] == {"open": 0, "finished": 801, "violated": 0, "evicted": 0}


def test_a_child_process_starts_with_no_runs_and_knows_that_some_are_under_way(answers):
    answer = answers["fork"]
    seen_there, census, unknown = eval(answer.told["child"])  # noqa: S307 - our own text

    assert seen_there == ["completed:after-end"]
    assert census == {"run": {"open": 0, "finished": 2, "violated": 1, "evicted": 0}}
    assert unknown == {"SSG401 run": 1}
    assert seen(answer) == []


def test_a_guard_that_comes_late_does_not_judge_runs_whose_start_it_has_not_seen(answers):
    assert seen(answers["late"]) == [("SSG401", "completed:after-end", 1)]
    assert answers["late"].unknown == {"SSG401 run": 2}


def test_after_the_time_that_a_run_may_take_it_does(answers):
    assert seen(answers["late, long ago"]) == [("SSG401", "started:missing", 1)]


def test_a_run_without_an_end_is_found_where_it_began(answers):
    for name in ("no end", "no end, then another run", "no end, then more of it", "a late end"):
        (row,) = answers[name].violations
        assert (row["target"], row["line"], row["count"], row["scope"]) == ("end:missing", 4, 1, "send"), name
        assert answers[name].census["run"]["violated"] == 1
    assert "sent no end within 0.05 s" in answers["no end"].violations[0]["message"]
    assert answers["no end"].violations[0]["details"]["events"] == "started tool"
    assert answers["no end"].violations[0]["details"]["expected"] == "tool, done"


def test_a_run_that_is_open_is_not_known_yet_and_that_is_said_once(answers):
    for name in ("no end yet", "no end, and no time"):
        assert seen(answers[name]) == []
        assert answers[name].unknown == {"SSG401 run": 1}


def test_a_run_that_may_end_anywhere_is_no_run_without_an_end(answers):
    assert seen(answers["no end needed"]) == []
    assert answers["no end needed"].census["run"]["finished"] == 1
