"""SSG207: a concrete class of a role that its registry does not list, so nothing can ever select it.

The registry is the application's, and calling it is left to :meth:`Guard.check`. It may give classes, names, instances,
or a mapping of any of these. Where nothing in it can be recognised nobody is accused.
"""

from __future__ import annotations

import sys
from itertools import islice

from ssot_guard.faults import say
from ssot_guard.ledger import Facts
from ssot_guard.watch.classes import is_class, is_protocol, key_of
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.source import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.interfaces.traits import Album
    from ssot_guard.watch.roles.role import Role

_CALLABLE = frozenset(("function", "method", "builtin_function_or_method", "partial", "_lru_cache_wrapper"))
_DEEPEST = 3
_MOST = 100_000  # entries: a generator may have no end


class Registered:
    """The registries of all roles that have one."""

    def __init__(self, ledger: Ledger, album: Album) -> None:
        self._ledger = ledger
        self._album = album
        self._said: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def check(self, role: Role, members: list[tuple[type, str]]) -> None:
        """Compare the classes of a role, with their names, with what its registry lists now."""
        concrete = [(cls, name) for cls, name in members if not is_protocol(cls) and not self._album.is_abstract(cls)]
        if not concrete:
            return
        name, _, path = (role.rule.registered_in or "").partition(":")
        module = sys.modules.get(name)
        if not loaded.is_module(module):
            self._ledger.unknown("SSG207", role.rule.id)
            return
        try:
            listed = list(islice(_flat(_ask(module, path)), _MOST))
        except Exception as error:  # noqa: BLE001 - the application's
            self._unknown(role, f"failed: {type(error).__name__}: {error}")
            return
        missing = self._missing(concrete, listed)
        if missing is None:
            self._unknown(role, "lists nothing that can be recognised as a class, or as the name of one")
            return
        for cls, name in missing:
            self._report(role, cls, name)

    def _missing(self, members: list[tuple[type, str]], listed: list[Any]) -> list[tuple[type, str]] | None:
        """Those that are not listed; None where the list says nothing about classes."""
        names = {entry for entry in listed if type(entry) is str}
        kinds = {id(entry) for entry in listed if is_class(entry)}
        ids = {id(cls) for cls, _ in members}
        kinds.update(id(type(entry)) for entry in listed if id(type(entry)) in ids)
        missing = [(cls, name) for cls, name in members if id(cls) not in kinds and names.isdisjoint(_names(cls, name))]
        return None if listed and not kinds and len(missing) == len(members) else missing

    def _report(self, role: Role, cls: type, name: str) -> None:
        rule, module = role.rule, key_of(cls)[0]
        if (rule.id, f"{module}:{name}") in self._told:
            return
        self._told.add((rule.id, f"{module}:{name}"))
        text = f"{module}:{name} is missing from {rule.registered_in}: nothing can select it"
        facts = Facts(
            "SSG207", rule, place.of(cls, module, name), f"{module}:{name}",
            f"{text} ({rule.reason})" if rule.reason else text,
            canonical=rule.canonical, kind="class",
        )  # fmt: skip
        self._ledger.sight(facts)

    def _unknown(self, role: Role, why: str) -> None:
        rule = role.rule
        self._ledger.unknown("SSG207", rule.id)
        if rule.id not in self._said:
            self._said.add(rule.id)
            say(f"registered-in of the role {rule.id}: {rule.registered_in} {why}")


def _ask(module: ModuleType, path: str) -> Any:
    """The registry as it is now: the object behind the path, or what calling it gives."""
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part)
    is_listing = hasattr(found, "__iter__") or hasattr(found, "items")
    listed = found if is_listing and type(found).__name__ not in _CALLABLE else found()
    if hasattr(listed, "__await__"):
        listed.close()
        raise TypeError("it is asynchronous; name a function that is not")
    return listed


def _flat(found: Any, depth: int = 0) -> Iterator[Any]:
    """The entries of a listing: keys and values of a mapping, and what lies in tuples and lists of them."""
    if depth == _DEEPEST or isinstance(found, (str, bytes)) or is_class(found):
        yield found
    elif hasattr(found, "items"):
        for key, value in found.items():
            yield key
            yield from _flat(value, depth + 1)
    elif depth == 0 or isinstance(found, (tuple, list, set, frozenset)):
        for entry in found:
            yield from _flat(entry, depth + 1)
    else:
        yield found


def _names(cls: type, name: str) -> Iterable[str]:
    """The ways to write a class."""
    module = key_of(cls)[0]
    return (name, name.rpartition(".")[2], f"{module}.{name}", f"{module}:{name}")
