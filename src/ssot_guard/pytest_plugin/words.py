"""How the plugin speaks of violations: as reports do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssot_guard.pytest_plugin.book import Line
    from ssot_guard.violation import Violation

OURS, BOTH = "ours", "both"  # who a failed result tells of: us alone, or the suite, too


def full(line: Line, known: Iterable[Line]) -> str:
    """A whole violation, as in the text report; what is known of others says what lies at the canonical path."""
    from ssot_guard import report
    from ssot_guard.report.model import Report

    found = line.violation.replace(test=None, count=1)
    twins = [one.violation for one in known if one.violation.code == "SSG104"]
    whole = Report([found, *twins])
    mine = whole.select([next(iter(whole.rows.values()))])
    text = report.render(mine, "text").partition("\n\n")[0]
    if line.violation.details.get("overdue"):
        text += f"\n  due      {line.violation.details['overdue']}: the time to allow it is over"
    return text


def headline(line: Line) -> str:
    """A violation in one line, without its place."""
    found = line.violation
    return f"{found.code} {found.rule}: {found.message}"


def place(found: Violation) -> str:
    """``path:line``, clickable; what has no file is named by its target."""
    where = found.file or found.site.path or f"({found.target})"
    return where if found.site.line is None else f"{where}:{found.site.line}"


def many(number: int, one: str, more: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
