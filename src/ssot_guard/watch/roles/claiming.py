"""Which role a name belongs to: the narrowest pattern decides, and a tie decides nothing."""

from __future__ import annotations

from ssot_guard.faults import say
from ssot_guard.watch.patterns import Claims, narrowest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.patterns import Claim
    from ssot_guard.watch.roles.role import Role


class Claiming:
    """The names that the roles of one kind claim among what governed modules define."""

    def __init__(
        self,
        roles: Iterable[Role],
        ledger: Ledger,
        governs: Callable[[str], bool],
        file: Callable[[str], str | None],
    ) -> None:
        self._ledger = ledger
        self._governs = governs
        self._file = file
        self._claims = Claims()
        self._told: set[frozenset[str]] = set()
        for role in roles:
            for claim in role.claims:
                self._claims.add(claim)

    def on(self, module: str, name: str, alias: str | None = None) -> tuple[list[Claim], str]:
        """The narrowest claims on what a module defines, and which of its names they are on."""
        if self._claims and self._governs(module):
            for one in (name,) if alias is None else (name, alias):
                claims = narrowest(self._claims.on(module, one))
                if claims:
                    return claims, one
        return [], name

    def excepts(self, role: Role, module: str, name: str) -> bool:
        """Whether a definition belongs to no role by order of this one."""
        return role.excepts(module, name, self._file)

    def is_tie(self, claims: list[Claim], module: str, name: str) -> bool:
        """Whether two roles claim one definition alike: a mistake of the policy, said once."""
        if len(claims) < 2:  # noqa: PLR2004 - a tie takes two
            return False
        rules = frozenset(claim.owner.rule.id for claim in claims)
        for rule in rules:
            self._ledger.unknown("SSG201", rule)
        if rules not in self._told:
            self._told.add(rules)
            texts = " and ".join(sorted(f"`{claim.text}` (role {claim.owner.rule.id})" for claim in claims))
            say(f"policy: {module}:{name} matches {texts} alike; make one longer, or list it under `except`")
        return True
