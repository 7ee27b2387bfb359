"""Stands in the place of a callable that is no function: a cached one, a partial, an object that is called.

Whatever else it can do stays: it is copied and pickled, and looked at, as what stands behind it.
"""

from __future__ import annotations

import copy

from wrapt import BoundFunctionWrapper, CallableObjectProxy, FunctionWrapper

from ssot_guard.watch.dress import uncounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Copied:  # no annotations in here: they would stand in front of those of the object behind
    """As the object behind it where that is copied or pickled."""

    def __copy__(self) -> Any:
        return _same_or(self, copy.copy(_behind(self)))

    def __deepcopy__(self, memo: Any) -> Any:
        return _same_or(self, copy.deepcopy(_behind(self), memo))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _behind(self).__reduce_ex__(protocol)


def _behind(ours: Any) -> Any:
    return ours.__wrapped__


def _same_or(ours: Any, copied: Any) -> Any:
    return ours if copied is ours.__wrapped__ else copied


class _Bound(_Copied, BoundFunctionWrapper):  # type: ignore[type-arg]
    """What an object gets of a callable that its class holds."""


class _Descriptor(_Copied, FunctionWrapper):  # type: ignore[type-arg]  # classes bind it to their objects
    """A callable that a class may hold as a method."""

    __bound_function_wrapper__ = _Bound

    @uncounted
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        __tracebackhide__ = True
        bound = super().__get__(instance, owner)
        return self if bound.__wrapped__ is self.__wrapped__ else bound  # a class hands a cached function out as it is


class _Object(_Copied, CallableObjectProxy):  # type: ignore[type-arg]
    """A callable that is no descriptor, and must not look like one."""

    def __init__(self, wrapped: Any, call: Callable[[Any, Any, Any, Any], Any]) -> None:
        super().__init__(wrapped)
        self._self_wrapper = call  # as wrapt names it

    @uncounted
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return self._self_wrapper(self.__wrapped__, None, args, kwargs)


def proxy(theirs: Any, call: Callable[[Any, Any, Any], Any]) -> Any:
    """What stands in the place of a callable; ``call`` is given what to call, and the arguments."""
    return binding(theirs, uncounted(lambda wrapped, _instance, args, kwargs: call(wrapped, args, kwargs)))


def binding(theirs: Any, call: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """The same; ``call`` is also given what it is bound to, None where that stands among the arguments, or nowhere."""
    return _Descriptor(theirs, call) if hasattr(type(theirs), "__get__") else _Object(theirs, call)
