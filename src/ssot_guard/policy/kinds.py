"""The kinds of single values that a policy's keys take: each reads one and writes its own JSON Schema.

:mod:`.tables` combines them, :mod:`.fields` to the whole format. Reading never stops at a mistake: it is reported
where it stands and :data:`INVALID` takes the value's place, so that one run shows every problem. What comes out is
plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssot_guard.policy.report import Place

INVALID: Any = object()
SHORT = 60  # characters of a value that a message quotes
LARGEST = 2**53  # beyond it a number is a typing mistake, and no float counts exactly


class Kind(Protocol):
    """``expects`` completes the sentence "must be …"."""

    @property
    def expects(self) -> str: ...

    def accepts(self, value: object) -> bool:
        """Whether the value has the right type; its content may still be wrong."""

    def read(self, value: Any, at: Place) -> Any:
        """The value as plain data, or INVALID after a report; only called with what ``accepts`` takes."""

    def schema(self) -> dict[str, Any]:
        """The same, as far as JSON Schema can say it."""


def describe(value: object) -> str:
    """A wrong value for a message: its type as TOML calls it, and the value where that is short."""
    for types, name in _TYPES:
        if isinstance(value, types):
            text = str(value).lower() if isinstance(value, bool) else repr(value)
            return f"{name} {text}" if isinstance(value, (bool, int, float, str)) and len(text) < SHORT else name
    return f"a {type(value).__name__}"


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "the boolean"),
    (int, "the integer"),
    (float, "the number"),
    (str, "the string"),
    ((list, tuple), "a list"),
    (Mapping, "a table"),
)


def meant(word: str, options: Iterable[str]) -> str:
    """The end of a message about an unknown word: ``; did you mean `x`?``, or what there is to choose from."""
    import difflib  # only a mistake needs it

    choices = sorted(options)
    close = difflib.get_close_matches(word.lower().replace("_", "-")[:80], choices, 1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known: {', '.join(f'`{choice}`' for choice in choices)}" if choices else ""


@dataclass(frozen=True)
class Text:
    """A non-empty string; ``complaint`` says what is wrong with one, or None."""

    complaint: Callable[[str], str | None] | None = None
    expects: str = "a string"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def read(self, value: str, at: Place) -> Any:
        text = str.__str__(value)  # a subclass of str can be in no cache
        if not text.strip():
            wrong: str | None = "must not be empty"
        else:
            wrong = self.complaint(text) if self.complaint else None
        if wrong is None:
            return text
        at.problem(wrong)
        return INVALID

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def expects(self) -> str:
        return "one of " + ", ".join(f'"{option}"' for option in self.options)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def read(self, value: str, at: Place) -> Any:
        if value in self.options:
            return str.__str__(value)
        at.problem(f"{value!r} is not {self.expects}{meant(value, self.options)}")
        return INVALID

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.options)}


@dataclass(frozen=True)
class Flag:
    """true or false."""

    expects: str = "true or false"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def read(self, value: bool, at: Place) -> bool:  # noqa: ARG002, FBT001 - the protocol's signature
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number:
    """A number within bounds; ``above`` excludes its bound. ``whole`` takes integers only."""

    at_least: float | None = None
    above: float | None = None
    at_most: float = LARGEST
    whole: bool = False

    @property
    def expects(self) -> str:
        return "an integer" if self.whole else "a number"

    def accepts(self, value: object) -> bool:
        # bool is a subclass of int, and `max = true` is a mistake.
        return isinstance(value, int if self.whole else (int, float)) and not isinstance(value, bool)

    def read(self, value: float, at: Place) -> Any:
        number = value
        if (
            not (isinstance(number, int) or isfinite(number))
            or number > self.at_most
            or (self.at_least is not None and number < self.at_least)
            or (self.above is not None and number <= self.above)
        ):
            at.problem(f"must be {self._range()}, not {describe(value)}")
            return INVALID
        return int(number) if self.whole else float(number)

    def _range(self) -> str:
        low = f" above {self.above:g}" if self.above is not None else ""
        if self.at_least is not None:
            low = f" of at least {self.at_least:g}"
        high = f" and at most {self.at_most:g}" if self.at_most != LARGEST or not low else ""
        return self.expects + low + high

    def schema(self) -> dict[str, Any]:
        bounds = {"minimum": self.at_least, "exclusiveMinimum": self.above}
        if self.at_most != LARGEST:
            bounds["maximum"] = self.at_most
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"type": "integer" if self.whole else "number", **given}


@dataclass(frozen=True)
class Day:
    """A day, as TOML's own date or as text; read as ``YYYY-MM-DD``."""

    expects: str = "a day such as 2027-03-01"

    def accepts(self, value: object) -> bool:
        return isinstance(value, (date, str)) and not isinstance(value, datetime)

    def read(self, value: date | str, at: Place) -> Any:
        if isinstance(value, date):
            return value.isoformat()
        try:
            if len(value) == len("2027-03-01"):
                return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
        at.problem(f"{value!r} is not {self.expects}")
        return INVALID

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}


@dataclass(frozen=True)
class Size:
    """Bytes, as a number or as text with a unit; read as a number."""

    expects: str = 'a number of bytes or a size such as "64 MiB"'

    def accepts(self, value: object) -> bool:
        return isinstance(value, (int, str)) and not isinstance(value, bool)

    def read(self, value: int | str, at: Place) -> Any:
        size = _bytes(value) if isinstance(value, str) else int(value)
        if size is not None and 0 < size <= LARGEST:
            return size
        at.problem(f"must be {self.expects}, not {describe(value)}; units: {', '.join(UNITS)}")
        return INVALID

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "minLength": 1}]}


def _bytes(text: str) -> int | None:
    unit = text.strip().lstrip("0123456789. ")
    number = text.strip().removesuffix(unit).strip()
    try:
        return int(float(number) * UNITS[unit or "B"])
    except (ValueError, KeyError, OverflowError):
        return None
