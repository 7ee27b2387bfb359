"""``ssot-guard report``: merge JSON lines from any number of processes and hosts."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ssot_guard import report as reports
from ssot_guard.cli.app import USAGE
from ssot_guard.cli.options import colored, emit, load_policy, options, policy_path
from ssot_guard.errors import PolicyError
from ssot_guard.report import filter as filters
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
from ssot_guard.report.select import SelectionError, parse, select, unmatched
from ssot_guard.report.triage import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterable

_DOCUMENT = re.compile(rb'\s*\{\s*"schema":\s*\d+,\s*"tool":\s*"ssot-guard"')  # how `--format json` begins


@click.command("report")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--format", "name", metavar="NAME", help=f"{', '.join(reports.formats())}; default: by --output, or text."
)
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead of printing.")
@click.option(
    "--triage", is_flag=True, help="Group by rule, verdict and owner: what to do first, and the next commands."
)
@click.option(
    "--since", metavar="TIME", help="Only what was recorded since: 24h, 7d, 2026-11-22, 2026-11-22T16:00+01:00."
)
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only processes with this label.")
@options("select", "policy", "color", "verbose", "quiet")
def command(  # noqa: PLR0913 - one per option
    files: tuple[str, ...],
    name: str | None,
    output: str | None,
    since: str | None,
    labels: tuple[str, ...],
    select: str | None,
    policy: str | None,
    color: str,
    *,
    triage: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Merge JSONL files of guarded processes into one report.

    A folder stands for every *.jsonl below it, - for standard input. Damaged lines are counted, never fatal.
    With --policy the report also lists the rules that nothing matched. Exit status: 0 no new violations, 1 new
    violations, 2 a usage error, or files without a single record of a guarded process, 3 internal error.

    \b
    Examples:
      ssot-guard report /var/log/acme/ssot
      ssot-guard report host-*.jsonl --select tag:wave1,SSG201
      ssot-guard report ssot --triage --since 7d --label release=7f3c
      kubectl logs -l app=acme | ssot-guard report - --output report.md
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    selectors, form, wanted = _understood(select, name, output, since, labels)
    _refuse_reports(files)
    rules = [rule.id for rule in load_policy(policy_path(policy)).rules()] if policy else ()
    report = Report(rules=rules)
    read(files, report, wanted)
    report.inputs.unseen = _unseen(files, report)
    report = chosen(report, selectors, rules)
    color = "never" if output and color == "auto" else color
    how = reports.Options(colored(color, sys.stdout), verbose, quiet, _tree())
    if triage:
        text = reports.render_triage(report, form, _inputs(files, policy, since, labels), how)
    else:
        text = reports.render(report, form, how)
    write(text, output)
    if report.inputs.unseen and output:
        click.echo(f"ssot-guard: {report.inputs.unseen}", err=True)
    return USAGE if _unusable(files, report) else int(report.failing())


def _refuse_reports(files: tuple[str, ...]) -> None:
    """A usage error for a finished report in JSON: it names no tests and no processes, and would be skipped."""
    for path in map(Path, files):
        if not path.is_file():  # also a pipe, of which nothing may be taken
            continue
        try:
            with path.open("rb") as stream:
                found = _DOCUMENT.match(stream.read(200))
        except OSError:  # said where it is read
            continue
        if found is not None:
            lines = path.with_suffix(".jsonl")
            raise click.UsageError(
                f"{path} is a finished report, which names too little to be merged; pass the JSON lines themselves: "
                f"what a sink wrote, or `pytest --ssot-report={lines}`"
            )


def _unseen(files: tuple[str, ...], report: Report) -> str:
    if report.inputs.records:
        return ""
    names = ", ".join(files)
    return f"nothing here was written by a guarded process: {names}; a process without violations writes nothing"


def _unusable(files: tuple[str, ...], report: Report) -> bool:
    """Whether there was something to read, and nothing of it is a record: a gate must not open for a wrong path.

    A log on standard input may be another program's from start to end: so is that of a process without violations.
    """
    inputs = report.inputs
    return not inputs.records and bool(inputs.unparsable or (inputs.foreign and set(files) != {"-"}))


def _understood(
    select: str | None, name: str | None, output: str | None, since: str | None, labels: tuple[str, ...]
) -> tuple[tuple[str, ...], str, filters.Filter]:
    """Selectors, format and filter; a usage error where one of them means nothing."""
    try:
        form = name or (reports.format_of(output) if output else "text")
        if form not in reports.formats():
            raise click.UsageError(f"{form!r} is no format; choose one of: {', '.join(reports.formats())}")
        wanted = filters.Filter(filters.since(since) if since else 0, filters.labels(labels))
        return parse(select), form, wanted
    except (SelectionError, filters.FilterError, reports.UnknownFormatError) as error:
        raise click.UsageError(str(error)) from None


def _inputs(files: tuple[str, ...], policy: str | None, since: str | None, labels: tuple[str, ...]) -> Inputs:
    """What the next commands need to read the same records again."""
    wanted = [*(["--since", since] if since else []), *(word for label in labels for word in ("--label", label))]
    if policy is not None:
        return Inputs(files, ("--policy", policy), tuple(wanted))
    try:
        found = policy_path(None)
    except (click.UsageError, PolicyError):
        found = ""
    return Inputs(files, () if found else None, tuple(wanted))


def _tree() -> str:
    """Where GitHub Actions says that the source tree can be read: relative links lead nowhere in a comment."""
    server, repository, commit = (os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA"))
    return f"{server}/{repository}/blob/{commit}/" if server and repository and commit else ""


def chosen(report: Report, selectors: tuple[str, ...], rules: Iterable[str]) -> Report:
    """The selected part of a report, with a note on each selector that names nothing; all of it without selectors."""
    if not (selectors and report.rows):
        return report
    report.inputs.notes += unmatched(report.rows.values(), selectors, rules)
    return report.select(select(report.rows.values(), selectors))


def write(text: str, output: str | None) -> None:
    """Print, or write a file; a file that cannot be written is a usage error."""
    if output is None:
        emit(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"cannot write {output}: {error.strerror}") from None
