"""Objects that no constructor has shown: copied, unpickled, validated, or of classes that cannot be changed.

They are found through the collector, at checks only. ``gc.get_referrers`` of the classes finds their objects in one
pass over the heap, without a list of all there is; what the collector does not track, nobody finds. They count from
then on, and the report says that they were seen late.
"""

from __future__ import annotations

import gc
from _weakref import getweakrefcount

from ssot_guard.watch.construction import census
from ssot_guard.watch.construction.instances import BUILT, NEW, known
from ssot_guard.watch.tenants.paths import read_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.construction.population import Population
    from ssot_guard.watch.construction.shared import Shared

_HEAP_TYPE = 1 << 9
_FEW = 4  # classes: the search for what refers to them compares each reference on the heap with each of them
_PAST = "came past its constructor (copied, restored or validated)"
_flags_of = vars(type)["__flags__"].__get__


def check(populations: list[Population], shared: Shared) -> None:
    """Let them count, and say so where there are too many."""
    wanted = [population for population in populations if population.limit is not None or population.rule.isolated]
    if not any(map(_is_open, wanted)) and not _has_unknown(wanted):
        return
    shared.collector.collect(at_any_cost=True)  # what waits for it is not there any more
    for population in wanted:
        _reconsider(population)
    bare = dict.fromkeys(wanted, 0)
    for population, obj in _objects(wanted):
        if population.kinds.of(type(obj)).bare:
            bare[population] += 1
        elif not known(obj, population):
            _judge(population, population.adopt(obj), obj)
    for population, number in bare.items():
        _count_bare(population, number)


def _is_open(population: Population) -> bool:
    """Whether there is something that only a collection can tell, or an allocation without a constructor."""
    return bool(population.doubtful) or any(instance.stage == NEW for instance in population.known())


def _reconsider(population: Population) -> None:
    doubtful, population.doubtful = population.doubtful, []
    for instance in population.known():
        if instance.stage == NEW:
            _judge(population, instance, instance())
    for instance in doubtful:
        if instance.stage == BUILT and instance() is not None:
            _compare(population, instance, _PAST)


def _judge(population: Population, instance: Instance, obj: Any) -> None:
    """It is there, whatever way it came."""
    if obj is None:
        instance.stage, instance.case = BUILT, None
        return
    population.owned(instance, obj, None)
    count(population, instance, obj, _PAST)


def count(population: Population, instance: Instance, obj: Any, way: str) -> None:
    """Let it count, and say so where there were enough before it; ``way``: how it came about."""
    was_judged, instance.stage = instance.case is not None, BUILT
    instance.case = None
    if population.limit is None:
        return
    if instance.scope is None:
        population.place(instance, _scope(population, obj))
    if instance.scope is None:
        population.shared.ledger.unknown("SSG202", population.rule.id)
    elif not was_judged:
        _compare(population, instance, way)


def _compare(population: Population, instance: Instance, way: str) -> None:
    """Whether there were enough before it."""
    found = population.shared.collector.alive(lambda: population.earlier(instance), at_any_cost=True)
    if found is not None and len(found) >= (population.limit or 0):
        population.shared.verdicts.late(instance, found, way)


def _scope(population: Population, obj: Any) -> Any:
    """Where it counts, as far as it can be told afterwards: nobody saw the thread or the task."""
    if population.late_scope:
        return population.scopes.of(read_path(population.rule.tenant_from or "", {"self": obj}))
    return population.scopes.only


def _count_bare(population: Population, bare: int) -> None:
    """Objects without weak references: how many live now is all that can be known."""
    is_news = bare > population.seen_bare
    population.seen_bare = bare
    live = bare + len(census.living(population))
    if is_news and population.limit is not None and population.scopes.only is not None and live > population.limit:
        population.shared.verdicts.too_many(population, live)


def _has_unknown(populations: list[Population]) -> bool:
    bare = dict.fromkeys(populations, 0)
    for population, obj in _objects(populations):
        if population.kinds.of(type(obj)).bare:
            bare[population] += 1
        elif not (getweakrefcount(obj) and known(obj, population)):
            return True
    return any(number > population.seen_bare for population, number in bare.items())


def _objects(populations: list[Population]) -> list[tuple[Population, Any]]:
    """All objects of the roles that the collector tracks, in one pass over the heap."""
    owners: dict[int, list[Population]] = {}
    classes: dict[int, type] = {}
    for population in populations:
        for cls in population.kinds.classes():
            classes[id(cls)] = cls
            owners.setdefault(id(cls), []).append(population)
    if not classes:
        return []
    # Objects of a static type do not refer to it.
    few = len(classes) <= _FEW and all(_flags_of(cls) & _HEAP_TYPE for cls in classes.values())
    found = gc.get_referrers(*classes.values()) if few else gc.get_objects()
    mine = [obj for obj in found if id(type(obj)) in owners]
    return [(population, obj) for obj in mine for population in owners[id(type(obj))]]
