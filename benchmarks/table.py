"""One row per measured thing; the table as text and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from measure import differences, ratios

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HEADINGS = ("what", "median", "min", "added", "x base", "target", "met")
_SCALES = {"ns": 1e9, "µs": 1e6, "ms": 1e3, "s": 1.0}


@dataclass(frozen=True)
class Target:
    """``of`` is what must stay within the limit: "added" (in the row's unit), "ratio" or "value"."""

    of: str
    limit: float
    text: str


@dataclass(frozen=True)
class Row:
    """Values are seconds (or plain numbers, for other units), by round; ``base`` is what they are compared with."""

    section: str
    what: str
    unit: str
    values: Mapping[int, float]
    base: Mapping[int, float] = field(default_factory=dict)
    target: Target | None = None
    again: Mapping[int, float] = field(default_factory=dict)  # the base, measured a second time
    best: bool = False  # compare the minima: right for tight loops, which others can only make slower

    def cells(self) -> tuple[str, ...]:
        """The texts of one line."""
        scale = _SCALES.get(self.unit, 1.0)
        each = list(self.values.values())
        added, times = self._added(), self._times()
        return (
            self.what,
            f"{number(median(each) * scale)} {self.unit}",
            number(min(each) * scale),
            f"{number(median(added) * scale, sign=True)} {self.unit}" if added else "",
            f"{median(times):.3f}" if times else "",
            self.target.text if self.target else "",
            self.verdict(),
        )

    def verdict(self) -> str:
        """Whether the target is kept; "noise" where the base differs from itself by more than what would decide."""
        if self.target is None:
            return ""
        compared = {
            "added": self._added(),
            "ratio": self._times(),
            "value": list(self.values.values()),
        }[self.target.of]
        scale = 1.0 if self.target.of == "ratio" else _SCALES.get(self.unit, 1.0)
        if not compared:
            return ""
        margin = self.target.limit - median(compared) * scale
        if self.again and abs(self._itself()) * scale >= abs(margin):
            return "noise"
        return "yes" if margin >= 0 else "NO"

    def _itself(self) -> float:
        """How far the base lies from itself, in the kind of number that the target is about."""
        twin = Row("", "", self.unit, self.again, self.base, best=self.best)
        if self.target is not None and self.target.of == "ratio":
            return median(twin._times()) - 1
        return median(twin._added())

    def _added(self) -> list[float]:
        if self.best and self.base:
            return [min(self.values.values()) - min(self.base.values())]
        return differences(self.values, self.base)

    def _times(self) -> list[float]:
        if self.best and self.base:
            return [min(self.values.values()) / min(self.base.values())]
        return ratios(self.values, self.base)


def number(value: float, *, sign: bool = False) -> str:
    """Three significant digits, and thousands marked."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:{'+' if sign else ''},.{digits}f}"


def text(rows: Iterable[Row]) -> str:
    """For a terminal."""
    parts = [(section, [row.cells() for row in members]) for section, members in sections(rows)]
    every = [HEADINGS, *(cells for _, lines in parts for cells in lines)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    head = _aligned(HEADINGS, widths)
    return "\n".join(
        [head, *("\n".join(["", section, *(_aligned(line, widths) for line in lines)]) for section, lines in parts)]
    )


def markdown(rows: Iterable[Row]) -> str:
    """For the documentation."""
    blocks = []
    for section, members in sections(rows):
        head = f"**{section}**\n\n| {' | '.join(HEADINGS)} |\n|---|--:|--:|--:|--:|---|---|"
        blocks.append("\n".join([head, *(f"| {' | '.join(row.cells())} |" for row in members)]))
    return "\n\n".join(blocks)


def sections(rows: Iterable[Row]) -> Sequence[tuple[str, list[Row]]]:
    """Rows by section, in order of appearance."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.section, []).append(row)
    return list(found.items())


def plot(points: Sequence[tuple[str, float]], unit: str, width: int = 50) -> str:
    """Bars of text, from zero: a flat cost looks flat."""
    most = max(value for _, value in points)
    return "\n".join(
        f"{label:>8} │{'█' * max(1, round(value / most * width)):<{width}} {number(value)} {unit}"
        for label, value in points
    )


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = zip(line, widths, (True, False, False, False, False, True, True), strict=True)
    return "  " + "  ".join(cell.ljust(width) if left else cell.rjust(width) for cell, width, left in padded).rstrip()
