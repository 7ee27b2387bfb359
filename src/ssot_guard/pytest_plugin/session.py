"""One guarded test session: installs the guard, listens to it, and makes its verdicts failures.

Costs next to nothing per test: all but one of the hooks that run for each test are registered by the first violation
that a test is to blame for.
"""

from __future__ import annotations

import os
from _thread import get_ident

import pytest

from ssot_guard import guard as guards
from ssot_guard.accepted import Accepted
from ssot_guard.faults import Faults
from ssot_guard.pytest_plugin import attribution, partial
from ssot_guard.pytest_plugin.book import Book, site_key
from ssot_guard.pytest_plugin.hooks import Hooks
from ssot_guard.pytest_plugin.markers import allowed
from ssot_guard.pytest_plugin.options import Options
from ssot_guard.pytest_plugin.recent import Recent
from ssot_guard.pytest_plugin.threads import Threads
from ssot_guard.pytest_plugin.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import TypeVar

    from ssot_guard.engine import Engine
    from ssot_guard.ledger import Entry, Facts
    from ssot_guard.pytest_plugin.attribution import Place
    from ssot_guard.pytest_plugin.book import Line
    from ssot_guard.pytest_plugin.conclusion import Conclusion
    from ssot_guard.pytest_plugin.fixture import Expectation
    from ssot_guard.pytest_plugin.spool import Spool
    from ssot_guard.violation import Violation

    T = TypeVar("T")

# They appear in the summary and fail nothing.
SUMMARY_ONLY = frozenset(("SSG112", "SSG113", "SSG114", "SSG115", "SSG901", "SSG902"))
_FAILING = ("warn", "strict")


def begin(config: pytest.Config, given: Namespace, place: str, *, late: bool) -> GuardedSession | None:
    """Guard this session by the policy at ``place``; None where its mode is ``off``, or it cannot be guarded."""
    from ssot_guard.pytest_plugin import OFF

    options = Options(config, given, place)
    running = guards.current_guard()
    if running is not None and (reason := _not_ours(running, options)) is not None:
        config.stash[OFF] = reason
        return None
    session = GuardedSession(config, options, late=late)
    if not session.install(running):
        config.stash[OFF] = "off, by the policy's or the environment's mode"
        return None
    config.pluginmanager.register(Hooks(session), "ssot_guard_session")
    config.pluginmanager.register(session.threads, "ssot_guard_threads")
    config.add_cleanup(session.uninstall)
    return session


def _not_ours(running: guards.Guard, options: Options) -> str | None:
    """Why the guard that is in force already cannot serve this session."""
    engine = running.engine()
    if engine is not None and engine.ledger.witness is not None:
        return f"inactive: the session around this one is guarded, by {running.policy.source}"
    if running.policy.digest != options.policy.digest:
        raise pytest.UsageError(f"this process is already guarded, by {running.policy.source}: not by another policy")
    if options.mode is not None and options.mode != running.mode:
        text = f"--ssot {options.mode}: this process is already guarded, in mode {running.mode}; set SSOT_GUARD_MODE"
        raise pytest.UsageError(text)
    return None


def _relative(path: str, folder: str) -> str:
    """A path for people: relative where it lies below, as in pytest's own header."""
    folder = folder.rstrip(os.sep) + os.sep
    return path.removeprefix(folder)


class _Accepted(Accepted):
    """Takes what a renamed file may have brought along for known; the conclusion, which sees all sites, decides."""

    __slots__ = ("_homeless",)

    def __init__(self, options: Options, faults: Faults) -> None:
        super().__init__(options.baseline, faults)
        self._homeless = options.homeless

    def status(self, facts: Facts, file: str | None) -> str:
        status = super().status(facts, file)
        nature = (facts.code, facts.rule_id, facts.target, facts.site.scope or "")
        return "known" if status == "new" and nature in self._homeless else status


class GuardedSession:
    """``book`` is what this process saw; ``conclusion`` what the whole session means, once it is known."""

    def __init__(self, config: pytest.Config, options: Options, *, late: bool) -> None:
        self.config = config
        self.options = options
        self.book = Book()
        self.faults = Faults()
        self.expectations: list[Expectation] = []
        self.partial: dict[str, None] = {}  # why this run did not look at everything
        self.notes: list[str] = []  # what was written at the end
        self.told_files: set[str] = set()
        self.late = late
        self.loaded_before = partial.governed_modules(options.policy) if guards.current_guard() is None else []
        self.guard: guards.Guard | None = None
        self.engine: Engine | None = None  # as long as the session lasts, and once there is something to watch
        self._may_raise = False
        self._thread = get_ident()
        self.threads = Threads()
        self._recent = Recent()
        self._spared: dict[int, Entry] = {}  # thread → what it may do right now
        self._listens = False
        self.conclusion: Conclusion | None = None
        self.workers = Workers()
        self.spool: Spool | None = None  # of a worker

    # -- the guard -----------------------------------------------------------------------------------------------

    def install(self, running: guards.Guard | None) -> bool:
        """Put the policy into force, or listen to the guard that is; whether this process is guarded now.

        The engine wakes with the first governed module that is looked for.
        """
        options = self.options
        self.guard = guards.enforce(options.policy, profile=options.profile, mode=options.mode, prepare=self._prepare)
        engine = None if running is None else running.engine()
        if engine is not None:
            self._prepare(engine)
            for found in engine.ledger.violations():
                self.book.take(found, count=found.count)
        self.guard.kept = self.guard.holds
        return self.guard.watching()

    def _prepare(self, engine: Engine) -> None:
        ledger, options = engine.ledger, self.options
        self.engine = engine
        ledger.warns, ledger.raises = False, self._may_raise
        ledger.witness = self._witness
        ledger.spares = self._spares
        ledger.accepted = _Accepted(options, engine.faults)
        engine.imports.judge.overdue = frozenset(options.overdue)
        engine.reports = options.sinks
        if not options.sinks:  # those of a guard that was there before
            engine.publisher.sinks.clear()
        if engine.parts.parts:
            from ssot_guard.pytest_plugin.parts import attend

            attend(self, engine)

    def uninstall(self) -> None:
        """Leave the process as it was."""
        engine, guard = self.engine, self.guard
        if engine is not None:
            engine.ledger.witness = engine.ledger.spares = None
            engine.ledger.warns = engine.ledger.raises = True
            if engine.parts.parts:
                from ssot_guard.pytest_plugin.parts import release

                release(engine)
        self.engine = self.guard = None
        if guard is not None:
            guard.kept = 0
            guard.__exit__()

    def contained(self, action: Callable[[], T]) -> T | None:
        """Run a part of ours: a bug in it changes no result, and the summary says it loudly."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - contained
            self.faults.note("pytest plugin", error)
            return None

    # -- listening -----------------------------------------------------------------------------------------------

    def _witness(self, entry: Entry) -> None:
        """An execution, in the thread that does it, inside somebody's import."""
        line = self._recent.line(entry)
        if line is None or self.expectations:
            self.contained(lambda: self._take(entry))
            return
        line.count += 1
        self.book.executions += 1

    def _take(self, entry: Entry) -> None:
        found, recent, thread = entry.violation, self._recent.lines, get_ident()
        if found.rule in self.options.overdue:
            found.details.setdefault("overdue", self.options.overdue[found.rule])  # type: ignore[attr-defined]
        place = self.place(found.code)
        if place is not None:
            self._listen()
        owner = place if place is not None and place.owned else None
        excuse = self._excuse(owner, found)
        if excuse:
            self._spared[thread] = entry
        else:
            self._spared.pop(thread, None)
        test, when = ("", "") if owner is None else (owner.item.nodeid, owner.when)
        line = self.book.take(found, test, when, excuse)
        # What is expected must be looked at each time, and what is spared is said to the ledger each time.
        if owner is not None and owner.steady and not self.expectations and not (excuse and entry.blocks):
            recent[thread, entry] = line
        else:
            recent.pop((thread, entry), None)

    def place(self, code: str = "") -> Place | None:
        """Where this thread is: in which test, and whether that is to blame for what happens now."""
        place, thread = attribution.place(self.config, self._thread, code), get_ident()
        if place is not None and thread != self._thread:
            place.foreign = self.threads.is_shared(thread)
            place.owned &= not place.foreign
        return place

    def _excuse(self, owner: Place | None, found: Violation) -> str:
        """Why this fails nothing, if so: a test speaks for itself only, not for files nor for other tests."""
        item = None if owner is None else owner.item
        met = [one.meets(found, item) for one in self.expectations]
        if item is None or found.rule in self.options.overdue:
            return ""
        return "expected" if any(met) else allowed(item, found)

    def settle(self) -> None:
        """Take what the ledger has and the book has not: a bug in the listening must not hide a violation."""
        if self.engine is not None and self.guard is not None:
            self.contained(self.guard.check)
            known = {site_key(line.violation) for line in self.book}
            for found in self.engine.ledger.violations():
                if site_key(found) not in known:
                    self.book.take(found, count=found.count)

    def _spares(self, entry: Entry) -> bool:
        """Whether the running test may do this; of what a full ledger does not record, nobody was told before."""
        if self._spared.get(get_ident()) is entry:
            return True
        return not entry.recorded and bool(self.contained(lambda: self._excuse_of(entry.violation)))

    def _excuse_of(self, found: Violation) -> str:
        place = self.place(found.code)
        return self._excuse(place if place is not None and place.owned else None, found)

    def _listen(self) -> None:
        """From now on, look at the reports of tests."""
        if self._listens:
            return
        self._listens = True
        self.config.pluginmanager.register(self._recent, "ssot_guard_recent")
        if self.options.fail == "test":
            from ssot_guard.pytest_plugin.outcome import Phases

            self.config.pluginmanager.register(Phases(self), "ssot_guard_phases")

    def may_raise(self, *, may: bool) -> None:
        """Whether ``strict`` raises on the spot, from now on."""
        self._may_raise = may and not self.options.update
        if self.engine is not None:
            self.engine.ledger.raises = self._may_raise

    def header(self) -> str:
        """What holds in this session."""
        guard, options = self.guard, self.options
        mode = guard.mode if guard is not None else "off"
        parts = [f"mode {mode}", f"policy {_relative(options.policy.source, str(self.config.invocation_params.dir))}"]
        parts += [f"profile {options.profile}"] if options.profile else []
        return f"ssot-guard: {', '.join(parts)}"

    # -- verdicts ------------------------------------------------------------------------------------------------

    def fails(self, found: Violation) -> bool:
        """Whether a violation fails the session, as far as this process knows."""
        if found.code in SUMMARY_ONLY or self.options.fail == "never":
            return False
        if found.rule in self.options.overdue:
            return True
        return found.status == "new" and found.mode in _FAILING and not self.options.update

    def fails_test(self, line: Line) -> bool:
        """Whether a line fails the test that it belongs to."""
        return bool(line.test) and not line.excuse and self.options.fail == "test" and self.fails(line.violation)
