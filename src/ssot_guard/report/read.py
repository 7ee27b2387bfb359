"""JSONL files into a report: any number of files, from any number of processes and hosts, in any order.

Reads as production writes: a line may be torn (the process was killed), glued to other output, or not ours at all.
Such lines are counted and never fatal. A line whose tail (everything from ``"code"`` on) was seen before is merged
without parsing it: that is nearly every line of a large fleet.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ssot_guard.report import model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssot_guard.report.model import Report, Row

_CHUNK = 1 << 18
_LONGEST = 1 << 20  # bytes of a line; ours have at most 64 KiB
_MARK = b',"code":'
_ONE = b'"added":1'
_START = b'{"schema":'
_MOST_TAILS = 20_000  # then forget: the rows stay, only their next lines are parsed again


def read(paths: Iterable[str], report: Report) -> None:
    """Merge JSONL files into the report; a folder stands for all ``*.jsonl`` below it, ``-`` for standard input."""
    reader = _Reader(report)
    for path in paths:
        for file in _files(path):
            report.inputs.files += 1
            reader.file(file)
    reader.finish()


def _files(path: str) -> list[str]:
    if path != "-" and Path(path).is_dir():
        return sorted(str(file) for file in Path(path).rglob("*.jsonl"))
    return [path]


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._rows: dict[bytes, Row] = {}
        self._early: dict[model.Key, int] = {}  # counts that came before their violation: rotated files, any order
        self._loads = _loads()

    def file(self, name: str) -> None:
        """One file; what is wrong with it becomes an entry of ``unparsable``."""
        inputs = self._report.inputs
        damaged = inputs.damaged
        try:
            if name == "-":
                self._stream(sys.stdin.buffer)
            else:
                with Path(name).open("rb", buffering=0) as stream:
                    self._stream(stream)
            inputs.parsed += 1
        except OSError as error:
            inputs.unparsable.append({"path": name, "reason": error.strerror or str(error)})
        if inputs.damaged > damaged:
            reason = f"{inputs.damaged - damaged} damaged lines were skipped"
            inputs.unparsable.append({"path": name, "reason": reason})

    def finish(self) -> None:
        """Give early counts to their rows; those without one are lost."""
        for key, added in self._early.items():
            row = self._report.rows.get(key)
            if row is None:
                self._report.inputs.lost += added
            else:
                row.count += added

    def _stream(self, stream: _Bytes) -> None:
        """All lines, in constant memory. An endless line is cut, and so counts as damaged."""
        rest = b""
        while chunk := stream.read(_CHUNK):
            chunk = rest + chunk
            rest = chunk[self._chunk(chunk) :]
            if len(rest) > _LONGEST:
                self._line(rest, b"")
                rest = b""
        if rest:
            self._line(rest, b"")

    def _chunk(self, chunk: bytes) -> int:
        """All whole lines of a chunk; returns where the rest starts.

        Straight code that makes no object per line but the tail: this loop runs once per line of a whole fleet.
        """
        rows, find, has = self._rows, chunk.find, chunk.startswith
        start = lines = 0
        while (end := find(b"\n", start)) >= 0:
            mark = find(_MARK, start, end)
            row = rows.get(chunk[mark:end]) if mark > 0 else None
            if row is not None and has(_ONE, mark - len(_ONE)) and has(_START, start):
                row.count += 1
                lines += 1
            else:
                self._line(chunk[start:end], chunk[mark:end] if mark > 0 else b"")
            start = end + 1
        self._report.inputs.lines += lines
        return start

    def _line(self, line: bytes, tail: bytes) -> None:
        """A line that must be parsed; ``tail`` is its constant part, if it has one."""
        inputs = self._report.inputs
        if not line or line.isspace():
            return  # what ends a torn line
        inputs.lines += 1
        start = line.find(_START)
        if start < 0:
            inputs.foreign += 1
            return
        try:
            record = self._loads(line[start:])
            if not isinstance(record, dict) or record.get("schema") != model.SCHEMA:
                raise ValueError("another schema")  # noqa: TRY301 - one way out for everything that is not ours
            row = self._record(record)
        except (ValueError, RecursionError):
            inputs.damaged += 1
            return
        if row is not None and tail and start == 0:
            if len(self._rows) >= _MOST_TAILS:
                self._rows.clear()
            self._rows[tail] = row

    def _record(self, record: dict[str, Any]) -> Row | None:
        """Merge one record; returns the row that equal lines belong to."""
        process = record.get("process")
        if isinstance(process, str):
            self._report.inputs.processes.add(process)
        kind = record.get("record")
        if kind == "violation":
            return self._report.add(model.row(record))
        if kind == "count":
            return self._count(record)
        if kind != "header":
            raise ValueError("an unknown record")
        return None

    def _count(self, record: dict[str, Any]) -> Row | None:
        key = model.key(record)
        row = self._report.rows.get(key)
        if row is None:
            self._early[key] = self._early.get(key, 0) + model.added(record)
        else:
            row.count += model.added(record)
        return row


def _loads() -> Callable[[bytes], Any]:
    name = "orjson" if find_spec("orjson") else "json"  # no orjson wheel for every Python
    loads: Callable[[bytes], Any] = import_module(name).loads
    return loads
