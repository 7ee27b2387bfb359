"""What a session means: the books of all processes together, judged once by the baseline.

A worker knows its own sites only, so what it takes for known may be one too many for the session.
"""

from __future__ import annotations

import os

from ssot_guard.baseline import Baseline, key_of
from ssot_guard.pytest_plugin import partial
from ssot_guard.pytest_plugin.book import Book, Line, site_key
from ssot_guard.pytest_plugin.options import RECORDS
from ssot_guard.pytest_plugin.words import many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import pytest

    from ssot_guard.baseline import Key
    from ssot_guard.pytest_plugin.book import SiteKey
    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.violation import Violation

# They depend on timing: not for a file that everybody shares.
_FLEETING = frozenset(("SSG115",))


class Place:
    """One distinct violation of the session, and the lines in which it was met."""

    __slots__ = ("lines", "violation")

    def __init__(self, line: Line) -> None:
        self.violation = line.violation
        self.lines = [line]

    @property
    def shown(self) -> bool:
        """Whether a failed result told of it."""
        return any(line.shown for line in self.lines)

    @property
    def excused(self) -> bool:
        """Whether every test that met it may do so, or expected it."""
        return all(line.excuse for line in self.lines)

    def tests(self) -> list[str]:
        """The tests that reach it themselves."""
        return list(dict.fromkeys(line.test for line in self.lines if line.test))

    def untold(self) -> list[Line]:
        """What no failed test tells of: its file must."""
        return [line for line in self.lines if not line.excuse and not (line.test and line.shown)]

    def become(self, status: str) -> None:
        """Set the status that it has in the whole session."""
        self.violation = self.violation.replace(status=status)
        for line in self.lines:
            line.violation = line.violation.replace(status=status)


class Conclusion:
    """The verdict on a session. ``stale`` are entries of the baseline that are gone from the code."""

    def __init__(self, guarded: GuardedSession, session: pytest.Session) -> None:
        self._root = guarded.options.policy.root
        self.partial = partial.reasons(guarded, session)
        self.lost = guarded.workers.lost()
        self.facts = [partial.facts(guarded), *guarded.workers.facts()]
        self.places = _places([guarded.book, guarded.workers.lines()])
        self.renames: dict[str, str] = {}
        self.baseline = self._judge(guarded)
        self.failing = [place for place in self.places if not place.excused and guarded.fails(place.violation)]

    def _judge(self, guarded: GuardedSession) -> Baseline:
        """Give each violation the status that it has in the whole session."""
        judged = [place for place in self.places if place.violation.status in ("new", "known")]
        sites = [(key_of(place.violation), place.violation.site) for place in judged]
        root = guarded.options.policy.root
        before = Baseline.load(guarded.options.baseline)
        baseline, self.renames = before.renamed(sites, exists=lambda file: os.path.exists(os.path.join(root, file)))
        by_key: dict[Key, list[Place]] = {}
        for place in judged:
            by_key.setdefault(key_of(place.violation), []).append(place)
        for key, places in by_key.items():
            places.sort(key=lambda place: (place.shown, *_position(place)))  # what failed a test stays new
            for number, place in enumerate(places):
                place.become("known" if number < baseline.allowance(key) else "new")
        self.stale = self._gone(root, baseline.judge(sites, looked_at=self._looked_at).stale)
        return baseline

    @staticmethod
    def _gone(root: str, unseen: list[tuple[Key, int]]) -> list[tuple[Key, int]]:
        """Of what was not seen, the entries that are gone from the code as well."""
        if not unseen:
            return []
        from ssot_guard.pytest_plugin.gone import is_gone

        return [(key, surplus) for key, surplus in unseen if is_gone(root, key)]

    def _looked_at(self, file: str, code: str) -> bool:
        del code
        if self.partial:
            return False
        gone = not os.path.exists(os.path.join(self._root, file))
        return gone or any(file in one["files"] for one in self.facts)

    def with_status(self, status: str) -> list[Place]:
        """Violations by status."""
        return [place for place in self.places if place.violation.status == status]


def _position(place: Place) -> tuple[int, int]:
    return place.violation.site.line or 0, place.violation.site.column or 0


def _places(books: Iterable[Iterable[Line]]) -> list[Place]:
    """Distinct violations of all processes."""
    merged = Book()
    for book in books:
        for line in book:
            merged.merge(line)
    places: dict[SiteKey, Place] = {}
    for line in merged:
        known = places.get(site_key(line.violation))
        if known is None:
            places[site_key(line.violation)] = Place(line)
        else:
            known.lines.append(line)
    return sorted(places.values(), key=lambda place: (place.violation.file or "", *_position(place)))


# -- at the very end --------------------------------------------------------------------------------------------------


def write(guarded: GuardedSession) -> None:
    """Write what was asked for: the baseline, the report."""
    found = guarded.conclusion
    if found is None:
        return
    if guarded.options.update:
        _update(guarded, found)
    if guarded.options.report is not None:
        _report(guarded, found)


def _update(guarded: GuardedSession, found: Conclusion) -> None:
    """New ones in, gone ones out; a partial run takes nothing out (``stale`` is empty then)."""
    new = [
        (key_of(place.violation), place.violation.site)
        for place in found.with_status("new")
        if not place.excused and place.violation.code not in _FLEETING and not place.violation.code.startswith("SSG9")
    ]
    baseline = found.baseline.extended(new).pruned(found.stale)
    changed = baseline.write(guarded.options.baseline)
    counts = f"{many(len(new), 'violation')} in, {many(len(found.stale), 'entry', 'entries')} out"
    guarded.notes.append(f"baseline {guarded.options.baseline} {'written' if changed else 'is as it was'}: {counts}")


def _report(guarded: GuardedSession, found: Conclusion) -> None:
    path, form = guarded.options.report or ("", "")
    seen = [_seen(line) for place in found.places for line in place.lines]
    if form == RECORDS:
        from ssot_guard.pytest_plugin.records import lines

        content = b"".join(lines(guarded, seen))
    else:
        from ssot_guard import report
        from ssot_guard.report.model import Report

        document = Report(seen, rules=[rule.id for rule in guarded.options.policy.rules()])
        document.inputs.stale = len(found.stale)
        content = report.render(document, form).encode()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
    guarded.notes.append(f"report: {path}")


def _seen(line: Line) -> Violation:
    changes: dict[str, Any] = {"count": line.count, "test": line.test or None}
    if line.excuse:
        changes["details"] = {**line.violation.details, "excuse": line.excuse}
        changes["status"] = "suppressed"
    return line.violation.replace(**changes)
