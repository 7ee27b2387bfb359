"""Options that mean the same in every command, and what they stand for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from ssot_guard.discover import discover
from ssot_guard.policy import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssot_guard.policy.model import Policy

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_BROKEN_PIPE = 141  # what a shell says for SIGPIPE
_OPTIONS: dict[str, Decorator] = {
    "select": click.option("--select", metavar="LIST", help="Only these rule ids, codes, tag:…, owner:… (commas)."),
    "policy": click.option("--policy", metavar="PATH", help="Policy file, or entry-point:NAME; default: look upward."),
    "profile": click.option("--profile", metavar="NAME", help="A profile of the policy."),
    "cache": click.option("--no-cache", "cache", is_flag=True, default=True, flag_value=False, help="Parse afresh."),
    "color": click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours."
    ),
    "verbose": click.option("-v", "--verbose", is_flag=True, help="Say more."),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Only what matters."),
}


def options(*names: str) -> Decorator:
    """The common options of these names, in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return decorate


def colored(choice: str, stream: TextIO) -> bool:
    """Whether to use colours: on request, or on a terminal that does not object (https://no-color.org)."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def policy_path(given: str | None) -> str:
    """The policy that holds here: the option, ``SSOT_GUARD_POLICY``, else the nearest file; absolute."""
    found = given or os.environ.get(load.VARIABLE) or discover()
    if not found:
        raise click.UsageError("no policy found from here upward: name one with --policy or SSOT_GUARD_POLICY")
    return found if found.startswith(load.ENTRY_POINT) else os.path.abspath(found)


def load_policy(path: str, *, cache: bool = False) -> Policy:
    """The policy behind :func:`policy_path`; raises :class:`~ssot_guard.errors.PolicyError` with every problem."""
    loaded = load.from_environment({**os.environ, load.VARIABLE: path}, cache=cache)
    if loaded is None:
        raise click.UsageError(f"no policy at {path!r}")
    return loaded


def emit(text: str, *, err: bool = False) -> None:
    """Print text that already ends with a newline. A reader that has left ends the command, as SIGPIPE would."""
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # Python flushes once more at its exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise click.exceptions.Exit(_BROKEN_PIPE) from None
