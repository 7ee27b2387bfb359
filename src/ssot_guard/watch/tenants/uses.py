"""Judges the uses that are not plainly right: same, different or unknown.

*Different* needs proof from both sides: the object's owner and the current tenant are known, their texts differ, and
the object is the one that was seen at its construction. Everything else is unknown and counted. So threads and
executors that lost their context, blocks of ``ssot_guard.tenant`` that ended before their background tasks, objects
from ``copy`` or ``pickle``, finalizers, and tenants that cannot be compared never fail. (A task that outlives its
request keeps what the application's own variable said: there the application itself says for whom it works.)

The call is what is judged, in the context and at the line of who calls. A coroutine or a generator that one tenant
makes and another one runs is no use by itself; what its body then does with isolated objects is judged there.
"""

from __future__ import annotations

import sys
from _functools import partial
from _weakref import ref

from ssot_guard.ledger import Facts
from ssot_guard.watch.classes import key_of, mro_of
from ssot_guard.watch.imports import importer
from ssot_guard.watch.imports.sightings import Sighting, Sightings
from ssot_guard.watch.tenants import callers
from ssot_guard.watch.tenants.current import UNKNOWN, is_stale
from ssot_guard.watch.tenants.owners import Free
from ssot_guard.watch.tenants.paths import read_path
from ssot_guard.watch.tenants.pseudonym import identity, pseudonym

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Entry, Ledger
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.violation import Site
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.methods import Spot

COMPONENT = "ownership"
_getframe = sys._getframe  # noqa: SLF001 - documented, in spite of its name; test suites remove it for a while
ENTER = "enter one first (`with ssot_guard.tenant(...)`, or the application's own context)"
_MOST = 10_000  # crossings that are remembered


class Uses:
    """The slow side of every check. ``table`` holds the instances, ``members`` the rules of member classes."""

    def __init__(self, ledger: Ledger, files: Files, faults: Faults, tenants: Tenants, table: Any) -> None:
        self.table = table
        self.members: dict[int, RoleRule] = {}  # by the class's id: a metaclass may hash as it likes
        self._classes: dict[int, ref[type]] = {}
        # The role of classes whose objects were used, by id; a few, and forgotten at will.
        self._roles: dict[int, str | None] = {}
        self.rules: dict[str, RoleRule] = {}
        self.tops: set[str] = set()  # the packages of the member classes
        self.is_on = True
        self.adopt: Callable[[str, Any], Any] = _nobody
        self._ledger = ledger
        self._files = files
        self._faults = faults
        self._tenants = tenants
        self._sightings = Sightings(ledger)
        self._crossed: set[tuple[int, str, str]] = set()  # (code, owner, user) of uses that were reported

    def forget(self) -> None:
        """The next uses are first sights again."""
        self._sightings.clear()
        self._crossed.clear()

    def judge(self, used: Any, spot: Spot) -> BaseException | None:
        """The verdict on one use; nothing of ours escapes."""
        if not self.is_on or COMPONENT in self._faults.switched_off:
            return None
        try:
            return self._judge(used, spot)
        except Exception as error:  # noqa: BLE001 - contained
            self._faults.note(COMPONENT, error)
            return None

    def _judge(self, used: Any, spot: Spot) -> BaseException | None:
        instance = self.table.live.get(id(used))
        if instance is None:
            instance = self._unseen(used)
        if instance is None:
            return None
        owner = instance.tenant
        if owner is None:  # it is being built
            return None
        rule = self.rules[instance.rule_id]
        now = self._tenants.current()
        if type(owner) is Free:
            owner = instance.tenant = self._taken(used, rule, owner, now)
        if owner is UNKNOWN and now is UNKNOWN and not is_stale():
            return self._outside(used, spot, rule)
        mine, theirs = identity(owner), identity(now)
        if mine is not None and mine == theirs:
            return None
        if mine is None or theirs is None or is_stale() or instance.ref is None or instance.ref() is not used:
            if type(owner) is not Free:
                self._ledger.unknown("SSG301", rule.id)
            return None
        return self._different(spot, instance, (mine, theirs))

    def _unseen(self, used: Any) -> Any:
        """Its construction was not seen. Where it says itself whose it is, it is taken in; else it is only counted."""
        key = id(type(used))
        if key not in self._roles:
            if len(self._roles) >= _MOST:
                self._roles.clear()
            rules = (self.members.get(id(cls)) for cls in mro_of(type(used)))
            self._roles[key] = next((rule.id for rule in rules if rule is not None), None)
        role = self._roles[key]
        if role is None:
            return None
        rule = self.rules.get(role)
        if rule is not None and rule.tenant_from and identity(read_path(rule.tenant_from, {"self": used})) is not None:
            return self.adopt(role, used)
        self._ledger.unknown("SSG301", role)
        return None

    def joined(self, rule: RoleRule, cls: type) -> None:
        """A class plays the role; those below it may play it with it."""
        key = id(cls)
        self.members[key] = rule
        self._classes[key] = ref(cls, partial(self.members.pop, key))
        self._roles.clear()

    def _taken(self, used: Any, rule: RoleRule, free: Free, now: Any) -> Any:
        """Who owns a free object from now on: who ``tenant-from`` names anew, else who uses it; it may stay free."""
        if rule.tenant_from:
            told = read_path(rule.tenant_from, {"self": used})
            if identity(told) not in {None, free.told}:
                return told
        user = identity(now)
        if user is None or is_stale() or (user == free.last and not free.is_settled):
            return free
        return now

    def _different(self, spot: Spot, instance: Any, pair: tuple[str, str]) -> BaseException | None:
        """The proof is there: one violation for each line that crosses the border, none for what follows behind it."""
        frame = callers.caller(_getframe(1))
        if frame is None:
            return None
        known = self._sightings.known(frame, spot.target)
        if known is None:
            if self._is_behind(frame, pair):
                return None
            if callers.finalizes(frame):
                self._ledger.unknown("SSG301", instance.rule_id)
                return None
        if len(self._crossed) >= _MOST:
            self._crossed.clear()
        self._crossed.add((spot.code, *pair))
        if known is not None:
            return self._ledger.repeat(known.entries[0], _never) if known.entries else None
        rule = self.rules[instance.rule_id]
        owner, user = pseudonym(instance.tenant), pseudonym(self._tenants.current())
        built = str(instance.site)
        text = (
            f"{spot.target} of an object that belongs to tenant {owner} is used for tenant {user}; it was built at "
            f"{built}: build one for each request or session, and keep it there"
        )
        blamed = callers.to_blame(frame, self.tops)
        facts = Facts(
            "SSG301", rule, importer.site(blamed), spot.target, text,
            kind=spot.kind, details={"owner": owner, "built": built}, namespace=blamed.f_globals, swallowed=_never,
            tenant=user,
        )  # fmt: skip
        return self._sight(facts, frame, blamed, spot.target)

    def _is_behind(self, frame: FrameType | None, pair: tuple[str, str]) -> bool:
        """Whether a use that crossed the same border, and was reported, is further out on the stack."""
        for _ in range(callers.DEPTH):
            if frame is None:
                return False
            code = id(frame.f_code)
            if (code, *pair) in self._crossed:
                instance = self.table.live.get(id(callers.own(frame)))
                if instance is not None and identity(instance.tenant) == pair[0]:
                    return True
            frame = frame.f_back
        return False

    def _outside(self, used: Any, spot: Spot, rule: RoleRule) -> BaseException | None:
        """Built outside any tenant, and used outside any: nobody will ever be able to tell."""
        frame = callers.caller(_getframe(1))
        if frame is None or not self._tenants.can_know() or self._tenants.is_asked() or callers.own(frame) is used:
            return None
        token = f"SSG303 {spot.target}"
        known = self._sightings.known(frame, token)
        if known is not None:
            return self._ledger.repeat(known.entries[0]) if known.entries else None
        blamed = callers.to_blame(frame, self.tops)
        text = f"{spot.target} is used outside any tenant, of an object that was built outside any: {ENTER}"
        facts = Facts(
            "SSG303", rule, importer.site(blamed), spot.target, text, kind=spot.kind, namespace=blamed.f_globals
        )
        return self._sight(facts, frame, blamed, token)

    def built_outside(self, cls: type, rule: RoleRule, frame: FrameType | None) -> BaseException | None:
        """An object was built, and nobody can tell for whom."""
        frame = callers.caller(frame)
        if frame is None or not self._tenants.can_know():
            return None
        target = ":".join(key_of(cls))
        blamed = callers.to_blame(frame, self.tops)
        text = f"{target} is built outside any tenant: {ENTER}"
        facts = Facts("SSG303", rule, importer.site(blamed), target, text, kind="call", namespace=blamed.f_globals)
        return self._sight(facts, frame, blamed, f"SSG303 {target}")

    def built_while_loading(self, cls: type, rule: RoleRule, site: Site) -> None:
        """The same, by the body of the module that defines the class."""
        if self._tenants.can_know() and not self._is_excluded(site):
            target = ":".join(key_of(cls))
            text = f"{target} is built outside any tenant, while its module loads: {ENTER}"
            self._ledger.sight(Facts("SSG303", rule, site, target, text, kind="call"))

    def _sight(self, facts: Facts, frame: FrameType, blamed: FrameType, token: str) -> BaseException | None:
        """Record it; repeats at this very instruction are known by it. A library's line stands for many."""
        entries: tuple[Entry, ...] = ()
        verdict = None
        if not self._is_excluded(facts.site):
            entry, verdict = self._ledger.sight(facts)
            entries = (entry,)
        if blamed is frame:
            self._sightings.slot(frame.f_code)[frame.f_lasti, token] = Sighting(entries, facts.swallowed)
        return verdict

    def _is_excluded(self, site: Site) -> bool:
        return self._files.excluded(self._files.key(site.path, site.module))


def _nobody(_rule_id: str, _obj: Any) -> None:
    """Until somebody watches constructions."""


def _never() -> bool:
    return False
