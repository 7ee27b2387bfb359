"""Functions around emitters and foreign callables, which look at each call and let it through.

A wrapper is of its function's kind (sync or async), because frameworks ask. What is no plain function is wrapped with
``wrapt``. Generators are left alone: nobody can say when they have sent anything.
"""

from __future__ import annotations

from ssot_guard.watch.classes import MISSING, attribute_of, is_class, module_of, name_of
from ssot_guard.watch.dress import dress, named, uncounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Protocol

    from ssot_guard.watch.events.calls import Call

    class Watch(Protocol):
        """Who looks at the calls of one function."""

        def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None: ...

        def leave(self, call: Call, result: object) -> None: ...

        def fail(self, call: Call) -> None: ...

        def pause(self, call: Call) -> None: ...

        def resume(self, call: Call) -> None: ...


_COROUTINE_FLAG, _GENERATOR_FLAGS = 0x80, 0x20 | 0x200  # of `co_flags`: `inspect` would be a dear import
_FUNCTION = type(lambda: None)
_GETATTRIBUTE = vars(object)["__getattribute__"]
_OPEN = frozenset(("FunctionWrapper", "cython_function_or_method"))  # not lazy, though they answer in their own way


async def _coroutine() -> None:
    """Never run: only its type is wanted."""


_sample = _coroutine()
_COROUTINE = type(_sample)
_sample.close()


def can_wrap(found: object) -> bool:
    """Whether calls of it can be looked at: a callable that is no class and no generator function."""
    function = found.__func__ if issubclass(type(found), (staticmethod, classmethod)) else found  # type: ignore[attr-defined]
    if not callable(function) or is_class(function):
        return False
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return not flags & _GENERATOR_FLAGS


def is_open(found: object) -> bool:
    """Whether it is no lazy object: those answer for what stands behind them, and look for it when they are asked."""
    cls = type(found)
    if name_of(cls) in _OPEN or module_of(cls) in ("builtins", "functools"):
        return True
    return attribute_of(cls, "__getattr__") is MISSING and attribute_of(cls, "__getattribute__") is _GETATTRIBUTE


def wrap(found: Any, watch: Watch) -> Any:
    """What to put in the place of a function, of what stands in a class, or of another callable."""
    if type(found) in (staticmethod, classmethod):
        return type(found)(wrap(found.__func__, watch))
    if type(found) is not _FUNCTION:
        return _wrap_object(found, watch)
    make = _around_coroutine if found.__code__.co_flags & _COROUTINE_FLAG else _around
    return dress(make(found, watch), found)


def _around(function: Any, watch: Watch) -> Any:
    enter, leave, fail = watch.enter, watch.leave, watch.fail

    def call_through(*args: Any, **kwargs: Any) -> Any:
        call = enter(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException:
            fail(call)
            raise
        if type(result) is _COROUTINE:  # a coroutine function behind a decorator that is none
            watch.pause(call)
            return named(_finished(_Unstarted(result), call, watch), result)
        leave(call, result)
        return result

    return call_through


def _around_coroutine(function: Any, watch: Watch) -> Any:
    """Calls it at once: whoever passes wrong arguments is told there, and not where the coroutine is awaited.

    `inspect` goes by a flag. From 3.11 on CPython makes coroutines by an instruction, and leaves a flag alone.
    """
    enter, leave, fail = watch.enter, watch.leave, watch.fail

    async def sent(unstarted: _Unstarted, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine, unstarted.coroutine = unstarted.coroutine, None
        call = enter(args, kwargs)
        if call is None:
            return await coroutine  # type: ignore[misc]
        try:
            result = await coroutine  # type: ignore[misc]
        except BaseException:
            fail(call)
            raise
        leave(call, result)
        return result

    def call_through(*args: Any, **kwargs: Any) -> Any:
        return sent(_Unstarted(function(*args, **kwargs)), args, kwargs)

    call_through.__code__ = call_through.__code__.replace(co_flags=call_through.__code__.co_flags | _COROUTINE_FLAG)
    named(uncounted(sent), function)
    return call_through


class _Unstarted:
    """A coroutine that ours waits to start. Where nobody awaits ours, Python says so of ours: once is enough."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine: Coroutine[Any, Any, Any] | None = coroutine

    def __del__(self) -> None:
        if self.coroutine is not None:
            self.coroutine.close()


@uncounted
async def _finished(unstarted: Any, call: Call, watch: Watch) -> Any:
    coroutine, unstarted.coroutine = unstarted.coroutine, None
    watch.resume(call)
    try:
        result = await coroutine
    except BaseException:
        watch.fail(call)
        raise
    watch.leave(call, result)
    return result


def _wrap_object(found: Any, watch: Watch) -> Any:
    """Partials, and what other libraries have decorated: a proxy that is bound as they are."""
    from ssot_guard.watch.proxy import binding

    @uncounted
    def call_through(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        call = watch.enter(args if instance is None else (instance, *args), kwargs)
        if call is None:
            return wrapped(*args, **kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException:
            watch.fail(call)
            raise
        if type(result) is _COROUTINE:
            watch.pause(call)
            return named(_finished(_Unstarted(result), call, watch), result)
        watch.leave(call, result)
        return result

    return binding(found, call_through)
