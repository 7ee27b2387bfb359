"""The standard library's logging: one record per distinct violation, at the importer's own file and line.

``logging`` is imported with the first record and never before: whoever patches threads (gevent) must still come first.
Its handlers take locks and do input and output, so the ledger calls this sink at safe points only, and not while
:meth:`LogSink.blocked` says that another thread is inside a handler.
"""

from __future__ import annotations

import sys
from time import monotonic

from ssot_guard.sinks.plain import plain, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ssot_guard.sinks import Context
    from ssot_guard.violation import Violation

LOGGER = "ssot_guard"
# Numbers, because `logging` is not there yet: INFO, WARNING, ERROR.
_LEVELS = {"observe": 20, "warn": 30, "strict": 40}
_QUIET_SECONDS = 60.0


class LogSink:
    """Logger ``ssot_guard``: observe → INFO, warn → WARNING, strict → ERROR. ``extra`` keys start with ``ssot_``."""

    name = "log"
    safe_in_import = False

    def __init__(self, context: Context) -> None:
        self._labels = context.labels
        self._spoken: dict[str, float] = {}
        self.dropped = 0

    def publish(self, violation: Violation, *, repeat: bool = False) -> None:
        """One record on first sight; later ones at most once a minute for each fingerprint."""
        now = monotonic()
        if repeat and now - self._spoken.get(violation.fingerprint, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return
        self._spoken[violation.fingerprint] = now
        try:
            _log(violation, self._labels)
        except Exception:  # noqa: BLE001 - filters and handlers are the application's, and a sink never raises
            self.dropped += 1

    def internal_error(self, component: str, text: str) -> None:
        """One record of level ERROR."""
        try:
            import logging

            extra = {"ssot_component": component, "ssot_error": plain(text)}
            said = "ssot_guard.internal_error in %s: %s"
            logging.getLogger(LOGGER).error(said, component, visible(text), extra=extra)
        except Exception:  # noqa: BLE001 - as above
            self.dropped += 1

    def blocked(self) -> bool:
        """Whether another thread holds a lock that a record would have to wait for."""
        logging: Any = sys.modules.get("logging")
        if logging is None:
            return False
        manager = getattr(getattr(logging, "Logger", None), "manager", None)
        if manager is None:
            return True  # somebody is importing it right now
        # Asking for the logger would take the module's lock. A placeholder stands for loggers below ours only.
        logger = manager.loggerDict.get(LOGGER)
        locks = [logging._lock, *_locks(logger if hasattr(logger, "handlers") else manager.root)]  # noqa: SLF001
        return not all(map(_free, locks))

    def close(self, final: Iterable[Violation] = ()) -> None:
        """Nothing is held. Final counts are the report's business, not the log's."""


def _locks(logger: Any) -> Iterator[Any]:
    while logger is not None:
        for handler in logger.handlers:
            yield handler.lock
        logger = logger.parent if logger.propagate else None


def _free(lock: Any) -> bool:
    if lock is None:
        return True
    if not lock.acquire(blocking=False):
        return False
    lock.release()
    return True


def _log(violation: Violation, labels: dict[str, str]) -> None:
    import logging

    logger = logging.getLogger(LOGGER)
    level = _LEVELS.get(violation.mode, logging.INFO)
    if not logger.isEnabledFor(level):
        return
    site = violation.site
    # Not `logger.log`: file and line of the record are the importer's, which is no longer on the stack.
    record = logger.makeRecord(
        LOGGER,
        level,
        visible(site.path or "(unknown file)"),
        site.line or 0,
        "%s",
        (display(violation),),
        None,
        func=site.scope,
        extra=_extra(violation, labels),
    )
    logger.handle(record)


def display(violation: Violation) -> str:
    """One printable line: code, rule, place and message, with the count once it is more than one."""
    site = violation.site
    place = violation.file or site.path or "(unknown file)"
    where = place if site.line is None else f"{place}:{site.line}"
    times = f" ({violation.count} times)" if violation.count > 1 else ""
    return visible(f"{violation.code} {violation.rule} {where}: {violation.message}{times}")


def _extra(violation: Violation, labels: dict[str, str]) -> dict[str, Any]:
    site = violation.site
    fields = {
        "code": violation.code,
        "rule": violation.rule,
        "target": violation.target,
        "canonical": violation.canonical,
        "path": site.path,
        "file": violation.file,
        "line": site.line,
        "scope": site.scope,
        "kind": violation.kind,
        "fingerprint": violation.fingerprint,
        "count": violation.count,
        "mode": violation.mode,
        "action": violation.action,
        "status": violation.status,
        "owner": violation.owner,
        "tags": violation.tags,
        "tenant": violation.tenant,
        "details": dict(violation.details),
        "labels": labels,
    }
    return {f"ssot_{key}": plain(value) for key, value in fields.items()}
