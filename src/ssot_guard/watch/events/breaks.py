"""What is wrong with a run, as violations: each is recorded once per place and kind, and counted from then on."""

from __future__ import annotations

from ssot_guard.ledger import Facts
from ssot_guard.watch.events.runs import SHOWN
from ssot_guard.watch.imports import importer
from ssot_guard.watch.tenants.pseudonym import pseudonym

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import EventRule
    from ssot_guard.watch.events.places import Place
    from ssot_guard.watch.events.runs import Run
    from ssot_guard.watch.events.sequence import Automaton

    Words = tuple[str, dict[str, Any], str | None]  # message, details, tenant

_NOTHING = "nothing"


class Breaks:
    """The violations of one rule. Texts are composed for the first sight only."""

    def __init__(self, rule: EventRule, automaton: Automaton, ledger: Ledger) -> None:
        self._rule = rule
        self._automaton = automaton
        self._ledger = ledger

    def unknown(self, code: str) -> None:
        """A verdict that nobody here can give."""
        self._ledger.unknown(code, self._rule.id)

    def missing(self, place: Place, event: str, left_out: tuple[str, ...], run: Run, key: str) -> BaseException | None:
        """An event came, and what must come before it had not."""

        def compose() -> Words:
            names = tuple(dict.fromkeys(left_out))
            what = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} missing before it"
            return self._run(f"{event} was sent, but {what}", event, run, key)

        return self._sight("SSG401", place, f"{left_out[0]}:missing", compose)

    def repeated(self, place: Place, event: str, run: Run, key: str) -> BaseException | None:
        """An event came that this run has had, and cannot have again."""
        target = f"{event}:duplicated"
        return self._sight("SSG401", place, target, lambda: self._run(f"{event} was sent again", event, run, key))

    def misplaced(self, place: Place, event: str, run: Run, key: str) -> BaseException | None:
        """An event came that cannot come any more."""
        return self._sight(
            "SSG401",
            place,
            f"{event}:out-of-order",
            lambda: self._run(f"{event} was sent too late, after {run.past[-1]}", event, run, key),
        )

    def after_the_end(self, place: Place, event: str, end: str, key: str) -> BaseException | None:
        """An event came, and the run had ended."""

        def compose() -> Words:
            details = {"run": pseudonym(key), "events": f"… {end} {event}", "expected": _NOTHING}
            return f"{event} was sent after the run had ended with {end}", details, None

        return self._sight("SSG401", place, f"{event}:after-end", compose)

    def unfinished(self, run: Run, key: str, within: float) -> BaseException | None:
        """A run that was to end by now."""
        return self._sight(
            "SSG401",
            run.place,
            "end:missing",
            lambda: self._run(f"the run that begins here sent no end within {within:g} s", "", run, key),
        )

    def ended_late(self, run: Run, key: str, within: float) -> BaseException | None:
        """The end came, after the time that a run may take."""
        return self._sight(
            "SSG401",
            run.place,
            "end:missing",
            lambda: self._run(f"the run that begins here ended, but not within {within:g} s", "", run, key),
        )

    def misdelivered(self, place: Place, event: str, key: str, owner: str, given: str) -> BaseException | None:
        """An event of one tenant's run is about to be sent for another tenant."""

        def compose() -> Words:
            details = {"run": pseudonym(key), "sent-for": pseudonym(given)}
            return f"{event} of one tenant's run was sent for another tenant", details, owner

        return self._sight("SSG403", place, event, compose)

    def foreign(self, place: Place, callee: str) -> BaseException | None:
        """A call that was to end in an emitter returned without one."""
        name = callee.partition(":")[2]
        text = f"{name} returned without having reached the emitter {self._rule.emitter[0]}"
        return self._sight("SSG402", place, callee, lambda: (text, {}, None))

    def _run(self, text: str, event: str, run: Run, key: str) -> Words:
        older = "… " if run.trimmed or len(run.past) > SHOWN else ""
        events = " ".join([*run.past[-SHOWN:], *([event] if event else [])])
        expected = ", ".join(self._automaton.expected(run.at)) or _NOTHING
        return text, {"run": pseudonym(key), "events": older + events, "expected": expected}, run.owner

    def _sight(self, code: str, place: Place, target: str, compose: Callable[[], Words]) -> BaseException | None:
        rule, blocked = self._rule, _never if code == "SSG403" else None
        known = place.entries.get((code, rule.id, target))
        if known is not None:
            return self._ledger.repeat(known, blocked)
        text, details, tenant = compose()
        facts = Facts(
            code, rule, importer.site(place), target, text,  # type: ignore[arg-type]  # has what is asked of a frame
            canonical=None if code == "SSG401" else rule.emitter[0], kind="call", details=details,
            namespace=place.f_globals, swallowed=blocked, tenant=None if tenant is None else pseudonym(tenant),
        )  # fmt: skip
        entry, verdict = self._ledger.sight(facts)
        if not self._ledger.overflow:  # else nothing new is kept there
            place.entries[code, rule.id, target] = entry
        return verdict


def _never() -> bool:
    """A block of an event is no import error, and nobody guards against it in advance."""
    return False
