"""``ssot-guard doctor``: is this environment guarded? Asked of a fresh interpreter, because that is what will run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click

from ssot_guard.baseline import Baseline
from ssot_guard.cli.options import emit, options
from ssot_guard.discover import discover
from ssot_guard.errors import BaselineError, PolicyError
from ssot_guard.policy.load import VARIABLE, from_environment
from ssot_guard.policy.modes import chosen_profile, environment_mode, session_mode, switched_off
from ssot_guard.sinks.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 60
_MARK = "ssot-guard-doctor:"
_REFUSAL = "ssot-guard: NOT guarding this process: "
_HOOK = "`import ssot_guard.bootstrap; ssot_guard.bootstrap.start()` in a sitecustomize.py"
_VARIABLES = ("SSOT_GUARD", VARIABLE, "SSOT_GUARD_PROFILE", "SSOT_GUARD_MODE", "SSOT_GUARD_SINKS")
# First as it is; then, where no start-up hook has run, what would happen if one did.
_CHILD = f"""
import json, sys, time
def status():
    import ssot_guard, ssot_guard.guard
    facts = {{**ssot_guard.guard.status(), "active": ssot_guard.active()}}
    if "since" in facts:  # a reading of this process's own clock
        facts["since"] = f"{{time.monotonic() - facts['since']:.3f}} s before this answer"
    return facts
try:
    answer = {{"now": status()}}
    if not answer["now"]["active"]:
        from ssot_guard import bootstrap
        bootstrap.start()
        answer["with_hook"] = status()
except BaseException as error:
    answer = {{"error": f"{{type(error).__name__}}: {{error}}"}}
sys.stdout.write("\\n{_MARK}" + json.dumps(answer, default=repr) + "\\n")
"""


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options("policy", "profile")
def command(form: str, policy: str | None, profile: str | None) -> int:
    """Tell whether a Python that starts in this environment is guarded, by which policy, and what stands in its way.

    With --policy or --profile: as if the environment named these. Exit status: 0 guarded, inert or switched off,
    1 asked to guard but does not, 2 the policy or its baseline has problems.

    \b
    Examples:
      ssot-guard doctor
      SSOT_GUARD_POLICY=/etc/acme/ssot-guard.toml ssot-guard doctor --format json
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    environ = dict(os.environ)
    if policy is not None:
        environ[VARIABLE] = policy if policy.startswith("entry-point:") else os.path.abspath(policy)
    if profile is not None:
        environ["SSOT_GUARD_PROFILE"] = profile
    facts = examine(environ)
    if form == "json":
        emit(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    else:
        emit(_text(facts))
    return int(facts["exit_status"])


def examine(environ: dict[str, str]) -> dict[str, Any]:
    """Everything that ``doctor`` knows, as plain data."""
    answer, said = _ask(environ)
    now, hooked = answer.get("now", {}), answer.get("with_hook", {})
    damage = _damage(environ)
    verdict, status = _verdict(environ, answer, said, damage)
    return {
        "schema": 1,
        "verdict": verdict,
        "exit_status": status if damage is None else max(status, 2),
        "guarded": bool(now.get("active")),
        "interpreter": {"executable": sys.executable, "version": ".".join(map(str, sys.version_info[:3]))},
        "environment": {name: environ[name] for name in _VARIABLES if name in environ},
        "policy_for_tests_and_command": _discovered(),
        "baseline_problem": damage,
        "status": now,
        "with_hook": hooked if hooked.get("active") else {},
        "messages": said,
    }


def _verdict(environ: dict[str, str], answer: dict[str, Any], said: list[str], damage: str | None) -> tuple[str, int]:
    """One sentence and the exit status."""
    now = answer.get("now", {})
    if "error" in answer:
        return f"unknown: a fresh interpreter could not say: {answer['error']}", 3
    if switched_off(environ)[0]:
        return "off: SSOT_GUARD=off, nothing is installed", 0
    if now.get("active"):
        position = now.get("finder_position", 0)
        if position:
            return f"guarded, but {position} finders stand before ours: they may hide imports", 1
        return (
            ("guarded", 0) if damage is None else ("guarded, but its baseline cannot be read: `strict` only warns", 2)
        )
    return _why_not(environ, answer, said)


def _why_not(environ: dict[str, str], answer: dict[str, Any], said: list[str]) -> tuple[str, int]:
    """What is missing where nothing guards."""
    if not environ.get(VARIABLE):
        found = _discovered()
        if found is None:
            return "inert: no policy found", 0
        return f"inert: {VARIABLE} is not set (tests and this command use {found})", 0
    if answer.get("with_hook", {}).get("active"):
        return f"NOT guarded: {VARIABLE} is set, but no start-up hook is installed, such as {_HOOK}", 1
    if _mode(environ) == "off":
        return "off: the mode is off, nothing is installed", 0
    return "NOT guarded: " + (" ".join(map(_reason, said)) or "the policy does not start"), 2


def _reason(said: str) -> str:
    return said.removeprefix(_REFUSAL)


def _mode(environ: dict[str, str]) -> str | None:
    """The session mode; None where there is no policy, or a broken one."""
    try:
        policy = from_environment(environ, cache=False)
        if policy is None:
            return None
        profile = chosen_profile(policy, environ.get("SSOT_GUARD_PROFILE") or None)
        return session_mode(None, environment_mode(environ), profile, policy)
    except PolicyError:
        return None


def _damage(environ: dict[str, str]) -> str | None:
    """What is wrong with the baseline that a guard would read."""
    if switched_off(environ)[0] or _mode(environ) in (None, "off"):
        return None
    try:
        policy = from_environment(environ, cache=False)
        if policy is not None:
            Baseline.load(os.path.join(policy.root, policy.baseline))
    except BaselineError as error:
        return str(error)
    return None


def _ask(environ: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """What a fresh interpreter answers, and what the guard said on stderr while it started."""
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-c", _CHILD],
            env=environ,
            check=False,
            capture_output=True,
            timeout=_SECONDS,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {_SECONDS} s"}, []
    # A hook may have said it, and then the question above once more.
    said = list(dict.fromkeys(line for line in done.stderr.splitlines() if line.startswith("ssot-guard:")))
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return json.loads(line.removeprefix(_MARK)), said
    return {"error": f"it ended with status {done.returncode}: {done.stderr.strip()[-500:]}"}, said


def _discovered() -> str | None:
    try:
        return discover()
    except PolicyError as error:
        return str(error)


def _text(facts: dict[str, Any]) -> str:
    lines = [facts["verdict"], f"  python       {facts['interpreter']['version']} {facts['interpreter']['executable']}"]
    lines += [f"  {name}={value}" for name, value in facts["environment"].items()]
    if facts["baseline_problem"] is not None:
        lines.append(f"  baseline         cannot be read: {facts['baseline_problem']}")
    lines += _rows(facts["status"])
    if facts["with_hook"]:
        rest = {key: value for key, value in facts["with_hook"].items() if key != "active"}
        lines += ["with a start-up hook:", *_rows(rest)]
    lines += [line for line in facts["messages"] if _reason(line) not in facts["verdict"]]
    return "".join(visible(line) + "\n" for line in lines)


def _rows(status: dict[str, Any]) -> Iterator[str]:
    for key, value in status.items():
        shown = ", ".join(map(str, value)) if isinstance(value, (list, dict)) else value
        yield f"  {key.replace('_', ' '):<16} {'-' if shown in ('', None) else shown}"
