"""``--since`` and ``--label``: which records of a stream count.

A violation is described once, at its first sight, and only counted afterwards; labels stand in the header and in the
description. So a record that does not count may still describe a violation whose counts do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_DURATION = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class FilterError(ValueError):
    """A time or label that cannot be understood; the message says what to write instead."""


@dataclass(slots=True)
class Filter:
    """``since_ns`` is nanoseconds since the epoch; all of ``labels`` must be equal."""

    since_ns: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    _processes: dict[str, bool] = field(default_factory=dict)  # whether their labels are equal

    def __bool__(self) -> bool:
        return bool(self.since_ns or self.labels)

    def learn(self, record: dict[str, Any]) -> None:
        """Remember the labels of the process that wrote this header or violation."""
        labels, process = record.get("labels"), record.get("process")
        if isinstance(labels, dict) and isinstance(process, str):
            self._processes[process] = self.labels.items() <= labels.items()

    def in_time(self, record: dict[str, Any]) -> bool:
        """Whether the record was written late enough. One without a time is older than everything."""
        time = record.get("time_ns")
        return not self.since_ns or (isinstance(time, int) and time >= self.since_ns)

    def labelled(self, process: str | None) -> bool | None:
        """Whether the process has the labels; None while nothing of it was read that tells."""
        return self._processes.get(process or "") if self.labels else True


def since(text: str, now: datetime | None = None) -> int:
    """``24h``, ``7d``, ``2026-11-22`` or ``2026-11-22T16:00+01:00`` in nanoseconds; UTC where no offset stands."""
    duration = _DURATION.fullmatch(text.strip())
    try:
        if duration:
            moment = (now or datetime.now(UTC)) - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        else:
            moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise FilterError(f"{text!r} is no time: write 24h, 7d, 2026-11-22 or 2026-11-22T16:00+01:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(1, (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000)


def labels(texts: Iterable[str]) -> dict[str, str]:
    """The labels of ``release=7f3c``, ``region=eu``."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise FilterError(f"{text!r} is no label: write NAME=VALUE, such as release=7f3c")
        if found.setdefault(name, value) != value:
            raise FilterError(f"label {name} cannot be {found[name]!r} and {value!r}")
    return found
