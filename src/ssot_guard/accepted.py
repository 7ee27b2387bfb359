"""What a live process need not fail for: known in the baseline, or suppressed by a comment in the source.

The ledger asks at the first sight of a violation and never again. Nothing is loaded or read before the first question:
most processes never ask.
"""

from __future__ import annotations

from itertools import count

from ssot_guard.apart import apart
from ssot_guard.faults import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.baseline import Baseline, Key
    from ssot_guard.faults import Faults
    from ssot_guard.ignores import Ignores
    from ssot_guard.ledger import Facts


class Accepted:
    """A baseline and the comments of the sources, asked by one process. ``path`` is the baseline's file."""

    __slots__ = ("_baseline", "_faults", "_ignores", "_path", "_sites")

    def __init__(self, path: str, faults: Faults) -> None:
        self._path = path
        self._faults = faults
        self._ignores: Ignores | None = None
        self._baseline: list[Baseline | None] = []  # empty: not read yet; None: damaged
        self._sites: dict[Key, tuple[Iterator[int], dict[tuple[int, int], int]]] = {}

    def status(self, facts: Facts, file: str | None) -> str:
        """``new``, ``known`` or ``suppressed``; ``unread`` where it might be known, but the baseline is damaged."""
        try:
            return "suppressed" if self._suppressed(facts) else self._known(facts, file)
        except Exception as error:  # noqa: BLE001 - contained
            self._faults.note("baseline", error)
            return "unread"

    def after_fork(self) -> None:
        """A child counts its own sites."""
        self._sites.clear()

    def _suppressed(self, facts: Facts) -> bool:
        from ssot_guard.ignores import Ignores

        site = facts.site
        if self._ignores is None:
            self._ignores = Ignores()
        why = ""
        for ignore in self._ignores.at(site.path, site.line, site.end_line):
            if facts.code in ignore.names or facts.rule_id in ignore.names:
                if ignore.reason:
                    facts.details["suppressed-by"] = ignore.reason
                    return True
                why = "has no reason, so it ignores nothing"
            elif not ignore.names:
                why = why or "names no code in brackets, so it ignores nothing"
            else:
                why = why or f"names {', '.join(ignore.names)}, so it ignores no {facts.code} of {facts.rule_id}"
        if why:
            facts.details["ignore"] = f"{why}: # ssot: ignore[{facts.code}] <reason>"
        return False

    def _known(self, facts: Facts, file: str | None) -> str:
        from ssot_guard.baseline import Key

        baseline = self._baseline[0] if self._baseline else self._load()
        if baseline is None:
            return "unread"
        site = facts.site
        key = Key(facts.code, facts.rule_id, file or "", facts.target, site.scope or "")
        allowance = baseline.allowance(key)
        return "known" if allowance and self._number(key, (site.line or 0, site.column or 0)) < allowance else "new"

    def _number(self, key: Key, place: tuple[int, int]) -> int:
        """The how-manieth distinct site of its key this is, from 0 on. Exact without a lock: ``next`` is one step."""
        numbers, seen = self._sites.setdefault(key, (count(), {}))
        number = seen.get(place)
        return seen.setdefault(place, next(numbers)) if number is None else number

    @apart
    def _load(self) -> Baseline | None:
        from ssot_guard.baseline import Baseline
        from ssot_guard.errors import BaselineError

        try:
            self._baseline.append(Baseline.load(self._path))
        except BaselineError as error:  # the guard is worth more than its baseline
            self._baseline.append(None)
            say(f"no baseline, so `strict` only warns: {error}")
            self._faults.note("baseline", error)
        return self._baseline[0]
