"""Objects that a module builds of its own classes while it loads: ``registry = Registry()``, right below the class.

Their constructors ran before anybody could stand in front of them. So once the module has loaded, its namespace is
looked through: its names, what its classes hold, and what stands in plain containers there.
"""

from __future__ import annotations

from itertools import chain

from ssot_guard.watch.classes import is_class, module_of, namespace_of
from ssot_guard.watch.construction import restored
from ssot_guard.watch.construction.instances import known
from ssot_guard.watch.imports import bytecode, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.watch.construction.population import Population

_MOST = 10_000  # things that are looked at in one container
_SEQUENCES = (list, tuple, set, frozenset)


def adopt(populations: Iterable[Population], name: str, module: ModuleType) -> None:
    """Let them count, from where the module's body binds them."""
    for population in populations:
        ours = {id(cls) for cls in population.kinds.classes()}
        for bound_as, obj in _held(name, loaded.namespace(module)):
            cls = type(obj)
            if id(cls) in ours and not population.kinds.of(cls).bare and not known(obj, population):
                _adopt(population, obj, name, module, bound_as)


def _adopt(population: Population, obj: Any, name: str, module: ModuleType, bound_as: str) -> None:
    instance = population.adopt(obj)
    instance.epoch = None  # whatever made it load
    body = loaded.body_of(module)
    offset = None if body is None else bytecode.bound_last(body, bound_as)
    is_here = body is not None and offset is not None and not bytecode.is_imported(body, offset)
    if is_here:
        instance.code, instance.offset = body, offset or 0
        population.shared.builders.modules[body.co_filename] = name  # type: ignore[union-attr]
    if population.rule.factory:  # whether that was called nobody has seen
        population.shared.ledger.unknown("SSG203", population.rule.id)
    population.owned_beside(instance, obj, name, bound_as if is_here else None)
    restored.count(population, instance, obj, "was built beside its class" if is_here else "was built by then")


def _held(name: str, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a module holds, with the name in its namespace that leads there: the shortest ways first."""
    found = list(namespace.items())
    yield from found
    for bound_as, value in found:
        for held in _within(value):
            yield bound_as, held
    for bound_as, value in found:
        if is_class(value) and module_of(value) == name:
            for attribute in list(namespace_of(value).values()):
                yield bound_as, attribute
                for held in _within(attribute):
                    yield bound_as, held


def _within(value: Any) -> Iterator[Any]:
    """What it holds if it is a plain container."""
    kind = type(value)
    if kind is dict:
        if len(value) <= _MOST:
            yield from chain(list(value.keys()), list(value.values()))
    elif kind in _SEQUENCES and len(value) <= _MOST:
        yield from list(value)
