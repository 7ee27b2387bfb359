"""In a worker of pytest-xdist: what it sees is on disk at once, in case that it is lost."""

from __future__ import annotations

import json
import os

from ssot_guard.pytest_plugin.book import Line
from ssot_guard.pytest_plugin.partial import facts
from ssot_guard.sinks.append import open_append, write_line
from ssot_guard.sinks.plain import plain
from ssot_guard.violation import Site, Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ssot_guard.pytest_plugin.session import GuardedSession


class Spool:
    """A file that gets each line of the book as soon as there is one."""

    def __init__(self, guarded: GuardedSession, path: str) -> None:
        self._guarded = guarded
        self._path = path
        self._pid = os.getpid()
        self._descriptor: int | None = None
        guarded.spool = self
        guarded.book.on_change = self._write
        for line in guarded.book:
            self._write(line)

    def _write(self, line: Line) -> None:
        """Called inside imports: one ``write``, no lock. A forked child has no part in it."""
        if os.getpid() != self._pid:
            return
        try:
            if self._descriptor is None:
                self._descriptor = open_append(self._path)
            write_line(self._descriptor, json.dumps(_packed(line)).encode() + b"\n")
        except OSError as error:  # another host, a full disk: the end of the session brings it
            self._guarded.faults.note("spool", error)

    def close(self) -> str:
        """Everything, as one text: xdist sends that as it is."""
        self._guarded.settle()
        self._guarded.book.on_change = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        lines = [_packed(line) for line in self._guarded.book]
        return json.dumps({"lines": lines, "facts": facts(self._guarded)})


def _packed(line: Line) -> list[Any]:
    """Plain data, for another process."""
    found = line.violation
    fields = [getattr(found, name) for name in found.__slots__]
    site, details = found.__slots__.index("site"), found.__slots__.index("details")
    fields[site] = list(found.site.astuple())
    fields[details] = plain(dict(found.details))
    return [fields, line.test, line.when, line.excuse, line.shown, line.count]


def unpacked(data: list[Any]) -> Line:
    """A line of another process."""
    fields, test, when, excuse, shown, count = data
    named = dict(zip(Violation.__slots__, fields, strict=True))
    named["site"] = Site(*named["site"])
    named["tags"] = tuple(named["tags"])
    line = Line(Violation(**named), test, when, excuse)
    line.shown = bool(shown)
    line.count = int(count)
    return line


def spooled(path: str) -> Iterator[list[Any]]:
    """What a lost worker has left behind; its last line may be torn."""
    try:
        with open(path, "rb") as stream:
            for text in stream:
                if text.endswith(b"\n"):
                    yield json.loads(text)
    except FileNotFoundError:
        return
