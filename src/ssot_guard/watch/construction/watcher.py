"""How the objects of roles come about: SSG202, SSG203, SSG204 and SSG206.

Of a role's rule :mod:`.population` is made; it meets each object when its constructor is entered (:mod:`.entrance`) and
left, and keeps an :mod:`instance <.instances>` of what is known about it, which counts in a :mod:`scope <.scopes>`.
In front of the host's code stand :mod:`.constructors` and :mod:`.factories`. Where there is more to a construction than
one object, it is one of the :mod:`.cases`, on which there may be one of the :mod:`.verdicts`; :mod:`.collector` and
:mod:`.restored` ask the garbage collector what lives, and what came past its constructor.
"""

from __future__ import annotations

from ssot_guard.watch.classes import is_local, key_of, module_of
from ssot_guard.watch.construction import beside, census
from ssot_guard.watch.construction.constructors import watch
from ssot_guard.watch.construction.instances import known
from ssot_guard.watch.construction.kinds import Kinds
from ssot_guard.watch.construction.population import Population
from ssot_guard.watch.construction.shared import Shared
from ssot_guard.watch.replacements import Replacements
from ssot_guard.watch.roles.role import Role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _weakref import ref
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.construction.factories import Factories
    from ssot_guard.watch.construction.instances import Table
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.ownership import Ownership


class Construction:
    """A part of the role watcher, which contains what it raises; constructors and factories contain it themselves."""

    def __init__(
        self,
        rules: tuple[RoleRule, ...],
        ledger: Ledger,
        files: Files,
        faults: Faults,
        tenants: Tenants,
        ownership: Ownership | None,
    ) -> None:
        self._shared = shared = Shared(ledger, files, faults, tenants, ownership)
        if ownership is not None:
            ownership.table = shared.table
            ownership.adopt = self._adopt
        joined: dict[int, ref[type]] = {}
        self._populations: dict[str, Population] = {}
        for rule in rules:
            if _is_watched(rule):
                population = self._populations[rule.id] = Population(rule, shared)
                population.kinds = Kinds(population, joined, _exceptions(rule, shared))
        self._all = list(self._populations.values())
        self._arrived: dict[str, set[Population]] = {}  # module → the roles that its new classes play
        self._factories = _factories(self._all)
        self._replacements = Replacements()
        self.matched: set[str] = set()

    @property
    def table(self) -> Table:
        """All instances."""
        return self._shared.table

    @property
    def measure_memory(self) -> bool:
        """Whether memory is measured where nobody else traces it: in tests."""
        return self._shared.measure_memory

    @measure_memory.setter
    def measure_memory(self, wanted: bool) -> None:
        self._shared.measure_memory = wanted

    def joined(self, rule: RoleRule, cls: type) -> None:
        """A class plays a role."""
        population = self._populations.get(rule.id)
        if population is None:
            return
        self.matched.add(rule.id)
        self._arrived.setdefault(module_of(cls), set()).add(population)
        kind = population.kinds.join(cls)
        if not is_local(cls):  # ours in it would keep it alive, and functions make such classes without end
            watch(cls, kind, self._replacements)

    def leave(self, name: str) -> None:
        """A module is about to be shown, perhaps in the place of another one."""
        self._replacements.leave(name)
        if self._factories is not None:
            self._factories.leave(name)

    def bind(self, name: str, module: ModuleType) -> None:
        """A governed module, or one that the policy names, has loaded."""
        arrived = self._arrived.pop(name, None)
        if arrived is not None:
            beside.adopt(arrived, name, module)
        if self._factories is not None:
            self._factories.bind(name, module)
            self.matched |= self._factories.matched

    def _adopt(self, rule_id: str, obj: Any) -> Any:
        """Take in an object that came past its constructor, and is used; whether it is one too many, a check tells."""
        population = self._populations.get(rule_id)
        if population is None or population.kinds.of(type(obj)).bare:
            return None
        instance = known(obj, population)
        if instance is None:
            instance = population.adopt(obj)
            population.owned(instance, obj, None)
        return instance

    def check(self) -> None:
        """Find the objects that no constructor has shown."""
        from ssot_guard.watch.construction import restored

        restored.check(self._all, self._shared)

    def detach(self) -> None:
        """Every class and every factory as it was, also while something is being built."""
        self._shared.table.is_on = False
        if self._factories is not None:
            self._factories.detach()
        self._replacements.restore()

    def after_fork(self) -> None:
        """A child starts at zero."""
        self._shared.table.live.clear()
        self._shared.table.held.clear()
        self._shared.table.windows.clear()  # of threads that are not here
        self._shared.verdicts.forget()
        for population in self._all:
            population.reset()

    def census(self) -> dict[str, dict[str, Any]]:
        """Rule id → what lives, what was built, what is allowed; only what is known without asking the collector."""
        return {population.rule.id: census.of(population) for population in self._all}


def _is_watched(rule: RoleRule) -> bool:
    return bool(rule.instances or rule.factory or rule.isolated or any(rule.construct_budget.values()))


def _factories(populations: list[Population]) -> Factories | None:
    """Loaded where some rule names a factory."""
    if not any(population.rule.factory for population in populations):
        return None
    from ssot_guard.watch.construction.factories import Factories

    return Factories(populations)


def _exceptions(rule: RoleRule, shared: Shared) -> Callable[[type], bool]:
    role = Role(rule)

    def excepts(cls: type) -> bool:
        return role.excepts(*key_of(cls), shared.file_of)

    return excepts
