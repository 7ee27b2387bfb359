"""The command ``ssot-guard``: thin; every command parses, calls and prints."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("click", "rich")


def main(args: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 clean, 1 violations, 2 usage or policy error, 3 internal error."""
    if not all(map(find_spec, _NEEDED)):
        sys.stderr.write('the command needs click and rich: pip install "ssot-guard[cli]"\n')
        return 2
    from ssot_guard.cli.app import run

    return run(args)
