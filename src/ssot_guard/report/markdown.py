"""The report as Markdown for a pull request's comment: totals, then one table for each owner of files.

Everything that comes from records stands in code spans. There Markdown knows no markup, no HTML, no mention and no
link; :func:`code` takes what could end the span or the line out of play, and :func:`_line` what could end a cell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ssot_guard.report.model import STATUSES
from ssot_guard.report.text import instead, many, objection, summary, written
from ssot_guard.report.triage import MEANING, verdicts_of
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.report import Options
    from ssot_guard.report.model import Report, Row
    from ssot_guard.report.triage import Group

LIMIT = 65_536  # characters of a comment on GitHub; counted here in bytes, which are never fewer
_SPARE = 512  # for the line that says what was left out
_LONGEST = 300  # characters of one text in a table
_MOST_NOTES = 20
_REASONS = 1 << 13  # bytes of all of them
_PLACES = 3  # of a triage group
_HEAD = "| where | code | rule | target | write instead | count | status |\n|---|---|---|---|---|--:|---|\n"


def render(report: Report, options: Options) -> str:
    """Totals, a table for each owner (files that nobody owns come last), and the rules' reasons."""
    head = _totals(report)
    if options.quiet or not report.rows:
        return head
    reasons = _reasons(report)
    room = LIMIT - _SPARE - _size(head) - _size(reasons)
    return head + "".join(_tables(_by_owner(report), room, options)) + reasons


def triage(report: Report, groups: list[Group], options: Options) -> str:
    """One section for each group, the best first, each with the commands to paste next."""
    meanings = "".join(f"- **{verdict}**: {MEANING[verdict]}\n" for verdict in verdicts_of(groups))
    head = _totals(report) + (f"\n{meanings}" if meanings else "")
    room = LIMIT - _SPARE - _size(head)
    parts = [head]
    for number, group in enumerate(groups if not options.quiet else ()):
        part = _group(group, options)
        room -= _size(part)
        if room < 0:
            parts.append(f"\n… and {many(len(groups) - number, 'more group')}: too long for one comment.\n")
            break
        parts.append(part)
    return "".join(parts)


def code(text: str, longest: int = _LONGEST) -> str:
    """Any text as one code span."""
    shown = visible(text)
    if not shown:
        return "-"
    shown = shown if len(shown) <= longest else f"{shown[:longest]}…"
    # A code span ends at a run of as many backticks as it began with, and loses a space at both of its edges.
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    edge = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def _totals(report: Report) -> str:
    first, *notes = ["".join(text for text, _ in line) for line in summary(report)]
    lines = [f"## ssot-guard\n\n**{first}**\n", *(f"- {code(note)}\n" for note in notes[:_MOST_NOTES])]
    if len(notes) > _MOST_NOTES:
        lines.append(f"- … and {len(notes) - _MOST_NOTES:,} more such notes\n")
    return "\n".join([lines[0], "".join(lines[1:])]) if notes else lines[0]


def _by_owner(report: Report) -> list[tuple[str | None, list[Row]]]:
    """Rows by the owner of their file; what is new comes first, for the rest may be cut."""
    found: dict[str | None, list[Row]] = {}
    for row in report.violations():
        found.setdefault(row.owner, []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: STATUSES.index(row.status) if row.status in STATUSES else 0)
    return sorted(found.items(), key=lambda item: (item[0] is None, item[0] or ""))


def _tables(owners: list[tuple[str | None, list[Row]]], room: int, options: Options) -> Iterator[str]:
    """As many rows as there is room for, one owner after the other in turns, so that each gets a share."""
    heads = [_heading(owner, rows) for owner, rows in owners]
    lines: list[list[str]] = [[] for _ in owners]
    for index, turn in _turns(owners):
        line = _line(owners[index][1][turn], options)
        needed = _size(line) + (0 if turn else _size(heads[index]) + len("\n… and 1,000,000 more\n"))
        if needed > room:
            break
        room -= needed
        lines[index].append(line)
    unseen = 0
    for (_, rows), head, shown in zip(owners, heads, lines, strict=True):
        if shown:
            rest = len(rows) - len(shown)
            yield head + "".join(shown) + (f"\n… and {rest:,} more\n" if rest else "")
        else:
            unseen += len(rows)
    if unseen:
        others = many(sum(not shown for shown in lines), "more owner")
        yield f"\n… and {unseen:,} more of {others}: too long for one comment.\n"


def _turns(owners: list[tuple[str | None, list[Row]]]) -> Iterator[tuple[int, int]]:
    longest = max(len(rows) for _, rows in owners)
    for turn in range(longest):
        for index, (_, rows) in enumerate(owners):
            if turn < len(rows):
                yield index, turn


def _heading(owner: str | None, rows: list[Row]) -> str:
    counted = {status: sum(row.status == status for row in rows) for status in STATUSES}
    facts = ", ".join(f"{count:,} {status}" for status, count in counted.items() if count)
    name = "Nobody's files" if owner is None else code(owner)
    return f"\n### {name}: {many(len(rows), 'violation')} ({facts or 'unknown status'})\n\n{_HEAD}"


def _line(row: Row, options: Options) -> str:
    cells = (
        _where(row, options.tree),
        code(row.code),
        code(row.rule),
        code(row.target),
        _instead(row),
        f"{row.count:,}",
        row.status if row.status in STATUSES else code(row.status),
    )
    # A bar ends the cell, also within a code span, unless a backslash stands before it.
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _instead(row: Row) -> str:
    given = written(row)
    text = code(given) if given else code(instead(row) or row.message)
    but, ignore = objection(row), row.detail("ignore")
    text = f"{text}, but {code(but)}" if but else text
    return f"{text}; the ignore comment there {code(ignore)}" if ignore else text


def _where(row: Row, tree: str) -> str:
    """``path:line``, as a link where the path is one of the tree."""
    shown = code(row.place)
    outside = not row.path or row.path.startswith(("/", "<", "\\")) or ".." in row.path.split("/") or ":" in row.path
    if outside or len(row.path) > _LONGEST:
        return shown
    line = "" if row.line is None else f"#L{row.line}"
    return f"[{shown}]({tree}{quote(row.path, errors='replace')}{line})"


def _reasons(report: Report) -> str:
    reasons = {row.rule: reason for row in report.violations() if (reason := row.detail("reason"))}
    lines = ["\n### Why\n\n"]
    for rule, reason in reasons.items():
        lines.append(f"- {code(rule)}: {code(reason)}\n")
        if _size("".join(lines)) > _REASONS:
            lines.append("- …\n")
            break
    return "".join(lines) if reasons else ""


def _group(group: Group, options: Options) -> str:
    owner = code(group.owner) if group.owner else "nobody's files"
    work = f"{many(group.edits, 'edit')} in {many(group.files, 'file')}, {many(group.executions, 'execution')}"
    lines = [
        f"\n### {code(group.rule)}: {group.verdict or 'no verdict'}, {owner}\n",
        f"\n{work}{_freed(group)}\n\n",
        *(_place(row, options.tree) for row in group.places()[:_PLACES]),
    ]
    if len(group.rows) > _PLACES:
        lines.append(f"- … and {len(group.rows) - _PLACES:,} more\n")
    if group.reason:
        lines.append(f"\nWhy: {code(group.reason)}\n")
    return "".join([*lines, "\nNext:\n\n", *(f"- {code(command, 1 << 12)}\n" for command in group.commands)])


def _freed(group: Group) -> str:
    if not group.tests:
        return ""
    about = "" if group.exact else "about "
    return f". Reached by {about}{many(group.tests, 'test')}, frees {about}{group.freed:,}"


def _size(text: str) -> int:
    return len(text.encode())


def _place(row: Row, tree: str) -> str:
    tests = f", {many(row.test_count, 'test')}" if row.test_count else ""
    return f"- {_where(row, tree)} {code(row.target)} ({many(row.count, 'time')}{tests})\n"
