"""What a guard needs once there is something to watch: ledger, watchers and sinks, built for one policy.

Kept apart from :mod:`ssot_guard.guard` because a process that never meets a governed module never loads this.
"""

from __future__ import annotations

import os

from ssot_guard.accepted import Accepted
from ssot_guard.faults import Faults, say
from ssot_guard.files import Files
from ssot_guard.ledger import Facts, Ledger
from ssot_guard.policy.model import ImportRules
from ssot_guard.publisher import Publisher
from ssot_guard.sinks import Context, SinkSpecError, build
from ssot_guard.switches import Switches
from ssot_guard.violation import Site
from ssot_guard.watch.imports.watcher import ImportWatcher
from ssot_guard.watch.parts import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.policy.model import Policy
    from ssot_guard.sinks import Sink
    from ssot_guard.switches import Settings
    from ssot_guard.watch.imports.finder import Finder


class Engine:
    """The running parts of one guard."""

    def __init__(self, policy: Policy, settings: Settings, finder: Finder) -> None:
        profile = settings.profile
        self.policy = policy
        self.settings = settings
        self.faults = Faults()
        self.faults.on_switched_off = self._switch_off
        self.switches = Switches(profile, settings.environ)
        files = Files(policy)
        self.publisher = Publisher(self.faults)
        self.faults.on_first = self.publisher.internal_error
        self.ledger = Ledger(policy, files, self.switches, self.publisher, settings)
        self.ledger.accepted = Accepted(os.path.join(policy.root, policy.baseline), self.faults)
        blocks = settings.mode == "strict" or (profile is not None and "strict" in profile.tag_modes.values())
        rules = ImportRules(policy.imports, "runtime")
        self.parts = Parts(policy, self.ledger, files, self.faults)
        audience = self.parts if self.parts.parts else None
        self.imports = ImportWatcher(policy, rules, finder, self.ledger, files, self.faults, audience, blocks=blocks)
        self.reports = True  # to the sinks; the pytest plugin reports instead
        self._pid = os.getpid()

    def attach(self) -> None:
        """Start the watchers."""
        if self.reports:
            self.publisher.sinks.extend(self._sinks())
        self.contained("imports", self.imports.attach)

    def detach(self) -> None:
        """Stop the watchers, judge the rules, and close the sinks."""
        self.contained("imports", self.imports.detach)
        for part in self.parts.parts:
            self.contained(part.name, part.detach)
        self.contained("rules", self._judge_rules)
        self.close()

    def check(self) -> None:
        """Run the on-demand checks."""
        self.contained("check", self.imports.check)
        for part in self.parts.parts:
            self.contained(part.name, part.check)
        self.publisher.drain()

    def census(self) -> dict[str, Any]:
        """Counts by rule id."""
        return self.parts.census()

    def close(self) -> None:
        """Deliver what waits and the final counts; a forked child leaves its parent's sinks alone."""
        if os.getpid() != self._pid:
            return
        self.contained("check", self.imports.sweep)
        for part in self.parts.parts:
            self.contained(part.name, part.close)
        self.publisher.close(self.ledger.violations())

    def after_fork(self) -> None:
        """In the child: counters start fresh, and the child's end closes the child's sinks."""
        self._pid = os.getpid()
        self.publisher.after_fork()
        self.ledger.after_fork()
        self.imports.after_fork()
        for part in self.parts.parts:
            self.contained(part.name, part.after_fork)

    def matched_rules(self) -> dict[str, bool]:
        """Rules that watch this process → whether they matched anything."""
        matched = self.imports.judge.matched.union(*(part.matched for part in self.parts.parts))
        sections = ["imports", *(part.name for part in self.parts.parts)]
        rules = (rule for section in sections for rule in getattr(self.policy, section))
        return {rule.id: rule.id in matched for rule in rules if "runtime" in rule.sides}

    def status(self) -> dict[str, Any]:
        """What ``doctor`` says about the running parts, as plain data."""
        imports, faults = self.imports, self.faults
        return {
            "tripwire": imports.mechanism,
            "canary": self.switches.canary,
            **self.switches.status(),
            "since": self.switches.started,
            "preloaded": list(imports.preloaded),
            "unguardable": sorted(imports.arming.unguardable),
            "not_modules": sorted(imports.arming.not_modules),
            "internal_errors": dict(faults.counts),
            "first_errors": dict(faults.first),
            "switched_off": sorted(faults.switched_off),
            "sinks": {sink.name: sink.dropped for sink in self.publisher.sinks},
            "violations": len(self.ledger.violations()),
            "unrecorded": dict(self.ledger.overflow),
            "unknown": self.ledger.unknowns,
        }

    def contained(self, component: str, action: Callable[[], None]) -> None:
        """Run a part; a bug of ours never harms the host."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - contained
            self.faults.note(component, error)

    def _judge_rules(self) -> None:
        """SSG901, at the end of a session only: other processes may have matched what this one did not.

        Not where something was blocked: the rest of that code never ran.
        """
        if self.ledger.blocked:
            return
        for rule_id, matched in self.matched_rules().items():
            if not matched:
                text = f"rule {rule_id} matched nothing: misspelt, or done and ready to be deleted"
                self.ledger.sight(Facts("SSG901", rule_id, Site(), rule_id, text, quiet=True))

    def _switch_off(self, component: str) -> None:
        """A part that keeps failing: go on without it rather than cost and lie. ``active()`` tells."""
        if component == "imports":
            self.imports.silence()
            text = "switched off after five errors within a minute: imports are NOT watched in this process any more"
            self.publisher.internal_error(component, text)

    def _sinks(self) -> list[Sink]:
        """Sinks of the profile and of ``SSOT_GUARD_SINKS``; the log where neither names any."""
        settings, policy = self.settings, self.policy
        wanted = list(settings.profile.sinks) if settings.profile is not None else []
        wanted.extend(filter(None, settings.environ.get("SSOT_GUARD_SINKS", "").split(",")))
        context = Context(policy.source, policy.digest, settings.mode, settings.name, policy.labels)
        sinks = []
        for spec in dict.fromkeys(wanted or ["log"]):
            try:
                sink = build(spec, context)
            except SinkSpecError as error:  # the guard is worth more than one of its sinks
                say(f"a sink is missing: {error}")
                self.faults.note("sinks", error)
            else:
                sinks.extend([sink] if sink is not None else [])
        return sinks
