"""The grammar of an event rule's ``sequence``: from its text to a tree, or to a complaint that points at a character.

===========  ==========================================================================
``a b``      ``a``, then ``b``
``a | b``    one of both
``a*``       any number of times, also none; ``a+`` at least once; ``a?`` at most once
``( … )``    holds together what belongs together
``{ … }*``   the same, and its repetitions may overlap (see :mod:`.positions`)
===========  ==========================================================================

Names are letters, digits and ``_ . : / -``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TypeAlias

    Tree: TypeAlias = "Name | Chain | Choice | Repeat | Overlap"

_CLOSES = {"(": ")", "{": "}"}
_MARKS = "*+?"
_IN_NAMES = frozenset("_.:/-")
_DEEPEST = 50
_MOST_NAMES = 200
_SHOWN = 60  # characters of the text on either side of a mistake


class SequenceError(ValueError):
    """A mistake at a character; ``at`` counts from 0."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


class Name:
    """One event."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at


class Chain:
    """One after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Tree]) -> None:
        self.parts = parts


class Choice:
    """One of several."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Tree]) -> None:
        self.parts = parts


class Repeat:
    """``many`` times or once, ``always`` or perhaps not at all."""

    __slots__ = ("always", "many", "part")

    def __init__(self, part: Tree, mark: str) -> None:
        self.part = part
        self.many = mark != "?"
        self.always = mark == "+"


class Overlap:
    """``{ … }``: a group whose repetitions may overlap."""

    __slots__ = ("at", "part")

    def __init__(self, part: Tree, at: int) -> None:
        self.part = part
        self.at = at


def parse(text: str) -> Tree:
    """The tree of a sequence; :class:`SequenceError` for what is none."""
    return _Parser(text).whole()


def complaint(text: str) -> str | None:
    """What is wrong with a sequence, with a line that points at the character; None for a good one."""
    from ssot_guard.policy.positions import positions_of

    try:
        positions_of(parse(text))
    except SequenceError as error:
        return _pointed(text, error)
    return None


def _pointed(text: str, error: SequenceError) -> str:
    start = text.rfind("\n", 0, error.at) + 1
    number, column = text.count("\n", 0, error.at) + 1, error.at - start
    line = "".join(char if char.isprintable() else " " for char in text[start:].partition("\n")[0])
    left = max(0, column - _SHOWN)
    where = f"column {column + 1}" if "\n" not in text else f"line {number}, column {column + 1}"
    shown = line[left : column + _SHOWN].rstrip()
    return f"{where}: {error.reason}\n    {shown}\n    {' ' * (column - left)}^"


class _Parser:
    """One pass from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[tuple[str, int]] = []
        self._names = 0

    def whole(self) -> Tree:
        tree = self._choice()
        if self._at < len(self._text):
            self._unopened()
        return tree

    def _choice(self) -> Tree:
        parts = [self._chain()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._chain())
        return parts[0] if len(parts) == 1 else Choice(parts)

    def _chain(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in ("|", ")", "}", ""):
            parts.append(self._repeated())
        if not parts:
            self._nothing()
        return parts[0] if len(parts) == 1 else Chain(parts)

    def _repeated(self) -> Tree:
        part = self._single()
        mark = self._peek()
        if mark and mark in _MARKS:
            part = Repeat(part, mark)
            self._at += 1
            again = self._peek()
            if again and again in _MARKS:
                self._fail(f"`{again}` stands behind `{mark}`; keep one of them")
        return part

    def _single(self) -> Tree:
        character, at = self._peek(), self._at
        if character in _CLOSES:
            return self._group(character)
        if character in _MARKS:
            self._fail(f"`{character}` repeats nothing; it stands behind a name or a group")
        while self._at < len(self._text) and _in_name(self._text[self._at]):
            self._at += 1
        if self._at == at:
            self._fail(f"`{character}` has no meaning here; write names of events, separated by blanks, `|` or groups")
        self._names += 1
        if self._names > _MOST_NAMES:
            self._fail(f"a sequence has at most {_MOST_NAMES} names", at)
        return Name(self._text[at : self._at], at)

    def _group(self, opening: str) -> Tree:
        at = self._at
        if opening == "{" and any(known == "{" for known, _ in self._open):
            self._fail("`{` stands inside of `{`: only one group can overlap at a time")
        if len(self._open) == _DEEPEST:
            self._fail("groups are nested too deeply")
        self._open.append((opening, at))
        self._at += 1
        part = self._choice()
        if self._peek() != _CLOSES[opening]:
            if self._peek():
                self._unopened()
            self._fail(f"`{opening}` is never closed", at)
        self._open.pop()
        self._at += 1
        return Overlap(part, at) if opening == "{" else part

    def _nothing(self) -> NoReturn:
        """An alternative, a group or a whole text without any name."""
        character = self._peek()
        if self._open and not character:
            opening, at = self._open[-1]
            self._fail(f"`{opening}` is never closed", at)
        if character in (")", "}") and (not self._open or _CLOSES[self._open[-1][0]] != character):
            self._unopened()
        self._fail("a name is missing here")

    def _unopened(self) -> NoReturn:
        character = self._peek()
        still = f": `{self._open[-1][0]}` is open" if self._open else ""
        self._fail(f"`{character}` closes nothing{still}")

    def _peek(self) -> str:
        """The next character that means something; empty at the end."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise SequenceError(self._at if at is None else at, reason)


def _in_name(character: str) -> bool:
    return character.isalnum() or character in _IN_NAMES
