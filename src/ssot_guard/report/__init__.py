"""What was found, for people and for machines: one file per format, one model (:mod:`.model`) behind all.

A format is a module of this package with ``render(report, options) -> str`` and ``triage(report, groups, options)``;
its file's name is the format's name. Adding one means adding a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from ssot_guard.report.triage import Inputs, groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssot_guard.report.model import Report
    from ssot_guard.report.triage import Group

# Everything else in this package is a format.
_NO_FORMAT = frozenset({"filter", "model", "read", "select", "triage", "verdicts"})
# Suffixes that are not the format's own name.
_SUFFIXES = {"md": "markdown", "htm": "html", "txt": "text"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to print: ``verbose`` adds details, ``quiet`` leaves only the summary, ``color`` needs rich.

    ``tree`` is the address of the source tree that Markdown's links start with; relative where it is empty.
    """

    color: bool = False
    verbose: bool = False
    quiet: bool = False
    tree: str = ""


class UnknownFormatError(ValueError):
    """No such format; the message lists those that there are."""


def formats() -> tuple[str, ...]:
    """Names of the formats, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if module.name not in _NO_FORMAT))


def format_of(file: str) -> str:
    """The format that a file name's suffix asks for: ``report.md`` → ``markdown``."""
    suffix = PurePath(file).suffix.removeprefix(".").lower()
    return _known(_SUFFIXES.get(suffix, suffix), f"{file!r} has a suffix of no known format")


def render(report: Report, name: str, options: Options | None = None) -> str:
    """The report in one format, ending with a newline."""
    report.judge()
    write: Callable[[Report, Options], str] = _format(name).render
    return write(report, options or Options())


def render_triage(report: Report, name: str, inputs: Inputs, options: Options | None = None) -> str:
    """What to do first, in one format; ``inputs`` are what the commands to paste are made of."""
    write: Callable[[Report, list[Group], Options], str] = _format(name).triage
    return write(report, groups(report, inputs), options or Options())


def _format(name: str) -> Any:
    return import_module(f"{__name__}.{_known(name, f'{name!r} is no format')}")


def _known(name: str, problem: str) -> str:
    if name not in formats():
        raise UnknownFormatError(f"{problem}; choose one of: {', '.join(formats())}")
    return name
