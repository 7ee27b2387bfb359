"""``ssot-guard run``: any program guarded, its child processes too, and a report at its end.

The program runs in a child process of the same interpreter, so ``__main__``, ``sys.argv``, ``-m`` and ``sys.path`` are
Python's own; the guard reaches it, and its children, through the environment.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from ssot_guard import report as reports
from ssot_guard.baseline import Baseline
from ssot_guard.cli import process
from ssot_guard.cli.options import colored, emit, load_policy, options, policy_path
from ssot_guard.cli.report import chosen, write
from ssot_guard.policy.model import MODES
from ssot_guard.policy.modes import chosen_profile, switched_off
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
from ssot_guard.report.select import SelectionError, parse

_AUTOSTART = str(Path(__file__).parent / "autostart")
_NOT_GUARDED = 3
_NO_SCRIPT = {"-m": "a module", "-c": "code"}  # what a program may begin with instead


class _Program(click.Command):
    """Our options end where the program begins, so that ``-m module -v`` is the module's ``-v``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._marked(ctx, args))

    def _marked(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {
            name
            for option in self.get_params(ctx)
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        place = 0
        while place < len(args):
            word = args[place]
            if word == "--":
                return args
            if not word.startswith("-") or word == "-" or word[:2] in _NO_SCRIPT:
                return [*args[:place], "--", *args[place:]]
            place += 2 if word in valued else 1
        return args


@click.command("run", cls=_Program)
@click.option("--mode", type=click.Choice(MODES), help="observe, warn or strict; default: what the policy says.")
@click.option(
    "--report", "output", metavar="FILE", type=click.Path(dir_okay=False), help="Also write the report there."
)
@options("select", "policy", "profile", "color", "verbose", "quiet")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def command(  # noqa: PLR0913 - one per option
    program: tuple[str, ...],
    mode: str | None,
    output: str | None,
    select: str | None,
    policy: str | None,
    profile: str | None,
    color: str,
    *,
    verbose: bool,
    quiet: bool,
) -> int:
    """Run a program guarded, and its child processes too. PROGRAM is script.py, -m module or -c code, with arguments.

    Prints a report on standard error at the end. Exit status: the program's own; or, when that is 0: 1 for new
    violations in mode strict, 3 when no guard started. 2 is a usage or policy error: then nothing ran.

    \b
    Examples:
      ssot-guard run -m pytest -x
      ssot-guard run --mode strict app.py --port 8000
      ssot-guard run --report ssot.json -m gunicorn acme.wsgi
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    try:
        selectors = parse(select)
        form = reports.format_of(output) if output else "text"
    except (SelectionError, reports.UnknownFormatError) as error:
        raise click.UsageError(str(error)) from None
    _check(program)
    place = policy_path(policy)
    loaded = load_policy(place)
    chosen_profile(loaded, profile or os.environ.get("SSOT_GUARD_PROFILE") or None)
    if not switched_off(os.environ)[0]:
        Baseline.load(os.path.join(loaded.root, loaded.baseline))  # a damaged one is an error before anything runs
    status, report, guarded = _guarded(program, _environment(place, mode, profile))
    report = chosen(report, selectors, (rule.id for rule in loaded.rules()))
    if not quiet:
        emit(reports.render(report, "text", reports.Options(colored(color, sys.stderr), verbose)), err=True)
    if output:
        write(reports.render(report, form), output)
    return process.end_like(_status(status, report, guarded=guarded))


def _guarded(program: tuple[str, ...], environ: dict[str, str]) -> tuple[int, Report, bool]:
    """Run it to its end: its status, what all its processes found, and whether any of them was guarded at all."""
    spool = tempfile.mkdtemp(prefix="ssot-guard-")
    environ["SSOT_GUARD_RUN_SPOOL"] = spool
    environ.setdefault("SSOT_GUARD_CACHE", os.path.join(spool, "cache"))  # leave nothing beside the policy
    environ["SSOT_GUARD_SINKS"] = ",".join(filter(None, [environ.get("SSOT_GUARD_SINKS"), f"jsonl:{spool}"]))
    report = Report()
    try:
        status = process.run([sys.executable, *program], environ)
        read([spool], report)
        return status, report, any(Path(spool).glob("*.guarded"))
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def _check(program: tuple[str, ...]) -> None:
    first = program[0]
    if first in _NO_SCRIPT and len(program) == 1:
        raise click.UsageError(f"{first} needs {_NO_SCRIPT[first]}")
    if first[:2] not in _NO_SCRIPT and not Path(first).exists():
        found = shutil.which(first)
        hint = f"; for the command {first!r} try: ssot-guard run {found}" if found else ""
        raise click.UsageError(f"there is no script {first!r}{hint}")


def _environment(policy: str, mode: str | None, profile: str | None) -> dict[str, str]:
    """The environment that makes every Python below us guard itself."""
    environ = dict(os.environ)
    environ["SSOT_GUARD_POLICY"] = policy
    if mode is not None:
        environ["SSOT_GUARD_MODE"] = mode
    if profile is not None:
        environ["SSOT_GUARD_PROFILE"] = profile
    # No empty parts: an empty entry of PYTHONPATH is the working directory.
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_AUTOSTART, environ.get("PYTHONPATH")]))
    return environ


def _status(status: int, report: Report, *, guarded: bool) -> int:
    if status:
        return status
    if not guarded and not switched_off(os.environ)[0]:
        click.echo("ssot-guard: the program was NOT guarded; see `ssot-guard doctor`", err=True)
        return _NOT_GUARDED
    strict = any(row.status == "new" and row.mode == "strict" for row in report.rows.values())
    return int(strict)
