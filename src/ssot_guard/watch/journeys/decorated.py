"""``@ssot_guard.journey("golden-path")``: functions of every kind whose calls are runs.

Each stays of its kind (sync, async, generator, async generator), because frameworks ask. pytest leaves functions with a
``__tracebackhide__`` out of tracebacks.
"""

from __future__ import annotations

from ssot_guard.watch.dress import dress
from ssot_guard.watch.journeys.runs import begin_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    from ssot_guard.watch.journeys.runs import Place

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200  # of `co_flags`: `inspect` would be a dear import


def decorate(rule_id: str, function: Any, place: Place) -> Any:
    """The function, each call of which is a run."""
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(decorate(rule_id, function.__func__, place))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"a journey decorates functions, not {function!r}")
    return dress(_wrapper(function)(function, rule_id, place), function)


def _wrapper(function: Any) -> Callable[[Any, str, Place], Any]:
    while hasattr(function, "func") and not hasattr(function, "__code__"):
        function = function.func  # of a partial
    called = function if hasattr(function, "__code__") else type(function).__call__
    flags = getattr(getattr(called, "__code__", None), "co_flags", 0)
    for flag, wrapper in (
        (_COROUTINE, _coroutine),
        (_ASYNC_GENERATOR, _async_generator),
        (_GENERATOR, _generator),
    ):
        if flags & flag:
            return wrapper
    return _function


def _function(function: Any, rule_id: str, place: Place) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with begin_at(rule_id, place):
            return function(*args, **kwargs)

    return run


def _coroutine(function: Any, rule_id: str, place: Place) -> Any:
    async def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with begin_at(rule_id, place):
            return await function(*args, **kwargs)

    return run


def _generator(function: Any, rule_id: str, place: Place) -> Any:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        with begin_at(rule_id, place):
            return (yield from function(*args, **kwargs))

    return run


def _async_generator(function: Any, rule_id: str, place: Place) -> Any:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        with begin_at(rule_id, place):
            source = function(*args, **kwargs)
            step = source.asend(None)
            while True:
                try:
                    item = await step
                except StopAsyncIteration:
                    return
                try:
                    step = source.asend((yield item))
                except GeneratorExit:
                    await source.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by who iterates: it is the source's
                    step = source.athrow(error)

    return run
