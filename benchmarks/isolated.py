"""Runs inside one measured process: ``isolated.py VARIANT`` prints one JSON line, seconds for one call of each kind.

All variants have the same class; they differ in what stands in front of its methods.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202

import asyncio
import gc
import json
import sys
from functools import wraps
from itertools import repeat
from time import perf_counter, process_time

from tenants.context import user
from tenants.engine import Engine

LOOPS, BEST_OF = 50_000, 9
METHODS = ("ask", "tune", "name", "think", "stream")


def empty_wrapper():
    import wrapt

    def wrapper(wrapped, _instance, args, kwargs):
        return wrapped(*args, **kwargs)

    return lambda function: wrapt.FunctionWrapper(function, wrapper)


def closure(function):
    """What somebody would write by hand: the whole question, without a word on what is unknown."""

    @wraps(function)
    def checked(self, *args, **kwargs):
        if OWNERS[id(self)] != user.get():
            raise RuntimeError(f"{self} belongs to another user")
        return function(self, *args, **kwargs)

    return checked


OWNERS = {}


def dress(variant):
    wrapper = {"empty wrapt wrapper": empty_wrapper, "hand-written closure": lambda: closure}.get(variant)
    for name in METHODS if wrapper else ():
        found = vars(Engine)[name]
        ours = wrapper()
        setattr(Engine, name, property(ours(found.fget)) if isinstance(found, property) else ours(found))


def a_call(engine, loop):
    for _ in loop:
        engine.ask("?")


def a_call_with_keywords(engine, loop):
    for _ in loop:
        engine.tune("x", limit=3)


def a_property(engine, loop):
    for _ in loop:
        engine.name  # noqa: B018


def an_async_call(engine, loop):
    async def main():
        for _ in loop:
            await engine.think("?")

    asyncio.run(main())


def a_generator(engine, loop):
    for _ in loop:
        for _part in engine.stream():
            pass


def best(function, engine):
    least = float("inf")
    for _ in range(BEST_OF):
        began = process_time()
        function(engine, repeat(None, LOOPS))
        least = min(least, (process_time() - began) / LOOPS)
    return least


def calls(variant):
    dress(variant)
    name = "alice@example.com"
    user.set(name)
    engine = Engine(0)
    OWNERS[id(engine)] = name
    user.set(name.lower())  # equal, and not the same object: as in every request
    kinds = (a_call, a_call_with_keywords, a_property, an_async_call, a_generator)
    return {kind.__name__: best(kind, engine) for kind in kinds}


def search(tenants, leak):
    """One look of a guard at 100,000 objects."""
    import ssot_guard

    guard = ssot_guard.install()
    engines = []
    for number in range(tenants):
        user.set(f"user{number}")
        engines.append(Engine(100_000 // 4 // tenants))
    if leak:
        for engine in engines:
            engine.parts[-1].seen = engines[0].parts[-1].notes
    gc.collect()
    least = float("inf")
    for _ in range(BEST_OF):
        began = perf_counter()
        guard.check()
        least = min(least, perf_counter() - began)
    found = [one for one in guard.violations() if one.code == "SSG302"]
    assert len(found) == leak
    return {"search": least}


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    print(json.dumps(calls(task) if task != "search" else search(int(rest[0]), rest[1] == "leak")))
