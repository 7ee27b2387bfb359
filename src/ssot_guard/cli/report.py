"""``ssot-guard report``: merge JSON lines from any number of processes and hosts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ssot_guard import report as reports
from ssot_guard.cli.options import colored, emit, load_policy, options, policy_path
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
from ssot_guard.report.select import SelectionError, parse, select


@click.command("report")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option("--format", "name", metavar="NAME", help="text, json, …; default: the suffix of --output, else text.")
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of printing.")
@options("select", "policy", "color", "verbose", "quiet")
def command(  # noqa: PLR0913 - one per option
    files: tuple[str, ...],
    name: str | None,
    output: str | None,
    select: str | None,
    policy: str | None,
    color: str,
    *,
    verbose: bool,
    quiet: bool,
) -> int:
    """Merge JSONL files of guarded processes into one report.

    A folder stands for every *.jsonl below it, - for standard input. Damaged lines are counted, never fatal.
    With --policy the report also lists the rules that nothing matched.

    \b
    Examples:
      ssot-guard report /var/log/acme/ssot
      ssot-guard report host-*.jsonl --select tag:wave1,SSG201
      kubectl logs -l app=acme | ssot-guard report - --output report.json
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    try:
        selectors = parse(select)
        form = name or (reports.format_of(output) if output else "text")
        if form not in reports.formats():
            raise click.UsageError(f"{form!r} is no format; choose one of: {', '.join(reports.formats())}")
    except (SelectionError, reports.UnknownFormatError) as error:
        raise click.UsageError(str(error)) from None
    rules = [rule.id for rule in load_policy(policy_path(policy)).rules()] if policy else ()
    report = Report(rules=rules)
    read(files, report)
    report = chosen(report, selectors)
    color = "never" if output and color == "auto" else color
    text = reports.render(report, form, reports.Options(colored(color, sys.stdout), verbose, quiet))
    write(text, output)
    return int(report.failing())


def chosen(report: Report, selectors: tuple[str, ...]) -> Report:
    """The selected part of a report; all of it without selectors."""
    return report.select(select(report.rows.values(), selectors)) if selectors else report


def write(text: str, output: str | None) -> None:
    """Print, or write a file; a file that cannot be written is a usage error."""
    if output is None:
        emit(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"cannot write {output}: {error.strerror}") from None
