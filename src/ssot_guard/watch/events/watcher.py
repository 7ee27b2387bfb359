"""EventWatcher."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Policy
    from ssot_guard.watch.tenants.current import Tenants


class EventWatcher:
    """One part."""

    name = "events"

    def __init__(self, policy: Policy, ledger: Ledger, files: Files, faults: Faults, tenants: Tenants) -> None:
        self.matched: set[str] = set()
        self._policy, self._ledger, self._files, self._faults, self._tenants = policy, ledger, files, faults, tenants

    def loaded(self, _name: str, _module: ModuleType) -> BaseException | None:
        """A module was executed (again), or was there before."""
        return None

    def check(self) -> None:
        """What only a look at the whole process finds."""

    def detach(self) -> None:
        """Leave every object of the host as it was; twice is harmless."""

    def after_fork(self) -> None:
        """A child counts for itself."""

    def census(self) -> dict[str, Any]:
        """Rule id → its counts."""
        return {}
