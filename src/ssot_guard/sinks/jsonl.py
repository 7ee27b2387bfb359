"""JSON lines: one file per process, one write per record, on disk before a verdict is raised.

================  =============================================================================
``jsonl:/d``      a folder (created): ``/d/ssot-guard.<pid>.<start_ns>.jsonl``, one per process
``jsonl:/f.jsonl``  exactly this file, or any existing path that is no folder; appended to
``jsonl:-``       standard output, past Python's buffer
================  =============================================================================

Safe while an import lock is held: no lock, no import, no code of the application. Nothing is opened before the first
record, so a forked child has a file of its own. A fork is noticed by the process id: ``os.register_at_fork`` cannot be
undone, and ``uninstall`` must leave the process as it was.
"""

from __future__ import annotations

import errno
import os
from time import monotonic

from ssot_guard.apart import apart
from ssot_guard.faults import say
from ssot_guard.sinks import record
from ssot_guard.sinks.append import ShortWriteError, identity, open_append, write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssot_guard.sinks import Context
    from ssot_guard.violation import Violation

_STDOUT = 1
# The descriptor is as good as it was; what is missing is room.
_ROOM = frozenset({errno.ENOSPC, errno.EAGAIN, getattr(errno, "EDQUOT", -1)})
_STEPS = 6  # waits 1, 4, 9, 16, 25, 36 s, then 36 s again


class _Stream:
    """What one process has open and has sent. A forked child starts with a new one."""

    __slots__ = ("complained", "failures", "handle", "origin", "retry_at", "sent", "torn")

    def __init__(self, pid: int) -> None:
        self.origin = record.Origin(pid)
        # At most one item: descriptor → what it referred to when it was opened. A dict, for its atomic `setdefault`.
        self.handle: dict[str, tuple[int, tuple[int, int] | None]] = {}
        self.sent: dict[tuple[object, ...], int] = {}
        self.failures = 0
        self.retry_at = 0.0
        self.torn = False
        self.complained = False


class JsonlSink:
    """``dropped`` counts failed deliveries. What failed is sent again, whole, with its next repeat or at the end.

    The first failure is said on standard error, once for each process: records that are lost in silence look like none.
    """

    name = "jsonl"
    safe_in_import = True

    def __init__(self, target: str, context: Context) -> None:
        # The working directory may change before the first record.
        self._target = target if target == "-" else os.path.abspath(target)
        self._context = context
        self._codec = record.Codec()
        self._streams = {pid: _Stream(pid) for pid in (os.getpid(),)}
        self.dropped = 0

    def publish(self, violation: Violation, *, repeat: bool = False) -> None:
        """Write the whole violation on first sight, a short count afterwards."""
        del repeat  # what was really written says more: the first sight may have met a full disk
        try:
            self._send(self._stream(), violation)
        except Exception:  # noqa: BLE001 - a sink never raises
            self.dropped += 1

    def internal_error(self, component: str, text: str) -> None:
        """Write one record of its own kind."""
        try:
            stream = self._stream()
            try:
                self._write(stream, self._codec.line(record.internal_error(stream.origin, component, text)))
            except OSError as error:
                self.dropped += 1
                self._complain(stream, error)
        except Exception:  # noqa: BLE001 - as above
            self.dropped += 1

    def close(self, final: Iterable[Violation] = ()) -> None:
        """Write what is not yet written of the final counts, and close the file."""
        try:
            stream = self._stream()
            stream.retry_at = 0.0
        except Exception:  # noqa: BLE001 - as above
            self.dropped += 1
            return
        for violation in final:
            if stream.sent.get(_key(violation)) != violation.count:
                self.publish(violation)
        self._release(stream)

    def path(self) -> str | None:
        """The file that this process writes; None for standard output."""
        return None if self._target == "-" else self._file(self._stream())

    def _stream(self) -> _Stream:
        pid = os.getpid()
        stream = self._streams.get(pid)
        if stream is None:  # we are a forked child
            for inherited in list(self._streams.values()):
                self._release(inherited)
            stream = self._streams.setdefault(pid, _Stream(pid))
            self._streams = {pid: stream}
        return stream

    def _send(self, stream: _Stream, violation: Violation) -> None:
        if monotonic() < stream.retry_at:
            self.dropped += 1
            return
        key = _key(violation)
        sent = stream.sent.get(key)
        if sent is None:
            line = record.violation(stream.origin, violation, self._context.labels)
        else:
            line = record.count(stream.origin, violation, max(violation.count - sent, 0))
        try:
            self._write(stream, self._codec.line(line))
        except OSError as error:
            self._failed(stream, error)
            return
        stream.sent[key] = violation.count
        stream.failures = 0

    @apart
    def _write(self, stream: _Stream, line: bytes) -> None:
        fd = self._descriptor(stream)
        write_line(fd, b"\n" + line if stream.torn else line)
        stream.torn = False

    def _failed(self, stream: _Stream, error: OSError) -> None:
        self.dropped += 1
        stream.torn = stream.torn or isinstance(error, ShortWriteError)
        stream.failures = min(stream.failures + 1, _STEPS)
        stream.retry_at = monotonic() + stream.failures**2
        if error.errno not in _ROOM:
            self._release(stream)
        self._complain(stream, error)

    def _complain(self, stream: _Stream, error: OSError) -> None:
        if stream.complained:
            return
        stream.complained = True
        place = "standard output" if self._target == "-" else self._target
        reason = error.strerror or type(error).__name__
        if error.filename not in (None, place):  # a folder above it
            reason += f" ({error.filename})"
        try:  # noqa: SIM105 - contextlib would be imported for it
            say(f"sink jsonl: cannot write {place}: {reason}; tried again with the next violation, and at the end")
        except Exception:  # noqa: BLE001, S110 - standard error is the application's, and a sink never raises
            pass

    def _descriptor(self, stream: _Stream) -> int:
        """The open file, header written; two threads may both come here first, and one then closes its own."""
        opened = stream.handle.get("fd")
        if opened is not None:
            if _ours(*opened):
                return opened[0]
            # Not closed: the number belongs to somebody else now.
            stream.handle = {}
        fd, known = self._open(stream)
        winner, _ = stream.handle.setdefault("fd", (fd, known))
        if winner != fd:
            os.close(fd)
        return winner

    def _open(self, stream: _Stream) -> tuple[int, tuple[int, int] | None]:
        line = self._codec.line(record.header(stream.origin, self._context))
        if self._target == "-":
            write_line(_STDOUT, line)
            return _STDOUT, None  # redirecting number 1 is how daemons change their log
        fd = open_append(self._file(stream))
        try:
            write_line(fd, line)
            return fd, identity(fd)
        except OSError:
            os.close(fd)
            raise

    def _file(self, stream: _Stream) -> str:
        target = self._target
        folder = os.path.isdir(target)
        if not folder and not os.path.exists(target):
            folder = not target.endswith(".jsonl")
            os.makedirs(target if folder else os.path.dirname(target), exist_ok=True)
        origin = stream.origin
        return f"{target}{os.sep}ssot-guard.{origin.pid}.{origin.started_ns}.jsonl" if folder else target

    def _release(self, stream: _Stream) -> None:
        fd, known = stream.handle.pop("fd", (_STDOUT, None))
        if known is not None and _ours(fd, known):
            try:
                os.close(fd)
            except OSError:  # the last write of a network file may only fail here; there is nothing left to let go
                self.dropped += 1


def _ours(fd: int, known: tuple[int, int] | None) -> bool:
    """Whether the number still refers to what we opened; standard output is whatever the host makes of it."""
    try:
        return known is None or identity(fd) == known
    except OSError:
        return False


def _key(violation: Violation) -> tuple[object, ...]:
    site = violation.site
    return violation.fingerprint, site.path, site.line, site.column
