"""Who plays a role: SSG201, SSG205 and SSG207, and the classes that are handed on to be counted and owned."""

from __future__ import annotations

import sys
from _functools import partial
from _weakref import ref

from ssot_guard.faults import say
from ssot_guard.watch.classes import MISSING, is_class
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.interfaces.conforming import Conforming
from ssot_guard.watch.interfaces.traits import Album
from ssot_guard.watch.roles import definitions, living
from ssot_guard.watch.roles.claiming import Claiming
from ssot_guard.watch.roles.competing import Competing
from ssot_guard.watch.roles.membership import Membership
from ssot_guard.watch.roles.neighbours import Neighbours
from ssot_guard.watch.roles.registered import Registered
from ssot_guard.watch.roles.role import Role
from ssot_guard.watch.roles.singles import Singles
from ssot_guard.watch.roles.standing import EXTENDS, HOME, VIOLATIONS, WAITS, Standing
from ssot_guard.watch.source import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Policy
    from ssot_guard.watch.roles.homes import Home
    from ssot_guard.watch.tenants.current import Tenants

    Met = tuple[type, Standing]

_MOST = 100_000  # modules that are remembered: generated names have no end


class RoleWatcher:
    """One part (:class:`~ssot_guard.watch.parts.Part`)."""

    name = "roles"

    def __init__(self, policy: Policy, ledger: Ledger, files: Files, faults: Faults, tenants: Tenants) -> None:
        self.matched: set[str] = set()
        self._policy, self._ledger, self._files = policy, ledger, files
        self._governed: dict[str, bool] = {}
        governs = self._governs
        roles = [Role(rule) for rule in policy.roles if "runtime" in rule.sides]
        self.roles = [role for role in roles if role.rule.kind == "class"]
        self._competing = Competing(ledger, files)
        self._membership = Membership(self.roles, Claiming(self.roles, ledger, governs, self._file), governs)
        self._singles = [
            Singles(some, Claiming(some, ledger, governs, self._file), self._competing, ledger, governs)
            for kind in ("function", "value")
            if (some := [role for role in roles if role.rule.kind == kind])
        ]
        self._album = Album()
        self._conforming = Conforming(ledger, files, self._album, governs)
        self._registered = Registered(ledger, self._album)
        self._looks_inside = any(role.interface is not None or role.rule.registered_in for role in self.roles)
        rules = tuple(role.rule for role in self.roles)
        self._neighbours = Neighbours(rules, ledger, files, faults, tenants)
        self.ownership, self.construction = self._neighbours.ownership, self._neighbours.construction
        self._awaited: dict[str, list[tuple[str, Role, Home, Any]]] = {}  # module → references into it
        for role in self.roles:
            for relation, home, entry in role.references():
                self._awaited.setdefault(home.module, []).append((relation, role, home, entry))
        self._members: dict[Role, dict[int, tuple[ref[type], Standing]]] = {role: {} for role in self.roles}
        self._waiting: dict[int, tuple[ref[type], str | None]] = {}  # classes that nobody can judge yet
        self._said: set[str] = set()
        self._halves: set[str] = set()  # modules that were still loading when they were shown

    # -- events --------------------------------------------------------------------------------------------------

    def loaded(self, name: str, module: ModuleType) -> BaseException | None:
        """A module was executed (again), or was there before; returns the verdict on what it defines."""
        self._neighbours.leave(name)
        arrived = self._arrived(name) if name in self._awaited else ()
        fresh = self._is_fresh(name, module)
        verdict = None
        met: list[Met] = []
        if self.roles and self._governs(name):
            for _, cls, alias in definitions.of_classes(name, loaded.namespace(module)):
                error = self._meet(cls, alias, met, refusable=True, fresh=fresh)
                verdict = verdict or error
        for singles in self._singles:
            error = singles.loaded(name, module, refusable=True, fresh=fresh)
            verdict = verdict or error
            self.matched |= singles.matched
        if verdict is not None:
            return verdict  # nobody gets these classes
        self._join(met)
        if arrived:
            self._look_again(arrived)
        self._conforming.settle()
        self._neighbours.bind(name, module)
        self.matched |= self._neighbours.matched()
        return None

    def check(self) -> None:
        """Classes that no module's namespace holds, registries, and what had to wait for something."""
        self._look_again([home for name in self._awaited for home in self._arrived(name)])
        if self.roles:
            known = {key for members in self._members.values() for key in members}
            self._meet_late(cls for cls in living.governed(self._governs) if id(cls) not in known)
        for singles in self._singles:
            singles.check()
            self.matched |= singles.matched
        self._say_what_waits()
        self._conforming.settle()
        for role in self.roles:
            if role.rule.registered_in:
                self._registered.check(role, list(self._selectable(role)))
        self._neighbours.check()
        self.matched |= self._neighbours.matched()

    def close(self) -> None:
        """Nothing waits for the end."""

    def detach(self) -> None:
        """Nothing of this room stands in the host; the neighbours' things do."""
        self._neighbours.detach()
        self.matched |= self._neighbours.matched()

    def after_fork(self) -> None:
        """Classes are what they were; instances are counted anew."""
        self._neighbours.after_fork()

    def census(self) -> dict[str, Any]:
        """Rule id → the number of its classes, and what is counted of their instances."""
        counts: dict[str, Any] = {role.rule.id: {"classes": len(some)} for role, some in self._members.items()}
        for rule, more in self._neighbours.census().items():
            counts.setdefault(rule, {}).update(more)
        return counts

    # -- classes -------------------------------------------------------------------------------------------------

    def _arrived(self, name: str) -> list[Home]:
        """Take in the objects that the policy names and that a module has by now; returns those that tell more."""
        arrived = []
        for relation, role, home, entry in self._awaited[name]:
            before = len(home.keys), home.whole
            if is_class(home.look()):
                self._membership.learn(relation, role, home, entry)
                if before != (len(home.keys), home.whole):
                    arrived.append(home)
        return arrived

    def _meet(
        self, cls: type, alias: str | None, met: list[Met], *, refusable: bool, fresh: bool
    ) -> BaseException | None:
        """Judge one class in every role that it plays, and report what is wrong; the verdict, if any."""
        verdict = None
        for standing in self._membership.judge(cls, alias):
            self.matched.add(standing.role.rule.id)
            met.append((cls, standing))
            if standing.what == WAITS:
                key = id(cls)
                self._waiting[key] = (ref(cls, partial(self._waiting.pop, key)), alias)
            elif standing.what in VIOLATIONS and (fresh or not self._competing.is_told(standing)):
                site = place.of(cls, standing.module, standing.name)
                error = self._competing.report(standing, site, kind="class", refusable=refusable)
                verdict = verdict or error
        return verdict

    def _meet_late(self, classes: Iterable[type]) -> None:
        """Classes that no load has shown."""
        met: list[Met] = []
        for cls in classes:
            self._meet(cls, None, met, refusable=False, fresh=False)
        self._join(met)

    def _join(self, met: list[Met]) -> None:
        """These classes are there to stay: each joins each of its roles once."""
        for cls, standing in met:
            role, key = standing.role, id(cls)
            members = self._members[role]
            mine = (ref(cls, partial(members.pop, key)), standing)
            if members.setdefault(key, mine) is mine:
                if self._looks_inside:
                    self._conforming.joined(role, cls, standing.name)
                self._neighbours.joined(role.rule, cls)

    def _look_again(self, arrived: Iterable[Home]) -> None:
        """At the objects that arrived, at the classes that waited for them, and at those below them that were early."""
        waiting, self._waiting = self._waiting, {}
        met: list[Met] = []
        for found, alias in list(waiting.values()):
            cls = found()
            if cls is not None:
                self._meet(cls, alias, met, refusable=False, fresh=False)
        self._join(met)
        for home in arrived:
            top = home.find()
            if is_class(top):
                self._meet_late([top])
                if len(home.keys) > 1:  # known by another name until now
                    self._meet_late(living.governed(self._governs, top))

    def _say_what_waits(self) -> None:
        """Classes that cannot be judged for want of a home: counted, and said once for each home."""
        for found, alias in list(self._waiting.values()):
            cls = found()
            for standing in self._membership.judge(cls, alias) if cls is not None else ():
                self._ledger.unknown("SSG201", standing.role.rule.id)
                for home in standing.role.homes:
                    if home.text not in self._said and home.find() is MISSING:
                        self._said.add(home.text)
                        say(f"role {standing.role.rule.id}: {home.text} is not there yet, and its source does not tell")

    def _selectable(self, role: Role) -> Iterator[tuple[type, str]]:
        """The members that a registry could list; a home that others extend is what they have in common."""
        members = [(cls, standing) for found, standing in list(self._members[role].values()) if (cls := found())]
        extended = any(standing.what == EXTENDS for _, standing in members)
        for cls, standing in members:
            if standing.what != HOME or not extended:
                yield cls, standing.name

    # -- modules -------------------------------------------------------------------------------------------------

    def _governs(self, module: str) -> bool:
        known = self._governed.get(module)
        if known is None:
            known = self._policy.governs(module)
            if len(self._governed) < _MOST:
                self._governed[module] = known
        return known

    def _is_fresh(self, name: str, module: ModuleType) -> bool:
        """Whether the definitions were not seen before: a module that installs the guard is shown twice."""
        fresh = name not in self._halves
        self._halves.discard(name)
        if loaded.initializing(loaded.spec_of(module)):
            self._halves.add(name)
        return fresh

    def _file(self, module: str) -> str | None:
        path = loaded.namespace(sys.modules.get(module)).get("__file__")
        return self._files.key(path, module) if type(path) is str else None
