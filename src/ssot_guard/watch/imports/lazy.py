"""PEP 810 (3.15): a lazy import is executed at the first use of its name, far from its statement.

The finder's lazy-imports filter tells where the statements stand.
"""

from __future__ import annotations

from ssot_guard.watch.imports import importer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ssot_guard.violation import Site
    from ssot_guard.watch.imports.sightings import Sighting


class LazyStatement:
    """``lazy import imported`` (``names`` is empty) or ``lazy from imported import names`` in module ``importing``."""

    __slots__ = ("executions", "imported", "importing", "names", "sighting", "site", "used")

    def __init__(self, importing: str, imported: str, names: tuple[str, ...], site: Site) -> None:
        self.importing = importing
        self.imported = imported
        self.names = names
        self.site = site
        self.executions = 1
        self.used = 0  # the execution whose first use was counted last
        self.sighting: Sighting | None = None

    def loads(self, module: str) -> bool:
        """Whether executing the statement loads this module."""
        return f"{self.imported}.".startswith(f"{module}.") or module.removeprefix(f"{self.imported}.") in self.names


class LazyImports:
    """The lazy statements that concern the policy."""

    def __init__(self) -> None:
        self.statements: list[LazyStatement] = []

    def add(self, importing: str, imported: str, names: tuple[str, ...], frame: FrameType) -> None:
        """Remember a statement, from CPython's call of the lazy-imports filter."""
        site = importer.site(frame)
        for known in self.statements:
            if known.site == site and known.imported == imported:
                known.executions += 1
                return
        self.statements.append(LazyStatement(importing, imported, names, site))

    def statement(self, using: str, module: str) -> LazyStatement | None:
        """The statement behind a load at a first use: one of the using module if there is one, else any."""
        candidates = [statement for statement in self.statements if statement.loads(module)]
        mine = [statement for statement in candidates if statement.importing == using]
        return next(iter(mine or candidates), None)
