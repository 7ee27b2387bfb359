"""The search for what the isolated objects of two tenants reach: breadth first, through the collector's eyes.

``gc.get_referents`` follows what an object holds, slots and C types included, and runs nothing of the application's.
Followed are instances, containers, bound methods, tuples and frozen objects; not modules, classes, functions, the
machinery of threads and loops, the insides of web frameworks and database clients, nor what else :mod:`.kinds` calls
nothing. What can be written and is reached for two tenants is a finding, empty or not: whoever holds a list may append
to it. An object without any attribute, shared for what it does, is none. Of what lies behind a finding nothing is
reported.
"""

from __future__ import annotations

from gc import get_referents

from ssot_guard.watch.classes import is_class, mro_of, namespace_of
from ssot_guard.watch.tenants.kinds import FROZEN, NOTHING, OPAQUE, VIEW, is_holder
from ssot_guard.watch.tenants.routes import dict_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ssot_guard.watch.tenants.kinds import Kinds

_CHUNK = 2_000  # objects that are looked into at once
_BOTH = -1
_APART = (VIEW, OPAQUE)  # not looked into like others
_BEHIND = 200_000  # objects behind findings that are looked at, to tell which finding is the topmost


class Shared:
    """One finding: the object, and the numbers of the two tenants that reach it."""

    __slots__ = ("first", "obj", "second")

    def __init__(self, obj: Any, first: int, second: int) -> None:
        self.obj = obj
        self.first = first
        self.second = second


class Search:
    """One search over ``roots``, the isolated objects by tenant. ``run`` it as often as there is time.

    It holds what it has met until it is dropped. ``looked`` counts the objects that it has looked into.
    """

    def __init__(self, roots: Sequence[Sequence[Any]], kinds: Kinds) -> None:
        self.looked = 0
        self.found: list[Shared] = []
        self._kinds = kinds
        self.roots = roots
        self._seen: dict[int, int] = {}  # id → number of the tenant, or _BOTH
        self._met: list[tuple[int, list[Any]]] = []  # all of it, so that no id is used twice
        self._waiting: list[tuple[int, list[Any]]] = []
        self._common: list[tuple[Any, int, int]] = []  # frozen objects that two tenants reach
        for tenant, objects in enumerate(roots):
            self._seen.update((id(obj), tenant) for obj in objects)
            self._add(tenant, list(objects))

    def run(self, budget: int) -> bool:
        """Look into about so many more objects; True where nothing is left."""
        until = self.looked + budget
        while self.looked < until and (self._waiting or self._common):
            if self._common:
                self._look_behind_common(*self._common.pop())
                continue
            level, self._waiting = self._waiting, []
            for number, (tenant, nodes) in enumerate(level):
                if self.looked >= until:
                    self._waiting += level[number:]
                    break
                self.looked += len(nodes)
                self._look(tenant, nodes)
        return not (self._waiting or self._common)

    def _add(self, tenant: int, nodes: list[Any]) -> None:
        self._met.append((tenant, nodes))
        self._waiting += [(tenant, nodes[at : at + _CHUNK]) for at in range(0, len(nodes), _CHUNK)]

    def _look(self, tenant: int, nodes: list[Any]) -> None:
        """Look into objects of one tenant, and into the frozen ones that they hold."""
        fresh: list[Any] = []
        views: list[Any] = []
        self._meet(tenant, get_referents(*nodes), fresh, views)
        for view in views:  # grows meanwhile
            if self._kinds.of(view) == VIEW:
                self._meet(tenant, _inside(view), fresh, views)
        self._add(tenant, fresh)
        self.looked += len(views)
        self._met.append((tenant, views))

    def _meet(self, tenant: int, objects: list[Any], fresh: list[Any], views: list[Any]) -> None:
        """Straight code: this is where the time goes."""
        kinds, seen = self._kinds, self._seen
        kind_of, shared = kinds.of_types.get, kinds.shared
        for obj in objects:
            kind = kind_of(id(type(obj)))
            if kind is None:
                kind = kinds.of(obj)
            if kind == NOTHING:
                continue
            key = id(obj)
            first = seen.get(key)
            if first is None:
                if key not in shared:
                    seen[key] = tenant
                    (views if kind in _APART else fresh).append(obj)
            elif first not in (tenant, _BOTH):
                self._both(obj, first, tenant)

    def _both(self, obj: Any, first: int, second: int) -> None:
        """An object of one tenant is reached for another one."""
        self._seen[id(obj)] = _BOTH
        if self._kinds.of(obj) in (FROZEN, VIEW):
            self._common.append((obj, first, second))
        elif not _is_stateless(obj):
            self.found.append(Shared(obj, first, second))

    def _look_behind_common(self, frozen: Any, first: int, second: int) -> None:
        self.looked += 1
        for child in self.children(frozen):
            if self._seen.get(id(child)) != _BOTH:
                self._met.append((_BOTH, [child]))
                self._both(child, first, second)

    def children(self, obj: Any) -> list[Any]:
        """What an object holds, as far as it is looked at."""
        kind = self._kinds.of(obj)
        held = [] if kind == OPAQUE else _inside(obj) if kind == VIEW else get_referents(obj)
        return [child for child in held if self._kinds.of(child)]

    # -- afterwards ----------------------------------------------------------------------------------------------

    def has_met(self, obj: Any) -> bool:
        """Whether some tenant's objects reach it."""
        return id(obj) in self._seen

    def topmost(self, most: int) -> list[Shared]:
        """The first findings that do not lie behind others; of two that lead to each other the first."""
        behind: list[set[int]] = []
        left = _BEHIND
        found = self.found[:most]
        for finding in found:
            ids = self._behind(finding.obj, left)
            left -= len(ids)
            behind.append(ids)
        kept = []
        for number, finding in enumerate(found):
            key = id(finding.obj)
            above = (other for other, ids in enumerate(behind) if other != number and key in ids)
            if not any(other < number or id(found[other].obj) not in behind[number] for other in above):
                kept.append(finding)
        return kept

    def _behind(self, obj: Any, most: int) -> set[int]:
        ids = {id(obj)}
        level = [obj]
        while level and len(ids) < most:
            following = []
            for one in level:
                for child in self.children(one):
                    if id(child) not in ids:
                        ids.add(id(child))
                        following.append(child)
            level = following
        return ids

    def chains(self, tenant: int, targets: Iterable[Any]) -> dict[int, list[Any]]:
        """Id of each target → the objects from a root of the tenant to it, the root first: the shortest way."""
        parents: dict[int, Any] = dict.fromkeys(map(id, self.roots[tenant]))
        wanted = {id(target): target for target in targets}
        level = list(self.roots[tenant])
        kept = [level]
        while level and not wanted.keys() <= parents.keys():
            following = []
            for node in level:
                for child in self.children(node):
                    if id(child) not in parents:
                        parents[id(child)] = node
                        following.append(child)
            level = following
            kept.append(level)
        return {key: _chain(target, parents) for key, target in wanted.items() if key in parents}

    def instances(self, classes: Iterable[type]) -> dict[int, dict[int, Any]]:
        """Id of each class → number of the tenant → the first object of the class that was met for it."""
        wanted: dict[int, dict[int, Any]] = {id(cls): {} for cls in classes}
        lines: dict[int, list[int]] = {}  # id of a type → those of the classes that are wanted
        for tenant, nodes in self._met:
            for node in nodes if tenant != _BOTH and wanted else ():
                line = lines.get(id(type(node)))
                if line is None:
                    line = lines[id(type(node))] = [key for key in map(id, mro_of(type(node))) if key in wanted]
                for key in line:
                    wanted[key].setdefault(tenant, node)
        return wanted


def _chain(target: Any, parents: dict[int, Any]) -> list[Any]:
    chain = [target]
    while (parent := parents[id(chain[-1])]) is not None:
        chain.append(parent)
    return chain[::-1]


def _inside(view: Any) -> list[Any]:
    """What an object holds that cannot be written, without the dictionary in between."""
    behind = dict_of(view)
    found: list[Any] = []
    for child in get_referents(view):
        found += get_referents(child) if child is behind or (behind is None and type(child) is dict) else [child]
    return found


def _is_stateless(obj: Any) -> bool:
    """Whether there is nothing in it, and it is no container that waits to be filled."""
    if is_holder(obj):
        return False
    attributes = dict_of(obj)
    if attributes is None:
        slots = [namespace_of(cls).get("__slots__") for cls in mro_of(type(obj))[:-1]]
        return all(type(one) is tuple and not one for one in slots)
    return not attributes and all(child is attributes or is_class(child) for child in get_referents(obj))
