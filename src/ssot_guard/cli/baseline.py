"""``ssot-guard baseline``: write down what is known, so that only what is new fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ssot_guard.baseline import Baseline, key_of
from ssot_guard.baseline.merge import merged
from ssot_guard.catalogue import CATALOGUE
from ssot_guard.cli.options import emit, load_policy, options, policy_path
from ssot_guard.policy.kinds import meant
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
from ssot_guard.report.select import SelectionError, parse, select
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssot_guard.baseline import Key
    from ssot_guard.policy.model import Policy
    from ssot_guard.report.model import Row

    Sites = list[tuple[Key, Row]]
    Stale = list[tuple[Key, int]]

_NO_RUN = (
    "name the JSON lines of guarded runs with --from FILE: the audit, which will write a baseline without running "
    "anything, does not exist yet"
)
# They speak of the policy, the baseline and the comments themselves.
_NEVER_KNOWN = frozenset(("SSG901", "SSG902", "SSG903"))


@click.group("baseline", invoke_without_command=True)
@click.option(
    "--from", "sources", metavar="FILE", multiple=True, type=click.Path(exists=True, allow_dash=True),
    help="JSON lines of guarded runs: a file, a folder, or - for standard input; may be repeated.",
)  # fmt: skip
@click.option(
    "--add", metavar="RULE", multiple=True, help="Add only what this rule id, code or tag:… names; repeatable."
)
@click.option("--prune", is_flag=True, help="Remove what is gone, and add nothing (except with --add).")
@click.option("--complete", is_flag=True, help="The runs executed everything: what they did not see is gone.")
@click.option(
    "--tidy", is_flag=True, help="Also remove the lines of files without entries; best where no branch is open."
)
@click.option(
    "--locked", is_flag=False, flag_value="all", type=click.Choice(["all", "new-only"]),
    help="Write nothing; exit 1 where something is new or, without =new-only, stale.",
)  # fmt: skip
@options("policy", "verbose", "quiet")
@click.pass_context
def command(  # noqa: PLR0913 - one per option
    ctx: click.Context,
    sources: tuple[str, ...],
    add: tuple[str, ...],
    locked: str | None,
    policy: str | None,
    *,
    prune: bool,
    complete: bool,
    tidy: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Write down the known violations, so that only new ones fail; the policy names the file.

    Today it is written from guarded runs (--from); from the source tree once there is an audit. A run adds what it
    found. With --prune it removes entries instead: those of files that are gone, and those where the run came by (it
    saw another violation in the same function, or at the top of the same file). What it did not look at stays; with
    --complete it looked at everything. The entries of a renamed file move along.

    \b
    Examples:
      ssot-guard baseline --from /var/log/acme/ssot
      ssot-guard baseline --from run.jsonl --prune --add registry
      ssot-guard baseline --from run.jsonl --locked        in CI: has anything changed?

    Branches that repair different files merge as they are. For changes side by side in one file, let git merge entries
    instead of lines. In .gitattributes, with the file's name:

    \b
      ssot-baseline.json merge=ssot-baseline text eol=lf

    and once per clone:

    \b
      git config merge.ssot-baseline.name "ssot-guard baseline"
      git config merge.ssot-baseline.driver "ssot-guard baseline merge %O %A %B"
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    if ctx.invoked_subcommand is not None:
        return 0
    if complete and not (prune or locked):
        raise click.UsageError("--complete says what may be removed: give --prune or --locked with it")
    if not sources and (not tidy or add or prune or locked):
        raise click.UsageError(_NO_RUN)
    loaded = load_policy(policy_path(policy))
    runs = _Runs(sources)
    change = _Change(loaded, runs, complete=complete)
    if locked:
        return change.compare(stale=locked == "all", quiet=quiet)
    change.keep(added=_selected(change.new, add, loaded, runs) if add else [] if prune else change.new, prune=prune)
    change.write(tidy=tidy)
    if not quiet:
        change.tell(verbose=verbose)
    return 0


@command.command("merge")
@click.argument("base", type=click.Path(dir_okay=False))
@click.argument("ours", type=click.Path(exists=True, dir_okay=False))
@click.argument("theirs", type=click.Path(exists=True, dir_okay=False))
def merge(base: str, ours: str, theirs: str) -> int:
    """Git's merge driver: join two branches' baselines into OURS. BASE is where they parted."""
    _write(merged(_ancestor(base), Baseline.load(ours), Baseline.load(theirs)))
    return 0


class _Runs(Report):
    """What guarded runs saw, also where two sites of a violation share a line: reports show those as one."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__()
        self.sites: dict[tuple[Key, int | None, int | None], Row] = {}
        if sources:
            read(sources, self)
            for problem in self.inputs.unparsable:
                emit(f"{visible(problem['path'])}: {visible(problem['reason'])}\n", err=True)
            if not self.inputs.processes:
                raise click.UsageError(f"no guarded run wrote to {', '.join(sources)}: there is nothing to go by")

    def add(self, found: Row) -> Row:
        if found.status in {"new", "known"} and found.code not in _NEVER_KNOWN:
            self.sites.setdefault((key_of(found), found.line, found.column), found)
        return super().add(found)

    def pairs(self) -> Sites:
        return [(key, row) for (key, _, _), row in self.sites.items()]


class _Change:
    """What runs mean for the policy's baseline, and what becomes of it."""

    def __init__(self, policy: Policy, runs: _Runs, *, complete: bool) -> None:
        self._root, self._name = policy.root, policy.baseline
        before = Baseline.load(os.path.join(self._root, self._name))
        pairs = runs.pairs()
        self._after, self._renames = before.renamed(pairs, exists=self._exists)
        judged = self._after.judge(pairs)
        came_by = {(key.file, key.scope) for key, _ in pairs}
        self.new: Sites = judged.new
        self.stale: Stale = [
            (key, surplus)
            for key, surplus in judged.stale
            if complete or (key.file, key.scope) in came_by or not self._exists(key.file)
        ]
        self._added: Sites = []
        self._removed: Stale = []

    def _exists(self, file: str) -> bool:
        return file.startswith("<") or os.path.exists(os.path.join(self._root, file))

    def compare(self, *, stale: bool, quiet: bool) -> int:
        """1 where the baseline would change; says how to change it."""
        gone = self.stale if stale else []
        for key, row in self.new:
            emit(f"new    {_text(key, row.line)}\n")
        for key, surplus in gone:
            emit(f"stale  {_text(key)}{f' ({surplus} sites)' if surplus > 1 else ''}\n")
        if not quiet:
            emit(f"{self._name}: {len(self.new)} new, {len(gone)} stale\n")
        if not self._exists(self._name):
            emit(f"there is no {self._name} yet; write it: ssot-guard baseline --from ...\n")
        if gone:
            emit("remove what is stale: ssot-guard baseline --prune --from ...\n")
        return int(bool(self.new or gone))

    def keep(self, *, added: Sites, prune: bool) -> None:
        """Decide what is written."""
        self._added, self._removed = added, self.stale if prune else []
        self._after = self._after.pruned(self._removed).extended(added)

    def write(self, *, tidy: bool) -> None:
        if tidy:
            self._after.files = {key.file for key in self._after.entries}
        _write(self._after)

    def tell(self, *, verbose: bool) -> None:
        """What was done, in one line; with ``verbose`` also each entry."""
        if verbose:
            for old, new in self._renames.items():
                emit(f"moved    {visible(old)} -> {visible(new)}\n")
            for key, row in self._added:
                emit(f"added    {_text(key, row.line)}\n")
            for key, _ in self._removed:
                emit(f"removed  {_text(key)}\n")
        entries = self._after.entries
        done = f"{len(self._added)} added, {sum(surplus for _, surplus in self._removed)} removed"
        moved = f", {len(self._renames)} renamed" if self._renames else ""
        files = len({key.file for key in entries})
        known = f"{sum(entries.values())} known in {files} {'file' if files == 1 else 'files'}"
        emit(f"{self._name}: {done}{moved}; {known}\n")


def _text(key: Key, line: int | None = None) -> str:
    where = f"{key.file or '-'}:{line}" if line is not None else key.file or "-"
    return visible(f"{key.code} {key.rule}  {where}  {key.target}{f'  in {key.scope}' if key.scope else ''}")


def _selected(new: Sites, wanted: Iterable[str], policy: Policy, runs: _Runs) -> Sites:
    """The part of the new ones that ``--add`` names; a name that can mean nothing is a usage error."""
    try:
        selectors = parse(",".join(wanted))
    except SelectionError as error:
        raise click.UsageError(str(error)) from None
    known = {*CATALOGUE, *(rule.id for rule in policy.rules()), *(row.rule for row in runs.sites.values())}
    for selector in selectors:
        if ":" not in selector and selector not in known:
            raise click.UsageError(f"--add: there is no rule {selector!r}{meant(selector, known)}")
    chosen = {id(row) for row in select((row for _, row in new), selectors)}
    return [(key, row) for key, row in new if id(row) in chosen]


def _ancestor(path: str) -> Baseline:
    """Where two branches parted; git gives an empty file where there was no baseline yet."""
    return Baseline() if os.path.exists(path) and not os.path.getsize(path) else Baseline.load(path)


def _write(baseline: Baseline) -> None:
    try:
        baseline.write()
    except OSError as error:
        raise click.UsageError(f"cannot write {baseline.path}: {error.strerror}") from None
