"""Constructors of classes that have none of their own: what theirs is, and one that stands in front of it.

Where the inherited constructor is ``object``'s, ours does what that would have done, arguments included: forwarded to
it, they would be an error.
"""

from __future__ import annotations

from ssot_guard.violation import Site
from ssot_guard.watch.classes import MISSING, attribute_of, mro_of
from ssot_guard.watch.dress import uncounted
from ssot_guard.watch.replacements import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FUNCTION = type(lambda: None)
_METHOD: Any = type(Site().__repr__)
_SLOT: Any = type(object().__repr__)
_OBJECT_INIT = vars(object)["__init__"]
_OBJECT_NEW = vars(object)["__new__"]
_PLACEHOLDERS = ("_no_init_or_replace_init", "_no_init")
_ADDED = "__ssot_guard_added__"


def can_be_added(cls: type) -> bool:
    """Not behind the allocation of an immutable type: that one looks at whether its class has a constructor."""
    allocator = attribute_of(cls, "__new__")
    return allocator is _OBJECT_NEW or type(allocator) is staticmethod or not has_none(cls)


def has_none(cls: type) -> bool:
    """Whether there is no constructor but ``object``'s."""
    return next(_constructors_of(cls), _OBJECT_INIT) is _OBJECT_INIT


def shown(cls: type) -> Any:
    """What it inherits."""
    return next(_constructors_of(cls), _nothing)


def mark(ours: Any) -> None:
    """It stands in a class that has none of its own."""
    setattr(ours, _ADDED, True)


def _constructors_of(cls: type) -> Iterator[Any]:
    """Those that a class has or inherits, without ours and without those that only stand for others."""
    for base in mro_of(cls):
        theirs = own(base, "__init__")
        if theirs is not MISSING and not _is_placeholder(theirs) and not _is_added(theirs):
            yield theirs


def _is_added(theirs: Any) -> bool:
    return type(theirs) is _FUNCTION and _ADDED in theirs.__dict__


def _nothing(self, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - they would be shown as the host's
    """Initialize self.  See help(type(self)) for accurate signature."""


def signature(cls: type) -> Any:
    """What ``inspect.signature`` takes for a class's: of the first in line that has any, ``__new__`` first."""
    for base in mro_of(cls)[:-1]:
        allocator, theirs = own(base, "__new__"), own(base, "__init__")
        if type(allocator) is staticmethod:
            return allocator.__func__
        if type(theirs) is _FUNCTION and not _is_placeholder(theirs) and not _is_added(theirs):
            return theirs
        builtin = getattr(theirs, "__objclass__", None) or getattr(allocator, "__self__", None)
        if isinstance(builtin, type) and builtin is not object:
            return _Builtin(builtin)
    return _nothing


class _Builtin:
    """Stands for a type whose signature, if it has any, is written nowhere but in itself."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    @property
    def __signature__(self) -> Any:
        import inspect

        first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        found = inspect.signature(self._cls)  # or ValueError, as without us
        return found.replace(parameters=[first, *found.parameters.values()])


def constructor(mine: type) -> Any:
    """What would run if the class had none: the next one, in the order of the object's own class."""

    @uncounted
    def inherited(self: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            theirs: Any = super(mine, self).__init__  # type: ignore[arg-type]  # it is a class
        except TypeError:  # called by hand, with an object of something else
            theirs = None
        if type(theirs) is _SLOT:
            if theirs.__objclass__ is not object:
                return theirs(*args, **kwargs)
            return _as_object(self) if args or kwargs else None
        if type(theirs) is _METHOD and theirs.__func__.__name__ not in _PLACEHOLDERS:
            return theirs(*args, **kwargs)
        return _slowly(self, mine, args, kwargs)

    return inherited


@uncounted
def _slowly(obj: Any, mine: type, args: Any, kwargs: Any) -> Any:
    """The same past placeholders and whatever else stands in a class."""
    __tracebackhide__ = True
    for base in _behind(mine, type(obj)):
        theirs = own(base, "__init__")
        if theirs is _OBJECT_INIT:
            return _as_object(obj) if args or kwargs else None
        if theirs is not MISSING and not _is_placeholder(theirs):
            return theirs.__get__(obj, type(obj))(*args, **kwargs)
    return None


def _behind(mine: type, cls: type) -> tuple[type, ...]:
    """The classes after one in the order of another."""
    order = mro_of(cls)
    for index, base in enumerate(order):
        if base is mine:
            return order[index + 1 :]
    return mro_of(mine)[1:]  # called by hand, with an object of something else


def _is_placeholder(theirs: Any) -> bool:
    """Whether it is what ``typing`` gives protocols: at its first call it looks for the constructor behind it."""
    return getattr(theirs, "__name__", "") in _PLACEHOLDERS and theirs.__module__ in ("typing", "typing_extensions")


@uncounted
def _as_object(obj: Any) -> None:
    """``object.__init__`` with arguments, for an object whose class would not have another one."""
    cls = type(obj)
    theirs = attribute_of(cls, "__init__")
    if theirs is not _OBJECT_INIT and not _is_added(theirs):
        raise TypeError("object.__init__() takes exactly one argument (the instance to initialize)")
    if attribute_of(cls, "__new__") is _OBJECT_NEW:
        raise TypeError(f"{cls.__name__}() takes no arguments")
