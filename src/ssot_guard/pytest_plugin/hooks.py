"""pytest's events, of a session that is guarded: nothing here runs once per test."""

from __future__ import annotations

import pytest

from ssot_guard.pytest_plugin.markers import check_markers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any

    from ssot_guard.pytest_plugin.session import GuardedSession


class Hooks:
    """The plugin that a guarded session registers."""

    def __init__(self, guarded: GuardedSession) -> None:
        self._guarded = guarded
        self._concluded = -1  # executions that the conclusion knows

    def pytest_configure(self, config: pytest.Config) -> None:
        """A worker is told where to write down what it sees."""
        told = getattr(config, "workerinput", {}).get("ssot_guard")
        if told is not None:
            from ssot_guard.pytest_plugin.spool import Spool

            self._guarded.contained(lambda: Spool(self._guarded, told))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected was not looked at."""
        if report.failed:
            self._guarded.partial["there were errors during collection"] = None

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Nor was what is not run."""
        if items:
            self._guarded.partial["tests were deselected"] = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Until now, a verdict that is raised would have broken a whole file."""
        guarded = self._guarded
        guarded.contained(lambda: check_markers(guarded, session.items))
        guarded.may_raise(may=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """At its end all tests are done, and it is not too late for failures."""
        try:
            return (yield)
        finally:
            self._guarded.contained(lambda: self._after_tests(session))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """What other plugins do at the end still counts."""
        result = yield
        self._guarded.contained(lambda: self._at_end(session))
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One section."""
        guarded = self._guarded
        if guarded.conclusion is not None or guarded.faults.counts:
            from ssot_guard.pytest_plugin.summary import write

            write(terminalreporter, guarded)

    # -- pytest-xdist --------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to start."""
        self._guarded.contained(lambda: self._guarded.workers.expect(node))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended, well or not."""
        self._guarded.contained(lambda: self._guarded.workers.ended(node))

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        self._guarded.contained(self._guarded.workers.clear)

    # -- the end -------------------------------------------------------------------------------------------------

    def _after_tests(self, session: pytest.Session) -> None:
        self._guarded.may_raise(may=False)
        if not _is_worker(session) and not session.config.option.collectonly:
            self._conclude(session)

    def _at_end(self, session: pytest.Session) -> None:
        from ssot_guard.pytest_plugin import conclusion

        if _is_worker(session):
            if self._guarded.spool is not None:
                session.config.workeroutput["ssot_guard"] = self._guarded.spool.close()  # type: ignore[attr-defined]
            return
        if session.config.option.collectonly:
            return
        failed = session.testsfailed
        if self._guarded.conclusion is None or self._guarded.book.executions != self._concluded:
            self._conclude(session)
        if session.testsfailed > failed and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        conclusion.write(self._guarded)

    def _conclude(self, session: pytest.Session) -> None:
        from ssot_guard.pytest_plugin.conclusion import Conclusion

        guarded = self._guarded
        guarded.settle()
        if guarded.options.policy.journeys:
            from ssot_guard.pytest_plugin.rates import judge

            guarded.contained(lambda: judge(guarded))
        guarded.conclusion = Conclusion(guarded, session)
        self._concluded = guarded.book.executions
        if guarded.conclusion.failing:
            from ssot_guard.pytest_plugin.file_results import send

            send(guarded, session)


def _is_worker(session: pytest.Session) -> bool:
    return hasattr(session.config, "workerinput")
