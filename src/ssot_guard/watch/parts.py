"""What is watched beyond imports: one part for each section of the policy that has rules for a live process.

A part loads with the first engine whose policy needs it; a process without such rules pays nothing.
"""

from __future__ import annotations

from ssot_guard.watch.tenants.current import Tenants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any, Protocol

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Policy

    class Part(Protocol):
        """One thing that is watched. What its methods raise is a bug, and contained by who calls them."""

        name: str  # the policy's section

        @property
        def matched(self) -> set[str]:
            """Ids of rules that met something they are about."""

        def loaded(self, name: str, module: ModuleType) -> BaseException | None:
            """A module was executed (again), or was there before; returns the verdict on it."""

        def check(self) -> None:
            """What only a look at the whole process finds."""

        def close(self) -> None:
            """The end of the process, or of the guard: judge what only that tells, without a look at the whole heap."""

        def detach(self) -> None:
            """Leave every object of the host as it was; twice is harmless."""

        def after_fork(self) -> None:
            """A child counts for itself."""

        def census(self) -> dict[str, Any]:
            """Rule id → its counts, as plain data."""


class Parts:
    """All parts of one guard; shows them what loads (:class:`~ssot_guard.watch.imports.interest.Audience`)."""

    def __init__(self, policy: Policy, ledger: Ledger, files: Files, faults: Faults) -> None:
        self.named = frozenset(policy.named())
        self._faults = faults
        self.tenants = Tenants(policy.tenant_sources)
        self.parts = list(_build(policy, ledger, files, faults, self.tenants))

    def loaded(self, name: str, module: ModuleType) -> BaseException | None:
        """Show a module to every part; the first verdict counts."""
        verdict = None
        for part in self.parts:
            if part.name in self._faults.switched_off:
                continue
            try:
                verdict = part.loaded(name, module) or verdict
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(part.name, error)
        return verdict

    def census(self) -> dict[str, Any]:
        """Rule id → its counts, of all parts."""
        counts: dict[str, Any] = {}
        for part in self.parts:
            try:
                counts.update(part.census())
            except Exception as error:  # noqa: BLE001 - contained: this stands behind health checks
                self._faults.note(part.name, error)
        return counts


def _build(policy: Policy, ledger: Ledger, files: Files, faults: Faults, tenants: Tenants) -> Iterator[Part]:
    """Each with what it needs; imported here, because most policies need few of them."""
    if any("runtime" in rule.sides for rule in policy.roles):
        from ssot_guard.watch.roles.watcher import RoleWatcher

        yield RoleWatcher(policy, ledger, files, faults, tenants)
    if any("runtime" in rule.sides for rule in policy.events):
        from ssot_guard.watch.events.watcher import EventWatcher

        yield EventWatcher(policy, ledger, files, faults, tenants)
    if policy.journeys:
        from ssot_guard.watch.journeys.watcher import Journeys

        yield Journeys(policy, ledger, files, faults, tenants)
