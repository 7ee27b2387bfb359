"""JSONL files into a report: any number of files, from any number of processes and hosts, in any order.

Reads as production writes: a line may be torn (the process was killed), glued to other output, or not ours at all.
Such lines are counted and never fatal. What changes from line to line stands in front of a record, and what follows is
the same bytes for the same violation: equal ends are counted by the million, and each is looked at once.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ssot_guard.report import model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssot_guard.report.filter import Filter
    from ssot_guard.report.model import Report, Row

_CHUNK = 1 << 18
_LONGEST = 1 << 20  # bytes of a line; ours have at most 64 KiB
_START = b'{"schema":'
_ADDED = b'"added":'
_MARK = b',"code":'
_DIGITS = 20  # more is damage, and `int` would take its time
_MOST_ENDS = 20_000  # then look at them, and count anew
_MOST_ERRORS = 1_000
_MOST_TAILS = 20_000  # then forget: the rows stay, only their next lines are parsed again
# Each line without the front that is different every time; any other line as it stands. One call for thousands of
# lines: a loop over them in Python takes twice as long. (`[^,]` is the class that `re` is fastest with.)
_FRONT = rb'\{"schema":1,"record":"[^"]++","time_ns":[^,]++,"pid":[^,]++,"process":"[^"]++","count":[0-9]++,'
_ends = re.compile(rb"(?:" + _FRONT + rb'(?="added":))?+(.++)').findall
_process = re.compile(rb'^\{"schema":1,[^\n]{0,99}?,"process":"([0-9.]++)"', re.MULTILINE).search


def read(paths: Iterable[str], report: Report, chosen: Filter | None = None) -> None:
    """Merge JSONL files into the report; a folder stands for all ``*.jsonl`` below it, ``-`` for standard input."""
    reader = _Choosy(report, chosen) if chosen else _Reader(report)
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
    def readinto(self, buffer: memoryview, /) -> int | None: ...


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._ends: Counter[bytes] = Counter()
        self._rows: dict[bytes, Row] = {}  # by tail: everything from "code" on
        self._early: dict[model.Key, int] = {}  # counts that came before their violation: rotated files, any order
        self._loads = _loads()

    def file(self, name: str) -> None:
        """One file; what is wrong with it becomes an entry of ``unparsable``."""
        inputs = self._report.inputs
        damaged = inputs.damaged
        try:
            piped = name == "-"
            with open(0 if piped else name, "rb", buffering=0, closefd=not piped) as stream:
                self._stream(stream)
            inputs.parsed += 1
        except OSError as error:
            inputs.unparsable.append({"path": name, "reason": error.strerror or str(error)})
        self._settle()
        if inputs.damaged > damaged:
            lines = inputs.damaged - damaged
            reason = f"{lines:,} damaged {'line was' if lines == 1 else 'lines were'} skipped"
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
        # One buffer: a new one for each chunk would be new pages from the system each time.
        buffer = bytearray(_CHUNK)
        filled = 0
        while got := stream.readinto(memoryview(buffer)[filled:]):
            filled += got
            end = buffer.rfind(b"\n", 0, filled) + 1
            if not end and filled > _LONGEST:
                end = filled
            self._lines(buffer, end)
            filled -= end
            buffer[:filled] = buffer[end : end + filled]
            if filled > len(buffer) // 2:
                buffer += bytes(len(buffer))
        self._lines(buffer, filled)

    def _lines(self, chunk: bytearray, end: int) -> None:
        """Count the lines of a chunk by what they end with."""
        self._ends.update(_ends(chunk, 0, end))
        # Of lines that are merely counted nobody looks at the process; its header, which has it, may be cut off.
        found = _process(chunk, 0, end)
        if found is not None:
            self._report.inputs.processes.add(found[1].decode())
        if len(self._ends) > _MOST_ENDS:
            self._settle()

    def _settle(self) -> None:
        """Look at what was counted."""
        rows, lines = self._rows, 0
        for end, times in self._ends.items():
            mark = end.find(_MARK)
            tail = end[mark:] if mark > 0 else b""
            row = rows.get(tail)
            if row is not None and end.startswith(_ADDED) and (added := end[len(_ADDED) : mark]).isdigit():
                row.count += int(added[:_DIGITS]) * times
                lines += times
            elif not end.isspace():  # what ends a torn line
                lines += times
                self._line(end, tail, times)
        self._ends.clear()
        self._report.inputs.lines += lines

    def _line(self, line: bytes, tail: bytes, times: int) -> None:
        """A line, or the end of one, that must be parsed; ``tail`` is its constant part, if it has one."""
        if not line.startswith(_ADDED):
            tail = b""
        elif line[len(_ADDED) :].partition(_MARK)[0].isdigit():
            line = b'{"schema":1,' + line
        else:  # its record was torn here, and something else may be glued to it
            self._report.inputs.damaged += times
            return
        start = line.find(_START)
        if start < 0:
            self._report.inputs.foreign += times
            return
        try:
            record = self._loads(line[start:])
            if not isinstance(record, dict) or record.get("schema") != model.SCHEMA:
                raise ValueError("another schema")  # noqa: TRY301 - one way out for everything that is not ours
            row = self._record(record, times)
        except (ValueError, RecursionError):
            self._report.inputs.damaged += times
            return
        if row is not None and tail:
            if len(self._rows) >= _MOST_TAILS:
                self._rows.clear()
            self._rows[tail] = row

    def _record(self, record: dict[str, Any], times: int) -> Row | None:
        """Merge one record that was met so many times; returns the row that equal lines belong to."""
        # An end has lost the word that says what it is.
        kind = record.get("record") or ("violation" if "message" in record else "count")
        if kind not in ("header", "violation", "count", "internal_error"):
            raise ValueError("an unknown record")
        process = record.get("process")
        return self._known(str(kind), record, process if isinstance(process, str) else None, times)

    def _known(self, kind: str, record: dict[str, Any], process: str | None, times: int) -> Row | None:
        if process is not None:
            self._report.inputs.processes.add(process)
        if kind == "internal_error":
            self._internal_error(record)
            return None
        if kind == "violation":
            found = model.row(record)
            found.count *= times
            return self._report.add(found)
        return self._count(record, times) if kind == "count" else None

    def _internal_error(self, record: dict[str, Any]) -> None:
        errors = self._report.inputs.internal_errors
        text = f"{record.get('component')}: {record.get('error')}"
        if text in errors or len(errors) < _MOST_ERRORS:
            errors[text] = errors.get(text, 0) + 1

    def _count(self, record: dict[str, Any], times: int) -> Row | None:
        key = model.key(record)
        row = self._report.rows.get(key)
        if row is None:
            self._early[key] = self._early.get(key, 0) + model.added(record) * times
        else:
            row.count += model.added(record) * times
        return row


class _Choosy(_Reader):
    """Looks at each line on its own, because what says whether it counts stands in its front."""

    def __init__(self, report: Report, chosen: Filter) -> None:
        super().__init__(report)
        self._filter = chosen
        self._aside: dict[model.Key, Row] = {}  # described by a record that does not count
        self._waiting: dict[tuple[str | None, model.Key], int] = {}  # counts that came before their header

    def _lines(self, chunk: bytearray, end: int) -> None:
        for line in bytes(chunk[:end]).split(b"\n"):
            if line and not line.isspace():
                self._report.inputs.lines += 1
                self._line(line, b"", 1)

    def _known(self, kind: str, record: dict[str, Any], process: str | None, times: int) -> Row | None:
        self._filter.learn(record)
        labelled = self._filter.labelled(process)
        if kind == "header":
            return None
        if labelled and self._filter.in_time(record):
            return super()._known(kind, record, process, times)
        if kind == "violation":
            found = model.row(record)
            self._aside.setdefault(found.key, found)
        elif labelled is None and self._filter.in_time(record):
            wanted = (process, model.key(record))
            self._waiting[wanted] = self._waiting.get(wanted, 0) + model.added(record)
        return None

    def finish(self) -> None:
        """As above, after the records that had to wait; a violation may have been described before ``since``."""
        for (process, key), added in self._waiting.items():
            if self._filter.labelled(process):
                self._early[key] = self._early.get(key, 0) + added
        for key in self._early:
            described = self._aside.get(key)
            if described is not None and key not in self._report.rows:
                described.count = 0
                self._report.add(described)
        super().finish()


def _loads() -> Callable[[bytes], Any]:
    name = "orjson" if find_spec("orjson") else "json"  # no orjson wheel for every Python
    loads: Callable[[bytes], Any] = import_module(name).loads
    return loads
