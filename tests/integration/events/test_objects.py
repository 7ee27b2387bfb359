"""Emitters and foreign callables that are no plain functions, and what is only in the way: whatever it can do, stays."""

from typing import Any

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit"],
    "event": "event",
    "run": "run_id",
    "sequence": "started completed",
}
COPIES = """
import functools
def _send(event, run_id="r", channel=None): return channel
class Callable:
    def __call__(self, event, run_id="r"): return "called"
partial, called = functools.partial(_send, channel="ws"), Callable()
@functools.lru_cache
def cached(event, run_id="r"): pass
class Emitter:
    @functools.lru_cache
    def emit(self, event, run_id="r"): return "cached"
class Holder:
    def __init__(self): self.held = [partial, cached, called, Emitter.emit]
"""
COPIED = """
import copy, pickle
from acme import ws
told["copied"] = [name for name, make in {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda one: pickle.loads(pickle.dumps(one)),
}.items() for one in (ws.partial, ws.cached, ws.called, ws.Emitter.emit) if not callable(attempt(make, one))]
told["held"] = [type(attempt(make)).__name__ for make in (
    lambda: copy.deepcopy(ws.Holder()), lambda: pickle.loads(pickle.dumps(ws.Holder())),
)]
told["same"] = [pickle.loads(pickle.dumps(ws.cached)) is ws.cached, pickle.loads(pickle.dumps(ws.Emitter.emit)) is ws.Emitter.emit,
    copy.copy(ws.cached) is ws.cached, ws.Emitter.emit is ws.Emitter.emit]
told["answers"] = [ws.partial("ping"), ws.called("ping"), ws.Emitter().emit("ping"), ws.Emitter.emit(ws.Emitter(), "ping"),
    pickle.loads(pickle.dumps(ws.partial))("ping")]
told["can"] = [ws.partial.keywords, ws.cached.cache_info().maxsize, ws.Emitter.emit.cache_info().currsize, hasattr(ws.called, "__get__")]
ws.partial("started"); ws.called("completed")
ws.cached("completed", "x")  # <-
"""
LAZY = {
    "raises whatever it is asked": "class Lazy:\n    def __getattribute__(self, name): raise RuntimeError(name)",
    "raises, and can be called": "class Lazy:\n    def __getattribute__(self, name): raise RuntimeError(name)\n"
    "    def __call__(self): pass",
    "wakes when it is asked": "woken = []\nclass Lazy:\n    def __getattr__(self, name): woken.append(name)\n"
    "    def __call__(self): pass",
    "says that it is something else": "woken = []\nclass Lazy:\n    @property\n"
    "    def __class__(self): woken.append(self); raise RuntimeError\n    def __call__(self): pass",
    "has a module that raises": "class Lazy:\n    @property\n    def __module__(self): raise RuntimeError\n"
    "    def __call__(self): pass",
}
BEHIND = """
request = Lazy()
class Manager:
    lazy = Lazy()
    def notify(self): pass
    def emit(self, event, run_id="r"): pass
def notify_all(): pass
"""
LOOK = "import acme.ws, acme.lazy as lazy\nlazy.notify_all()  # <-\nlazy.Manager().notify()  # <-\n"
NAMES = """
class Emitter:
    async def _post(self, event): return event
    def emit(self, event, run_id="r"): return self._post(event)
"""
NAMED = """
import warnings, gc
from acme.ws import Emitter
async def main():
    task = asyncio.create_task(Emitter().emit("started"))
    coroutine = task.get_coro()
    told["names"] = [coroutine.__name__, coroutine.__qualname__, await task]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        Emitter().emit("completed")
        Emitter().emit("completed").close()
        gc.collect()
        told["heard"] = [str(one.message) for one in heard]
        heard.clear()
        gc.collect()
        told["later"] = [str(one.message) for one in heard]
asyncio.run(main())
"""
CALLS = """
import inspect
from acme.ws import Emitter, emit
wrong = [lambda: emit(), lambda: emit(1, 2, 3), lambda: emit(evnt=1), lambda: Emitter().emit(), lambda: Emitter.emit(), lambda: Emitter().other(1, 2, 3)]
def said(call):
    try: call().close()
    except TypeError as error: return str(error)
told["now"] = [said(call) for call in wrong]
told["kinds"] = [inspect.iscoroutinefunction(one) for one in (emit, Emitter().emit)]
coroutine = emit("started")
told["names"] = [type(coroutine).__name__, coroutine.__qualname__, inspect.getcoroutinestate(coroutine)]
async def main():
    for event in ("started", "completed"): told[event] = await emit(event, run_id="x")
asyncio.run(main())
guard.uninstall()
from acme.ws import Emitter, emit
told["then"] = [said(call) for call in wrong]
coroutine.close()
"""
TABLE: dict[str, Any] = {
    "calls": {
        "ws": "class Emitter:\n    async def emit(self, event, run_id='r'): return event\n"
        "    async def other(self, event): pass\nasync def emit(event, run_id='r'): return event\n",
        "program": CALLS,
        "differs": {"emitter": ["acme.ws:Emitter.emit", "acme.ws:emit"], "foreign": ["acme.ws:*other"]},
    },
    "copies": {
        "ws": COPIES,
        "program": COPIED,
        "differs": {"emitter": ["acme.ws:partial", "acme.ws:cached", "acme.ws:called", "acme.ws:Emitter.emit"]},
    },
    "names": {"ws": NAMES, "program": NAMED},
    **{
        f"lazy: {name}": {
            "files": {"acme/lazy.py": f"{text}\n{BEHIND}"},
            "program": f"{LOOK}told['woken'] = len(vars(lazy).get('woken', []))",
            "differs": {"foreign": ["acme.lazy:**"]},
        }
        for name, text in LAZY.items()
    },
    "lazy: an emitter": {
        "files": {"acme/lazy.py": f"{LAZY['raises, and can be called']}\n{BEHIND}"},
        "program": "from acme.lazy import Manager\nManager().emit('completed')  # <-",
        "differs": {"emitter": ["acme.lazy:request.emit", "acme.lazy:request", "acme.lazy:Manager.emit"]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(stage):
    # Their words `async` and `await` are meant.
    table = {name: {"only": "async", **case} for name, case in TABLE.items()}
    found = stage.play(table, rule=RULE, ws=NAMES)
    for name, _ in found:
        answer = found[name, "async"]
        faults = {"events"} if name == "lazy: an emitter" else set()
        assert (name, answer.error, answer.faults.keys(), answer.left) == (name, None, faults, [])
    return {name: found[name, "async"] for name in table}


def test_emitters_are_copied_and_pickled_as_ever(answers):
    answer = answers["copies"]

    assert answer.told == {
        "copied": [],
        "held": ["Holder", "Holder"],
        "same": [True, True, True, True],
        "answers": ["ws", "called", "cached", "cached", "ws"],
        "can": [{"channel": "ws"}, 128, 2, False],
    }
    assert [(row["target"], [row["line"]]) for row in answer.violations] == [("started:missing", answer.marked)]


@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_object_sleeps_on_and_what_stands_behind_it_is_watched(answers, name):
    answer = answers[f"lazy: {name}"]

    assert [row["line"] for row in answer.violations if row["code"] == "SSG402"] == answer.marked
    assert answer.told == {"woken": 0}


def test_a_lazy_object_where_an_emitter_should_be_hides_no_other_one(answers):
    answer = answers["lazy: an emitter"]

    assert [row["line"] for row in answer.violations] == answer.marked


def test_a_coroutine_has_the_name_of_the_functions_own(answers):
    told = answers["names"].told

    assert told["names"] == ["_post", "Emitter._post", "started"]
    assert (told["heard"], told["later"]) == (["coroutine 'Emitter._post' was never awaited"], [])


def test_wrong_arguments_of_a_coroutine_function_are_told_at_the_call(answers):
    told = answers["calls"].told

    assert None not in told["then"]
    assert told["now"] == told["then"]
    assert told["kinds"] == [True, True]
    assert told["names"] == ["coroutine", "emit", "CORO_CREATED"]
    assert (told["started"], told["completed"]) == ("started", "completed")
