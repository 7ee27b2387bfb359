"""``run = "self"``: an object is its run for as long as it lives, and a little longer."""

from typing import Any

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Conn.emit"],
    "event": "event",
    "run": "self",
    "sequence": "started tool* completed",
}
WS = """
class Conn:
    def emit(self, event): pass
    def send(self, events):
        for event in events.split(): self.emit(event)
class Last(Conn):
    "Sends its end at its own."
    def __init__(self): self.me = self
    def __del__(self): self.emit("completed")
class Owner:
    "Sends the end of what it holds."
    def __init__(self, conn): self.conn, self.me = conn, self
    def __del__(self): self.conn.emit("completed")
"""
START = "import gc\nfrom acme.ws import Conn, Last, Owner\ngc.disable()\n"
OWNED = "conn = Conn(); conn.me = conn; conn.emit('started'); Owner(conn); del conn; gc.collect()\n"
TABLE: dict[str, Any] = {
    "in a circle": {"program": "for _ in range(3): Last().emit('started')\ngc.collect()"},
    "at once": {
        "program": "for _ in range(3):\n    conn = Last(); conn.me = None; conn.emit('started')\n    del conn",
    },
    "in a circle, without its start": {"program": "Last(); gc.collect()"},
    "by its owner": {"program": OWNED},
    "by its owner, after a look": {"program": OWNED.replace("Owner(conn)", "Owner(conn).look = guard.check")},
    "many by their owners": {
        "program": "for _ in range(3_000):\n    conn = Conn(); conn.me = conn; conn.emit('started'); Owner(conn)\n"
        "del conn; gc.collect()",
    },
    "it comes back": {
        "program": "kept = []\nclass Back(Conn):\n    def __init__(self): self.me = self\n"
        "    def __del__(self): kept.append(self)\n"
        "Back().emit('started'); gc.collect(); guard.check()\n"
        "kept[0].emit('completed')",
    },
    "dead": {
        "program": "for _ in range(10): Conn().emit('started')\n"
        "alive = Conn(); alive.emit('started'); told['open'] = guard.census()['run']['open']",
    },
    "dead, and checked": {
        "program": "conns = [Conn() for _ in range(10)]\nfor conn in conns: conn.emit('started')\n"
        "guard.check(); del conn, conns[:]; guard.check()",
    },
    "dead, and might have ended": {
        "program": "for _ in range(10): Conn().send('started tool')\nguard.check()",
        "differs": {"sequence": "started tool*"},
    },
    "dead, and had to end": {
        "program": "for _ in range(3): Conn().emit('started')\nguard.check(); time.sleep(0.06); guard.check()",
        "differs": {"within": 0.05},
    },
    "100,000 dead": {
        "program": "kept = []\nfor number in range(101_000):\n    kept.append(Conn()); kept[-1].emit('started')\n"
        "    if number % 500 == 0: kept.clear()\n"
        "told['most'] = len(ssot_guard.guard.current_guard().engine().parts.parts[0].contracts[0].runs.open)\n"
        "Conn().emit('completed')",
    },
    "dead in a full table": {
        "program": "from ssot_guard.watch.events import runs\nruns.MOST_OPEN = 3_000\n"
        "for number in range(6_000): Conn().emit('started')\nguard.census(); Conn().emit('completed')",
        "differs": {"within": 60.0},
    },
    "threads": {
        "program": "sys.setswitchinterval(1e-6)\n"
        "def work():\n    for _ in range(2_000): Conn().send('started tool completed'); Conn().emit('started')\n"
        "def look():\n    for _ in range(50): guard.census(); gc.collect(0)\n"
        "threads = [threading.Thread(target=job) for job in (work, work, work, look)]\n"
        "[one.start() for one in threads]; [one.join() for one in threads]\nsys.setswitchinterval(0.005)",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(stage):
    table = {name: {"only": "sync", **case, "program": START + case["program"]} for name, case in TABLE.items()}
    found = stage.play(table, rule=RULE, ws=WS)
    for answer in found.values():
        assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    return {name: found[name, "sync"] for name in table}


@pytest.mark.parametrize("name", ["in a circle", "at once"])
def test_an_end_that_is_sent_by_a_finalizer_is_that_of_the_run(answers, name):
    answer = answers[name]

    assert (answer.violations, answer.unknown) == ([], {})
    assert answer.census["run"] == {"open": 0, "finished": 3, "violated": 0, "evicted": 0}


@pytest.mark.parametrize(
    "name",
    [
        "in a circle, without its start",
        "by its owner",
        "by its owner, after a look",
        "many by their owners",
        "it comes back",
    ],
)
def test_what_the_collector_leaves_in_doubt_is_unknown(answers, name):
    answer = answers[name]

    assert answer.violations == []
    assert answer.unknown["SSG401 run"] >= 1
    assert answer.census["run"]["open"] == 0


def test_a_run_ends_with_its_object_and_that_is_unknown(answers):
    assert answers["dead"].told == {"open": 1}
    assert (answers["dead"].violations, answers["dead"].unknown) == ([], {"SSG401 run": 10})
    checked = answers["dead, and checked"]
    assert (checked.unknown, checked.census["run"]["open"]) == ({"SSG401 run": 10}, 0)


def test_a_run_that_may_end_anywhere_ends_well_with_its_object(answers):
    answer = answers["dead, and might have ended"]

    assert (answer.violations, answer.unknown) == ([], {})
    assert answer.census["run"] == {"open": 0, "finished": 10, "violated": 0, "evicted": 0}


def test_a_run_that_had_to_end_by_now_and_cannot_is_a_violation(answers):
    answer = answers["dead, and had to end"]

    assert [(row["target"], row["count"]) for row in answer.violations] == [("end:missing", 3)]
    assert answer.census["run"]["open"] == 0


@pytest.mark.parametrize("name", ["100,000 dead", "dead in a full table"])
def test_objects_that_died_make_nobody_blind(answers, name):
    answer = answers[name]

    assert [(row["target"], row["count"]) for row in answer.violations] == [("started:missing", 1)]
    assert answer.told.get("most", 0) <= 2_000


def test_threads_do_not_mix_objects_up(answers):
    answer = answers["threads"]

    assert answer.violations == []
    assert answer.census["run"] == {"open": 0, "finished": 6_000, "violated": 0, "evicted": 0}
