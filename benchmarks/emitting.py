"""Runs inside one measured process: ``emitting.py VARIANT`` prints one JSON line, seconds for one event of each kind.

All variants have the same class; they differ in what stands in front of its methods.
"""

# ruff: noqa: ANN001, ANN201, ANN202

import json
import sys
from functools import wraps
from itertools import repeat
from time import process_time

from runs.emitter import Emitter

LOOPS, BEST_OF = 50_000, 9
METHODS = ("emit", "send")
RUN = ("started", "thinking", "tool", "done", "completed")


def empty_wrapper(function):
    import wrapt

    def wrapper(wrapped, _instance, args, kwargs):
        return wrapped(*args, **kwargs)

    return wrapt.FunctionWrapper(function, wrapper)


STATES = {}  # run → what it may send next
NEXT = {
    "started": {"thinking", "tool", "completed", "failed"},
    "thinking": {"thinking", "tool", "completed", "failed"},
    "tool": {"tool", "done"},
    "done": {"tool", "done", "thinking", "completed", "failed"},
}


def by_hand(function):
    """What somebody would write: the order without parallel tools, for events that are passed by position."""

    @wraps(function)
    def checked(self, event, run_id, data=None):
        if event not in STATES.get(run_id, {"started"}):
            raise RuntimeError(f"{event} is out of order")
        result = function(self, event, run_id, data)
        if event in NEXT:
            STATES[run_id] = NEXT[event]
        else:
            del STATES[run_id]
        return result

    return checked


def dress(variant):
    wrapper = {"empty wrapt wrapper": empty_wrapper, "hand-written check": by_hand}.get(variant)
    for name in METHODS if wrapper else ():
        setattr(Emitter, name, wrapper(vars(Emitter)[name]))


def drive(coroutine):
    try:  # noqa: SIM105 - it would be most of what is measured
        coroutine.send(None)
    except StopIteration:
        pass


def one_event(emitter, loops):
    emitter.emit("started", "one")
    yield
    for _ in repeat(None, loops):
        emitter.emit("thinking", "one")
    yield


def one_event_with_keywords(emitter, loops):
    emitter.emit("started", "named")
    yield
    for _ in repeat(None, loops):
        emitter.emit("thinking", run_id="named", data=1)
    yield


def one_async_event(emitter, loops):
    drive(emitter.send("started", "async"))
    yield
    for _ in repeat(None, loops):
        drive(emitter.send("thinking", "async"))
    yield


def runs_of_five_events_by_event(emitter, loops):
    names = [f"run {number}" for number in range(loops // len(RUN))]
    yield
    for name in names:
        for event in RUN:
            emitter.emit(event, name)
    yield


def many_open_runs_by_event(emitter, loops):
    names = [f"open {number}" for number in range(10_000)]
    for name in names:
        emitter.emit("started", name)
    yield
    for _ in range(loops // len(names)):
        for name in names:
            emitter.emit("thinking", name)
    yield
    for name in names:
        emitter.emit("completed", name)


def best(kind):
    least = float("inf")
    for number in range(BEST_OF):
        steps = kind(Emitter("alice@example.com"), LOOPS)
        next(steps)
        began = process_time()
        next(steps)
        least = min(least, (process_time() - began) / LOOPS)
        for _ in steps:
            pass
        finish(number)
    return least


def finish(_number):
    """The next repeat begins with no runs, under any guard."""
    STATES.clear()
    guard = sys.modules.get("ssot_guard.guard")
    if guard is not None:
        (part,) = guard.current_guard().engine().parts.parts
        part.after_fork()


if __name__ == "__main__":
    dress(sys.argv[1])
    kinds = (one_event, one_event_with_keywords, one_async_event, runs_of_five_events_by_event, many_open_runs_by_event)
    answer = {kind.__name__: best(kind) for kind in kinds}
    if "ssot_guard.guard" in sys.modules:
        assert sys.modules["ssot_guard.guard"].current_guard().violations() == ()
    print(json.dumps(answer))
