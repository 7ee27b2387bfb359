"""pytest-xdist: every worker guards itself and writes down what it sees; the controller alone says what it means.

A worker hands its book over when it ends. What a lost one saw stands in its spool file, up to its last moment.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile

from ssot_guard.pytest_plugin.book import unpack
from ssot_guard.sinks.append import open_append, write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ssot_guard.pytest_plugin.book import Line
    from ssot_guard.pytest_plugin.session import GuardedSession


class Spool:
    """In a worker: a file that gets each line of the book as soon as there is one."""

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
            write_line(self._descriptor, _dump(line.pack()) + b"\n")
        except OSError as error:  # another host, a full disk: the end of the session brings it
            self._guarded.faults.note("spool", error)

    def close(self) -> str:
        """Everything, as one text: xdist sends that as it is."""
        from ssot_guard.pytest_plugin.partial import facts

        self._guarded.settle()
        self._guarded.book.on_change = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        return json.dumps({"lines": [line.pack() for line in self._guarded.book], "facts": facts(self._guarded)})


def _dump(data: Any) -> bytes:
    return json.dumps(data).encode()


class Workers:
    """In the controller: who was started, and what came back."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._expected: dict[str, str] = {}  # worker → its spool file
        self._came: dict[str, dict[str, Any]] = {}

    def expect(self, node: Any) -> None:
        """Tell a worker where to write."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="ssot-guard-")
        name = str(node.gateway.id)
        self._expected[name] = node.workerinput["ssot_guard"] = os.path.join(self._folder, f"{name}.jsonl")

    def ended(self, node: Any) -> None:
        """Take what a worker hands over; a lost one hands over nothing."""
        sent = getattr(node, "workeroutput", {}).get("ssot_guard")
        if sent is not None:
            self._came[str(node.gateway.id)] = json.loads(sent)

    def lines(self) -> Iterator[Line]:
        """What all workers saw."""
        for name, path in self._expected.items():
            packed = self._came[name]["lines"] if name in self._came else _spooled(path)
            for data in packed:
                yield unpack(data)

    def facts(self) -> list[dict[str, Any]]:
        """What they say about themselves."""
        return [came["facts"] for came in self._came.values()]

    def lost(self) -> list[str]:
        """Workers that never came to their end."""
        return [name for name in self._expected if name not in self._came]

    def clear(self) -> None:
        """Remove the spool."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _spooled(path: str) -> Iterator[list[Any]]:
    """The lines of a lost worker; its last one may be torn."""
    try:
        with open(path, "rb") as stream:
            for text in stream:
                if text.endswith(b"\n"):
                    yield json.loads(text)
    except FileNotFoundError:
        return
