"""The report as a person reads it: what is wrong, where (clickable), what to write instead, how to allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.report import Options
    from ssot_guard.report.model import Report, Row

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
_DEPRECATED = frozenset({"SSG101", "SSG102", "SSG103"})
_STYLES = {"new": "bold red", "known": "yellow", "contested": "magenta", "suppressed": "dim"}
_BUT = {
    "different": "DIFFERENT object there: `fix` refuses",
    "absent": "no such name there: `fix` refuses",
    "awakens": "its module now loads code that was not running before",
}


def render(report: Report, options: Options) -> str:
    """Violations by place, then one summary line."""
    lines: list[Line] = []
    if not options.quiet:
        for row in report.violations():
            lines += [*_violation(row, options), []]
    lines += _summary(report)
    return _colored(lines) if options.color else "".join(_plain(line) + "\n" for line in lines)


def _violation(row: Row, options: Options) -> Iterator[Line]:
    place = row.path or "(unknown file)"
    where = place if row.line is None else f"{place}:{row.line}"
    yield [(row.code, _STYLES.get(row.status, "bold")), (f" {row.rule}  ", ""), (where, "bold")]
    yield from _what(row)
    yield from _instead(row)
    see = row.detail("see")
    but = _BUT.get(row.detail("verdict") or "")
    if but is not None:
        yield _field("but", f"{but}; see {see}" if see else but, "yellow")
    entry = CATALOGUE.get(row.code)
    if row.line is not None and (entry is None or (entry.audit and not row.code.startswith("SSG9"))):
        yield _field("allow", f"# ssot: ignore[{row.code}] <reason>", "dim")
    if options.verbose:
        yield from _more(row)
    yield from _tests(row)


def _what(row: Row) -> Iterator[Line]:
    """The offending target of an import rule; everybody else's message says it better."""
    entry = CATALOGUE.get(row.code)
    facts = ["deprecated" if row.code in _DEPRECATED else entry.name if entry else "unknown code"]
    facts += [row.status] if row.status != "new" else []
    facts += row.tags
    owner = row.detail("rule-owner") or row.owner
    facts += [f"owner {owner}"] if owner else []
    remark = (f" ({', '.join(facts)})", "dim")
    if row.code in _DEPRECATED:
        yield [*_field(_VERBS.get(row.kind, "uses"), f"{row.target:<31}"), remark]
    else:
        yield [*_field("found", row.message or row.target), remark]


def _instead(row: Row) -> Iterator[Line]:
    given = row.detail("write")
    entry = CATALOGUE.get(row.code)
    if given or (row.code in _DEPRECATED and row.canonical):
        yield _field("write", given or statement(row.canonical or "", row.kind), "green")
    elif row.code in _DEPRECATED:
        yield _field("write", "nothing: there is no successor, remove the use", "green")
    elif entry is not None:
        yield _field("instead", entry.write, "green")


def statement(canonical: str, kind: str = "import") -> str:
    """What to write for a canonical path: ``a.b:N`` → ``from a.b import N``; in a string, the dotted path itself."""
    module, _, name = canonical.partition(":")
    if kind == "string":
        return f'"{module}.{name}"' if name else f'"{module}"'
    return f"from {module} import {name}" if name else f"import {module}"


def _more(row: Row) -> Iterator[Line]:
    scope = f" in {row.scope}" if row.scope else ""
    done = f"mode {row.mode}, {row.action}, fingerprint {row.fingerprint}"
    yield _field("seen", f"{_many(row.count, 'time')}{scope}, {done}", "dim")
    for key, value in row.details.items():
        if key not in {"write", "verdict", "see", "tests"}:
            yield _field("detail", f"{key} = {value}", "dim")


def _tests(row: Row) -> Iterator[Line]:
    first = next(iter(row.tests), None)
    if row.test_count == 1 and first is not None:
        yield [(f"1 test reaches this line: {first}", "dim")]
    elif row.test_count:
        yield [(f"{row.test_count:,} tests reach this line" + (f"; first: {first}" if first else ""), "dim")]


def _field(label: str, text: str, style: str = "") -> Line:
    return [(f"  {label:<7}  ", "dim"), (text, style)]


def _summary(report: Report) -> Iterator[Line]:
    summary, inputs = report.summary(), report.inputs
    if summary["violations"]:
        parts = [f"{summary[status]:,} {status}" for status in ("new", "known", "contested") if summary[status]]
        rows = report.rows.values()
        rules, files = len({row.rule for row in rows}), len({row.path for row in rows})
        text = f"{_many(summary['violations'], 'violation')} ({', '.join(parts) or 'all suppressed'})"
        text += f" of {_many(rules, 'rule')} in {_many(files, 'file')}"
        yield [(text + _origin(report), "bold red" if summary["new"] else "bold")]
    else:
        yield [("no violations" + _origin(report), "bold green")]
    if summary["stale"]:
        yield [(f"{_many(summary['stale'], 'baseline entry is', 'baseline entries are')} stale", "yellow")]
    for problem in inputs.unparsable:
        yield [(f"not read: {problem['path']}: {problem['reason']}", "yellow")]
    if inputs.lost:
        yield [(f"{inputs.lost:,} executions belong to violations whose first record is missing", "yellow")]


def _origin(report: Report) -> str:
    processes = len(report.inputs.processes)
    if not processes:
        return ""
    executions = sum(row.count for row in report.rows.values())
    return f", {_many(executions, 'execution')} in {_many(processes, 'process', 'processes')}"


def _many(number: int, one: str, more: str | None = None) -> str:
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
