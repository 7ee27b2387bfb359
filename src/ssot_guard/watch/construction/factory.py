"""Stands in front of factories, so that "inside of one" can be told: a function of each kind stays of its kind.

What a factory gives back may still be at work for it: a coroutine, a generator, a context manager, a future. It is
driven step by step, and is inside of the factory while it runs: a coroutine to its end, a generator to each ``yield``.
"""

from __future__ import annotations

import sys
from _functools import partial
from sys import getrefcount

from ssot_guard.watch.construction.windows import Window, inside
from ssot_guard.watch.dress import dress, named, uncounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _contextvars import Token
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    from ssot_guard.watch.construction.population import Population

    Populations = tuple[Population, ...]

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR, _AWAITABLE = 0x20, 0x80, 0x200, 0x100  # of `co_flags`
_FUNCTION = type(lambda: None)


def wrap(theirs: Any, populations: Populations) -> Any:
    """What stands in the place of a factory; None where it is nothing that is called."""
    kind = type(theirs)
    if kind is classmethod or kind is staticmethod:
        inner = wrap(theirs.__func__, populations)
        return None if inner is None else kind(inner)
    if kind is _FUNCTION:
        return dress(_like(theirs)(theirs, populations), theirs)
    if isinstance(theirs, (type, property)) or not callable(theirs):
        return None
    from ssot_guard.watch.proxy import proxy  # cached, partial, an object: whatever else it can do, stays

    return proxy(theirs, lambda wrapped, args, kwargs: _call(wrapped, populations, args, kwargs))


# -- windows -----------------------------------------------------------------------------------------------------------


def _open(populations: Populations, *, suspends: bool) -> Window:
    """A call of the factory has begun."""
    table = populations[0].shared.table
    window = Window(populations, table.number, inside.get(), suspends=suspends)
    table.windows.add(window)
    return window


def _close(window: Window, _done: Any = None) -> None:
    """It has ended: tasks that it has left behind are outside."""
    window.is_open = False
    window.populations[0].shared.table.windows.discard(window)


def _leave(token: Token[Any]) -> None:
    try:  # noqa: SIM105 - contextlib would be imported for it
        inside.reset(token)
    except (ValueError, RuntimeError):  # in another context than entered: there it never was inside
        pass


# -- one wrapper for each kind of function -----------------------------------------------------------------------------


def _like(theirs: Any) -> Callable[[Any, Populations], Any]:
    flags = theirs.__code__.co_flags
    if flags & _COROUTINE:
        return _coroutine
    if flags & _ASYNC_GENERATOR:
        return _async_generator
    return _generator if flags & _GENERATOR and not flags & _AWAITABLE else _plain


def _plain(theirs: Any, populations: Populations) -> Any:
    def factory(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return _call(theirs, populations, args, kwargs)

    return factory


def _coroutine(theirs: Any, populations: Populations) -> Any:
    async def factory(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return await _Awaited(theirs(*args, **kwargs), populations)

    return factory


def _generator(theirs: Any, populations: Populations) -> Any:
    def factory(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        return (yield from _each(theirs(*args, **kwargs), populations))

    return factory


def _async_generator(theirs: Any, populations: Populations) -> Any:
    async def factory(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        source = theirs(*args, **kwargs)
        step = source.asend(None)
        while True:
            try:
                item = await _Awaited(step, populations)
            except StopAsyncIteration:
                return
            try:
                step = source.asend((yield item))
            except GeneratorExit:
                await source.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by who iterates: it is the source's
                step = source.athrow(error)

    return factory


# -- what a call gives back --------------------------------------------------------------------------------------------


@uncounted
def _call(theirs: Any, populations: Populations, args: Any, kwargs: Any) -> Any:
    """Call something that may give back a part of its work."""
    __tracebackhide__ = True
    table = populations[0].shared.table
    window = Window(populations, table.number, inside.get())
    table.windows.add(window)
    token = inside.set(window)
    try:
        result = theirs(*args, **kwargs)
    finally:
        window.is_open = False
        table.windows.discard(window)
        _leave(token)
    kind = type(result)
    if kind.__name__ in _AT_WORK and kind.__module__ in _HOMES:
        # What others hold is theirs: it must stay the very object.
        return result if getrefcount(result) > _OURS_ALONE else _rest(result, kind.__name__, populations)
    if hasattr(kind, "add_done_callback"):  # a future: its task or thread is at work
        window.is_open = window.suspends = True
        table.windows.add(window)
        result.add_done_callback(partial(_close, window))
    return result


def _rest(result: Any, kind: str, populations: Populations) -> Any:
    """The same thing, inside of the factory wherever it goes on."""
    if kind == "coroutine":
        return named(_await(result, populations), result)
    if kind == "generator":
        return named(_each(result, populations), result)
    if kind == "async_generator":
        return named(_async_generator(lambda: result, populations)(), result)
    if type(result) is getattr(sys.modules.get("contextlib"), kind, None):
        result.gen = _rest(result.gen, _MANAGERS[kind], populations)
    return result


_MANAGERS = {"_GeneratorContextManager": "generator", "_AsyncGeneratorContextManager": "async_generator"}
_HOMES = ("builtins", "contextlib")
_AT_WORK = frozenset((*_MANAGERS, *_MANAGERS.values(), "coroutine"))


def _count_alone() -> int:
    """How many references :func:`_call` counts to what only it has."""
    result = object()
    return getrefcount(result)


_OURS_ALONE = _count_alone()


@uncounted
async def _await(result: Any, populations: Populations) -> Any:
    __tracebackhide__ = True
    return await _Awaited(result, populations)


class _Awaited:
    """Awaits a coroutine inside of one window, that is open over all its awaits."""

    __slots__ = ("_coroutine", "_populations")

    def __init__(self, coroutine: Any, populations: Populations) -> None:
        self._coroutine = coroutine
        self._populations = populations

    @uncounted
    def __await__(self) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        coroutine, window = self._coroutine, _open(self._populations, suspends=True)
        step, value = coroutine.send, None
        try:
            while True:
                token = inside.set(window)
                try:
                    item = step(value)
                except StopIteration as end:
                    return end.value
                finally:
                    _leave(token)
                try:
                    step, value = coroutine.send, (yield item)
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - cancelled, or whatever the loop throws in
                    step, value = coroutine.throw, error
        finally:
            _close(window)


@uncounted
def _each(source: Any, populations: Populations) -> Generator[Any, Any, Any]:
    """As ``yield from``, with a window for each step: what it yields is handed out."""
    __tracebackhide__ = True
    step, value = source.send, None
    while True:
        window = _open(populations, suspends=False)
        token = inside.set(window)
        try:
            item = step(value)
        except StopIteration as end:
            return end.value
        finally:
            _leave(token)
            _close(window)
        try:
            step, value = source.send, (yield item)
        except GeneratorExit:
            source.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown in by who iterates: it is the source's
            step, value = source.throw, error
