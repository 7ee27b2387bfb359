"""``--select``: rule ids, codes, ``tag:…`` and ``owner:…``, separated by commas; any of them keeps a violation."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ssot_guard.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssot_guard.report.model import Row


class SelectionError(ValueError):
    """A selection that cannot mean anything; the message says what to write instead."""


def parse(text: str | None) -> tuple[str, ...]:
    """The selectors of ``SSG101,registry,tag:wave1``; none for no selection."""
    selectors = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for selector in selectors:
        if selector.startswith("SSG") and selector[3:].isdigit() and selector not in CATALOGUE:
            near = get_close_matches(selector, CATALOGUE, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise SelectionError(f"{selector} is no code{hint} (`ssot-guard explain` lists them)")
        if selector in {"tag:", "owner:"}:
            raise SelectionError(f"{selector} needs a name behind the colon")
    return selectors


def select(rows: Iterable[Row], selectors: tuple[str, ...]) -> Iterator[Row]:
    """The rows that any selector names; all of them where there is no selector."""
    wanted = frozenset(selectors)
    return (row for row in rows if not wanted or not wanted.isdisjoint(_names(row)))


def _names(row: Row) -> Iterator[str]:
    yield row.rule
    yield row.code
    for tag in row.tags:
        yield f"tag:{tag}"
    for owner in (row.owner, row.detail("rule-owner")):
        if owner is not None:
            yield f"owner:{owner}"
