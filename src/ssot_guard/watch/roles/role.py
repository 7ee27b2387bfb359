"""One role of the policy, ready to be asked about definitions."""

from __future__ import annotations

from ssot_guard.names import parse
from ssot_guard.policy.globs import Globs, is_path
from ssot_guard.watch.patterns import Claim, NameGlob
from ssot_guard.watch.roles.homes import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssot_guard.names import Pattern
    from ssot_guard.policy.model import RoleRule

    Entry = dict[str, str | None]

_NARROWEST = 1 << 30  # of a role without `match`: who inherits from its home is nobody else's


class Role:
    """A rule with its homes (the canonical one, or the candidates of a contest) and the names that it claims."""

    def __init__(self, rule: RoleRule) -> None:
        self.rule = rule
        self.contested = bool(rule.contested)
        self.homes = [Home(text) for text in ((rule.canonical,) if rule.canonical else rule.contested)]
        self.below = [Home(text) for text in rule.subclass_of]
        self.interface = Home(rule.interface) if rule.interface else None
        self.retiring = [(Home(entry["class"] or ""), entry) for entry in rule.retiring]
        self.claims = [Claim(text, self) for text in rule.match]
        self.literal = max((claim.literal for claim in self.claims), default=_NARROWEST)
        self._excepted = [text for entry in rule.excepted if (text := entry["class"])]
        self._paths = Globs(text for text in self._excepted if is_path(text))
        self._patterns: list[tuple[Pattern, NameGlob | None]] = []
        for text in self._excepted:
            if not is_path(text):
                pattern = parse(text)
                self._patterns.append((pattern, NameGlob(pattern.name) if pattern.name else None))

    def references(self) -> Iterator[tuple[str, Home, Entry | None]]:
        """What it names, by relation."""
        for home in self.homes:
            yield "home", home, None
        for home in self.below:
            yield "below", home, None
        for home, entry in self.retiring:
            yield "retiring", home, entry
        if self.interface is not None:
            yield "interface", self.interface, None

    def excepts(self, module: str, qualname: str, file: Callable[[str], str | None]) -> bool:
        """Whether the policy says that a definition belongs to no role; ``file`` tells where a module lies."""
        for pattern, glob in self._patterns:
            if pattern.matches(module) and (glob is None or glob.matches(qualname)):
                return True
        if len(self._patterns) == len(self._excepted):
            return False
        place = file(module)
        return place is not None and self._paths.matches(place)


class Kin:
    """How a class is related to one role, by itself and by what it inherits from."""

    __slots__ = ("extends", "is_base", "is_home", "retires", "rival", "under")

    def __init__(self) -> None:
        self.is_home = self.is_base = self.under = False
        self.extends: list[Home] = []
        self.rival: tuple[str, str] | None = None  # the competitor that it inherits from
        self.retires: Entry | None = None

    def is_named(self) -> bool:
        """Whether the policy names it."""
        return self.is_home or self.retires is not None

    def inherits(self) -> bool:
        """Whether it belongs to the role's family."""
        return bool(self.extends or self.under or self.rival or self.is_base)

    def plays(self) -> bool:
        """Whether it plays the role by this alone: a mere base of the home does not."""
        return bool(self.is_home or self.retires or self.extends or self.under or self.rival)
