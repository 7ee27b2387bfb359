"""``ssot-guard explain``: what a code means, why it matters and what to write instead."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from io import StringIO

import click

from ssot_guard.catalogue import CATALOGUE, Entry
from ssot_guard.cli.options import colored, emit, options
from ssot_guard.cli.pages import page

_WIDTH = 100


@click.command("explain")
@click.argument("code", required=False)
@options("color")
def command(code: str | None, color: str) -> None:
    """Explain a violation's code, by code, name or built-in rule (as reports print it); without one, list them all.

    \b
    Examples:
      ssot-guard explain SSG101
      ssot-guard explain deprecated-module
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    text = _list() if code is None else page(_entry(code))
    emit(_rendered(text) if code is not None and colored(color, sys.stdout) else text)


def _entry(word: str) -> Entry:
    for entry in CATALOGUE.values():
        if word.upper() == entry.code or word.lower() in (entry.name, entry.rule):
            return entry
    near = get_close_matches(word.upper(), CATALOGUE, n=1)
    names = [name for entry in CATALOGUE.values() for name in (entry.name, entry.rule) if name]
    near = near or get_close_matches(word.lower(), names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise click.UsageError(f"{word!r} is no code{hint} (`ssot-guard explain` lists them all)")


def _list() -> str:
    lines = (f"{entry.code}  {entry.name:<22}{entry.what}{_later(entry)}\n" for entry in CATALOGUE.values())
    return "".join(lines)


def _later(entry: Entry) -> str:
    return " (not yet)" if entry.later else ""


def _rendered(markdown: str) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    buffer = StringIO()
    width = min(Console().width, _WIDTH)
    Console(file=buffer, force_terminal=True, width=width).print(Markdown(markdown, code_theme="ansi_dark"))
    return buffer.getvalue()
