"""Functions around emitters and foreign callables, which look at each call and let it through.

A wrapper is of its function's kind (sync or async), because frameworks ask. What is no plain function is wrapped with
``wrapt``. Generators are left alone: nobody can say when they have sent anything.
"""

from __future__ import annotations

from ssot_guard.watch.dress import dress, uncounted

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


async def _coroutine() -> None:
    """Never run: only its type is wanted."""


_sample = _coroutine()
_COROUTINE = type(_sample)
_sample.close()


def can_wrap(found: object) -> bool:
    """Whether calls of it can be looked at: a callable that is no class and no generator function."""
    function = found.__func__ if isinstance(found, (staticmethod, classmethod)) else found
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return callable(function) and not isinstance(function, type) and not flags & _GENERATOR_FLAGS


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
            return _finished(result, call, watch)
        leave(call, result)
        return result

    return call_through


def _around_coroutine(function: Any, watch: Watch) -> Any:
    enter, leave, fail = watch.enter, watch.leave, watch.fail

    async def call_through(*args: Any, **kwargs: Any) -> Any:
        call = enter(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except BaseException:
            fail(call)
            raise
        leave(call, result)
        return result

    return call_through


@uncounted
async def _finished(coroutine: Coroutine[Any, Any, Any], call: Call, watch: Watch) -> Any:
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
    import wrapt

    @uncounted
    def call_through(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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
            return _finished(result, call, watch)
        watch.leave(call, result)
        return result

    return wrapt.FunctionWrapper(found, call_through)
