"""SSG501: how often a critical path succeeds, and how long it takes.

Live, the verdict waits until the rate is below the target with 95 % confidence; a test session judges the observed rate
at its end.
"""

from __future__ import annotations

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, importer
from ssot_guard.watch.journeys import runs
from ssot_guard.watch.journeys.tally import Tally, duration, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import JourneyRule, Policy
    from ssot_guard.watch.journeys.runs import Ended, Frame, Place
    from ssot_guard.watch.tenants.current import Tenants

_PLACES = 100  # of one journey that are remembered
_UNKNOWN = 20  # ids that are no journeys, and are told of


class Journeys:
    """Counts the runs of the policy's journeys; live, it also judges them."""

    name = "journeys"

    def __init__(self, policy: Policy, ledger: Ledger, files: Files, faults: Faults, _tenants: Tenants) -> None:
        self.matched: set[str] = set()
        self.faults = faults
        self.judges = True  # a test session judges at its end
        # Of a test session: the test that is running, and whether its runs may fail.
        self.attends: Callable[[JourneyRule], tuple[str, bool]] | None = None
        self._policy, self._ledger, self._files = policy, ledger, files
        self.rules = {rule.id: rule for rule in policy.journeys if "runtime" in rule.sides}
        self._others = {rule.id for rule in policy.journeys} - self.rules.keys()
        self._begin()

    def _begin(self) -> None:
        self.tallies = {rule_id: Tally() for rule_id in self.rules}
        self._sites: dict[str, dict[tuple[int, int], tuple[CodeType, Site]]] = {rule_id: {} for rule_id in self.rules}
        self._untold = {rule_id: [rule_id] for rule_id in self.rules}  # who takes the id may tell
        self._due: set[str] = set()  # have had their `min-runs`

    def loaded(self, _name: str, _module: ModuleType) -> BaseException | None:
        """Modules are nothing to it."""
        return None

    def check(self) -> None:
        """Judge what has had its runs."""
        self._take_waiting()
        for rule_id in self.rules:
            self._judge(rule_id)

    def close(self) -> None:
        """Nothing waits for the end."""

    def detach(self) -> None:
        """Nothing of the host's was touched; what was due was told when it was."""
        self._take_waiting()

    def after_fork(self) -> None:
        """A child counts for itself."""
        runs.waiting.clear()
        self._begin()

    def census(self) -> dict[str, Any]:
        """Rule id → counts, rate, interval, percentiles, failures."""
        self._take_waiting()
        return {
            rule_id: {**tally.census(), "target": self.rules[rule_id].target} for rule_id, tally in self.tallies.items()
        }

    def sites(self, rule_id: str) -> list[Site]:
        """Where its runs began, in order of first sight."""
        return [site for _, site in list(self._sites[rule_id].values())]

    # -- counting ------------------------------------------------------------------------------------------------

    def take(self, run: Ended) -> None:
        """Count one run, and those that waited."""
        self._take_waiting()
        self._count(run)

    def _take_waiting(self) -> None:
        while runs.waiting:
            try:
                run = runs.waiting.popleft()
            except IndexError:  # another thread took it
                return
            self._count(run)

    def _count(self, run: Ended) -> None:
        rule, tally = self.rules.get(run.id), self.tallies.get(run.id)
        if rule is None or tally is None:
            if run.id not in self._others:
                self._misused(run)
            return
        if not tally.runs:
            self.matched.add(run.id)
        self._remember(run)
        too_slow = rule.max_seconds is not None and run.shortest > rule.max_seconds
        if run.kind is None and not too_slow:
            if rule.max_seconds is not None and run.longest > rule.max_seconds:
                self._ledger.unknown("SSG501", rule.id)
                return
            tally.succeed(_seconds(run))
            if tally.failed and run.id not in self._due:
                self._judge(run.id)
        elif run.gave_up and not too_slow:
            tally.abandoned += 1
        else:
            self._fail(run, rule, tally)

    def _fail(self, run: Ended, rule: JourneyRule, tally: Tally) -> None:
        test, may = ("", False) if self.attends is None else self.attends(rule)
        if may:
            tally.excused += 1
            return
        if run.kind is None or run.gave_up:
            tally.fail(_seconds(run), f"longer than {duration(rule.max_seconds or 0)}", None, test or None)
        else:
            tally.fail(_seconds(run), run.kind, where(self._policy, self._files, run.frames), test or None)
        self._judge(run.id)

    def _remember(self, run: Ended) -> None:
        code, offset, _ = run.place
        sites = self._sites[run.id]
        if (id(code), offset) not in sites and len(sites) < _PLACES:
            sites.setdefault((id(code), offset), (code, _site(run.place)))

    def _misused(self, run: Ended) -> None:
        """An id that no rule has: shown once, as a bug of ours would be, and never raised."""
        component = f"journey {run.id!r}"
        faults = self.faults
        if component in faults.first or sum(known.startswith("journey ") for known in faults.first) >= _UNKNOWN:
            return
        site = _site(run.place)
        known = ", ".join(sorted({*self.rules, *self._others}))
        faults.first[component] = f"{site.path}:{site.line}: the policy has no such journey; it has: {known}"
        faults.counts[component] = 1
        if faults.on_first is not None:
            faults.on_first(component, faults.first[component])

    # -- judging -------------------------------------------------------------------------------------------------

    def _judge(self, rule_id: str) -> None:
        """Live: once there are enough runs, and the rate is below its target with confidence."""
        rule, tally = self.rules[rule_id], self.tallies[rule_id]
        if not self.judges or tally.runs < rule.min_runs:
            return
        self._due.add(rule_id)
        if not self._untold[rule_id] or tally.interval[1] >= rule.target:
            return
        try:
            self._untold[rule_id].pop()
        except IndexError:  # another thread is telling
            return
        # Whatever the host's filters make of the warning: a rate is no error of the run that happens to tip it.
        self._ledger.sight(below(rule, tally, self.sites(rule_id)[0], rule.id, words(tally, rule.target)))


def below(rule: JourneyRule, tally: Tally, site: Site, target: str, message: str) -> Facts:
    """A journey that is below its target."""
    details = {**tally.census(), "target": rule.target, "failed-runs": list(tally.last)}
    return Facts("SSG501", rule, site, target, message, kind="journey", details=details)


def _seconds(run: Ended) -> float | None:
    """How long it took, where that can be told."""
    return run.longest if run.longest == run.shortest else None


def where(policy: Policy, files: Files, frames: list[Frame]) -> str | None:
    """``path:line`` of the innermost frame in the policy's packages, else of the innermost one."""
    for path, line, module in reversed(frames):
        if policy.governs(module):
            return f"{files.key(path, module)}:{line}"
    if not frames:
        return None
    path, line, module = frames[-1]
    return f"{files.key(path, module)}:{line}"


def _site(place: Place) -> Site:
    code, offset, scope = place
    name = scope.get("__name__")
    if name == "__main__":
        name = getattr(scope.get("__spec__"), "name", name)
    return Site(
        code.co_filename,
        *bytecode.position(code, offset),
        name if type(name) is str else None,
        importer.scope(code),
    )
