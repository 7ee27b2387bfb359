"""How many instances there are, as plain data for a health endpoint: numbers, and nobody's name."""

from __future__ import annotations

from ssot_guard.watch.construction.instances import GONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.construction.population import Population


def prune(instances: dict[Instance, None]) -> int:
    """Take out the dead; how many are left."""
    for instance in list(instances):
        if instance() is None:
            instances.pop(instance, None)
    return len(instances)


def living(population: Population) -> list[Instance]:
    """Those that live, as far as weak references tell."""
    found = []
    for instance in population.known():
        obj = None if instance.stage == GONE else instance()
        if obj is not None and population.kinds.of(type(obj)).plays:
            found.append(instance)
    return found


def of(population: Population) -> dict[str, Any]:
    """``live`` ("unknown" where weak references do not tell) and ``created``; ``scopes`` and the ``most`` in one."""
    found = living(population)
    counts: dict[str, Any] = {
        "live": "unknown" if population.unreferable else len(found),
        "created": population.created,
        "max": population.limit,
        "per": population.per,
    }
    if population.limit is not None and population.per != "process":
        scopes: dict[int, int] = {}
        for instance in found:
            if instance.scope is not None:
                scopes[id(instance.scope)] = scopes.get(id(instance.scope), 0) + 1
        counts |= {"scopes": len(scopes), "most": max(scopes.values(), default=0)}
    return counts
