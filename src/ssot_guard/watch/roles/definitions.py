"""What a module defines, as opposed to what it imports or calls by a second name.

Only its namespace is read, as it stands there: a lazy import in it (3.15) stays one, and no attribute of any class is
asked for.
"""

from __future__ import annotations

from ssot_guard.watch import classes
from ssot_guard.watch.classes import is_class, module_of, name_of, namespace_of, qualname_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Definition = tuple[str, Any, str | None]  # qualified name, object, and the only other name that it is bound to

_FUNCTION = type(lambda: None)
_CACHED = "_lru_cache_wrapper"  # of functools: looks like the function in it, but is none
_NO_VALUES = frozenset(("lazy_import", "module", "builtin_function_or_method", "method"))


def of_classes(name: str, namespace: Mapping[str, Any]) -> Iterator[Definition]:
    """The classes of a module: also nested ones, conditional ones, and those that ``type(…)`` or a function made."""
    seen: set[int] = set()
    # As `is_class` does it, without the call: this is every name of every governed module.
    for bound, found in [pair for pair in list(namespace.items()) if issubclass(type(pair[1]), type)]:
        if module_of(found) == name and id(found) not in seen and type(bound) is str:
            qualname = qualname_of(found)
            if qualname != bound and _is_second_name(bound, qualname, found, namespace):
                continue
            seen.add(id(found))
            yield qualname, found, None if qualname.rpartition(".")[2] == bound else bound
            inner = [one for one in list(namespace_of(found).values()) if issubclass(type(one), type)]
            if inner:
                yield from _nested(name, inner, qualname, seen)


def _nested(name: str, inside: list[type], above: str, seen: set[int]) -> Iterator[Definition]:
    for found in inside:
        if module_of(found) == name and id(found) not in seen:
            qualname = qualname_of(found)
            if qualname.startswith(f"{above}."):
                seen.add(id(found))
                yield qualname, found, None
                inner = [one for one in list(namespace_of(found).values()) if issubclass(type(one), type)]
                yield from _nested(name, inner, qualname, seen)


def of_functions(name: str, namespace: Mapping[str, Any]) -> Iterator[Definition]:
    """The functions of a module, also what ``functools.wraps`` and ``functools.lru_cache`` put around them."""
    seen: set[int] = set()
    for bound, found in list(namespace.items()):
        kind = type(found)
        is_function = kind is _FUNCTION or name_of(kind) == _CACHED
        if is_function and getattr(found, "__module__", None) == name and type(bound) is str:
            qualname = classes.plain(found.__qualname__)
            qualname = bound if qualname.endswith("<lambda>") else qualname
            if id(found) not in seen and not _is_second_name(bound, qualname, found, namespace):
                seen.add(id(found))
                yield qualname, found, None if qualname.rpartition(".")[2] == bound else bound


def of_values(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is neither class nor function nor module; whether the module binds it or imports it, its source tells."""
    for bound, found in list(namespace.items()):
        kind = type(found)
        no_value = kind is _FUNCTION or name_of(kind) in _NO_VALUES or is_class(found)
        if not no_value and type(bound) is str and not bound.startswith("__"):
            yield bound, found


def _is_second_name(bound: str, qualname: str, found: object, namespace: Mapping[str, Any]) -> bool:
    """Whether the module holds it under its own name, too (``Alias = Name``, ``Inner = Outer.Inner``)."""
    first, _, rest = qualname.partition(".")
    if first == bound and not rest:
        return False
    holder = namespace.get(first)
    if not rest:
        return holder is found
    leaf = qualname.rpartition(".")[2]
    if leaf != bound and namespace.get(leaf) is found:
        return True
    for part in rest.split("."):
        holder = namespace_of(holder).get(part) if is_class(holder) else None
    return holder is found
