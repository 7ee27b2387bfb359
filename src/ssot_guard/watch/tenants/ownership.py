"""Whose an isolated object is, and who uses it: SSG301, SSG303, and SSG302 on demand.

The owner is the tenant that ``tenant-from`` reads from the built object, else the current one at its construction. An
object that is built where nobody can tell for whom is SSG303 at the line that builds it; using it later is unknown, or
SSG303 where the use is outside any tenant, too. An object whose ``tenant-from`` says nothing yet is nobody's until it
does, or until the first tenant uses it. A process that has neither sources nor ``with ssot_guard.tenant(…)`` nor
``tenant-from`` cannot know any tenant, and nothing is reported.

Checked are the methods and properties that a member class defines, and those that it inherits from classes of the same
top-level package: on the class that defines them, so that nothing is added to any class. What only a library defines
is not seen, nor plain attributes and cached properties, nor what starts with an underscore.
"""

from __future__ import annotations

import sys
from _functools import partial
from _weakref import ref

from ssot_guard.watch.classes import is_local, module_of, mro_of, namespace_of
from ssot_guard.watch.replacements import Replacements
from ssot_guard.watch.source import place
from ssot_guard.watch.tenants.current import UNKNOWN, is_stale
from ssot_guard.watch.tenants.methods import Methods
from ssot_guard.watch.tenants.owners import Free, is_known
from ssot_guard.watch.tenants.paths import read_path
from ssot_guard.watch.tenants.pseudonym import identity
from ssot_guard.watch.tenants.releases import Releases
from ssot_guard.watch.tenants.uses import COMPONENT, Uses
from ssot_guard.watch.tenants.written import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.sharing import Sharing


class _NoTable:
    """Until somebody watches constructions."""

    live: dict[int, Any] = {}  # noqa: RUF012 - never filled
    epoch = None


class Ownership:
    """Owners and uses of the objects of isolated roles; a part of the role watcher, which contains what it raises."""

    def __init__(
        self, rules: tuple[RoleRule, ...], ledger: Ledger, files: Files, faults: Faults, tenants: Tenants
    ) -> None:
        self.matched: set[str] = set()
        self._tenants = tenants
        self._faults = faults
        self._ledger = ledger
        self._files = files
        self._rules = {rule.id: rule for rule in rules if rule.isolated}
        self._table: Any = _NoTable()
        self._covered: dict[int, ref[type]] = {}  # classes, by id
        self._replacements = Replacements()
        self._uses = Uses(ledger, files, faults, tenants, self._table)
        self._uses.rules = self._rules
        self._methods = Methods(self._uses.judge, tenants, self._table)
        self._releases = Releases(self._rules.values(), self._uses, tenants, faults, self._replacements)
        self._sharing: Sharing | None = None  # once somebody asks
        self._written = Written()
        self._homes: set[str] = set()  # the modules that define member classes
        self._has_served = False  # an object was built for a tenant
        self._early = frozenset(sys.modules)  # what stands in these may be of any age

    adopt: Callable[[str, Any], Any] | None = None  # takes in an object whose construction nobody saw

    @property
    def table(self) -> Any:
        """Where the instances stand: ``live`` maps ids of objects to them."""
        return self._table

    @table.setter
    def table(self, table: Any) -> None:
        self._table = self._uses.table = table
        self._uses.adopt = self._adopt
        self._methods.look_into(table)

    def _adopt(self, rule_id: str, obj: Any) -> Any:
        return None if self.adopt is None else self.adopt(rule_id, obj)

    # -- what loads, and what is built ---------------------------------------------------------------------------

    def joined(self, rule: RoleRule, cls: type) -> None:
        """A class plays the role: put checks in front of what its users call."""
        if rule.id in self._rules:
            self.matched.add(rule.id)
            self._homes.add(module_of(cls))
            if not is_local(cls):  # what functions make comes and goes, and ours in it would keep it alive
                self._uses.joined(rule, cls)
                self._cover(cls)

    def leave(self, name: str) -> None:
        """A module is about to be shown, perhaps in the place of another one."""
        self._releases.forget(self._replacements.leave(name))

    def bind(self, name: str, module: ModuleType) -> None:
        """A module was executed: it may hold what ``released-by`` names, and classes that tenants will write to."""
        if self._rules:
            self._tenants.refresh()
            self._releases.bind(name, module)
            self._written.remember(name)

    def built_beside(self, instance: Any, obj: Any, rule: RoleRule, module: str, bound_as: str | None) -> None:
        """An object was built by the body of the module that defines its class: there was no check yet."""
        if self._told(instance, obj, rule):
            return
        if bound_as is not None and module not in self._early and self._tenants.current() is UNKNOWN:
            self._uses.built_while_loading(type(obj), rule, place.of_value(module, bound_as))
        else:
            self._ledger.unknown("SSG303", rule.id)

    def built(self, instance: Any, obj: Any, rule: RoleRule, frame: FrameType | None) -> BaseException | None:
        """An object of an isolated role was built: whose is it? Returns the verdict where nobody can tell."""
        try:
            if id(type(obj)) not in self._covered:
                self._inherited(type(obj))
            verdict = self._owned(instance, obj, rule, frame)
            if not self._has_served and is_known(instance.tenant):
                self._has_served = True
                self._written.again()
        except Exception as error:  # noqa: BLE001 - contained
            self._faults.note(COMPONENT, error)
            return None
        return verdict

    def _owned(self, instance: Any, obj: Any, rule: RoleRule, frame: FrameType | None) -> BaseException | None:
        if self._told(instance, obj, rule):
            return None
        if frame is None:  # it was found later: who is served now says nothing about then
            self._ledger.unknown("SSG303", rule.id)
            return None
        now = self._tenants.current()
        if now is UNKNOWN and not is_stale():
            return self._uses.built_outside(type(obj), rule, frame)
        if identity(now) is None or is_stale():
            self._ledger.unknown("SSG303", rule.id)
        else:
            instance.tenant = Free() if rule.tenant_from else now
        return None

    @staticmethod
    def _told(instance: Any, obj: Any, rule: RoleRule) -> bool:
        """Whether the object itself says whose it is; nobody knows where it does not."""
        instance.tenant = UNKNOWN
        if not rule.tenant_from:
            return False
        told = read_path(rule.tenant_from, {"self": obj})
        if identity(told) is None:
            return False
        instance.tenant = told
        return True

    # -- classes -------------------------------------------------------------------------------------------------

    def _inherited(self, cls: type) -> None:
        """A class that never joined by itself: a subclass of a member."""
        if not is_local(cls):
            self._cover(cls)

    def _cover(self, cls: type) -> None:
        """Check what the class and those above it in its package define."""
        top = module_of(cls).partition(".")[0]
        self._uses.tops.add(top)
        for one in mro_of(cls):
            if id(one) not in self._covered and module_of(one).partition(".")[0] == top:
                self._covered[id(one)] = ref(one, partial(self._covered.pop, id(one)))
                self._check(one)

    def _check(self, cls: type) -> None:
        done: dict[int, Any] = {}  # a second name stays the same object
        for name, value in list(namespace_of(cls).items()):
            ours = done.get(id(value)) or self._methods.checked(cls, name, value)
            if ours is not None and self._replacements.put(cls, name, ours):
                done[id(value)] = ours

    # -- checking and leaving ------------------------------------------------------------------------------------

    def check(self) -> None:
        """SSG302: mutable objects that the isolated objects of two tenants reach."""
        if self._rules:
            self._search().check(self._table)

    def detach(self) -> None:
        """Every class and module as it was; twice is harmless. What somebody has kept of ours only passes on."""
        self._uses.is_on = False
        self._replacements.restore()
        self._sharing = None

    def after_fork(self) -> None:
        """A child counts for itself."""
        self._uses.forget()
        self._methods.look_into(self._table)
        self._sharing = None

    def _search(self) -> Sharing:
        if self._sharing is None:
            from ssot_guard.watch.tenants.sharing import Sharing

            self._sharing = Sharing(self._rules, self._written, self._homes, self._ledger, self._files)
        return self._sharing
