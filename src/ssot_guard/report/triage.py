"""What to do first: groups of violations that one decision settles, those that free most tests per edit in front.

A group is (rule, verdict, owner of the file). A test is freed when all places that hold it are the group's.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssot_guard.report.select import NOTHING
from ssot_guard.report.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssot_guard.report.model import Report, Row

    Place = tuple[str, int | None]

_MOST_FILES = 8  # on a command line that is to be pasted
_HARMLESS = frozenset({"SSG112", "SSG113", "SSG114", "SSG115", "SSG901", "SSG902"})  # they fail no test
# What a verdict means, and what records of running processes cannot tell.
MEANING = {
    "unknown": "these records do not show whether old and new are the same object; only the audit's proof will",
    "repair": "the old import failed whenever it ran; that the new one works is not shown by these runs",
    "awakens": "the old import failed whenever it ran, and a `try` hid it: code that was dead would run again",
    "same": "old and new are the same object: writing the new path changes nothing else",
    "different": "another object lies at the new path: decide first which of them is the truth",
    "absent": "nothing lies at the new path, or there is none: these uses must go, or get a home first",
}


@dataclass(frozen=True)
class Group:
    """Violations of one rule, verdict and owner; ``exact`` says whether all its tests are known by name."""

    rule: str
    verdict: str | None
    owner: str | None
    rows: tuple[Row, ...]
    tests: int
    freed: int
    exact: bool
    commands: tuple[str, ...]

    @property
    def edits(self) -> int:
        """Places to change."""
        return len({(row.path, row.line) for row in self.rows})

    @property
    def files(self) -> int:
        """Files to change."""
        return len({row.path for row in self.rows})

    @property
    def executions(self) -> int:
        """How often its places ran."""
        return sum(row.count for row in self.rows)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in it, sorted."""
        return tuple(sorted({row.code for row in self.rows}))

    @property
    def reason(self) -> str | None:
        """The rule's."""
        return next((reason for row in self.rows if (reason := row.detail("reason"))), None)

    def with_status(self, status: str) -> int:
        """How many have this status."""
        return sum(row.status == status for row in self.rows)

    def places(self) -> list[Row]:
        """Rows, those that most tests reach first."""
        return sorted(self.rows, key=lambda row: (-row.test_count, -row.count, row.path, row.line or 0))


@dataclass(frozen=True)
class Inputs:
    """What the next commands are made of: the arguments that this report was made from."""

    files: tuple[str, ...] = ()
    policy: tuple[str, ...] | None = None  # what makes `check-policy` find it; None where there is none
    filters: tuple[str, ...] = ()  # --since and --label, as given


def groups(report: Report, inputs: Inputs) -> list[Group]:
    """Groups by tests freed per edit, then by executions. What is suppressed needs no edit and is left out."""
    report.judge()
    found: dict[tuple[str, str | None, str | None], list[Row]] = {}
    for row in report.violations():
        if row.status != "suppressed":
            found.setdefault((row.rule, row.verdict, row.owner), []).append(row)
    places = _places(row for rows in found.values() for row in rows)
    made = [_group(*key, rows, places, inputs) for key, rows in found.items()]
    return sorted(made, key=_rank)


def verdicts_of(found: Iterable[Group]) -> list[str]:
    """The verdicts that occur, in their order."""
    present = {group.verdict for group in found}
    return [verdict for verdict in VERDICTS if verdict in present]


def _places(rows: Iterable[Row]) -> dict[str, set[Place]]:
    """The places that hold a test, by its name."""
    places: dict[str, set[Place]] = {}
    for row in rows:
        for test in row.tests if row.code not in _HARMLESS else ():
            places.setdefault(test, set()).add((row.path, row.line))
    return places


def _rank(group: Group) -> tuple[float, int, str, str, str]:
    return -group.freed / group.edits, -group.executions, group.rule, group.verdict or "", group.owner or ""


def _group(
    rule: str,
    verdict: str | None,
    owner: str | None,
    rows: list[Row],
    places: dict[str, set[Place]],
    inputs: Inputs,
) -> Group:
    names = {test for row in rows for test in row.tests}
    tests = max(len(names), *(row.test_count for row in rows))
    mine = {(row.path, row.line) for row in rows}
    freed = sum(places[name] <= mine for name in names if name in places)
    unnamed = tests - len(names) if any(row.code not in _HARMLESS for row in rows) else 0
    commands = tuple(_commands(rule, verdict, owner, rows, inputs))
    return Group(rule, verdict, owner, tuple(rows), tests, freed + unnamed, not unnamed, commands)


def _commands(rule: str, verdict: str | None, owner: str | None, rows: Sequence[Row], inputs: Inputs) -> Iterable[str]:
    """Next commands: to see the places, and to learn what decides."""
    listed = _listing([rule, f"verdict:{verdict or NOTHING}", f"owner:{owner or NOTHING}"], inputs)
    if listed:
        yield listed
    if verdict in ("unknown", "repair", "awakens") and inputs.policy is not None:
        yield shlex.join(["ssot-guard", "check-policy", "--import", *inputs.policy])
    else:
        yield f"ssot-guard explain {'SSG104' if verdict == 'different' else min(row.code for row in rows)}"


def _listing(selectors: Sequence[str], inputs: Inputs) -> str | None:
    """The command that lists a group; None where it could not be pasted, or would not mean this group."""
    if not 0 < len(inputs.files) <= _MOST_FILES or any(file.startswith("-") for file in inputs.files):
        return None
    selection = "+".join(selectors)
    if "," in selection:
        return None
    command = shlex.join(["ssot-guard", "report", *inputs.files, *inputs.filters, "--select", selection])
    return command if command.isprintable() else None
