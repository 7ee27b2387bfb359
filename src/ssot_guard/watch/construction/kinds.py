"""The classes whose objects are instances of a role, with what is known about each."""

from __future__ import annotations

from _functools import partial
from _weakref import ref

from ssot_guard.watch.classes import key_of, mro_of, qualname_of, subclasses_of
from ssot_guard.watch.construction.elsewhere import elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.ledger import Entry
    from ssot_guard.watch.construction.population import Population

_offset_of_references = vars(type)["__weakrefoffset__"].__get__


class Kind:
    """One class, as it stands to one role; it does not keep the class alive.

    ``bare``: no weak reference to its objects is possible. ``plays``: whether they are instances of the role.
    ``watched``: whether its constructor, or the one that it inherits, is seen.
    """

    __slots__ = ("bare", "cls", "name", "plays", "population", "slow", "target", "watched")

    def __init__(self, population: Population, cls: type, reference: ref[type], *, plays: bool) -> None:
        self.population = population
        self.cls = reference
        self.plays = plays
        self.bare = not _offset_of_references(cls)
        self.name = qualname_of(cls)
        self.target = ":".join(key_of(cls))
        self.watched = False
        self.slow: Entry | None = None  # its SSG206

    def __reduce__(self) -> tuple[Any, ...]:
        return elsewhere, ()


class Kinds:
    """The classes of one role, by identity: a metaclass may say what it likes about equality.

    A class that nobody has announced (a test's, a function's) plays the role if it inherits from one that does, unless
    the policy excepts it or another role has it.
    """

    __slots__ = ("_excepts", "_found", "_joined", "_population")

    def __init__(self, population: Population, joined: dict[int, ref[type]], excepts: Callable[[type], bool]) -> None:
        self._population = population
        self._joined = joined  # classes that play any role
        self._excepts = excepts
        self._found: dict[int, Kind] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return elsewhere, ()

    def join(self, cls: type) -> Kind:
        """A class plays the role: somebody has said so."""
        key = id(cls)
        self._joined[key] = ref(cls, partial(self._joined.pop, key))
        return self._add(cls, plays=True)

    def of(self, cls: type) -> Kind:
        """What a class is to the role."""
        return self._found.get(id(cls)) or self._learn(cls)

    def playing(self, cls: type) -> Kind | None:
        """The same, None for a class that does not play the role."""
        kind = self.of(cls)
        return kind if kind.plays else None

    def classes(self) -> list[type]:
        """All that play the role and are still there, subclasses of any kind included."""
        waiting = [kind.cls() for kind in list(self._found.values())]
        found: dict[int, type] = {}
        while waiting:
            cls = waiting.pop()
            if cls is not None and id(cls) not in found and self.of(cls).plays:
                found[id(cls)] = cls
                waiting.extend(subclasses_of(cls))
        return list(found.values())

    def _learn(self, cls: type) -> Kind:
        inherits = any(self._plays(base) for base in mro_of(cls)[1:])
        return self._add(cls, plays=inherits and id(cls) not in self._joined and not self._excepts(cls))

    def _plays(self, cls: type) -> bool:
        kind = self._found.get(id(cls))
        return kind is not None and kind.plays

    def _add(self, cls: type, *, plays: bool) -> Kind:
        key = id(cls)
        kind = Kind(self._population, cls, ref(cls, partial(self._found.pop, key)), plays=plays)
        self._found[key] = kind
        return kind
