"""What every construction pays, in straight code: its object is written down, and counted in its scope."""

from __future__ import annotations

from _functools import partial
from _thread import get_ident
from time import perf_counter

from ssot_guard.watch.construction.instances import OPEN, Instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ssot_guard.watch.construction.kinds import Kind
    from ssot_guard.watch.construction.population import Population

    Begin = Callable[[Kind | None, Any, FrameType], Any]


def of(population: Population, *, scoped: bool, more: bool) -> Begin:  # noqa: PLR0915 - straight code is the point
    """A function of the object's kind, the object, and the frame that calls its constructor.

    It returns what is known of the object from now on, and None for one that is none of ours. ``scoped``: how many live
    in its scope matters. ``more``: every construction is looked at (:meth:`.population.Population.enter`). What it
    reads does not change, so it stands in cells of the function, not in attributes.
    """
    table, instances, seconds = population.shared.table, population.instances, population.seconds
    builders, plain = population.shared.builders, population.shared.builders.plain
    live = table.live if population.rule.isolated else None
    forget, limit = instances.pop, population.limit or 0
    only = population.scopes.only if scoped else None
    alone = population.limit == 1 or more  # the thread matters

    def begin(kind: Kind | None, obj: Any, frame: FrameType) -> Any:  # noqa: PLR0915
        if kind is None or not table.is_on:
            return None
        scope = only or (population.here() if scoped else None)
        if live is None:
            instance = Instance(obj, forget if scope is None else scope.forget)
        else:
            instance = Instance(obj, partial(live.pop, id(obj)))
        instance.kind = kind
        code = frame.f_code
        if plain.get(id(code)) is not code:
            line = builders.of(frame, obj)
            instance.code, instance.offset = line.f_code, line.f_lasti
        else:
            instance.code, instance.offset = code, frame.f_lasti
        instance.stage = OPEN
        instance.case = instance.tenant = instance.window = None
        instance.epoch = None if table.epoch is None else table.epoch()
        instance.thread = get_ident() if alone else 0
        table.number = instance.number = table.number + 1
        population.created += 1
        if live is not None:
            live[id(obj)] = instance
        elif only is None:
            instances[instance] = None
        crowded = False
        instance.scope = scope
        if scope is not None:  # it counts before it counts others: of two threads one at least sees the other
            scope.members[instance] = None
            crowded = len(scope.members) > limit and (not scope.lazy or scope.prune() > limit)
        if crowded or more:
            population.enter(instance, obj, frame, crowded=crowded)
        if seconds is not None:
            instance.began = perf_counter()
        return instance

    return begin
