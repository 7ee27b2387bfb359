"""Whether every call that one signature allows is allowed by another: read from code objects, without ``inspect``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_VARARGS, _VARKEYWORDS = 0x04, 0x08  # co_flags


class Parameter:
    """One that is passed by position (and, unless ``only``, by name)."""

    __slots__ = ("name", "only", "required")

    def __init__(self, name: str, *, required: bool, only: bool) -> None:
        self.name = name
        self.required = required
        self.only = only


class Signature:
    """The parameters of a function, without the one that a call on an instance or a class fills in.

    ``keywords`` are the keyword-only ones (name → whether it is required); ``wrapped`` says that a decorator stands in
    front of the function, which may fill in some by itself.
    """

    __slots__ = ("keywords", "positional", "varargs", "varkeywords", "wrapped")

    def __init__(self, function: Any, *, bound: bool, wrapped: bool) -> None:
        code = function.__code__
        names = code.co_varnames
        count = code.co_argcount
        optional = count - len(function.__defaults__ or ())
        self.positional = [
            Parameter(names[index], required=index < optional, only=index < code.co_posonlyargcount)
            for index in range(min(bound, count), count)
        ]
        defaults = function.__kwdefaults__ or {}
        only = names[count : count + code.co_kwonlyargcount]
        self.keywords = {name: name not in defaults for name in only}
        self.varargs = bool(code.co_flags & _VARARGS)
        self.varkeywords = bool(code.co_flags & _VARKEYWORDS)
        self.wrapped = wrapped

    def place(self, name: str) -> int | None:
        """Where a parameter that can be passed by name stands; None where none has this name."""
        for index, parameter in enumerate(self.positional):
            if parameter.name == name and not parameter.only:
                return index
        return None


def complaints(want: Signature, have: Signature, *, by_name: bool) -> Iterator[str]:
    """What a call that ``want`` allows and ``have`` refuses would trip over; ``by_name``: callers may use names."""
    anything = want.varargs and want.varkeywords  # says nothing about the rest
    for index, parameter in enumerate(want.positional):
        wrong = _positional(index, parameter, have, by_name=by_name)
        if wrong:
            yield wrong
    for name, required in want.keywords.items():
        wrong = _keyword(name, want, have, required=required)
        if wrong:
            yield wrong
    if not anything:
        yield from _more(want, have)
        if want.varargs and not have.varargs:
            yield "takes no further positional arguments"
        if want.varkeywords and not have.varkeywords:
            yield "takes no further keyword arguments"


def _positional(index: int, want: Parameter, have: Signature, *, by_name: bool) -> str | None:
    name = want.name
    named = by_name and not want.only and not name.startswith("_")
    if index >= len(have.positional):
        return _beyond(name, have, named=named)
    its = have.positional[index]
    if named and its.name != name:
        elsewhere = have.place(name) is not None or name in have.keywords
        return f"has `{name}` in another place" if elsewhere else f"calls its parameter `{its.name}`, not `{name}`"
    if named and its.only and (its.required or not have.varkeywords):
        return f"takes `{name}` by position only"
    return f"requires `{its.name}`" if its.required and not want.required else None


def _beyond(name: str, have: Signature, *, named: bool) -> str | None:
    """A position where only ``*args`` can take something."""
    if name in have.keywords and (named or not have.varargs):
        return f"takes `{name}` by name only"
    if not have.varargs:
        return f"lacks the parameter `{name}`"
    if named and have.place(name) is not None:
        return f"has `{name}` in another place"
    return f"does not take `{name}` by name" if named and not have.varkeywords else None


def _keyword(name: str, want: Signature, have: Signature, *, required: bool) -> str | None:
    index = have.place(name)
    if index is None and name not in have.keywords:
        return None if have.varkeywords else f"lacks the parameter `{name}`"
    if index is not None and (index < len(want.positional) or want.varargs):
        return f"has `{name}` in another place"
    demanded = have.keywords[name] if index is None else have.positional[index].required
    return f"requires `{name}`" if demanded and not required else None


def _more(want: Signature, have: Signature) -> Iterator[str]:
    """Parameters that callers do not know of, and have to pass."""
    if have.wrapped:
        return
    for parameter in have.positional[len(want.positional) :]:
        if parameter.required and (parameter.only or parameter.name not in want.keywords):
            yield f"also requires `{parameter.name}`"
    for name, required in have.keywords.items():
        if required and name not in want.keywords and want.place(name) is None:
            yield f"also requires `{name}`"
