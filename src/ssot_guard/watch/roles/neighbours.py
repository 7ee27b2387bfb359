"""Who else looks at the classes of a role: construction and ownership. Loaded when some role needs them.

What they raise is a bug of ours, and ends here; who keeps failing is left out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.construction.watcher import Construction
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.ownership import Ownership

OWNERSHIP, CONSTRUCTION = "ownership", "construction"


class Neighbours:
    """Ownership first: it knows whose an object is when construction reports it."""

    def __init__(
        self, rules: tuple[RoleRule, ...], ledger: Ledger, files: Files, faults: Faults, tenants: Tenants
    ) -> None:
        self._faults = faults
        self._all: dict[str, Any] = {}
        self.ownership: Ownership | None = None
        self.construction: Construction | None = None
        if any(rule.isolated for rule in rules):
            from ssot_guard.watch.tenants.ownership import Ownership

            self.ownership = self._all[OWNERSHIP] = Ownership(rules, ledger, files, faults, tenants)
        if any(_counts(rule) for rule in rules):
            from ssot_guard.watch.construction.watcher import Construction

            self.construction = Construction(rules, ledger, files, faults, tenants, self.ownership)
            self._all[CONSTRUCTION] = self.construction

    def joined(self, rule: RoleRule, cls: type) -> None:
        """A class plays a role; said once for each."""
        for name, part in self._working():
            try:
                part.joined(rule, cls)
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(name, error)

    def leave(self, name: str) -> None:
        """A module is about to be shown, perhaps in the place of another one of its name."""
        for part_name, part in self._working():
            try:
                part.leave(name)
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(part_name, error)

    def bind(self, name: str, module: ModuleType) -> None:
        """A module has loaded."""
        for part_name, part in self._working():
            try:
                part.bind(name, module)
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(part_name, error)

    def check(self) -> None:
        """Look at the whole process."""
        self._each("check", list(self._working()))

    def detach(self) -> None:
        """Leave the host as it was: also those that were left out."""
        self._each("detach", list(self._all.items()))

    def after_fork(self) -> None:
        """A child counts for itself."""
        self._each("after_fork", list(self._all.items()))

    def matched(self) -> set[str]:
        """The rules that met something."""
        return set().union(*(part.matched for part in self._all.values()))

    def census(self) -> dict[str, dict[str, Any]]:
        """Rule id → what lives, what was built."""
        return {} if self.construction is None else self.construction.census()

    def _each(self, method: str, parts: list[tuple[str, Any]]) -> None:
        for name, part in parts:
            try:
                getattr(part, method)()
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(name, error)

    def _working(self) -> Iterator[tuple[str, Any]]:
        for name, part in self._all.items():
            if name not in self._faults.switched_off:
                yield name, part


def _counts(rule: RoleRule) -> bool:
    return bool(rule.instances or rule.factory or rule.isolated or any(rule.construct_budget.values()))
