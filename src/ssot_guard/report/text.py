"""The report as a person reads it: what is wrong, where (clickable), what to write instead, how to allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.report.triage import MEANING, verdicts_of
from ssot_guard.report.verdicts import DEPRECATED
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.report import Options
    from ssot_guard.report.model import Report, Row
    from ssot_guard.report.triage import Group

    Line = list[tuple[str, str]]  # (text, style): plain text joins the texts, rich also takes the styles

_VERBS = {
    "import": "imports",
    "name": "imports",
    "dynamic": "imports",
    "string": "names",
    "attribute": "reads",
    "re-export": "exports",
    "class": "defines",
    "function": "defines",
    "value": "defines",
    "call": "calls",
}
_STYLES = {"new": "bold red", "known": "yellow", "contested": "magenta", "suppressed": "dim"}
_BUT = {
    "different": "DIFFERENT object there: `fix` refuses",
    "absent": "no such name there: `fix` refuses",
    "awakens": "the import fails today and a `try` hides it: code that is dead would run again",
    "repair": "the import fails today",
}
_SHOWN = frozenset({"write", "verdict", "see", "tests", "reason", "rule-owner", "ignore"})
_PLACES = 3  # of a group


def render(report: Report, options: Options) -> str:
    """Violations by place, then one summary line."""
    lines: list[Line] = []
    if not options.quiet:
        for row in report.violations():
            lines += [*_violation(row, options), []]
    lines += summary(report)
    return _joined(lines, options)


def triage(report: Report, groups: list[Group], options: Options) -> str:
    """Groups, the best first, each with the command to paste next; then what the verdicts mean, and the summary."""
    lines: list[Line] = []
    for group in groups if not options.quiet else ():
        lines += [*_group(group, options), []]
    lines += [[(f"{verdict}: {MEANING[verdict]}", "dim")] for verdict in verdicts_of(groups)]
    lines += summary(report)
    return _joined(lines, options)


def _joined(lines: list[Line], options: Options) -> str:
    return _colored(lines) if options.color else "".join(_plain(line) + "\n" for line in lines)


def _group(group: Group, options: Options) -> Iterator[Line]:
    owner = f"owner {group.owner}" if group.owner else "no owner"
    facts = ", ".join((group.verdict or "no verdict", owner, *group.codes))
    yield [(group.rule, "bold"), (f"  ({facts})", "dim")]
    yield _field("edits", f"{many(group.edits, 'place')} in {many(group.files, 'file')}{_freed(group)}")
    places = group.places() if options.verbose else group.places()[:_PLACES]
    for row in places:
        tests = f", {many(row.test_count, 'test')}" if row.test_count else ""
        yield _field("at", f"{row.place}  {row.target}  ({many(row.count, 'time')}{tests})")
    if len(places) < len(group.rows):
        yield _field("", f"… and {len(group.rows) - len(places):,} more", "dim")
    if group.reason:
        yield _field("reason", group.reason)
    for number, command in enumerate(group.commands):
        yield _field("" if number else "next", command, "green")


def _freed(group: Group) -> str:
    if not group.tests:
        return ""
    about = "" if group.exact else "about "
    each = f"; frees {about}{group.freed:,}, {group.freed / group.edits:.1f} per edit"
    return f", reached by {about}{many(group.tests, 'test')}{each}"


def _violation(row: Row, options: Options) -> Iterator[Line]:
    yield [(row.code, _STYLES.get(row.status, "bold")), (f" {row.rule}  ", ""), (row.place, "bold")]
    yield from _what(row)
    yield from _instead(row)
    but = objection(row)
    if but is not None:
        yield _field("but", but, "yellow")
    reason = row.detail("reason")
    if reason and reason not in _said(row):
        yield _field("reason", reason)
    yield from _allowed(row)
    if options.verbose:
        yield from _more(row)
    yield from _tests(row)


def _allowed(row: Row) -> Iterator[Line]:
    """Why the comment that is there does not count, else the one to write."""
    entry, ignore = CATALOGUE.get(row.code), row.detail("ignore")
    if ignore:
        yield _field("ignore", ignore, "yellow")
    elif row.line is not None and (entry is None or (entry.audit and not row.code.startswith("SSG9"))):
        yield _field("allow", f"# ssot: ignore[{row.code}] <reason>", "dim")


def objection(row: Row) -> str | None:
    """What stands against writing the canonical path, if anything does."""
    but = _BUT.get(row.verdict or "")
    if but is None or (row.verdict == "absent" and row.canonical is None):
        return None
    return f"{but}; see {row.see}" if row.see else but


def _said(row: Row) -> str:
    """The message, where it is printed."""
    return "" if row.code in DEPRECATED else row.message


def _what(row: Row) -> Iterator[Line]:
    """The offending target of an import rule; everybody else's message says it better."""
    entry = CATALOGUE.get(row.code)
    facts = ["deprecated" if row.code in DEPRECATED else entry.name if entry else "unknown code"]
    facts += [row.status] if row.status != "new" else []
    facts += row.tags
    owner = row.detail("rule-owner") or row.owner
    facts += [f"owner {owner}"] if owner else []
    remark = (f" ({', '.join(facts)})", "dim")
    if row.code in DEPRECATED:
        yield [*_field(_VERBS.get(row.kind, "uses"), f"{row.target:<31}"), remark]
    else:
        yield [*_field("found", row.message or row.target), remark]


def _instead(row: Row) -> Iterator[Line]:
    given, advice = written(row), instead(row)
    if given:
        yield _field("write", given, "green")
    elif advice and row.code in DEPRECATED:
        yield _field("write", advice, "green")
    elif advice:
        yield _field("instead", advice, "green")


def written(row: Row) -> str | None:
    """The code to write instead, where it is known."""
    given = row.detail("write")
    return given or (statement(row.canonical, row.kind) if row.code in DEPRECATED and row.canonical else None)


def instead(row: Row) -> str | None:
    """What to do where no code is known."""
    if row.status == "contested":
        return "nothing yet: nobody has decided which home is the canonical one"
    if row.code in DEPRECATED:
        return "nothing: there is no successor, remove the use"
    entry = CATALOGUE.get(row.code)
    return entry.write if entry is not None else None


def statement(canonical: str, kind: str = "import") -> str:
    """What to write for a canonical path: ``a.b:N`` → ``from a.b import N``; in a string, the dotted path itself."""
    module, _, name = canonical.partition(":")
    if kind == "string":
        return f'"{module}.{name}"' if name else f'"{module}"'
    return f"from {module} import {name}" if name else f"import {module}"


def _more(row: Row) -> Iterator[Line]:
    scope = f" in {row.scope}" if row.scope else ""
    done = f"mode {row.mode}, {row.action}, fingerprint {row.fingerprint}"
    yield _field("seen", f"{many(row.count, 'time')}{scope}, {done}", "dim")
    for key, value in row.details.items():
        if key not in _SHOWN:
            yield _field("detail", f"{key} = {value}", "dim")


def _tests(row: Row) -> Iterator[Line]:
    first = next(iter(row.tests), None)
    if row.test_count == 1 and first is not None:
        yield [(f"1 test reaches this line: {first}", "dim")]
    elif row.test_count:
        yield [(f"{row.test_count:,} tests reach this line" + (f"; first: {first}" if first else ""), "dim")]


def _field(label: str, text: str, style: str = "") -> Line:
    return [(f"  {label:<7}  ", "dim"), (text, style)]


def summary(report: Report) -> Iterator[Line]:
    """The totals in one line, then a line for each thing that was not clean."""
    totals, inputs = report.summary(), report.inputs
    if totals["violations"]:
        parts = [f"{totals[status]:,} {status}" for status in ("new", "known", "contested") if totals[status]]
        rows = report.rows.values()
        rules, files = len({row.rule for row in rows}), len({row.path for row in rows})
        text = f"{many(totals['violations'], 'violation')} ({', '.join(parts) or 'all suppressed'})"
        text += f" of {many(rules, 'rule')} in {many(files, 'file')}"
        yield [(text + _origin(report), "bold red" if totals["new"] else "bold")]
    elif inputs.unseen:
        yield [(inputs.unseen, "bold yellow")]
    else:
        yield [("no violations" + _origin(report), "bold green")]
    for note in inputs.notes:
        yield [(note, "yellow")]
    if totals["stale"]:
        yield [(f"{many(totals['stale'], 'baseline entry is', 'baseline entries are')} stale", "yellow")]
    for problem in inputs.unparsable:
        yield [(f"not read: {problem['path']}: {problem['reason']}", "yellow")]
    if inputs.foreign:
        yield [(f"{many(inputs.foreign, 'line is', 'lines are')} not ours and {_were(inputs.foreign)} skipped", "dim")]
    for error, times in inputs.internal_errors.items():
        where = f" (in {times:,} processes)" if times > 1 else ""
        yield [(f"the guard itself failed, please report it: {error}{where}", "yellow")]
    if inputs.lost:
        yield [(f"{inputs.lost:,} executions belong to violations whose first record is missing", "yellow")]


def _origin(report: Report) -> str:
    processes = len(report.inputs.processes)
    if not processes:
        return ""
    executions = sum(row.count for row in report.rows.values())
    return f", {many(executions, 'execution')} in {many(processes, 'process', 'processes')}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def many(number: int, one: str, more: str | None = None) -> str:
    """A number and its noun: ``1 file``, ``1,234 files``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _plain(line: Line) -> str:
    return visible("".join(text for text, _ in line)).rstrip()


def _colored(lines: list[Line]) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    buffer = StringIO()
    # Wide enough never to wrap: a path that is broken over two lines cannot be clicked.
    console = Console(file=buffer, force_terminal=True, color_system="standard", width=1 << 16, legacy_windows=False)
    for line in lines:
        console.print(Text.assemble(*((visible(text), style) for text, style in line)), soft_wrap=True)
    return buffer.getvalue()
