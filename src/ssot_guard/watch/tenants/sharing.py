"""SSG302: mutable objects that the isolated objects of two tenants share, with the way to them from either side.

Two kinds of ways: through what the objects hold (:mod:`.reach`), and through what was written into their classes, the
classes of what they hold, or the modules that define their classes (:mod:`.written`). One object is one violation, at
the line that built the later of the two isolated objects; the target is the way without tenants, keys and indexes. What
a ``check()`` has reported is not reported again while the later object lives.
"""

from __future__ import annotations

import sys

from ssot_guard.faults import say
from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.classes import key_of, module_of, mro_of
from ssot_guard.watch.imports import bytecode, importer, loaded
from ssot_guard.watch.tenants.kinds import FROZEN, NOTHING, Kinds, is_plain_holder
from ssot_guard.watch.tenants.owners import is_known
from ssot_guard.watch.tenants.pseudonym import identity, pseudonym
from ssot_guard.watch.tenants.reach import Search
from ssot_guard.watch.tenants.routes import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.tenants.written import Change, Written

    Found = tuple[str, str, list["Side"], int | str]  # what is shared, target, the ways to it, what it is known by

BUDGET = 2_000_000  # objects that one check looks into
_MOST = 100  # findings of one check
_TOLD = 10_000
_KEY = 40  # characters of a key that may be shown


class Population:
    """The live isolated objects whose owners are known, by tenant, in the order in which they were built."""

    def __init__(self, instances: Iterable[Any], rules: Mapping[str, RoleRule]) -> None:
        self.tenants: list[str] = []
        self.roots: list[list[Any]] = []
        self.instances: dict[int, Any] = {}  # id of the object → its instance
        self.order: dict[int, int] = {}  # id of the instance → its place among all
        numbers: dict[str, int] = {}
        for instance in instances:
            tenant = identity(instance.tenant) if instance.rule_id in rules and is_known(instance.tenant) else None
            obj = None if tenant is None or instance.ref is None else instance.ref()
            if obj is None or tenant is None:
                continue
            number = numbers.setdefault(tenant, len(numbers))
            if number == len(self.roots):
                self.roots.append([])
                self.tenants.append(tenant)
            self.roots[number].append(obj)
            self.instances[id(obj)] = instance
            self.order[id(instance)] = len(self.order)


class Data:
    """What counts as data of tenants (:class:`.written.Data`).

    Numbers, flags, callables, locks and loggers do not, nor what stands under a tenant's own key, nor an isolated
    object as the value of a dictionary: that is a registry, and every use of what comes out of it is checked.
    """

    def __init__(self, population: Population, kinds: Kinds, search: Search) -> None:
        self._population = population
        self._kinds = kinds
        self._search = search
        self._tenants = frozenset(population.tenants)

    def entry(self, key: Any, value: Any) -> bool:
        if key is not None and self.is_tenants(key):
            return False
        if id(value) in self._population.instances:
            return key is None
        return self._is_data(value)

    def binding(self, value: Any, *, in_class: bool) -> bool:
        if id(value) in self._population.instances:
            return True
        if type(value) is str or type(value) is bytes:
            return bool(value) if in_class else identity(value) in self._tenants
        return self._search.has_met(value)

    def spell(self, key: Any) -> str | None:
        tenant = self._tenant_of(key)
        if tenant is not None:
            return f"#{pseudonym(tenant)}"
        plain = type(key) is str and key.isidentifier() and key.isascii() and len(key) <= _KEY
        return f"'{key}'" if plain and not any(map(str.isdigit, key)) else None

    def _tenant_of(self, key: Any) -> str | None:
        plain = type(key) is str or type(key) is int or type(key) is bytes
        text = identity(key) if plain else None
        return text if text in self._tenants else None

    def is_tenants(self, key: Any) -> bool:
        parts = tuple.__iter__(key) if type(key) is tuple else (key,)
        return any(self._tenant_of(part) is not None for part in parts)

    def _is_data(self, value: Any) -> bool:
        if type(value) is str or type(value) is bytes or is_plain_holder(value):
            return len(value) > 0
        if type(value) is tuple:
            return any(map(self._is_data, value))
        return self._kinds.of(value) not in {NOTHING, FROZEN}


class Side:
    """One tenant's way to what is shared; ``stable`` is the same in every run."""

    __slots__ = ("instance", "shown", "stable", "tenant")

    def __init__(self, population: Population, number: int, chain: list[Any], data: Data) -> None:
        self.instance = population.instances[id(chain[0])]
        self.tenant = pseudonym(population.tenants[number])
        module, name = key_of(type(chain[0]))
        way = list(steps(chain, data.spell))
        self.shown = f"{name}(#{self.tenant}){''.join(shown for shown, _ in way)}"
        self.stable = f"{module}:{name}{''.join(stable for _, stable in way)}"


class Sharing:
    """The search on demand. ``stopped_at``: after how many objects the last one stopped early, else None."""

    def __init__(
        self, rules: Mapping[str, RoleRule], written: Written, homes: set[str], ledger: Ledger, files: Files
    ) -> None:
        self.stopped_at: int | None = None
        self._written = written
        self._homes = homes
        self._rules = rules
        self._ledger = ledger
        self._files = files
        self._has_said = False
        self._told: dict[int | str, Any] = {}  # what was found (by id, or target) → the later instance then

    def check(self, table: Any) -> None:
        """Look now, and report: within a test, what it has a part in."""
        epoch = None if table.epoch is None else table.epoch()
        population = Population(list(table.live.values()), self._rules)
        if len(population.roots) < 2:  # noqa: PLR2004 - two tenants
            return
        kinds = Kinds(text for rule in self._rules.values() for text in rule.share)
        search = Search(population.roots, kinds)
        self.stopped_at = None if search.run(BUDGET) else search.looked
        if self.stopped_at is not None:
            self._say_stopped(self.stopped_at)
        data = Data(population, kinds, search)
        found = [*self._reached(search, population, data), *self._changed(search, population, data, kinds)]
        for what, target, sides, key in found[:_MOST]:
            sides.sort(key=lambda side: population.order[id(side.instance)])
            if epoch is not None and all(side.instance.epoch is not epoch for side in sides):
                continue  # of tests that are over: found again at the end
            if self._is_news(key, sides[1].instance):
                self._report(what, target, *sides)

    def _say_stopped(self, looked: int) -> None:
        """Silence would look like success."""
        for rule in self._rules:
            self._ledger.unknown("SSG302", rule)
        if not self._has_said:
            self._has_said = True
            say(f"SSG302: stopped at {looked:,} objects; what lies further away was not looked at")

    def _reached(self, search: Search, population: Population, data: Data) -> Iterator[Found]:
        """What the isolated objects themselves hold."""
        wanted: dict[int, list[Any]] = {}
        findings = search.topmost(_MOST)
        for finding in findings:
            wanted.setdefault(finding.first, []).append(finding.obj)
            wanted.setdefault(finding.second, []).append(finding.obj)
        chains = {tenant: search.chains(tenant, objects) for tenant, objects in wanted.items()}
        for finding in findings:
            both = (finding.first, finding.second)
            ways = [(tenant, chains[tenant].get(id(finding.obj))) for tenant in both]
            sides = [Side(population, tenant, way, data) for tenant, way in ways if way is not None]
            if len(sides) == len(both):  # else it has gone meanwhile
                key = id(finding.obj)
                yield f"one {_type_name(finding.obj)}", min(side.stable for side in sides), sides, key

    def _changed(self, search: Search, population: Population, data: Data, kinds: Kinds) -> Iterator[Found]:
        """What was written into classes and modules."""
        told = {id(finding.obj) for finding in search.found}
        changes = [
            (module, change)
            for module in self._written.modules()
            for change in self._written.changes(module, data)
            if id(change.obj) not in told and not _may_be_shared(module, change, kinds)
        ]
        holders = search.instances([change.owner for _, change in changes if change.owner is not None])
        for module, change in changes:
            if change.owner is None:
                where, nodes = f"{module}:", self._users(module, search.roots)
            else:
                where, nodes = f"{':'.join(key_of(change.owner))}.", holders[id(change.owner)]
            target = f"{where}{change.name}{change.steps}"
            ways = [(tenant, search.chains(tenant, [node]).get(id(node))) for tenant, node in list(nodes.items())[:2]]
            sides = [Side(population, tenant, way, data) for tenant, way in ways if way is not None]
            if len(sides) == 2:  # noqa: PLR2004 - two tenants
                for side in sides:
                    side.shown += f" → {target}" if change.owner is None else f".{change.name}{change.steps}"
                yield f"what was written into {target} while tenants were served", target, sides, target

    def _users(self, module: str, roots: Sequence[Sequence[Any]]) -> dict[int, Any]:
        """Number of the tenant → an isolated object whose class the module defines: its methods see the globals."""
        if module not in self._homes:
            return {}
        users: dict[int, Any] = {}
        for number, objects in enumerate(roots):
            for obj in objects:
                if any(module_of(cls) == module for cls in mro_of(type(obj))):
                    users[number] = obj
                    break
        return users

    def _is_news(self, key: int | str, instance: Any) -> bool:
        """Whether it was not told yet; what is shared is known by the id for as long as somebody holds it for sure."""
        told = self._told.get(key)
        if told is not None and told.ref() is not None:
            return False
        if len(self._told) >= _TOLD:
            self._told.clear()
        self._told[key] = instance
        return True

    def _report(self, what: str, target: str, earlier: Side, later: Side) -> None:
        site = _site(later.instance)
        if self._files.excluded(self._files.key(site.path, site.module)):
            return
        details = {"one": earlier.shown, "other": later.shown}
        if self.stopped_at is not None:
            details["stopped-at"] = f"{self.stopped_at} objects"
        text = (
            f"isolated objects of two tenants share {what}: {earlier.shown} ←→ {later.shown}; give each its own, or "
            "list what may be shared under the role's `share`"
        )
        rule = self._rules[later.instance.rule_id]
        self._ledger.sight(
            Facts("SSG302", rule, site, target, text, kind="object", details=details, tenant=later.tenant)
        )


def _may_be_shared(module: str, change: Change, kinds: Kinds) -> bool:
    owner = "" if change.owner is None else f"{key_of(change.owner)[1]}."
    if kinds.allows(module, f"{owner}{change.name}"):
        return True
    is_text = type(change.obj) is str or type(change.obj) is bytes
    return not is_text and kinds.of(change.obj) == NOTHING


def _type_name(obj: Any) -> str:
    module, name = key_of(type(obj))
    return name if module == "builtins" else f"{module}:{name}"


def _site(instance: Any) -> Site:
    """Where an object was built."""
    code = getattr(instance, "code", None)
    if code is None:
        return Site()
    line, column, end_line, end_column = bytecode.position(code, instance.offset)
    path = code.co_filename
    named = (name for name, one in list(sys.modules.items()) if loaded.namespace(one).get("__file__") == path)
    return Site(path, line, column, end_line, end_column, next(named, None), importer.scope(code))
