"""The journeys of a whole session, as the application counts them: judged at its end, over all processes together.

The observed rate decides. A run that fails in a test that allows it (``ssot_allow("SSG501", reason="…")``) does not
count.
"""

from __future__ import annotations

from functools import partial

import pytest

from ssot_guard.pytest_plugin.journeys import LINES
from ssot_guard.pytest_plugin.markers import allows
from ssot_guard.pytest_plugin.words import listed
from ssot_guard.violation import Site
from ssot_guard.watch.journeys.tally import Tally, words
from ssot_guard.watch.journeys.watcher import below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ssot_guard.engine import Engine
    from ssot_guard.policy.model import JourneyRule
    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.watch.journeys.watcher import Journeys

_CODE = "SSG501"
_TOLD = pytest.StashKey[set[str]]()


def listen(session: GuardedSession, part: Journeys) -> None:
    """Leave the verdict to the session, and ask it whose run fails."""
    part.judges = False
    part.attends = partial(_attends, session)


def forget(part: Journeys) -> None:
    """The session is over; the guard may go on."""
    part.judges, part.attends = True, None


def _attends(session: GuardedSession, rule: JourneyRule) -> tuple[str, bool]:
    """The test that is running, and whether its runs may fail."""
    place = session.place(_CODE)
    if place is None or not place.owned:
        return "", False
    overdue = rule.id in session.options.overdue
    return place.item.nodeid, not overdue and bool(allows(place.item, _CODE, rule.id, rule.tags))


def facts(guarded: GuardedSession) -> dict[str, Any]:
    """What this process counted, as plain data for the one that judges; and what its tests say."""
    part = _part(guarded.engine)
    found = {
        rule_id: {**tally.pack(), "sites": [list(site.astuple()) for site in part.sites(rule_id)]}
        for rule_id, tally in ({} if part is None else part.tallies).items()
        if part is not None and (tally.runs or tally.abandoned or tally.excused)
    }
    return {"journeys": found, "journey_tests": guarded.config.stash.get(LINES, [])}


def merged(facts: Iterable[dict[str, Any]]) -> dict[str, tuple[Tally, list[Site]]]:
    """Rule id → its runs in all processes, and where they began."""
    found: dict[str, tuple[Tally, list[Site]]] = {}
    for one in facts:
        for rule_id, packed in one["journeys"].items():
            tally, sites = found.setdefault(rule_id, (Tally(), []))
            tally.merge(packed)
            sites += [Site(*site) for site in packed["sites"]]
    return found


def judge(guarded: GuardedSession) -> None:
    """Record what is below its target; it belongs to the file that says where the journey begins."""
    rules = {rule.id: rule for rule in guarded.options.policy.journeys}
    told = guarded.config.stash.setdefault(_TOLD, set())
    engine = None if guarded.guard is None else guarded.guard.engine()
    for rule_id, (tally, sites) in merged([facts(guarded), *guarded.workers.facts()]).items():
        rule = rules[rule_id]
        if engine is None or rule_id in told or tally.succeeded >= rule.target * tally.runs:
            continue
        told.add(rule_id)
        tests = listed(dict.fromkeys(str(run["test"]) for run in tally.last if run.get("test")))
        text = words(tally, rule.target) + (f"; last in {tests}" if tests else "")
        # Which one came first depends on the order of the tests.
        site = min(sites, key=lambda one: (one.path or "", one.line or 0, one.column or 0))
        engine.ledger.sight(below(rule, tally, site, rule_id, text))


def told(guarded: GuardedSession, found: list[dict[str, Any]]) -> Iterator[str]:
    """What the summary says of tests and journeys that are well; the others are violations."""
    for one in found:
        for rule_id, text in one.get("journey_tests", ()):
            if text:
                yield f"journey {rule_id}, {text}"
    targets = {rule.id: rule.target for rule in guarded.options.policy.journeys}
    for rule_id, (tally, _) in sorted(merged(found).items()):
        if tally.succeeded >= targets[rule_id] * tally.runs:
            yield f"journey {rule_id}: {words(tally, targets[rule_id])}"


def never_run(guarded: GuardedSession, found: list[dict[str, Any]]) -> list[str]:
    """Journeys that nobody took, neither the application nor a test."""
    run = {*merged(found), *(rule_id for one in found for rule_id, _ in one.get("journey_tests", ()))}
    return sorted({rule.id for rule in guarded.options.policy.journeys} - run)


def _part(engine: Engine | None) -> Journeys | None:
    parts: list[Any] = [] if engine is None else engine.parts.parts
    return next((part for part in parts if part.name == "journeys"), None)
