"""What a call says: positions of parameters, worked out once per function, and read without a signature per call."""

from __future__ import annotations

from ssot_guard.watch.tenants.paths import UNKNOWN, follow, settled
from ssot_guard.watch.tenants.pseudonym import identity
from ssot_guard.watch.wrapped import facing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType
    from typing import Any

_VARARGS = 0x04  # of `co_flags`
NOWHERE = 1 << 30  # the position of what is only ever passed by name


def text_of(value: Any) -> str | None:
    """What tells a run, a tenant or an event from others, as text; None where nothing can."""
    if type(value) is str:
        return value or None
    try:
        return identity(value)
    except Exception:  # noqa: BLE001 - the application's `__str__`
        return None


def event_of(value: Any) -> str | None:
    """The name of an event; of a member of an enumeration, its value."""
    if hasattr(type(value), "__members__"):
        value = getattr(value, "value", None)
    return text_of(value)


class Parameter:
    """A parameter, and a path of attributes into it. ``default`` is what holds where it is not passed."""

    __slots__ = ("attributes", "default", "index", "name")

    def __init__(self, name: str, index: int, default: Any, attributes: tuple[str, ...]) -> None:
        self.name = name
        self.index = index
        self.default = default
        self.attributes = attributes

    def of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Its value in a call, UNKNOWN where that cannot be read."""
        value = args[self.index] if len(args) > self.index else kwargs.get(self.name, self.default)
        attributes = self.attributes
        if not attributes or value is UNKNOWN:
            return value
        try:
            if len(attributes) == 1 and not isinstance(value, dict):
                found = getattr(value, attributes[0])
                if type(found) is str:  # the usual `self.user_id`, at half the cost
                    return found
                return settled(found)
            return follow(value, attributes)
        except Exception:  # noqa: BLE001 - properties are the application's code
            return UNKNOWN


def parameter(path: str, function: Any, *, method: bool, model: Any = None) -> Parameter:
    """The parameter that a path of the policy starts from; one that says UNKNOWN where the function has none like it.

    ``self`` is the first parameter of a method, whatever it is called. ``model`` is the function that this one
    overrides: an override that takes ``*args`` passes them on to it.
    """
    name, *attributes = path.split(".")
    if name == "self" and method:
        return Parameter("self", 0, UNKNOWN, tuple(attributes))
    function = facing(function)
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return _by_signature(name, function, tuple(attributes))
    positional, keyword_only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames[: positional + keyword_only]
    if name in names:
        index = names.index(name)
        if index >= positional:
            default = (function.__kwdefaults__ or {}).get(name, UNKNOWN)
            return Parameter(name, NOWHERE, default, tuple(attributes))
        defaults = function.__defaults__ or ()
        back = index - positional
        return Parameter(name, index, defaults[back] if -back <= len(defaults) else UNKNOWN, tuple(attributes))
    if code.co_flags & _VARARGS and model is not None:
        return parameter(path, model, method=method)
    return Parameter(name, NOWHERE, UNKNOWN, tuple(attributes))  # among the **kwargs, if at all


def _by_signature(name: str, function: Any, attributes: tuple[str, ...]) -> Parameter:
    """For callables that are no functions (partials, objects), once when they are bound."""
    import inspect

    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        found = []
    for index, one in enumerate(found):
        if one.name == name:
            by_name = one.kind is one.KEYWORD_ONLY
            default = UNKNOWN if one.default is one.empty else one.default
            return Parameter(name, NOWHERE if by_name else index, default, attributes)
    return Parameter(name, NOWHERE, UNKNOWN, attributes)
