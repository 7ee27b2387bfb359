"""The names that roles claim: globs of names, alone or behind a pattern of modules.

Globs are found by three letters of their literal text: at the end of a name (``*Registry``), or anywhere in it. So what
a look-up costs does not grow with the number of roles. ``re`` loads for globs of unusual shapes only.
"""

from __future__ import annotations

from ssot_guard.names import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.names import Pattern

    Test = Callable[[str], bool]

_WILD = frozenset("*?[]")
_GRAM = 3


class NameGlob:
    """A glob of names; one with a dot is compared with the qualified name, any other with its last part."""

    __slots__ = ("dotted", "test", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.dotted = "." in text
        self.test = _test(text)

    def matches(self, qualname: str) -> bool:
        """Whether a (qualified) name matches."""
        return self.test(qualname if self.dotted else qualname.rpartition(".")[2])


class Claim:
    """One entry of a role's ``match``; ``literal`` is the length of its literal text: the longer one is narrower."""

    __slots__ = ("glob", "literal", "module", "owner", "text")

    def __init__(self, text: str, owner: Any) -> None:
        self.text = text
        self.owner = owner
        self.module: Pattern | None = parse(text) if ":" in text else None
        self.glob = NameGlob(text.rpartition(":")[2])
        self.literal = sum(character not in "*?[]!:" for character in text)


class Claims:
    """All claims of one kind of role."""

    def __init__(self) -> None:
        self._by_end: dict[str, list[Claim]] = {}
        self._by_part: dict[str, list[Claim]] = {}
        self._others: list[Claim] = []

    def add(self, claim: Claim) -> None:
        """Take one in."""
        *parts, end = "".join(" " if character in _WILD else character for character in claim.glob.text).split(" ")
        part = max(parts, key=len, default="")
        if claim.glob.dotted or "[" in claim.glob.text or max(len(end), len(part)) < _GRAM:
            self._others.append(claim)
        elif len(end) >= _GRAM:
            self._by_end.setdefault(end[-_GRAM:], []).append(claim)
        else:
            self._by_part.setdefault(part[:_GRAM], []).append(claim)

    def on(self, module: str, qualname: str) -> list[Claim]:
        """The claims that hold for what a module defines under a qualified name; one may come twice."""
        name = qualname.rpartition(".")[2]
        near = self._by_end.get(name[-_GRAM:], [])
        if self._by_part:
            parts = self._by_part
            for at in range(len(name) - _GRAM + 1):
                found = parts.get(name[at : at + _GRAM])
                if found is not None:
                    near = near + found
        if self._others:
            near = near + self._others
        return [
            claim
            for claim in near
            if claim.glob.matches(qualname) and (claim.module is None or claim.module.matches(module))
        ]

    def __bool__(self) -> bool:
        return bool(self._by_end or self._by_part or self._others)


def narrowest(claims: list[Claim]) -> list[Claim]:
    """The narrowest claim of each role that has one of the longest literal text; more than one is a tie."""
    if len(claims) < 2:  # noqa: PLR2004 - nothing to compare
        return claims
    longest = max(claim.literal for claim in claims)
    return list({id(claim.owner): claim for claim in claims if claim.literal == longest}.values())


def _test(text: str) -> Test:
    """The cheapest test for one glob."""
    inner = text.removeprefix("*")
    begins = inner.removesuffix("*")
    if _WILD.isdisjoint(begins):
        if inner == text:
            return begins.__eq__ if begins == inner else lambda name: name.startswith(begins)
        return (lambda name: name.endswith(begins)) if begins == inner else lambda name: begins in name
    from fnmatch import translate
    from re import compile as compiled

    return compiled(translate(text)).match  # type: ignore[return-value]  # a match is true
