"""What the members of a class are: methods and their signatures, properties, data; before anybody wraps them.

Plain strings and flags are kept, never the members themselves: a class that a function made must be free to go.
"""

from __future__ import annotations

from _functools import partial
from _weakref import ref

from ssot_guard.watch.classes import is_class, module_of, mro_of, name_of, namespace_of, qualname_of
from ssot_guard.watch.interfaces.signatures import Signature
from ssot_guard.watch.wrapped import facing, innermost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType
    from typing import Any

METHOD, CLASS, STATIC = "a method", "a class method", "a static method"
PROPERTY, DATA, OTHER = "a property", "data", "other"
CALLABLE = frozenset((METHOD, CLASS, STATIC))
PLAIN, ASYNC, GENERATOR, ASYNC_GENERATOR = "a plain function", "async", "a generator", "an async generator"

_FUNCTION: Any = type(lambda: None)
_NATURES = ((0x200, ASYNC_GENERATOR), (0x80 | 0x100, ASYNC), (0x20, GENERATOR))  # co_flags
_UNIONS = ("Union", "UnionType", "_UnionGenericAlias")
_METHODS = frozenset(
    ("classmethod_descriptor", "method_descriptor", "partialmethod", "singledispatchmethod", "wrapper_descriptor")
)


class Trait:
    """One member. ``nature`` and ``signature`` are None where nobody can tell, ``returns`` is what it says it does."""

    __slots__ = ("abstract", "kind", "nature", "returns", "settable", "signature")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.abstract = False
        self.nature: str | None = None
        self.returns: str | None = None
        self.settable = True
        self.signature: Signature | None = None

    def is_code(self) -> bool:
        """Whether using it runs code of the class: a method of any kind, or a property."""
        return self.kind == PROPERTY or self.kind in CALLABLE


class Traits:
    """What one class itself holds: its members, the names that it annotates, and those that its methods assign."""

    __slots__ = ("annotated", "assigned", "members")

    def __init__(self, cls: type) -> None:
        namespace = namespace_of(cls)
        self.members = {name: _trait(value) for name, value in list(namespace.items()) if type(name) is str}
        self.annotated = annotated(namespace, cls)
        self.assigned = _assigned(namespace)


class Album:
    """The traits of classes, as they were when each was first looked at."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[type], Traits]] = {}

    def of(self, cls: type) -> Traits:
        """What one class itself holds."""
        key = id(cls)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (ref(cls, partial(self._known.pop, key)), Traits(cls))
        return known[1]

    def find(self, cls: type, name: str) -> Trait | None:
        """The member that a class has under a name, by itself or from above."""
        for one in mro_of(cls):
            found = self.of(one).members.get(name)
            if found is not None:
                return found
        return None

    def is_abstract(self, cls: type) -> bool:
        """Whether something is left for subclasses: then it is no implementation yet."""
        names = {name for one in mro_of(cls) for name, trait in self.of(one).members.items() if trait.abstract}
        return any(trait.abstract for trait in (self.find(cls, name) for name in names) if trait is not None)


def _trait(value: Any) -> Trait:
    kind = type(value)
    if kind is _FUNCTION:
        return _callable(METHOD, value)
    if kind is staticmethod or kind is classmethod:
        return _callable(STATIC if kind is staticmethod else CLASS, value.__func__)
    if kind is property:
        return _property(value)
    name = name_of(kind)
    if name == "_lru_cache_wrapper":
        return _callable(METHOD, value.__wrapped__)
    if name in _METHODS or "cached_property" in name:
        return Trait(METHOD if name in _METHODS else PROPERTY)
    found = Trait(OTHER if is_class(value) or _has(kind, "__get__") or _has(kind, "__call__") else DATA)
    found.returns = "None" if value is None else None
    return found


def _has(kind: type, name: str) -> bool:
    return any(name in namespace_of(one) for one in mro_of(kind))


def _callable(kind: str, function: Any) -> Trait:
    found = Trait(kind)
    if type(function) is not _FUNCTION:
        return found
    found.abstract = function.__dict__.get("__isabstractmethod__") is True
    inner, faced = innermost(function), facing(function)
    if type(inner) is _FUNCTION and _nature(inner.__code__) == _nature(function.__code__):
        found.nature = _nature(function.__code__)  # else only a call would tell what a decorator makes of it
    if "__signature__" not in function.__dict__ and type(faced) is _FUNCTION:
        found.signature = Signature(faced, bound=kind != STATIC, wrapped=faced is not function)
    found.returns = annotations_of(inner).get("return") if type(inner) is _FUNCTION else None
    return found


def _property(value: property) -> Trait:
    found = Trait(PROPERTY)
    found.settable = value.fset is not None
    getter = value.fget
    if type(getter) is _FUNCTION:
        found.abstract = getter.__dict__.get("__isabstractmethod__") is True
        found.returns = annotations_of(getter).get("return")
    return found


def _nature(code: CodeType) -> str:
    return next((nature for flag, nature in _NATURES if code.co_flags & flag), PLAIN)


def _assigned(namespace: Mapping[str, Any]) -> frozenset[str]:
    """Names that the methods of a class may set on ``self``: told by the compiler from 3.13 on, else a superset."""
    names = set(namespace.get("__static_attributes__") or ())
    for value in list(namespace.values()):
        function = value.__func__ if type(value) is staticmethod or type(value) is classmethod else value
        if type(function) is _FUNCTION:
            names.update(getattr(getattr(innermost(function), "__code__", None), "co_names", ()))
    return frozenset(names)


def annotated(namespace: Mapping[str, Any], owner: Any) -> dict[str, str]:
    """Name → annotation, as text. From 3.14 on they are computed when asked for, and by us never with real values."""
    held = namespace.get("__annotations__") or namespace.get("__annotations_cache__")
    if type(held) is dict:
        return {name: value if type(value) is str else _text(value) for name, value in held.items()}
    compute = namespace.get("__annotate_func__") or namespace.get("__annotate__")
    return _computed(compute, owner) if type(compute) is _FUNCTION else {}


def annotations_of(function: Any) -> dict[str, str]:
    """As :func:`annotated`, of a function."""
    compute = getattr(function, "__annotate__", None)  # 3.14
    return _computed(compute, function) if compute else annotated({"__annotations__": function.__annotations__}, None)


def _computed(compute: Any, owner: Any) -> dict[str, str]:
    try:
        import annotationlib  # type: ignore[import-not-found,unused-ignore]

        return annotationlib.call_annotate_function(compute, annotationlib.Format.STRING, owner=owner)  # type: ignore[no-any-return,unused-ignore]
    except Exception:  # noqa: BLE001 - the application's annotations
        return {}


def _text(value: Any) -> str:
    """The name of a class, or of what ``typing`` makes of one, without its arguments; a union's are its names."""
    if name_of(type(value)) in _UNIONS and module_of(type(value)) in ("typing", "types"):
        return " | ".join(_text(one) for one in value.__args__)
    if module_of(type(value)) in ("typing", "types"):
        origin = getattr(value, "__origin__", value)
        if origin is not value and not is_class(origin):  # Annotated[X | Y, …]
            return _text(origin)
        value = origin
    if is_class(value):
        return qualname_of(value)
    name = getattr(value, "__name__", None) if module_of(type(value)) == "typing" else None
    return name if type(name) is str else name_of(type(value))
