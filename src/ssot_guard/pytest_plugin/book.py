"""What one process of a session saw: a line per violation and test that reached it, or per violation of a file.

The book is authoritative: a test's outcome may be changed by marks, plugins and reruns, a line stays. Workers send
theirs as plain data (:mod:`.spool`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssot_guard.violation import Violation

    SiteKey = tuple[str, str, str | None, int | None, int | None, str]


class Line:
    """One violation, as one test met it in one phase; ``test`` is empty where it belongs to its file.

    ``excuse`` says why it fails nothing although it is new; ``shown`` is set when a failed result told of it.
    """

    __slots__ = ("count", "excuse", "shown", "test", "violation", "when")

    def __init__(self, violation: Violation, test: str = "", when: str = "", excuse: str = "") -> None:
        self.violation = violation
        self.test = test
        self.when = when
        self.excuse = excuse
        self.shown = False
        self.count = 0

    @property
    def key(self) -> tuple[SiteKey, str, str]:
        """What makes it one line."""
        return site_key(self.violation), self.test, self.when


def site_key(found: Violation) -> SiteKey:
    """What makes a violation distinct in every process of a session."""
    site = found.site
    return found.code, found.rule, found.file, site.line, site.column, found.target


class Book:
    """The lines of this process. ``on_change`` is told of each new or newly shown line: a worker writes it down."""

    def __init__(self) -> None:
        self._lines: dict[tuple[SiteKey, str, str], Line] = {}
        self._by_phase: dict[tuple[str, str], list[Line]] = {}
        self.executions = 0
        self.on_change: Callable[[Line], None] | None = None

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._lines.values()))

    def take(self, violation: Violation, test: str = "", when: str = "", excuse: str = "", count: int = 1) -> Line:
        """Note that a violation was executed; an excuse holds only as long as every execution has one."""
        mine = Line(violation, test, when, excuse)
        line = self._lines.setdefault(mine.key, mine)
        line.count += count
        self.executions += count
        if line is mine:
            if test:
                self._by_phase.setdefault((test, when), []).append(line)
        elif excuse or not line.excuse:
            return line
        else:
            line.excuse = ""
        self._tell(line)
        return line

    def merge(self, other: Line) -> None:
        """Take in a line of another process."""
        line = self.take(other.violation, other.test, other.when, other.excuse, other.count)
        line.shown = line.shown or other.shown

    def of_phase(self, test: str, when: str) -> list[Line]:
        """What a test met in a phase, in this attempt or an earlier one: reruns do not make it unseen."""
        return list(self._by_phase.get((test, when), ()))

    def of_test(self, test: str) -> list[Line]:
        """What a test met so far."""
        return [line for line in self if line.test == test]

    def show(self, lines: list[Line]) -> None:
        """A failed result tells of these lines."""
        for line in lines:
            if not line.shown:
                line.shown = True
                self._tell(line)

    def _tell(self, line: Line) -> None:
        if self.on_change is not None:
            self.on_change(line)
