"""Lists and tables of a policy, made of the single values in :mod:`.kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssot_guard.policy.kinds import INVALID, Kind, describe, meant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssot_guard.policy.report import Place


def read(kind: Kind, value: object, at: Place) -> Any:
    """Read a value of any type with a kind."""
    if kind.accepts(value):
        return kind.read(value, at)
    hint = f'; write ["{value}"]' if isinstance(kind, Many) and isinstance(value, str) else ""
    at.problem(f"must be {kind.expects}, not {describe(value)}{hint}")
    return INVALID


@dataclass(frozen=True)
class Many:
    """A list of one kind."""

    item: Kind
    at_least: int = 0

    @property
    def expects(self) -> str:
        return f"a list (each item {self.item.expects})"

    def accepts(self, value: object) -> bool:
        return isinstance(value, (list, tuple))

    def read(self, value: Sequence[object], at: Place) -> Any:
        if len(value) < self.at_least:
            at.problem(f"needs at least {self.at_least} of them, not {len(value)}")
            return INVALID
        items = [read(self.item, item, at.child(index)) for index, item in enumerate(value)]
        return INVALID if any(item is INVALID for item in items) else items

    def schema(self) -> dict[str, Any]:
        least = {"minItems": self.at_least} if self.at_least else {}
        return {"type": "array", "items": self.item.schema(), **least}


@dataclass(frozen=True)
class Named:
    """A table with keys of the user's choice, all values of one kind."""

    item: Kind
    complaint: Callable[[str], str | None] | None = None

    @property
    def expects(self) -> str:
        return f"a table (each value {self.item.expects})"

    def accepts(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Mapping[object, object], at: Place) -> Any:
        result: dict[str, Any] = {}
        for key, item in value.items():
            place = at.child(str(key))
            name = str.__str__(key) if isinstance(key, str) else ""
            wrong = (self.complaint(name) if self.complaint else None) if name.strip() else "the name must be a string"
            if wrong is not None:
                place.problem(wrong)
            result[name] = INVALID if wrong is not None else read(self.item, item, place)
        return INVALID if any(item is INVALID for item in result.values()) else result

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.schema()}


@dataclass(frozen=True)
class Either:
    """One of several kinds, told apart by the value's type."""

    kinds: tuple[Kind, ...]

    @property
    def expects(self) -> str:
        return " or ".join(kind.expects for kind in self.kinds)

    def accepts(self, value: object) -> bool:
        return any(kind.accepts(value) for kind in self.kinds)

    def read(self, value: object, at: Place) -> Any:
        return next(kind.read(value, at) for kind in self.kinds if kind.accepts(value))

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [kind.schema() for kind in self.kinds]}


@dataclass(frozen=True)
class Field:
    """One key: its name, what it takes, one line of documentation, and what holds where it is not written."""

    name: str
    kind: Kind
    doc: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table with fixed keys. ``constraint`` adds to the JSON Schema what the fields cannot say."""

    fields: tuple[Field, ...]
    constraint: Mapping[str, Any] = field(default_factory=dict)
    expects: str = "a table"

    def accepts(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Mapping[object, object], at: Place) -> dict[str, Any]:
        names = [known.name for known in self.fields]
        for key in value:
            if key not in names:
                at.child(str(key)).problem(f"unknown key{meant(str(key), names)}")
        return {known.name: self._field(known, value, at) for known in self.fields}

    def _field(self, known: Field, value: Mapping[object, object], at: Place) -> Any:
        place = at.child(known.name)
        if known.name in value:
            found = read(known.kind, value[known.name], place)
            if found is not INVALID:
                return found
        elif known.required:
            at.problem(f"`{known.name}` is missing: {known.doc}")
            place.mark()
        return _default(known, place)

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {known.name: _property(known) for known in self.fields},
            "additionalProperties": False,
            "required": [known.name for known in self.fields if known.required],
            **self.constraint,
        }


def _property(known: Field) -> dict[str, Any]:
    default = {} if known.default is None else {"default": known.default}
    return {"description": known.doc, **known.kind.schema(), **default}


def _default(known: Field, place: Place) -> Any:
    """A fresh default; a missing table comes with the defaults of its own keys."""
    if isinstance(known.kind, Table) and known.default is not None:
        return known.kind.read(known.default, place)
    return known.default.copy() if isinstance(known.default, (list, dict)) else known.default
