"""PEP 810 (3.15): a lazy import is executed at the first use of its name, far from its statement.

The finder's lazy-imports filter tells where the statements stand.
"""

from __future__ import annotations

from ssot_guard.watch.imports import bytecode, importer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ssot_guard.violation import Site
    from ssot_guard.watch.imports.importer import Importer
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

    def statement(self, found: Importer, module: str) -> LazyStatement | None:
        """The statement behind a load at a first use, as far as module, line and name tell."""
        name = bytecode.name_at(found.code, found.offset)

        def fit(statement: LazyStatement) -> tuple[bool, bool, bool]:
            return (
                statement.importing == found.module,
                found.statement is not None and statement.site.line == found.frame.f_lineno,
                name is not None and (name in statement.names or name == statement.imported.partition(".")[0]),
            )

        return max((statement for statement in self.statements if statement.loads(module)), key=fit, default=None)
