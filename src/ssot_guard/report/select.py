"""``--select``: rule ids, codes, ``tag:…``, ``owner:…`` and ``verdict:…``; of several, any one keeps a violation.

``registry+verdict:different+owner:@agents`` keeps what all three name. ``owner:-`` are the files that nobody owns,
``verdict:-`` what a verdict says nothing about.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.report.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssot_guard.report.model import Row


# Owners may be mail addresses, and those may have a plus.
_AND = re.compile(r"\+(?=(?:tag|owner|verdict):)")
NOTHING = "-"


class SelectionError(ValueError):
    """A selection that cannot mean anything; the message says what to write instead."""


def parse(text: str | None) -> tuple[str, ...]:
    """The selectors of ``SSG101,registry,tag:wave1``; none for no selection."""
    selectors = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for selector in selectors:
        for part in _AND.split(selector):
            _check(part)
    return selectors


def _check(part: str) -> None:
    kind, colon, name = part.partition(":")
    if part.startswith("SSG") and part[3:].isdigit() and part not in CATALOGUE:
        raise SelectionError(f"{part} is no code{_hint(part, CATALOGUE)} (`ssot-guard explain` lists them)")
    if kind in ("tag", "owner", "verdict") and colon and not name:
        raise SelectionError(f"{part} needs a name behind the colon")
    if kind == "verdict" and colon and name not in (*VERDICTS, NOTHING):
        raise SelectionError(f"{name} is no verdict{_hint(name, VERDICTS)}; choose one of: {', '.join(VERDICTS)}")


def _hint(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f": did you mean {near[0]}?" if near else ""


def unmatched(rows: Iterable[Row], selectors: tuple[str, ...], rules: Iterable[str]) -> Iterator[str]:
    """What to tell of the parts of selectors that name nothing in any row: misspelt, as a rule.

    Codes, verdicts and the ids of ``rules`` have been checked, or exist without a violation.
    """
    known = {name for row in rows for name in _names(row)}.union(rules, CATALOGUE, (e.rule for e in CATALOGUE.values()))
    for part in dict.fromkeys(part for selector in selectors for part in _AND.split(selector)):
        if part not in known and not part.startswith("verdict:"):
            kind, colon, name = part.rpartition(":") if part.startswith(("tag:", "owner:")) else ("", "", part)
            alike = {one.removeprefix(kind + colon) for one in known if one.startswith(kind + colon)}
            near = get_close_matches(name, alike, n=1)
            hint = f": did you mean {kind}{colon}{near[0]}?" if near else ""
            yield f"--select {part} matches nothing in these records{hint}"


def select(rows: Iterable[Row], selectors: tuple[str, ...]) -> Iterator[Row]:
    """The rows that any selector names; all of them where there is no selector."""
    wanted = [frozenset(_AND.split(selector)) for selector in selectors]
    return (row for row in rows if not wanted or any(map(frozenset(_names(row)).issuperset, wanted)))


def _names(row: Row) -> Iterator[str]:
    yield row.rule
    yield row.code
    yield f"owner:{row.owner or NOTHING}"
    yield f"verdict:{row.verdict or NOTHING}"
    for tag in row.tags:
        yield f"tag:{tag}"
    rule_owner = row.detail("rule-owner")
    if rule_owner is not None:
        yield f"owner:{rule_owner}"
