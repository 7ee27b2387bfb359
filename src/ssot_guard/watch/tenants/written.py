"""What was written into classes and modules while tenants were served.

A class attribute is a constant as often as it is state, and so is a global: both count only where they have changed
since their module had loaded (since the first tenant's object was built, where that was later: what start-up and lazy
set-up fill in is nobody's), and only for what :class:`Data` says. Looked into are containers, and the attributes of
objects that stand in a class and come from the same package.
"""

from __future__ import annotations

import sys
from _collections import deque

from ssot_guard.watch.classes import is_class, module_of, mro_of, namespace_of, qualname_of
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.tenants.kinds import STATE, is_holder, kind_of
from ssot_guard.watch.tenants.routes import dict_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Data(Protocol):
        """What counts as data of tenants."""

        def entry(self, key: Any, value: Any) -> bool:
            """An entry of a container; ``key`` is None outside of dictionaries."""

        def is_tenants(self, key: Any) -> bool:
            """Whether a key keeps one tenant's entry apart from the others'."""

        def binding(self, value: Any, *, in_class: bool) -> bool:
            """A name of a class or a module that is bound anew."""

        def spell(self, key: Any) -> str | None:
            """What may be shown of a key."""

    Items = list[tuple[Any, Any]]

_MOST = 5_000  # entries of a container that are remembered; a longer one is a table, known by its length
_ALL = 20_000  # entries that are remembered of one module
_DEEP = 4  # containers in containers
_SKIPPED = ("__", "_abc_", "_sa_")  # names that the language and frameworks fill in later


class Change:
    """A container that was written, or a name that was bound anew. ``owner`` is the class, None for a global."""

    __slots__ = ("name", "obj", "owner", "steps")

    def __init__(self, owner: type | None, name: str, steps: str, obj: Any) -> None:
        self.owner = owner
        self.name = name
        self.steps = steps
        self.obj = obj


class Written:
    """Contents of modules and their classes as they were, by ids: nothing is kept alive."""

    def __init__(self) -> None:
        self._bound: dict[str, dict[tuple[str, str], int]] = {}  # module → (class or "", name) → id of the value
        self._left = 0
        self._contents: dict[int, frozenset[tuple[int, int]] | int] = {}  # id of a container → entries, or length

    def remember(self, name: str) -> None:
        """How a module is now."""
        bound = self._bound[name] = {}
        self._left = _ALL
        for owner, attribute, value in _names(name):
            bound[_of(owner), attribute] = id(value)
            self._sign(value, owner, _DEEP)

    def again(self) -> None:
        """How everything is now."""
        self._contents.clear()
        for name in list(self._bound):
            self.remember(name)

    def modules(self) -> list[str]:
        """The modules that are remembered."""
        return list(self._bound)

    def _sign(self, value: Any, owner: type | None, deep: int) -> None:
        holder = _holder(value, owner)
        if holder is None or not deep:
            return
        items = _items(holder)
        self._left -= min(len(items), _MOST)
        if self._left < 0:
            return
        self._contents[id(holder)] = _entries(items)
        for _, item in items if len(items) <= _MOST else ():
            self._sign(item, owner, deep - 1)

    def changes(self, name: str, data: Data) -> Iterator[Change]:
        """What differs now, and holds data of tenants."""
        before = self._bound.get(name, {})
        for owner, attribute, value in _names(name) if before else ():
            is_new = before.get((_of(owner), attribute)) != id(value)
            if is_new and not is_holder(value):
                if data.binding(value, in_class=owner is not None):
                    yield Change(owner, attribute, "", value)
            else:
                place = _Place(owner, data)
                for steps, container in self._changed(value, place, _DEEP, "", is_new=is_new):
                    yield Change(owner, attribute, steps, container)

    def _changed(self, value: Any, place: _Place, deep: int, steps: str, *, is_new: bool) -> Iterator[tuple[str, Any]]:
        """The topmost containers that have new entries with data."""
        holder = _holder(value, place.owner)
        before = self._contents.get(id(holder))
        if holder is None or not deep or (before is None and not is_new):  # one that was too much to remember
            return
        items, data = _items(holder), place.data
        old = before if isinstance(before, frozenset) else frozenset()
        if _entries(items) != before and any(
            (id(key), id(item)) not in old and data.entry(key, item) for key, item in items
        ):
            yield steps, value
            return
        for key, item in items if len(items) <= _MOST else ():
            if key is None or not data.is_tenants(key):
                step = _step(holder is not value, key, data)
                fresh = (id(key), id(item)) not in old
                yield from self._changed(item, place, deep - 1, steps + step, is_new=fresh)


class _Place:
    """Where a container stands, and what counts there."""

    __slots__ = ("data", "owner")

    def __init__(self, owner: type | None, data: Data) -> None:
        self.owner = owner
        self.data = data


def _names(name: str) -> Iterator[tuple[type | None, str, Any]]:
    """What a module and the classes that it defines hold: classes or None for the module, name, value."""
    for attribute, value in list(loaded.namespace(sys.modules.get(name)).items()):
        if type(attribute) is not str or attribute.startswith(_SKIPPED):
            continue
        if not is_class(value):
            yield None, attribute, value
        elif module_of(value) == name:
            for inner, held in list(namespace_of(value).items()):
                if type(inner) is str and not inner.startswith(_SKIPPED):
                    yield value, inner, held


def _of(owner: type | None) -> str:
    return "" if owner is None else qualname_of(owner)


def _holder(value: Any, owner: type | None) -> Any:
    """The container that may be written: the value itself, or the attributes of an object that stands in a class."""
    if is_holder(value):
        return value
    cls = type(value)
    if owner is None or module_of(cls).partition(".")[0] != module_of(owner).partition(".")[0]:
        return None
    return dict_of(value) if kind_of(cls) == STATE else None


def _items(holder: Any) -> Items:
    """The entries of a container, past every override; without keys for what is no dictionary."""
    line = mro_of(type(holder))
    if any(cls is dict for cls in line):
        return list(dict.items(holder))
    kind: Any = next(cls for cls in (list, set, bytearray, deque) if any(one is cls for one in line))
    return [] if kind is bytearray else [(None, item) for item in list(kind.__iter__(holder))]


def _entries(items: Items) -> frozenset[tuple[int, int]] | int:
    return len(items) if len(items) > _MOST else frozenset([(id(key), id(item)) for key, item in items])


def _step(is_attribute: bool, key: Any, data: Data) -> str:  # noqa: FBT001
    if is_attribute:
        return f".{key}"
    text = data.spell(key)
    return "[…]" if text is None else f"[{text}]"
