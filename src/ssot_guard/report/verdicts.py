"""What lies at the canonical path, as far as other violations of the same run tell.

===========  =======================================================================================
same         old and new are the same object
repair       the old import fails today, so writing the new one repairs it
awakens      a repair whose failure an enclosing ``try`` hides: code that is dead today comes alive
different    another object lies there
absent       there is no successor, or it does not exist
unknown      nobody has looked
===========  =======================================================================================

A runtime proves ``different`` (SSG104), ``repair`` and ``awakens`` (SSG111 at the same statement, each time it was
executed). That two objects are *the same* is the audit's to prove; where its verdict is in the record, it holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssot_guard.report.model import Row

VERDICTS = ("same", "repair", "awakens", "different", "absent", "unknown")
DEPRECATED = frozenset({"SSG101", "SSG102", "SSG103"})
_WORDS = re.compile(r"\w+")


def settle(rows: Iterable[Row]) -> None:
    """Set ``verdict`` and ``see`` of each use of something deprecated; one that stands already is kept if unproven."""
    rows = list(rows)
    evidence = _Evidence(rows)
    for row in rows:
        if row.code not in DEPRECATED:
            continue
        verdict, see = evidence.about(row)
        if verdict != "unknown" or row.verdict is None:
            row.verdict, row.see = verdict, see


class _Evidence:
    """What other violations prove: diverged names by rule and module, failed imports by file and by target."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._diverged: dict[tuple[str, str], list[Row]] = {}
        self._failed: dict[str, list[Row]] = {}
        self._missing: set[str] = set()
        for row in rows:
            if row.code == "SSG104":
                self._diverged.setdefault((row.rule, _module(row.target)), []).append(row)
            elif row.code == "SSG111":
                self._failed.setdefault(row.path, []).append(row)
                self._missing.add(row.target)

    def about(self, row: Row) -> tuple[str, str | None]:
        """The verdict, and the place to look at."""
        given = row.detail("verdict")
        if given in VERDICTS:
            return given, row.detail("see")
        if row.status == "contested":
            return "unknown", None
        if row.canonical is None:
            return "absent", None
        for other in self._diverged.get((row.rule, _module(row.target)), ()):
            if _takes(row, other):
                return "different", other.place if other.path else None
        return self._failure(row), None

    def _failure(self, row: Row) -> str:
        failures = [other for other in self._failed.get(row.path, ()) if _same_statement(row, other)]
        # Executed more often than it failed: sometimes the old import works. And who cannot import the new one either
        # has nothing to repair it with.
        if sum(other.count for other in failures) < row.count or self._successor_fails(row.canonical or ""):
            return "unknown"
        return "awakens" if any(other.details.get("swallowed") is True for other in failures) else "repair"

    def _successor_fails(self, canonical: str) -> bool:
        return canonical in self._missing or _module(canonical) in self._missing


def _module(target: str) -> str:
    return target.partition(":")[0]


def _takes(row: Row, diverged: Row) -> bool:
    """Whether the statement takes the name that diverged; one that takes the whole module does."""
    if ":" in row.target:
        return row.target == diverged.target
    write = row.detail("write") or ""
    parent, _, leaf = (row.canonical or "").rpartition(".")
    if not write.startswith("from ") or "*" in write or write.startswith(f"from {parent} import {leaf}"):
        return True
    return (diverged.canonical or diverged.target).partition(":")[2] in _WORDS.findall(write)


def _same_statement(row: Row, failed: Row) -> bool:
    """Whether a failed import is this statement's, and about what it takes from the old place."""
    if row.line is None or failed.line is None or not row.line <= failed.line <= (row.end_line or row.line):
        return False
    old, missing = row.target, failed.target
    # For a module also any name of it; for all the module itself, or a parent that is missing.
    above = f"{_module(old)}.".startswith(f"{missing}.")
    return missing == old or above or (":" not in old and _module(missing) == old)
