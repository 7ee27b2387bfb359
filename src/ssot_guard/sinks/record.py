"""The lines of a JSONL stream, schema 1: ``header``, ``violation``, ``count`` and ``internal_error`` records.

What changes from sight to sight (time, process, counts) stands in front, before ``"code"``; what follows is the same
bytes for the same violation in every process. The reader relies on that to merge a million lines a second.
``added`` is what this record adds to the total, so merging is a sum: no reader has to remember processes.
"""

from __future__ import annotations

import sys
from time import time_ns

from ssot_guard.sinks.plain import plain, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ssot_guard.sinks import Context
    from ssot_guard.violation import Violation

    Record = dict[str, Any]

SCHEMA = 1
MAX_BYTES = 64 * 1024
_SHORT = 300  # characters of each text in a record that was too long: 25 of them fit, also when escaped


class Codec:
    """JSON with one meaning: ``line`` gives the same bytes with orjson and without.

    The encoder is chosen once. orjson only where the host has already loaded it: its import costs some 40 ms and
    brings ``inspect``, ``ast`` and ``dataclasses``, which a guarded start must not. Otherwise the C encoder that
    stands behind the standard library's ``json``, without that package's ``re``.
    """

    __slots__ = ("_dumps", "_number")

    def __init__(self, orjson: Any = None) -> None:
        orjson = orjson or sys.modules.get("orjson")
        if hasattr(orjson, "dumps") and hasattr(orjson, "Fragment"):
            self._dumps: Callable[[Any], bytes] = orjson.dumps
            # orjson writes 1e-07 as 1e-7; a fragment is copied as it stands.
            self._number: Callable[[float], Any] = lambda value: orjson.Fragment(repr(value))
        else:
            self._dumps = _standard()
            self._number = float

    def line(self, record: Record) -> bytes:
        """One line, at most :data:`MAX_BYTES` long: what is too long loses its details and keeps its place."""
        line = self._encode(record)
        return line if len(line) <= MAX_BYTES else self._encode(_shortened(record, len(line)))

    def _encode(self, record: Record) -> bytes:
        return self._dumps(plain(record, self._number)) + b"\n"


def _standard() -> Callable[[Any], bytes]:
    try:
        from _json import encode_basestring, make_encoder

        chunks = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)  # noqa: FBT003
        chunks({"": [0.5]}, 0)
    except (ImportError, TypeError):  # a private signature: another interpreter may have another one
        from json import JSONEncoder

        encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
        return lambda value: encode(value).encode()
    return lambda value: "".join(chunks(value, 0)).encode()


def _refuse(value: object) -> object:
    raise TypeError(f"not plain: {type(value)}")


def _shortened(record: Record, size: int) -> Record:
    short: Record = {}
    for key, value in record.items():
        if isinstance(value, str):
            short[key] = text(value, _SHORT)
        else:
            short[key] = value if value is None or isinstance(value, (int, float)) else {}
    short["tags"] = []
    short["details"] = {"truncated": f"the record had {size} bytes"}
    return short


class Origin:
    """The process that writes: its id is unique over hosts and containers, where every process may be number 1."""

    __slots__ = ("pid", "process", "started_ns")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.started_ns = time_ns()
        self.process = f"{pid}.{self.started_ns}"


def header(origin: Origin, context: Context) -> Record:
    """Who writes, and under which policy."""
    argv = getattr(sys, "argv", None) or [""]
    return {
        "schema": SCHEMA,
        "record": "header",
        "tool": "ssot-guard",
        "version": context.version,
        "pid": origin.pid,
        "process": origin.process,
        "started_ns": origin.started_ns,
        "python": ".".join(map(str, sys.version_info[:3])),
        "argv0": argv[0],
        "policy": context.policy,
        "policy_digest": context.policy_digest,
        "mode": context.mode,
        "profile": context.profile,
        "labels": context.labels,
    }


def count(origin: Origin, found: Violation, added: int) -> Record:
    """A known violation was executed ``added`` more times."""
    return {
        **_front("count", origin, found.count, added),
        "code": found.code,
        "rule": found.rule,
        "fingerprint": found.fingerprint,
        "path": found.site.path,
        "file": found.file,
        "line": found.site.line,
    }


def violation(origin: Origin, found: Violation, labels: Mapping[str, str]) -> Record:
    """A violation with everything that is known about it."""
    site = found.site
    return {
        **_front("violation", origin, found.count, found.count),
        "code": found.code,
        "rule": found.rule,
        "fingerprint": found.fingerprint,
        "path": site.path,
        "file": found.file,
        "line": site.line,
        "column": site.column,
        "end_line": site.end_line,
        "end_column": site.end_column,
        "module": site.module,
        "scope": site.scope,
        "kind": found.kind,
        "target": found.target,
        "canonical": found.canonical,
        "owner": found.owner,
        "message": found.message,
        "status": found.status,
        "mode": found.mode,
        "action": found.action,
        "tags": found.tags,
        "test": found.test,
        "tenant": found.tenant,
        "details": dict(found.details),
        "labels": labels,
    }


def internal_error(origin: Origin, component: str, error: str) -> Record:
    """A part of the guard failed; the application did not notice."""
    return {
        "schema": SCHEMA,
        "record": "internal_error",
        "time_ns": time_ns(),
        "pid": origin.pid,
        "process": origin.process,
        "component": component,
        "error": error,
    }


def _front(kind: str, origin: Origin, total: int, added: int) -> Record:
    return {
        "schema": SCHEMA,
        "record": kind,
        "time_ns": time_ns(),
        "pid": origin.pid,
        "process": origin.process,
        "count": total,
        "added": added,
    }
