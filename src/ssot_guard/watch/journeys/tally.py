"""What became of the runs of one journey: counts, the rate with its interval, latencies, the failures. Constant memory.

There is no lock: each ``+=`` below runs between two looks of CPython at its switch flag, so counts are exact, and
nothing can be held while a process forks or a finaliser closes a run. (A free-threaded build may count too low.)
"""

from __future__ import annotations

from _collections import deque
from math import ceil, log, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_Z = 1.959963984540054  # 95 %, two-sided
# Buckets that grow by 4 %: a percentile is off by at most 2 %, between a microsecond and a day.
_GROWTH = 1.04
_STEP = log(_GROWTH)
_LEAST, _MOST = 1e-6, 86_400.0  # seconds
_BUCKETS = ceil(log(_MOST / _LEAST) / _STEP) + 1
_QUANTILES = (50, 95, 99)
_KINDS = 50  # kinds of failures that are told apart
_LAST = 10  # failed runs that are kept
_NAMED = 5  # kinds in a message
OTHERS = "others"


def interval(successes: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a rate (E. B. Wilson, 1927): honest also where nothing failed, or little was seen."""
    if not runs:
        return 0.0, 1.0
    rate, square = successes / runs, _Z * _Z
    middle = rate + square / (2 * runs)
    spread = _Z * sqrt(rate * (1 - rate) / runs + square / (4 * runs * runs))
    whole = 1 + square / runs
    lowest = 0.0 if not successes else (middle - spread) / whole
    return max(0.0, lowest), 1.0 if successes == runs else min(1.0, (middle + spread) / whole)


class Tally:
    """The runs of one journey. ``abandoned`` ones were told to stop, ``excused`` ones may fail: neither counts."""

    __slots__ = ("_buckets", "_kinds", "abandoned", "excused", "failed", "last", "succeeded")

    def __init__(self) -> None:
        self.succeeded = 0
        self.failed = 0
        self.abandoned = 0
        self.excused = 0
        self.last: deque[dict[str, Any]] = deque(maxlen=_LAST)
        self._kinds: dict[str, list[int]] = {}
        self._buckets = [0] * _BUCKETS

    # -- counting ------------------------------------------------------------------------------------------------

    def succeed(self, seconds: float | None) -> None:
        """One more that did; without ``seconds`` where nobody knows how long it took."""
        if seconds is not None:
            index = _bucket(seconds)
            buckets = self._buckets
            buckets[index] += 1
        self.succeeded += 1

    def fail(self, seconds: float | None, kind: str, place: str | None, test: str | None = None) -> None:
        """One more that did not; ``kind`` and ``place`` say why, and where."""
        if seconds is not None:
            index = _bucket(seconds)
            buckets = self._buckets
            buckets[index] += 1
        self._count(kind if place is None else f"{kind} at {place}", 1)
        told = {"error": kind, "place": place, "seconds": None if seconds is None else round(seconds, 6), "test": test}
        self.last.append({key: value for key, value in told.items() if value is not None})
        self.failed += 1

    def _count(self, kind: str, number: int) -> None:
        if len(self._kinds) >= _KINDS and kind not in self._kinds:
            kind = OTHERS
        cell = self._kinds.setdefault(kind, [0])
        cell[0] += number

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def runs(self) -> int:
        """Runs that count."""
        return self.succeeded + self.failed

    @property
    def rate(self) -> float | None:
        """The share of them that succeeded; None before the first."""
        return self.succeeded / self.runs if self.runs else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true rate lies, with 95 % confidence."""
        return interval(self.succeeded, self.runs)

    def percentiles(self) -> dict[str, float]:
        """Seconds that so many of a hundred runs took at most, within 2 %; empty before the first."""
        counts = list(self._buckets)
        total, found = sum(counts), {}
        for quantile in _QUANTILES if total else ():
            wanted, passed = ceil(total * quantile / 100), 0
            for index, count in enumerate(counts):
                passed += count
                if passed >= wanted:
                    found[f"p{quantile}"] = _seconds(index)
                    break
        return found

    def kinds(self) -> list[tuple[str, int]]:
        """What went wrong and how often, the most frequent first."""
        counts = [(kind, cell[0]) for kind, cell in list(self._kinds.items())]
        return sorted(counts, key=lambda one: (-one[1], one[0]))

    def census(self) -> dict[str, Any]:
        """Everything in plain data, for health endpoints and reports."""
        return {
            "runs": self.runs,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "abandoned": self.abandoned,
            **({"excused": self.excused} if self.excused else {}),
            "rate": self.rate,
            "interval": list(self.interval),
            "seconds": {name: float(f"{value:.3g}") for name, value in self.percentiles().items()},
            "failures": dict(self.kinds()),
        }

    # -- between processes ---------------------------------------------------------------------------------------

    def pack(self) -> dict[str, Any]:
        """Plain data, to be merged in another process."""
        return {
            "counts": [self.succeeded, self.failed, self.abandoned, self.excused],
            "kinds": self.kinds(),
            "last": list(self.last),
            "buckets": [[index, count] for index, count in enumerate(list(self._buckets)) if count],
        }

    def merge(self, packed: dict[str, Any]) -> None:
        """Take in the runs of another process."""
        succeeded, failed, abandoned, excused = packed["counts"]
        self.succeeded += succeeded
        self.failed += failed
        self.abandoned += abandoned
        self.excused += excused
        for kind, number in packed["kinds"]:
            self._count(kind, number)
        self.last.extend(packed["last"])
        for index, count in packed["buckets"]:
            self._buckets[index] += count


def _bucket(seconds: float) -> int:
    if seconds <= _LEAST:
        return 0
    return _BUCKETS - 1 if seconds >= _MOST else ceil(log(seconds / _LEAST) / _STEP)


def _seconds(index: int) -> float:
    """The value in the middle of a bucket: at most 2 % from all that is in it."""
    return _LEAST * 2 * _GROWTH**index / (1 + _GROWTH)


# -- in words ----------------------------------------------------------------------------------------------------------


def words(tally: Tally, target: float) -> str:
    """The rate, its interval, the target, the percentiles and the most frequent failures, in one line."""
    lowest, highest = tally.interval
    # Rounded down: 99.996 % of a million runs are not 100 %.
    rate = tally.succeeded * 10_000 // tally.runs / 100 if tally.runs else 0.0
    text = f"{rate:.2f} % of {tally.runs:,} runs succeeded, the target is {100 * target:.10g} %"
    text += f" (95 % interval {100 * lowest:.2f} - {100 * highest:.2f} %)"
    times = ", ".join(f"{name} {duration(value)}" for name, value in tally.percentiles().items())
    text += f"; {times}" if times else ""
    if tally.abandoned:
        text += f"; {tally.abandoned:,} more were abandoned"
    if tally.excused:
        text += f"; {tally.excused:,} more were allowed to fail"
    failures = listed(tally.kinds())
    return f"{text}; failed: {failures}" if failures else text


def listed(kinds: Iterable[tuple[str, int]]) -> str:
    """``20 x ConnectionError at src/acme/llm.py:12, …``."""
    kinds = list(kinds)
    texts = [f"{number:,} x {kind}" for kind, number in kinds[:_NAMED]]
    rest = sum(number for _, number in kinds[_NAMED:])
    return ", ".join([*texts, f"{rest:,} x other"] if rest else texts)


def duration(seconds: float) -> str:
    """Two digits and a unit that people read: ``1.3 s``, ``85 ms``, ``12 µs``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.9995:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds / 1e-6)} µs"


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"  # noqa: PLR2004 - where rounding gives two digits
