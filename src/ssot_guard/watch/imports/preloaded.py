"""Modules that were there before the guard."""

from __future__ import annotations

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.imports.interest import DEPRECATED, HEALTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.imports.arming import Arming
    from ssot_guard.watch.imports.health import Health
    from ssot_guard.watch.imports.interest import Interest
    from ssot_guard.watch.imports.judge import Judge


class Preloaded:
    """Arms them in place, and says that their importers were not seen. ``names`` are the deprecated ones."""

    def __init__(self, judge: Judge, interest: Interest, arming: Arming, health: Health, ledger: Ledger) -> None:
        self._judge = judge
        self._interest = interest
        self._arming = arming
        self._health = health
        self._ledger = ledger
        self.names: list[str] = []

    def adopt(self, name: str, module: object) -> None:
        """Take in one entry of ``sys.modules``."""
        flags = self._interest.of(name)
        if not flags:
            return
        spec = loaded.spec_of(module)
        if flags & HEALTH and spec is not None:
            self._health.adopt(name, spec.origin if getattr(spec, "has_location", False) else None)
            self._arming.arm(spec)
        if flags & DEPRECATED:
            self.names.append(name)
            self._report(name, module)
            if spec is not None and not self._arming.arm(spec):
                self._arming.unguardable.add(name)
            self._arming.adopt_child(name)
        self._arming.watch(name)
        if spec is not None:
            self._arming.let_pass(spec)

    def _report(self, name: str, module: object) -> None:
        holders = loaded.holders(name, module)
        text = f"{name} was loaded before the guard"
        if holders:
            text += f"; held by {', '.join(holders[:5])}"
        for finding in self._judge.call(name):
            self._judge.matched.add(finding.home.rule.id)
            details = {"loaded": "before the guard", "held-by": holders}
            facts = Facts(
                "SSG101", finding.home.rule, Site(), finding.target, text, canonical=finding.canonical, details=details
            )
            self._ledger.sight(facts)
