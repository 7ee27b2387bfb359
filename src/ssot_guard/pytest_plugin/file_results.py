"""One failed result ``ssot::src/acme/x.py`` per file and session: for what no test is to blame for."""

from __future__ import annotations

import pytest

from ssot_guard.pytest_plugin.outcome import representation
from ssot_guard.pytest_plugin.words import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.pytest_plugin.book import Line
    from ssot_guard.pytest_plugin.session import GuardedSession

# They remember failures for the next run, where these ids are no tests.
_FORGETFUL = ("lfplugin", "stepwiseplugin", "nfplugin")


def send(guarded: GuardedSession, session: pytest.Session) -> None:
    """Send the file results that were not sent yet; where there are to be none, the exit status alone tells."""
    found = guarded.conclusion
    if found is None or not found.failing:
        return
    if guarded.options.fail == "test":
        known = [line for place in found.places for line in place.lines]
        by_file: dict[str, list[Line]] = {}
        for place in found.failing:
            # One line per place: who met it first does not matter here.
            by_file.setdefault(place.violation.file or place.violation.target, []).extend(place.untold()[:1])
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
        for file, lines in by_file.items():
            if lines and file not in guarded.told_files:
                guarded.told_files.add(file)
                _send(session, file, lines, known)
    if not session.testsfailed:
        session.testsfailed = 1


def _send(session: pytest.Session, file: str, lines: list[Line], known: list[Line]) -> None:
    config, nodeid = session.config, f"ssot::{file}"
    # With a space at its end: the terminal takes the dots out of a title that equals the id.
    location = (file, (lines[0].violation.site.line or 1) - 1, f"{nodeid} ")
    report = pytest.TestReport(nodeid, location, {}, "failed", representation(lines, known), "call")
    report.__dict__["ssot_guard"] = OURS
    manager = config.pluginmanager
    forgetful = [manager.get_plugin(name) for name in _FORGETFUL]
    logreport = manager.subset_hook_caller("pytest_runtest_logreport", [one for one in forgetful if one is not None])
    session.testscollected += 1  # or progress would pass 100 %
    config.hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    logreport(report=report)
    config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
