"""Key paths → line numbers of a TOML text. ``tomllib`` knows none, so this finds them, only when there is a problem.

It runs on texts that ``tomllib`` has accepted and so need not judge them; whatever it does not understand costs a
line number and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssot_guard.policy.report import KeyPath

BLANK = " \t\r\n"
SIMPLE_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


class Lines:
    """Callable: the line of a key path below ``prefix``, or of the nearest key around it."""

    def __init__(self, text: str, prefix: KeyPath = ()) -> None:
        self._text = text
        self._prefix = prefix
        self._found: dict[KeyPath, int] | None = None

    def __call__(self, path: KeyPath) -> int | None:
        if self._found is None:
            self._found = key_lines(self._text)
        full = (*self._prefix, *path)
        for length in range(len(full), 0, -1):
            line = self._found.get(full[:length])
            if line is not None:
                return line
        return None


def no_lines(path: KeyPath) -> None:
    """The line finder of policies that were never a text."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Every key path of a TOML text and the line (from 1) where it begins."""
    scanner = _Scanner(text)
    # No TOML after all, or nested deeper than anybody writes: keep what was found.
    with suppress(IndexError, ValueError, OverflowError, RecursionError):
        scanner.document()
    newlines = [at for at, character in enumerate(text) if character == "\n"]
    return {path: bisect_left(newlines, at) + 1 for path, at in scanner.found.items()}


class _Scanner:
    """Walks the text once and notes in ``found`` at which character each key begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self._last: dict[KeyPath, int] = {}  # arrays of tables: the index of the last one

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``: the path of the table that it opens."""
        start = self.at
        array = self.text.startswith("[[", start)
        self.at += 2 if array else 1
        keys = self._keys()
        self.at = self.text.index("]", self.at) + (2 if array else 1)
        path: KeyPath = ()
        for depth, key in enumerate(keys):
            path = (*path, key)
            if array and depth == len(keys) - 1:
                self._last[path] = self._last.get(path, -1) + 1
            self.found.setdefault(path, start)
            if path in self._last:
                path = (*path, self._last[path])
                self.found.setdefault(path, start)
        return path

    def _pair(self, table: KeyPath) -> None:
        """``a.b = value`` below a table."""
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, start)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _keys(self) -> list[str]:
        """A dotted key; ends before what follows it."""
        keys = [self._key()]
        while self._skip() and self.text[self.at] == ".":
            self.at += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip()
        if self.text[self.at] in "\"'":
            return self._string()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in " \t\r\n.=]":
            self.at += 1
        if start == self.at:
            raise ValueError
        return self.text[start : self.at]

    def _value(self, path: KeyPath) -> None:
        self._skip()
        opener = self.text[self.at]
        if opener in "\"'":
            self._string()
        elif opener in "[{":
            self._nested(path, "]" if opener == "[" else "}")
        else:
            self._scalar()

    def _scalar(self) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
            self.at += 1
        if start == self.at:  # every step must get on: `[}` would be an array without end
            raise ValueError

    def _nested(self, path: KeyPath, closer: str) -> None:
        """The items of an array, or the pairs of an inline table."""
        self.at += 1
        index = 0
        while self._skip() and self.text[self.at] != closer:
            if self.text[self.at] == ",":
                self.at += 1
            elif closer == "}":
                self._pair(path)
            else:
                self.found.setdefault((*path, index), self.at)
                self._value((*path, index))
                index += 1
        self.at += 1

    def _string(self) -> str:
        """Skip a string of any kind; its text, as far as keys need it (they have one line)."""
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            return self._long_string(quote * 3)
        self.at += 1
        read = ""
        while self.text[self.at] != quote:
            if self.text[self.at] == "\\" and quote == '"':
                read += self._escape()
            else:
                read += self.text[self.at]
                self.at += 1
        self.at += 1
        return read

    def _escape(self) -> str:
        letter = self.text[self.at + 1]
        digits = {"x": 2, "u": 4, "U": 8}.get(letter, 0)
        code = self.text[self.at + 2 : self.at + 2 + digits]
        self.at += 2 + digits
        return chr(int(code, 16)) if digits else SIMPLE_ESCAPES.get(letter, "")

    def _long_string(self, quotes: str) -> str:
        self.at += 3
        while not self.text.startswith(quotes, self.at):
            self.at += 2 if self.text[self.at] == "\\" and quotes == '"""' else 1
        while self.text.startswith(quotes[0], self.at):  # up to two more quotes belong to the text
            self.at += 1
        return ""

    def _skip(self) -> bool:
        """Skip blanks, line ends and comments; whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] not in BLANK:
                return True
            else:
                self.at += 1
        return False
