"""What stands behind decorators that say what they wrap (``functools.wraps``)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MOST = 100
_VARARGS, _VARKEYWORDS = 0x04, 0x08  # of `co_flags`


def innermost(function: Any) -> Any:
    """What all decorators stand in front of."""
    *_, inner = layers(function)
    return inner


def facing(function: Any) -> Any:
    """What callers face: the outermost that has parameters of its own; most decorators only take what may come."""
    for one in layers(function):
        flags = getattr(getattr(one, "__code__", None), "co_flags", _VARARGS | _VARKEYWORDS)
        if not (flags & _VARARGS and flags & _VARKEYWORDS):
            return one
    return one


def layers(function: Any) -> Iterator[Any]:
    """It, and what it says that it wraps, to the last."""
    for _ in range(_MOST):
        yield function
        function = getattr(function, "__wrapped__", None)
        if function is None:
            return
