"""Constructions with something to be said about them: beyond a limit, past a factory, beside another one, slow."""

from __future__ import annotations

from ssot_guard.watch.construction import follows
from ssot_guard.watch.construction.instances import BUILT, GONE, OPEN
from ssot_guard.watch.construction.verdicts import NEW
from ssot_guard.watch.construction.windows import overlap
from ssot_guard.watch.tenants.paths import read_path
from ssot_guard.watch.tenants.pseudonym import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.construction.memory import Traced
    from ssot_guard.watch.construction.population import Population
    from ssot_guard.watch.construction.scopes import Scope
    from ssot_guard.watch.construction.shared import Shared

_MOST = 1000  # instances that a check looks at again
_LOOK = 8  # members of a scope that are looked at before all of them are


class Case:
    """What is kept from the start of such a construction to its end.

    ``verdict`` is raised instead of running the constructor. ``crowded``: whether there were enough before it.
    ``rivals``: constructions of the same role that overlapped with it. ``traced``: see :mod:`.memory`.
    """

    __slots__ = ("crowded", "rivals", "traced", "verdict")

    def __init__(self) -> None:
        self.verdict: BaseException | None = None
        self.crowded = False
        self.rivals: list[Any] = []
        self.traced: Traced | None = None


class Cases:
    """Those of one role.

    Where the rule may block, an instance too many is judged before its constructor runs; else once it is built,
    because one whose constructor fails is none.
    """

    __slots__ = ("_blocks", "_population", "_rule", "_shared")

    def __init__(self, population: Population, shared: Shared) -> None:
        self._population = population
        self._rule = population.rule
        self._shared = shared
        self._blocks = shared.ledger.may_raise(self._rule)

    # -- before the constructor runs -----------------------------------------------------------------------------

    def entered(self, instance: Any, obj: Any, frame: FrameType, *, crowded: bool, bypassed: bool) -> Case | None:
        """A constructor was entered."""
        case = instance.case or Case()
        if bypassed:
            case.verdict = self._bypassed(instance, self._line(frame, obj))
        if crowded and self.crowded(instance):
            self._meet_rivals(case, instance)
            if self._blocks:
                case.verdict = self._judge(case, instance, self._line(frame, obj)) or case.verdict
            else:
                case.crowded = True
        if case.verdict is None and self._rule.construct_budget.get("bytes"):
            from ssot_guard.watch.construction import memory

            case.traced = memory.begin(on_request=self._shared.measure_memory)
        if case.verdict is not None:
            self._settle_rivals(case, instance, refused=True)
            self._population.abandon(instance)
        elif not (case.crowded or case.rivals or case.traced):
            return None
        return case

    def _bypassed(self, instance: Any, frame: FrameType) -> BaseException | None:
        """Report a construction outside of any factory, as far as the context knows, unless one is near."""
        from ssot_guard.watch.construction import factories

        if factories.on_stack(self._population, frame):
            return None
        if self._population.unbound or factories.elsewhere(self._population, instance):
            self._shared.ledger.unknown("SSG203", self._rule.id)
            return None
        return self._shared.verdicts.bypassed(instance, frame)

    def appeared(self, instance: Instance, obj: Any, frame: FrameType) -> BaseException | None:
        """A class's own ``__new__`` made it, and its constructor may follow or not."""
        if not self.crowded(instance) or not (self._blocks or follows.nothing(frame)):
            return None
        case = instance.case = Case()
        self._meet_rivals(case, instance)
        verdict = self._judge(case, instance, self._line(frame, obj))
        if verdict is not None:
            self._settle_rivals(case, instance, refused=True)
            self._population.abandon(instance)
        return verdict

    def crowded(self, instance: Any) -> bool:
        """Whether there are enough before it, as far as one can tell without the collector."""
        return self._population.limit is not None and len(self.earlier(instance)) >= self._population.limit

    def earlier(self, instance: Any) -> list[Instance]:
        """Those that count against it, the oldest first; at most as many as are allowed."""
        scope, limit = instance.scope, self._population.limit
        if scope is None or limit is None:
            return []
        found = self._counting(scope.first(limit + _LOOK), instance, scope)
        if len(found) < limit and len(scope.members) > limit + _LOOK:
            scope.prune()
            found = self._counting(list(scope.members), instance, scope)
        return found[:limit]

    def _counting(self, members: list[Instance], instance: Any, scope: Scope) -> list[Instance]:
        found: list[Instance] = []
        for other in members:
            if other is instance or len(found) == self._population.limit:
                break  # two threads see the same order, so only one of them is refused
            if other.stage != GONE and other.epoch in (None, instance.epoch):
                obj = other()
                if obj is not None and self._population.kinds.of(type(obj)).plays and _is_of(other, scope.tenant):
                    found.append(other)
        return found

    def _judge(self, case: Case, instance: Any, frame: FrameType) -> BaseException | None:
        """Report it, if those before it are alive for sure; what is refused nowhere is looked at once per place."""
        case.crowded = False
        verdict = NEW if self._blocks else self._shared.verdicts.again("SSG202", instance)
        if verdict is not NEW:
            return verdict  # type: ignore[no-any-return]
        found = self._shared.collector.alive(lambda: self.earlier(instance))
        if found is None:
            self._shared.ledger.unknown("SSG202", self._rule.id)
            if len(self._population.doubtful) < _MOST:
                self._population.doubtful.append(instance)
            return None
        if len(found) < (self._population.limit or 0):
            return None
        return self._shared.verdicts.crowded(instance, found, frame)

    def _meet_rivals(self, case: Case, instance: Any) -> None:
        if self._population.limit == 1:
            latest = instance.scope.last(_LOOK)
            before = latest[latest.index(instance) + 1 :] if instance in latest else latest
            for other in before:
                # Most are done, and were built by no call that could last.
                if other.stage == OPEN or (other.stage != GONE and (instance.window or other.window)):
                    case.rivals += [other] if overlap(instance, other) else []

    # -- after it has run ----------------------------------------------------------------------------------------

    def left(self, instance: Any, obj: Any, frame: FrameType, took: float | None) -> BaseException | None:
        """It is built. Returns the verdict that keeps it from being handed out."""
        case = instance.case or Case()
        instance.case = None
        frame = self._line(frame, obj)
        verdict = self._population.owned(instance, obj, frame)
        if self._population.late_scope:
            case.crowded = self._place(instance, obj)
        if case.crowded:
            verdict = self._judge(case, instance, frame) or verdict
        if case.rivals:
            self._settle_rivals(case, instance)
        if took is not None or case.traced is not None:
            self._weigh(case, instance, obj, took)
        if verdict is not None:
            self._population.abandon(instance)
        return verdict

    def _place(self, instance: Any, obj: Any) -> bool:
        """Its tenant is known only now; whether there were enough of that tenant's."""
        scope = instance.scope = self._population.scopes.of(read_path(self._rule.tenant_from or "", {"self": obj}))
        if scope is None:
            self._shared.ledger.unknown("SSG202", self._rule.id)
            return False
        if not instance.kind.bare:
            scope.members[instance] = None
        return self.crowded(instance)

    def _settle_rivals(self, case: Case, instance: Any, *, refused: bool = False) -> None:
        """Report the races with those that are built; those that are not will report them."""
        for rival in case.rivals:
            if refused or rival.stage == BUILT:
                self._shared.verdicts.raced(instance, rival)
            elif rival.stage != GONE:
                rival.case = rival.case or Case()
                rival.case.rivals.append(instance)
        case.rivals = []

    def _weigh(self, case: Case, instance: Any, obj: Any, took: float | None) -> None:
        budget = self._rule.construct_budget
        used = None if case.traced is None else case.traced.end()
        over = {}
        if took is not None and took > (budget.get("seconds") or took):
            over["seconds"] = round(took, 3)
        if used is not None and used > (budget.get("bytes") or used):
            over["bytes"] = used
        if over:
            self._shared.verdicts.slow(instance, type(obj), over)

    def _line(self, frame: FrameType, obj: Any) -> FrameType:
        return self._population.line(frame, obj)


def _is_of(instance: Instance, tenant: str | None) -> bool:
    """Whether it still belongs to the tenant in whose scope it was built: it may have been given back to a pool."""
    return tenant is None or instance.tenant is None or identity(instance.tenant) == tenant
