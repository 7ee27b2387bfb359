"""One event rule in force: what each call of its emitters means to the runs, and what is wrong with it."""

from __future__ import annotations

from time import monotonic

from ssot_guard.watch.events.breaks import Breaks
from ssot_guard.watch.events.calls import pending
from ssot_guard.watch.events.futures import Futures
from ssot_guard.watch.events.parameters import text_of
from ssot_guard.watch.events.runs import Run, Runs
from ssot_guard.watch.events.selves import Selves
from ssot_guard.watch.events.sequence import Automaton
from ssot_guard.watch.tenants.current import is_stale
from ssot_guard.watch.tenants.paths import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import EventRule
    from ssot_guard.watch.events.calls import Call
    from ssot_guard.watch.events.places import Place, Places
    from ssot_guard.watch.events.sequence import State
    from ssot_guard.watch.tenants.current import Tenants

_TRIES = 100  # a run that other threads change all the time
_OWED = 20  # missing events of a run that are remembered, for they may only be late


class Contract:
    """A rule, its automaton and its runs. Methods that return an error return a verdict, to be raised by who asked."""

    def __init__(self, rule: EventRule, ledger: Ledger, faults: Faults, tenants: Tenants, places: Places) -> None:
        self.rule = rule
        self.automaton = Automaton(rule.sequence)
        self.names = self.automaton.names
        self.breaks = Breaks(rule, self.automaton, ledger)
        self.places = places
        self.on = True
        self.called = False
        self.runs = Runs(rule.within, late=False)
        self.selves = Selves(self.gone)
        self.name = self.selves.name
        self.futures = Futures()
        self.longest = 64 + 2 * len(self.names)  # events of a run that are kept before old ones are thinned out
        self._faults = faults
        self._tenants = tenants

    def contain(self, error: Exception) -> None:
        """A bug of ours; too many switch the part off, and then what is wrapped costs next to nothing."""
        self._faults.note("events", error)
        self.on = "events" not in self._faults.switched_off

    # -- before an event is sent ---------------------------------------------------------------------------------

    def deliver(
        self, key: str, event: str, tenant: Any, run: Run | None, callee: Place
    ) -> tuple[str | None, BaseException | None]:
        """The tenant that a run would begin with, and the verdict where the event goes to another one (SSG403)."""
        given = text_of(tenant)
        owner = None if run is None else run.owner
        if owner is None:
            owner = self._current()
        if given is None or (owner is None and run is not None):
            self.breaks.unknown("SSG403")
            return owner, None
        if owner is None or owner == given:
            return given, None
        return owner, self.breaks.misdelivered(self.places.caller(callee), event, key, owner, given)

    def _current(self) -> str | None:
        """Who is served right now; a background task that outlived its ``with`` block does not know."""
        tenant = self._tenants.current()
        return None if tenant is UNKNOWN or is_stale() else text_of(tenant)

    # -- after an event was sent ---------------------------------------------------------------------------------

    def moved(self, key: str, event: str, run: Run) -> BaseException | None:
        """A run went on, and has ended, or has had many events."""
        if run.at.over:
            return self._end(key, event, run)
        run.trim()
        return None

    def begun(self, key: str, event: str, owner: str | None, callee: Place, outer: Call | None) -> BaseException | None:
        """An event of a run that is not open."""
        self.called = True
        if key in self.runs.ended and not self.runs.begins_anew(key):
            return self._after_the_end(key, event, callee)
        now, runs = monotonic(), self.runs
        if now >= runs.look_again:
            self._give_up_overdue(now)
        place = callee if runs.within is None else self.places.caller(callee)  # only runs that took too long need it
        run = runs.enter(key, Run(self.automaton.start, now, owner, place))
        return self.stepped(key, event, run, callee, outer)

    def stepped(self, key: str, event: str, run: Run, callee: Place, outer: Call | None) -> BaseException | None:
        """A step that nobody has taken yet, or a break; ``outer`` is the call of an emitter around this one."""
        for _ in range(_TRIES):
            before = run.at
            state = before.moves.get(event) or self.automaton.step(before, event)
            waiting: list[Call] | None = None
            if state is None:
                calls = self.futures.of(key) + pending(self, key, outer)
                if calls:
                    state, waiting = self._after_others(before, event, calls)
            if run.at is not before:
                continue  # another thread wrote meanwhile
            if state is None:
                return self._break(key, event, run, callee)
            run.at = state
            for call in waiting or ():
                call.counted = True
                self._note(run, call.event or "")
            self._note(run, event)
            return self._end(key, event, run) if state.over else None
        return None

    def came(
        self, call: Call, place: Place, owner: str | None, before: State | None, *, sent: bool
    ) -> BaseException | None:
        """What a call gave back is done. ``before`` is the state of the run when it was called."""
        key, event = call.key, call.event or ""
        run = self.runs.open.get(key)
        if call.counted:
            if run is not None and not sent:  # it was taken for sent
                run.partial = True
            return None
        if not sent:
            return None
        now = self.automaton.start if run is None else run.at
        is_late = (run is None and key in self.runs.ended) or self.automaton.step(now, event) is None
        if is_late and (before is None or self.automaton.step(before, event) is not None):
            self.breaks.unknown("SSG401")
            if run is not None:
                run.partial = True
            return None
        if run is None:
            return self.begun(key, event, owner, place, None)
        return self.stepped(key, event, run, place, None)

    def _after_others(self, state: State, event: str, calls: list[Call]) -> tuple[State | None, list[Call]]:
        """As if calls that have not returned yet had sent their events: their listeners sent this one, or it overtook.

        With the state after this event comes which of the calls that takes; None where it does not help.
        """
        taken = []
        for call in calls:
            further = self.automaton.step(state, call.event or "")
            if further is not None:
                state = further
                taken.append(call)
        return self.automaton.step(state, event), taken

    def _note(self, run: Run, event: str) -> None:
        run.past.append(event)
        if len(run.past) > self.longest:
            run.trim()

    def _break(self, key: str, event: str, run: Run, callee: Place) -> BaseException | None:
        """The first event that cannot come here; the run goes on behind it as well as it can."""
        before, runs = run.at, self.runs
        if before.over:  # another thread is about to take the run out
            return self._after_the_end(key, event, callee)
        if before is self.automaton.start and not run.past and monotonic() < runs.blind_until:
            run.partial = True
        late = event in run.owed or (bool(run.past) and run.past[-1] == event)
        resumed = None if late else self.automaton.resume(before, event)
        verdict = None
        if run.partial:
            self.breaks.unknown("SSG401")
        else:
            self._broke(run)
            verdict = self._judge(key, event, run, None if resumed is None else resumed[0], callee)
        self._note(run, event)
        if resumed is not None:
            run.at = resumed[1]
            if run.at.over:
                verdict = self._end(key, event, run) or verdict
        return verdict

    def _judge(
        self, key: str, event: str, run: Run, left_out: tuple[str, ...] | None, callee: Place
    ) -> BaseException | None:
        """What is wrong with an event that cannot come now; ``left_out`` would have had to come before it."""
        place = self.places.caller(callee)
        if event in run.owed:
            owed = list(run.owed)
            owed.remove(event)
            run.owed = tuple(owed)
            return self.breaks.misplaced(place, event, run, key)
        if left_out is not None:
            run.owed = (*run.owed, *left_out)[-_OWED:]
            return self.breaks.missing(place, event, left_out, run, key)
        judge = self.breaks.repeated if event in run.past else self.breaks.misplaced
        return judge(place, event, run, key)

    def _after_the_end(self, key: str, event: str, callee: Place) -> BaseException | None:
        ended = self.runs.ended.get(key)
        if ended is not None and ended.partial:
            self.breaks.unknown("SSG401")
            return None
        if ended is None or ended.event is None:
            return None
        if not ended.broken:
            self.runs.broken += 1
            self.runs.remember(key, ended.event, broken=True, partial=False)
        return self.breaks.after_the_end(self.places.caller(callee), event, ended.event, key)

    def _end(self, key: str, event: str, run: Run) -> BaseException | None:
        runs, within = self.runs, self.runs.within
        late = within is not None and not run.partial and monotonic() - run.began > within
        if late:
            self._broke(run)
        if not runs.end(key, event, run):
            return None
        runs.finished += 1
        return self.breaks.ended_late(run, key, within or 0.0) if late else None

    def _broke(self, run: Run) -> None:
        if not run.broken:
            run.broken = True
            self.runs.broken += 1

    def close(self, key: str) -> None:
        """What a run belongs to is over: its name may come again. Whether it would have ended, nobody can tell."""
        if self.runs.close(key):
            self.breaks.unknown("SSG401")

    def gone(self, key: str) -> None:
        """The object that a run is has died: its name will not come again, nor will its end."""
        run = self.runs.open.get(key)
        if run is None:
            return
        if run.at.complete:
            self.runs.finished += self.runs.drop(key)
        elif self.runs.within is not None:  # once its time is over, that is a violation
            run.gone = True
        elif self.runs.drop(key) and not (run.told or run.partial):
            self.breaks.unknown("SSG401")

    # -- runs without an end -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Judge what is open: too long is a violation, anything else is not known yet, and said once."""
        self.selves.look(all_of_them=True)
        now = monotonic()
        self._give_up_overdue(now, len(self.runs.open))
        for key, run in self.runs.snapshot():
            if self.runs.within is not None and now - run.began > self.runs.within:
                self._give_up(key, run)
            elif not (run.told or run.partial or run.at.complete):
                run.told = True
                self.breaks.unknown("SSG401")

    def _give_up_overdue(self, now: float, most: int = 32) -> None:
        for key, run in self.runs.overdue(now, most):
            if self.runs.within is None:
                self.runs.lost(key)
            else:
                self._give_up(key, run)

    def _give_up(self, key: str, run: Run) -> None:
        """A run that was to end by now: recorded, and not raised, for who sends an event now sends another run's."""
        if run.at.complete:
            self.runs.finished += self.runs.end(key, None, run)
        elif run.partial:
            self.runs.end(key, None, run)
            self.breaks.unknown("SSG401")
        else:
            self._broke(run)
            if self.runs.end(key, None, run):
                self.breaks.unfinished(run, key, self.runs.within or 0.0)

    def census(self) -> dict[str, int]:
        """Counts of runs, as plain data."""
        self.selves.look(all_of_them=True)
        runs = self.runs
        return {"open": len(runs.open), "finished": runs.finished, "violated": runs.broken, "evicted": runs.evicted}
