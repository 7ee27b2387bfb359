"""``ssot-guard check-policy``: whether a policy is valid, and what it governs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ssot_guard.baseline import Baseline
from ssot_guard.cli.options import emit, load_policy, options, policy_path
from ssot_guard.cli.resolve import unresolved
from ssot_guard.errors import BaselineError, PolicyError, Problem
from ssot_guard.policy.check import overdue
from ssot_guard.policy.modes import chosen_profile
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.policy.model import Policy


@click.command("check-policy")
@click.option("--import", "resolve", is_flag=True, help="Also import the names that the policy relies on (in a child).")
@options("policy", "profile", "cache", "quiet")
def command(policy: str | None, profile: str | None, *, resolve: bool, cache: bool, quiet: bool) -> None:
    """Check a policy: every problem at once with file and line, or a summary of what it governs.

    Contests whose decide-by day has come are problems here, and nowhere else.

    \b
    Examples:
      ssot-guard check-policy
      ssot-guard check-policy --policy deploy/ssot-guard.toml --import
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    loaded = load_policy(policy_path(policy), cache=cache)
    chosen_profile(loaded, profile)
    problems = [*overdue(loaded, datetime.now(UTC).date()), *_damage(loaded)]
    if resolve:
        problems += unresolved(loaded)
    if problems:
        raise PolicyError(problems)
    if not quiet:
        emit(f"{visible(loaded.source)}: no problems\n")
        for label, text in _summary(loaded):
            emit(f"  {label:<9} {visible(text)}\n")


def _damage(policy: Policy) -> Iterator[Problem]:
    try:
        Baseline.load(os.path.join(policy.root, policy.baseline))
    except BaselineError as error:
        yield Problem(error.file, error.line, "", error.message)


def _summary(policy: Policy) -> Iterator[tuple[str, str]]:
    yield "packages", ", ".join(policy.packages) or "none: nothing is governed"
    imports = policy.imports
    paths = sum(len(rule.pairs) for rule in imports)
    contested = sum(bool(rule.contested) for rule in imports)
    yield "imports", f"{_counted(len(imports), 'rule')} for {_counted(paths, 'deprecated path')}, {contested} contested"
    isolated = sum(role.isolated for role in policy.roles)
    yield (
        "roles",
        f"{len(policy.roles)} ({isolated} isolated, {sum(bool(r.contested) for r in policy.roles)} contested)",
    )
    yield "events", str(len(policy.events))
    yield "journeys", str(len(policy.journeys))
    due = sorted(rule.due for rule in policy.rules() if rule.due)
    if due:
        yield "due", f"{_counted(len(due), 'rule')}, the next on {due[0]}"
    yield "mode", policy.mode or "warn (default)"
    if policy.profiles:
        yield (
            "profiles",
            ", ".join(f"{name} ({profile.mode or 'no mode'})" for name, profile in policy.profiles.items()),
        )
    watch = 'add sides = ["runtime", "audit"] to watch it'
    for rule in imports:
        if rule.audit_only:
            yield "note", f"rule `{rule.id}` is about code outside `packages`: the audit's only; {watch}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
