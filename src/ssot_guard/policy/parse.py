"""A policy file's bytes → checked plain data. Only cold starts come here."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

from ssot_guard.errors import PolicyError, Problem
from ssot_guard.policy.check import normalise
from ssot_guard.policy.lines import Lines

if TYPE_CHECKING:
    from typing import NoReturn

TABLE = ("tool", "ssot-guard")


def parse(content: bytes, file: str) -> dict[str, Any]:
    """Normalised data, as :func:`~ssot_guard.policy.check.normalise` returns it; PolicyError with every problem."""
    text = decode(content, file)
    if not text.strip():
        _fail(file, None, 'is empty; begin with the packages that it governs: packages = ["acme"]')
    document = read_toml(text, file)
    table = table_of(document)
    if table is not None:
        return normalise(table, file=file, lines=Lines(text, TABLE))
    if os.path.basename(file) == "pyproject.toml":
        _fail(file, None, "has no [tool.ssot-guard] table")
    return normalise(document, file=file, lines=Lines(text))


def decode(content: bytes, file: str) -> str:
    """UTF-8, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _fail(file, line, f"is not UTF-8: byte 0x{content[error.start]:02x}; save the file as UTF-8")


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The document; a syntax error is one problem, at the line that ``tomllib`` names."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        _fail(file, None, "is nested too deeply")
    except ValueError as error:  # TOMLDecodeError, or an integer with too many digits
        _fail(file, _line(error, text), f"is not TOML: {error}")


def table_of(document: dict[str, Any]) -> Any:
    """``[tool.ssot-guard]`` of a parsed document, or None."""
    tool = document.get("tool")
    return tool.get("ssot-guard") if isinstance(tool, dict) else None


def _line(error: ValueError, text: str) -> int | None:
    """The line out of ``… (at line 3, column 5)``; before 3.14 the message is all there is."""
    _, found, place = str(error).rpartition("(at line ")
    number = place.partition(",")[0]
    if found and number.isdigit():
        return int(number)
    return text.rstrip().count("\n") + 1 if "end of document" in str(error) else None


def _fail(file: str, line: int | None, message: str) -> NoReturn:
    raise PolicyError([Problem(file, line, "", message)])
