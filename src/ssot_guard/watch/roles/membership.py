"""Which classes play which roles: by being named, by inheritance, or by name.

* A class that the policy names plays its role, whatever its name suggests to others.
* A subclass of a role's home, or of a class in ``subclass-of``, plays that role; so does a subclass of a competitor,
  and it is reported like one, once: it is a definition that has to go, or to move.
* A name pattern of another role claims such a class only if it is narrower than all patterns of the role it inherits.
* Else the narrowest pattern that matches the name decides (:mod:`.claiming`). A protocol is no second implementation.

What ``except`` names belongs to no role.
"""

from __future__ import annotations

from ssot_guard.watch.classes import bases_of, is_copy, is_protocol, key_of, mro_of
from ssot_guard.watch.roles.role import Kin
from ssot_guard.watch.roles.standing import COMPETES, MEMBER, VIOLATIONS, Standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.watch.classes import Key
    from ssot_guard.watch.patterns import Claim
    from ssot_guard.watch.roles.claiming import Claiming
    from ssot_guard.watch.roles.homes import Home
    from ssot_guard.watch.roles.role import Role

_NOTHING: list[Any] = []


class Membership:
    """The roles of kind "class". Classes are known by module and qualified name, so a reload changes nothing."""

    def __init__(self, roles: list[Role], claiming: Claiming, governs: Callable[[str], bool]) -> None:
        self._claiming = claiming
        self._governs = governs
        self._relations: dict[Key, list[tuple[str, Role, Any]]] = {}
        self._judged: set[Key] = set()
        self._strangers: set[Key] = set()  # classes without any role in or above them: most have the same few bases
        for role in roles:
            for relation, home, entry in role.references():
                self.learn(relation, role, home, entry)

    def learn(self, relation: str, role: Role, home: Home, entry: Any = None) -> None:
        """Take in the keys that a reference of a role has by now."""
        for key in list(home.keys):
            self._relate(key, relation, role, home if entry is None else entry)
        for key in list(home.bases) if relation == "home" else ():
            self._relate(key, "base", role, home)

    def _relate(self, key: Key, relation: str, role: Role, what: Any) -> None:
        relations = self._relations.setdefault(key, [])
        if not any(one == relation and of is role and other is what for one, of, other in relations):
            relations.append((relation, role, what))
            self._strangers.clear()

    def judge(self, cls: type, alias: str | None = None) -> list[Standing]:
        """What a class is to each role that it plays; ``alias`` is the only name that its module binds it to."""
        module, name = key = key_of(cls)
        self._judged.add(key)
        family: dict[Role, Kin] = {}
        if key in self._relations or any(key_of(base) not in self._strangers for base in bases_of(cls)):
            family = self._family(cls)
        claims, claimed = self._claims(cls, module, name, alias, family)
        if not family and not claims:
            return _NOTHING
        found = []
        for role in dict.fromkeys([*family, *(claim.owner for claim in claims)]):
            kin = family.get(role) or Kin()
            is_claimed = any(claim.owner is role for claim in claims)
            if not is_claimed and not kin.plays():
                continue
            goes_by = claimed if is_claimed else name
            if kin.is_named() or not self._claiming.excepts(role, module, goes_by):
                found.append(self._stand(Standing(role, kin, module, goes_by), cls))
        return found

    def _stand(self, standing: Standing, cls: type) -> Standing:
        standing.judge(cls, self._governs)
        for home in standing.role.homes:
            self.learn("home", standing.role, home)
        if standing.what in VIOLATIONS and is_copy(standing.name):
            standing.what = MEMBER
        elif standing.what == COMPETES and standing.proven:
            self._relate(key_of(cls), "rival", standing.role, None)
        return standing

    def _claims(
        self, cls: type, module: str, name: str, alias: str | None, family: dict[Role, Kin]
    ) -> tuple[list[Claim], str]:
        claims, claimed = self._claiming.on(module, name, alias)
        if not claims or is_protocol(cls) or is_copy(name):
            return [], name
        if any(kin.is_named() for kin in family.values()):
            return [claim for claim in claims if claim.owner in family], claimed
        inherited = max((role.literal for role, kin in family.items() if kin.inherits()), default=0)
        if inherited >= claims[0].literal:
            return [claim for claim in claims if claim.owner in family], claimed
        return ([], name) if self._claiming.is_tie(claims, module, claimed) else (claims, claimed)

    def _family(self, cls: type) -> dict[Role, Kin]:
        family: dict[Role, Kin] = {}
        keys = [key_of(one) for one in mro_of(cls)]
        for depth, key in enumerate(keys):
            if depth and key not in self._judged and self._governs(key[0]):
                self.judge(mro_of(cls)[depth])  # its module is still loading
            for relation, role, what in self._relations.get(key, ()):
                kin = family.setdefault(role, Kin())
                if depth:
                    _inherit(kin, relation, what, key)
                else:
                    kin.is_home = kin.is_home or relation == "home"
                    kin.is_base = kin.is_base or relation in ("base", "below", "interface")
                    kin.retires = what if relation == "retiring" else kin.retires
        if not family:
            self._strangers.update(keys[1:])
        return family


def _inherit(kin: Kin, relation: str, what: Any, key: Key) -> None:
    if relation == "home":
        kin.extends.append(what)
    elif relation == "below":
        kin.under = True
    elif relation in ("rival", "retiring"):
        kin.rival = kin.rival or key
