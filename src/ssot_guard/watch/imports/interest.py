"""What a module is to the policy, as flags."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Protocol

    from ssot_guard.policy.model import ImportRules, Policy

    class Audience(Protocol):
        """Who looks at what modules define."""

        named: frozenset[str]  # modules that the policy names, governed or not

        def loaded(self, name: str, module: ModuleType) -> BaseException | None:
            """A module was executed, or was there before; returns the verdict on it, which takes it out again."""


DEPRECATED = 1  # a rule names it, or something above it
LEADS = 2  # something below it is deprecated
HOLDER = 4  # it holds deprecated names
HEALTH = 8  # its health is governed
CANONICAL = 16  # a deprecated twin waits for it
DEFINES = 32  # what it defines is looked at once it has loaded
_MOST = 100_000  # names whose flags are remembered
JUDGED = DEPRECATED | LEADS | HOLDER  # importing it may break a rule


class Interest:
    """The flags of modules, worked out once per name."""

    def __init__(self, policy: Policy, rules: ImportRules, audience: Audience | None, *, health: bool) -> None:
        self._policy = policy
        self._rules = rules
        self._audience = audience
        self._health = health
        self._known: dict[str, int] = {}
        self._awaited: set[str] = set()

    def of(self, fullname: str) -> int:
        """All flags of a module; 0 where it is none of our business."""
        flags = self._known.get(fullname)
        if flags is None:
            rules = self._rules
            flags = DEPRECATED if rules.module(fullname) is not None else 0
            flags |= LEADS if rules.modules.leads(fullname) or rules.names.leads(fullname) else 0
            flags |= HOLDER if rules.watched(fullname) else 0
            flags |= CANONICAL if fullname in self._awaited else 0
            flags |= HEALTH if self._health and self._policy.governs(fullname) else 0
            if self._audience is not None and (fullname in self._audience.named or self._policy.governs(fullname)):
                flags |= DEFINES
            if len(self._known) < _MOST:  # generated names have no end
                self._known[fullname] = flags
        return flags

    def awaits(self, canonical: str) -> None:
        """A deprecated twin waits for this module."""
        self._awaited.add(canonical)
        self._known.pop(canonical, None)
