"""Where wrappers stand, whom they blame, and that the process is as before once they are gone."""

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:emit", "acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "started tool* completed",
    "foreign": ["acme.**:notify_*"],
}
WS = """
async def emit(event, run_id='r', answer=None):
    "Sends."
    return answer
alias = emit
async def notify_all(): pass
class Emitter:
    x = 1
    async def emit(self, event: str, run_id: int = 'r') -> None: pass
    @staticmethod
    async def notify_static(): pass
    @classmethod
    async def notify_class(cls): pass
"""
HOLDERS = {
    "acme/first.py": "from acme.ws import emit, notify_all as other\nfrom acme import ws",
    "acme/sub.py": "from acme.ws import Emitter\nclass Sub(Emitter):\n    async def emit(self, event, run_id='r'): pass",
    "other/__init__.py": "from acme.ws import emit",
}
LATE = "import acme.first, acme.ws, other, acme.sub\nkept = acme.ws.emit\n"
SEND = "import acme.ws\nfrom acme.ws import emit, Emitter\n"
BROKEN = "await emit('tool')  # <-\n"


def program(body, start=SEND):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{start}async def main():\n{lines}asyncio.run(main())\n"


TABLE = {
    "loaded before": {
        "late": LATE,
        "program": program(
            "for one, run in ((acme.first.emit, 'a'), (acme.ws.alias, 'b'), (acme.ws.emit, 'c'), (acme.sub.Sub().emit, 'd')):\n"
            "    for event in ('started', 'completed', 'completed'): await one(event, run)\n"
            "await acme.first.other()\n"
            "told['theirs'] = other.emit is kept and kept is not acme.ws.emit",
            "",
        ),
    },
    "a circle": {
        "files": {"acme/back.py": "from acme.ws import emit"},
        "ws": WS.replace("alias = emit", "import acme.back"),
        "program": program("await acme.back.emit('completed')  # <-"),
    },
    "others put theirs over ours": {
        "late": "import acme.ws\noriginal = acme.ws.Emitter.__dict__['emit']\n",
        "program": (
            "mine = lambda *a: None\nacme.ws.emit = mine\nguard.uninstall()\n"
            "told['kept'] = acme.ws.emit is mine\ntold['restored'] = acme.ws.Emitter.__dict__['emit'] is original\n"
            "acme.ws.emit = acme.ws.alias\n"
        ),
    },
    "twice": {"program": program("await emit('started')\nawait emit('completed')\nguard.uninstall(); guard.uninstall()")},
    "held after the end": {
        "program": program("kept = emit\nguard.uninstall()\nawait kept('tool'); await kept('completed')\nassert acme.ws.emit is not kept"),
    },
    "reloaded": {
        "program": program(
            "import importlib\nimportlib.reload(acme.ws); guard.check()\nawait acme.ws.emit('tool')  # <-\n"
            "await acme.ws.Emitter().emit('completed')"
        ),
    },
    "looks like itself": {
        "program": program(
            "import inspect, pickle\n"
            "told['looks'] = [emit.__name__, emit.__doc__, emit.__module__, str(inspect.signature(emit)),\n"
            "    str(inspect.signature(Emitter.emit)), inspect.iscoroutinefunction(emit), pickle.loads(pickle.dumps(emit)) is emit]"
        ),
    },
    "wrong arguments": {
        "program": program("told['error'] = [attempt(emit), attempt(Emitter().emit), attempt(emit, 1, 2, 3, 4)]"),
        "only": "sync",
    },
    "an exception": {
        "ws": "def emit(event, run_id='r'):\n    if event == 'tool': raise ValueError(event)\nclass Emitter:\n    def emit(self): pass",
        "program": program(
            "await emit('started')\ntry: await emit('tool')\n"
            "except ValueError as error:\n    told['error'] = str(error)\nawait emit('completed')"
        ),
        "only": "sync",
    },
    "a task": {"program": program("await asyncio.create_task(emit('tool'))"), "only": "async"},
    "gathered": {"program": program("await asyncio.gather(emit('started', 'x'), emit('tool', 'y'))"), "only": "async"},
    "a pool": {
        "program": program("from concurrent.futures import ThreadPoolExecutor as Pool\nwith Pool(1) as pool: pool.submit(emit, 'tool').result()"),
        "only": "sync",
    },
    "two rules": {"program": program("await emit('started')\nawait emit('completed')  # <-"), "second": {"id": "two", "sequence": "tool completed"}},
    "a warning that is an error": {
        "program": program("import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('error')\n    await emit('tool')"),
        "mode": "warn",
    },
    "strict blocks no order": {
        "program": program("told['answer'] = await emit('tool', answer=7)  # <-"),
        "mode": "strict",
    },
    "a class in a function": {
        "program": program(
            "class Local(Emitter):\n    async def emit(self, event, run_id='r'): pass\n"
            "guard.check()\nawait Local().emit('tool')  # <-"
        ),
        "files": {"acme/more.py": ""},
    },
    "a run that is no text": {"program": program("await emit('tool', object()); await emit('tool', [1]); await emit('tool', True)")},
    "an event that is no text": {"program": program("await emit(None); await emit(7); await emit(object()); await emit([])")},
    "a run whose text fails": {
        "program": program(
            "class Bad:\n    def __eq__(self, other): raise ValueError\n    def __hash__(self): return 1\n"
            "    def __str__(self): raise ValueError\nfor _ in range(9): await emit('tool', Bad()); await emit(Bad(), 'r')"
        ),
    },
    "never called": {"program": "import acme.ws"},
    "never loaded": {"program": "pass"},
    "two rules for what is held elsewhere": {
        "late": LATE,
        "program": program("await acme.first.emit('started', 'a')\nawait acme.first.emit('completed', 'a')  # <-", ""),
        "second": {"id": "two", "sequence": "tool completed"},
    },
    "a missing emitter": {"program": program("await emit('tool')  # <-", SEND.replace(", Emitter", "")), "ws": WS.replace("class Emitter", "class Another")},
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(stage):
    table = {name: {**case} for name, case in TABLE.items()}
    for case in table.values():
        case["files"] = {**HOLDERS, **case.get("files", {})}
    return stage.play(table, rule=RULE, ws=WS)


def each(*names):
    return [(name, way) for name in names for way in ("async", "sync") if TABLE[name].get("only", way) == way]


def clean(answer):
    assert (answer.error, answer.faults, answer.left) == (None, {}, [])
    return answer


@pytest.mark.parametrize("way", ["async", "sync"])
def test_who_holds_a_function_from_before_gets_the_wrapper_if_it_is_governed(answers, way):
    answer = clean(answers["loaded before", way])

    assert answer.told == {"theirs": True}
    assert answer.of("SSG401") == [("completed:after-end", 3, 4)]
    assert [row["target"] for row in answer.violations if row["code"] == "SSG402"] == ["acme.ws:notify_all"]


@pytest.mark.parametrize(
    ("name", "way"),
    each("a circle", "reloaded", "strict blocks no order", "a class in a function", "a missing emitter"),
)
def test_it_is_found_once_at_the_caller(answers, name, way):
    answer = clean(answers[name, way])
    (row,) = answer.violations

    assert (row["target"], row["count"], [row["line"]]) == ("started:missing", 1, answer.marked)
    assert row["mode"] != "strict"


@pytest.mark.parametrize("way", ["async", "sync"])
def test_two_rules_share_an_emitter(answers, way):
    answer = clean(answers["two rules", way])

    assert [(row["target"], [row["line"]]) for row in answer.violations] == [("tool:missing", answer.marked)]
    assert {name: counts["finished"] for name, counts in answer.census.items()} == {"run": 1, "two": 1}
    census = clean(answers["two rules for what is held elsewhere", way]).census
    assert {name: counts["finished"] for name, counts in census.items()} == {"run": 1, "two": 1}


@pytest.mark.parametrize(("name", "way"), each("a task", "gathered", "a pool"))
def test_where_a_scheduler_calls_the_emitter_itself_is_named(answers, name, way):
    (row,) = clean(answers[name, way]).violations

    assert (row["file"], row["line"], row["scope"]) == ("ws.py", 2, "emit")


@pytest.mark.parametrize("way", ["async", "sync"])
def test_what_others_put_over_ours_stays(answers, way):
    assert clean(answers["others put theirs over ours", way]).told == {"kept": True, "restored": True}


@pytest.mark.parametrize(("name", "way"), each("twice", "held after the end", "never called"))
def test_nothing_is_seen_and_nothing_is_left(answers, name, way):
    assert clean(answers[name, way]).violations == []


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_wrapper_looks_like_what_it_wraps(answers, way):
    assert clean(answers["looks like itself", way]).told["looks"] == [
        "emit",
        "Sends.",
        "acme.ws",
        "(event, run_id='r', answer=None)",
        "(self, event: str, run_id: int = 'r') -> None",
        way == "async",
        True,
    ]


def test_errors_are_the_hosts_own(answers):
    assert clean(answers["wrong arguments", "sync"]).told["error"] == ["TypeError"] * 3
    answer = clean(answers["an exception", "sync"])
    assert (answer.told["error"], answer.violations) == ("tool", [])


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_warning_that_the_host_made_an_error_is_raised(answers, way):
    answer = answers["a warning that is an error", way]

    assert answer.error.startswith("SsotWarning: SSG401 run: tool was sent, but started is missing before it")
    assert (answer.faults, answer.left) == ({}, [])


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_call_that_does_not_say_what_it_sends_is_counted(answers, way):
    assert clean(answers["a run that is no text", way]).unknown == {"SSG401 run": 3}
    assert clean(answers["an event that is no text", way]).unknown == {"SSG401 run": 3}
    assert clean(answers["a run whose text fails", way]).unknown == {"SSG401 run": 18}


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_rule_whose_emitter_was_never_called_is_dead(answers, way):
    assert clean(answers["never called", way]).dead == ["run"]
    assert clean(answers["never loaded", way]).dead == ["run"]
    assert clean(answers["twice", way]).dead == []


AGAIN = """
import gc, importlib, sys, weakref
kept = []
for number in range(5):
    sys.modules.pop("acme.ws", None)
    ws = importlib.import_module("acme.ws")
    kept.append((weakref.ref(ws.Emitter), weakref.ref(ws)))
    ws.Emitter().emit("started", str(number))
    ws.Emitter().emit("completed", str(number))
del ws
gc.collect()
told["alive"] = [[one() is not None for one in some] for some in kept]
guard.check()
"""


def test_what_a_module_was_before_it_was_imported_again_goes(stage):
    answers = stage.play(
        {
            "again": {
                "program": AGAIN,
                "ws": "class Emitter:\n    def emit(self, event, run_id): pass\n",
                "only": "sync",
            }
        },
        rule={"emitter": ["acme.ws:Emitter.emit"], "event": "event", "run": "run_id", "sequence": "started completed"},
    )
    answer = answers["again", "sync"]
    assert (answer.error, answer.faults) == (None, {})
    assert answer.told["alive"] == [[False, False]] * 4 + [[True, True]]
    (counts,) = answer.census.values()
    assert counts["finished"] == 5
