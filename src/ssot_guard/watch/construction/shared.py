"""What all populations of one guard share."""

from __future__ import annotations

import sys

from ssot_guard.watch.construction.builder import Builders
from ssot_guard.watch.construction.collector import Collector
from ssot_guard.watch.construction.instances import Table
from ssot_guard.watch.construction.verdicts import Verdicts
from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.ownership import Ownership


class Shared:
    """Their neighbours, and what they keep in one place."""

    __slots__ = (
        "_faults", "_files", "builders", "collector", "ledger", "measure_memory", "ownership", "table", "tenants",
        "verdicts",
    )  # fmt: skip

    def __init__(
        self, ledger: Ledger, files: Files, faults: Faults, tenants: Tenants, ownership: Ownership | None
    ) -> None:
        self._files = files
        self._faults = faults
        self.ledger = ledger
        self.tenants = tenants
        self.ownership = ownership
        self.table = Table()
        self.builders = Builders()
        self.collector = Collector()
        self.verdicts = Verdicts(ledger, files, self.builders)
        self.measure_memory = False

    def short(self, path: str) -> str:
        """A file as messages name it: relative to the policy's folder."""
        return self._files.key(path, self.builders.modules.get(path)) or path

    def file_of(self, module: str) -> str | None:
        """The file of a module."""
        path = loaded.namespace(sys.modules.get(module)).get("__file__")
        return self._files.key(path, module) if type(path) is str else None

    def note(self, error: Exception) -> Any:
        """Take a bug of ours, from the ``except`` clause that caught it; too many of them, and nothing is watched.

        Returns None: what is known after a bug.
        """
        self._faults.note("construction", error)
        if "construction" in self._faults.switched_off:
            self.table.is_on = False
        return None
