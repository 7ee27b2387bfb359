"""``# ssot: ignore[SSG101, registry] reason``: a violation that a person has looked at and accepts where it stands.

Codes and rule ids in brackets, then a reason, in a real comment on any physical line of the statement: a string that
looks like one does not count. The parser of comments loads for files only that hold the mark at all.
"""

from __future__ import annotations

import os

from ssot_guard.apart import apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK = "ssot:"
_MOST_FILES = 512
_LARGEST = 16 * 2**20  # bytes: nobody writes comments into larger files
_FILE_TYPE, _REGULAR = 0o170000, 0o100000  # as in `stat`


class Ignore:
    """One comment: the codes and rule ids that it names, and its reason (empty where it has none)."""

    __slots__ = ("names", "reason")

    def __init__(self, names: tuple[str, ...], reason: str) -> None:
        self.names = names
        self.reason = reason


class Ignores:
    """The comments of source files, read when first asked for; a file that is not there has none."""

    __slots__ = ("_files",)

    def __init__(self) -> None:
        self._files: dict[str, dict[int, list[Ignore]]] = {}

    def at(self, path: str | None, line: int | None, end_line: int | None = None) -> list[Ignore]:
        """The comments on the lines of a statement."""
        if path is None or line is None:
            return []
        found = self._files.get(path)
        if found is None:
            if len(self._files) >= _MOST_FILES:
                self._files.clear()
            found = self._files[path] = read(path)
        if not found:
            return []
        return [one for number in range(line, max(line, end_line or 0) + 1) for one in found.get(number, ())]


@apart
def read(path: str) -> dict[int, list[Ignore]]:
    """Line → comments of a source file."""
    try:
        status = os.stat(path)  # looked at first: opening a named pipe would wait for ever
        if status.st_mode & _FILE_TYPE != _REGULAR or status.st_size > _LARGEST:
            return {}
        with open(path, "rb") as stream:
            content = stream.read()
    except (OSError, ValueError):
        return {}
    last = content.rfind(_MARK.encode())
    if last < 0:
        return {}
    found: dict[int, list[Ignore]] = {}
    for line, text in _comments(content, last=len(content[:last].splitlines()) + 1):
        ignores = list(parse(text))
        if ignores:
            found[line] = ignores
    return found


def parse(comment: str) -> Iterator[Ignore]:
    """The ignores in the text of one comment, which may say other things, too."""
    before, *rest = comment.split(_MARK)
    for part in rest:
        body = part.strip()
        if before.rstrip().endswith("#") and body.startswith("ignore"):
            bracket, _, reason = body.removeprefix("ignore").lstrip().partition("]")
            names = bracket[1:].split(",") if bracket.startswith("[") else ()
            yield Ignore(tuple(name.strip() for name in names if name.strip()), _reason(reason))
        before = part


def _reason(text: str) -> str:
    """What stands before the next comment (`#845` is none), without punctuation in front."""
    text = text.strip(" \t:;,-\u2013\u2014")
    if text.startswith("#") and not text[1:2].isdigit():
        return ""
    return text.partition(" # ")[0].rstrip("# \t")


def _comments(content: bytes, last: int) -> Iterator[tuple[int, str]]:
    """(line, text) of the comments with a mark, up to a line; what comes before an error in the source counts."""
    import io
    import tokenize

    try:
        for token in tokenize.tokenize(io.BytesIO(content).readline):
            if token.type == tokenize.COMMENT and _MARK in token.string:
                yield token.start[0], token.string
            if token.start[0] > last:
                return
    except (SyntaxError, tokenize.TokenError, ValueError):
        return
