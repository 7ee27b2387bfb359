"""How a test fails for what it did: in the phase where it did it, and never instead of its own error.

Registered when the first test has done something: until then, tests run without us.
"""

from __future__ import annotations

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from ssot_guard.errors import SsotViolationError
from ssot_guard.pytest_plugin import attribution
from ssot_guard.pytest_plugin.words import BOTH, OURS, full, headline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ssot_guard.pytest_plugin.book import Line
    from ssot_guard.pytest_plugin.session import GuardedSession

_CHAIN = 20  # causes of an error that are looked at


class Phases:
    """Puts the violations of a phase into its report."""

    def __init__(self, session: GuardedSession) -> None:
        self._session = session

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Outermost: marks and plugins inside see an ordinary failure, and what they make of it is looked at last."""
        session = self._session
        ours = session.contained(lambda: self._fail(item, call))
        report = yield
        session.contained(lambda: self._look(item, call, report, ours))
        return report

    def _fail(self, item: pytest.Item, call: pytest.CallInfo[None]) -> BaseException | None:
        """Make a phase fail that did not by itself; returns what it fails with."""
        lines = self._failing(item, call) if call.excinfo is None else []
        if not lines:
            return None
        ours = _failure(lines)
        call.excinfo = pytest.ExceptionInfo.from_exception(ours)
        return ours

    def _look(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, ours: BaseException | None
    ) -> None:
        """What came of it."""
        lines = self._failing(item, call)
        if lines:
            self._tell(report, call, lines, ours)
        elif report.outcome == "failed" and call.excinfo is not None and _blocked(call.excinfo.value):
            report.__dict__["ssot_guard"] = OURS  # by a file that it loads

    def _failing(self, item: pytest.Item, call: pytest.CallInfo[None]) -> list[Line]:
        """Nothing for the report of a subtest: its phase goes on."""
        session = self._session
        lines = [line for line in session.book.of_phase(item.nodeid, call.when) if session.fails_test(line)]
        return [] if lines and attribution.in_phase(session.config) else lines

    def _tell(
        self, report: pytest.TestReport, call: pytest.CallInfo[None], lines: list[Line], ours: BaseException | None
    ) -> None:
        error = None if call.excinfo is None else call.excinfo.value
        if report.outcome != "failed" or error is None or error is ours:
            # Passed, skipped, or expected to fail: a violation is none of that.
            report.outcome = "failed"
            report.__dict__.pop("wasxfail", None)
            report.longrepr = representation(lines, self._session.book)
            report.__dict__["ssot_guard"] = OURS
        else:
            report.sections.append(("ssot-guard", "\n".join(full(line, self._session.book) for line in lines)))
            report.__dict__["ssot_guard"] = OURS if _blocked(error) else BOTH
        self._session.book.show(lines)


def _failure(lines: list[Line]) -> BaseException:
    """What the rest of pytest sees; raised once, so that it has a traceback."""
    try:
        pytest.fail("\n".join(headline(line) for line in lines), pytrace=False)
    except pytest.fail.Exception as error:
        return error


def representation(lines: list[Line], known: Iterable[Line]) -> ReprExceptionInfo:
    """Whole violations, at the place of the first one: plain enough for JUnit and for another process."""
    first = lines[0].violation
    known = list(known)
    text = "\n".join(full(line, known) for line in lines)
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    crash = ReprFileLocation(first.file or first.target, first.site.line or 1, headline(lines[0]) + more)
    entry = ReprEntryNative([f"{text}\n"])
    return ReprExceptionInfo(ReprTraceback([entry], None, "native"), crash)


def _blocked(error: BaseException) -> bool:
    """Whether a verdict of ours stands behind an error."""
    cause: BaseException | None = error
    for _ in range(_CHAIN):
        if cause is None or isinstance(cause, SsotViolationError):
            return cause is not None
        cause = cause.__cause__ or cause.__context__
    return False
