"""The command's group, and what its exit status means."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import click

from ssot_guard._version import __version__
from ssot_guard.errors import BaselineError, PolicyError

VIOLATIONS, USAGE, INTERNAL = 1, 2, 3
_INTERRUPTED = 130  # what a shell says for SIGINT

# Name → module with a click command called `command`. Loaded when it is asked for.
COMMANDS = {
    "baseline": "baseline",
    "check-policy": "check_policy",
    "doctor": "doctor",
    "explain": "explain",
    "report": "report",
    "run": "run",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"ssot_guard.cli.{module}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ssot-guard")
def group() -> None:
    """One capability, one home: find and block second homes in a live process.

    \b
    First steps:
      ssot-guard check-policy              is the policy valid, and what does it govern?
      ssot-guard run -m acme.server        run a program guarded, with a report at its end
      ssot-guard explain SSG101            what a code means and what to do about it
      ssot-guard doctor                    is this environment guarded?

    \b
    Exit status: 0 clean, 1 violations, 2 usage or policy error, 3 internal error.
    """  # noqa: D301 - \b is click's mark for "do not wrap"


def run(args: list[str] | None) -> int:
    """The command as a function: every way out is an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # an old terminal's encoding is no reason to fail
    try:
        status = group.main(args, prog_name="ssot-guard", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (BaselineError, PolicyError) as error:
        click.echo(str(error), err=True)
        return USAGE
    except click.Abort:
        return _INTERRUPTED
    except Exception:  # noqa: BLE001 - the last line of defence, and it says so
        traceback.print_exc()
        click.echo("ssot-guard: internal error; please report it with the lines above", err=True)
        return INTERNAL
    return status if isinstance(status, int) else 0
