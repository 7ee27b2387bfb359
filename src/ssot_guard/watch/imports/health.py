"""Health of governed modules: failed imports, cycles, double imports, re-executions, and import budgets.

Everything here hangs on the loads that the tripwire reports; a healthy load costs two clock reads and a few dictionary
entries. Importers are looked up only once something is wrong.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from time import perf_counter

from ssot_guard.errors import SsotViolationError
from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, failures, handlers, importer, loaded, machinery
from ssot_guard.watch.imports.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType
    from typing import Any

    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Policy


_READS_TWICE = sys.version_info < (3, 12)  # 3.11 reads the flag twice for one missing name


class Load:
    """One open load of a governed module. ``nested`` are the seconds spent in loads of governed modules inside it."""

    __slots__ = ("name", "nested", "started", "taken")

    def __init__(self, name: str) -> None:
        self.name = name
        self.nested = 0.0
        self.started = perf_counter()
        self.taken: dict[tuple[str, str, Site], object] = {}  # importer, name, site → value


class Health:
    """The checks of ``[modules]``; each is on or off in the policy."""

    def __init__(self, policy: Policy, ledger: Ledger) -> None:
        modules = policy.modules
        self._policy = policy
        self._ledger = ledger
        self.failed = modules.failed_imports == "report"
        self._cycles = modules.cycles == "report"
        self._double = modules.double_imports == "report"
        self._re_executions = modules.re_executions == "report"
        self._budget = modules.import_budget.get("seconds") if modules.import_budget else None
        self.lingers = self.failed or self._re_executions  # what is seen through a tripwire after the load
        self.on = self.failed or self._cycles or self._double or self._re_executions or self._budget is not None
        self._open: dict[int, list[Load]] = {}
        self._executed: set[str] = set()
        self._sources = Sources()
        self._missed: dict[int, tuple[int, int]] = {}  # thread → (code id, offset) of the last missing name …
        self._needed: dict[int, tuple[int, int]] = {}  # … and of the last one that a cycle lacked
        self._announced: dict[int, str] = {}  # thread → the name that no finder knew
        self._told: dict[int, int] = {}  # thread → id of the exception whose origin is recorded

    # -- loads ---------------------------------------------------------------------------------------------------

    def loading(self, spec: ModuleSpec, frame: FrameType) -> None:
        """A load begins."""
        name = spec.name
        if self._re_executions and name in self._executed and self._policy.governs(name):
            self._report(
                "SSG114", "re-executions", name, f"{name} is executed again: its classes exist twice now", frame
            )
        self._open.setdefault(get_ident(), []).append(Load(name))

    def loaded(self, spec: ModuleSpec, frame: FrameType, *, succeeded: bool) -> None:
        """A load ended."""
        loads = self._open.get(get_ident())
        if loads and loads[-1].name != spec.name and any(load.name == spec.name for load in loads):
            while loads[-1].name != spec.name:  # left open by a signal's exception
                loads.pop()
        load = loads.pop() if loads else None
        if load is None or load.name != spec.name:  # ours began before the guard did
            return
        elapsed = perf_counter() - load.started
        if loads:
            loads[-1].nested += elapsed
        else:
            self._open.pop(get_ident(), None)
        if not self._policy.governs(spec.name):
            return
        if succeeded:
            self._succeeded(spec, load, elapsed, frame)
        elif self.failed:
            self._failed_load(spec.name, frame)

    def abandoned(self) -> None:
        """The load that began last was blocked."""
        loads = self._open.get(get_ident())
        if loads:
            loads.pop()

    def refused(self, name: str) -> None:
        """A module was taken out again for what it defines: its next load is its first."""
        self._executed.discard(name)

    def open_loads(self) -> list[str]:
        """Names of the modules that this thread is loading, outermost first."""
        return [load.name for load in self._open.get(get_ident(), ())]

    def _succeeded(self, spec: ModuleSpec, load: Load, elapsed: float, frame: FrameType) -> None:
        self._executed.add(spec.name)
        own = elapsed - load.nested
        if self._budget is not None and own > self._budget:
            text = f"{spec.name} took {own:.2f} s to import by itself; the budget is {self._budget:g} s"
            self._report("SSG115", "import-budget", spec.name, text, frame, seconds=round(own, 3), budget=self._budget)
        if self._double and spec.has_location and spec.origin:
            self._source(spec.name, spec.origin, frame)
        for (taker, name, site), value in load.taken.items():
            self._taken_stale(spec.name, taker, name, value, site)

    # -- failed imports ------------------------------------------------------------------------------------------

    def missing(self, fullname: str, found: importer.Importer) -> None:
        """No finder knows a governed module that somebody really imports."""
        if not self.failed:
            return
        target = fullname
        statement = found.statement
        if statement is not None and statement.names:
            parent, _, leaf = fullname.rpartition(".")
            if leaf in statement.names and found.imported() == parent:
                target = f"{parent}:{leaf}"
                self._announced[get_ident()] = target  # CPython will miss the name once more when it binds it
        self._failure(target, f"{target} does not exist", found.frame, found.code, found.offset)

    def missing_name(self, module: str, frame: FrameType) -> None:
        """``from module import name`` does not find the name."""
        if _is_echo(self._missed, frame.f_code, frame.f_lasti):
            return
        wanted = takes_from(module, frame)
        if wanted is None:
            return
        if self._announced.pop(get_ident(), None) == f"{module}:{wanted}":
            return
        self._failure(f"{module}:{wanted}", f"{module} has no {wanted}", frame, frame.f_code, frame.f_lasti)

    def _failed_load(self, name: str, frame: FrameType) -> None:
        """A load ended with an exception: blame the innermost import statement that failed, once per exception."""
        error = sys.exc_info()[1]
        if error is None or isinstance(error, SsotViolationError) or self._told.get(get_ident()) == id(error):
            return
        self._told[get_ident()] = id(error)
        if isinstance(error, ModuleNotFoundError) and self._policy.governs(error.name or ""):
            return  # `missing` has it
        origin = failures.origin(error)
        if origin is not None:
            if self._needed.pop(get_ident(), None) == (id(origin[3]), origin[4]):
                return  # a cycle, which says more
            if self._missed.pop(get_ident(), None) != (id(origin[3]), origin[4]):
                self._failure(*origin)
            return
        found = importer.find(frame)
        if found is not None:
            text = f"importing {name} failed: {type(error).__name__}: {failures.short(error)}"
            self._failure(name, text, found.frame, found.code, found.offset)

    def _failure(self, target: str, text: str, frame: FrameType, code: Any, offset: int) -> None:
        swallowed = handlers.catches(code, offset, ImportError, frame.f_globals)
        line, column, end_line, end_column = bytecode.position(code, offset)
        site = Site(
            code.co_filename, line, column, end_line, end_column, importer.module_name(frame), importer.scope(code)
        )
        if swallowed:
            text += ", and the surrounding `try` hides it"
        kind = "name" if ":" in target else "import"
        self._ledger.sight(
            Facts("SSG111", "failed-imports", site, target, text, kind=kind, details={"swallowed": swallowed})
        )

    # -- cycles --------------------------------------------------------------------------------------------------

    def read_while_loading(self, name: str, frame: FrameType) -> None:
        """Somebody imports, or misses a name of, a module whose load is still open."""
        if not self._cycles or not self._policy.governs(name):
            return
        open_loads = self.open_loads()
        taker = importer.module_name(frame)
        if name not in open_loads or machinery.is_machinery(frame):
            return
        code, offset = frame.f_code, frame.f_lasti
        wanted = takes_from(name, frame) if bytecode.binds_at(code, offset) else bytecode.attribute_at(code, offset)
        if wanted is not None:
            if _is_echo(self._needed, code, offset):
                return
            # A submodule that is loading is found in sys.modules, and what exists nowhere is no matter of order.
            if f"{name}.{wanted}" not in sys.modules and self._announced.get(get_ident()) != f"{name}:{wanted}":
                self.missed(name, wanted, frame)
            return
        statement = bytecode.statement_at(code, offset) if bytecode.imports_at(code, offset) else None
        if statement is not None and statement.names and not f"{taker}.".startswith(f"{name}."):
            self._remember_taken(name, taker, statement.names, frame)

    def missed(self, name: str, wanted: str, frame: FrameType) -> None:
        """A name of an open load (or that open load itself, as an attribute of its parent) is missing when needed."""
        open_loads = self.open_loads()
        if name in open_loads:
            taker = importer.module_name(frame)
            text = f"{wanted} of {name} is missing when {taker} needs it"
            self._cycle(open_loads[open_loads.index(name) :], importer.site(frame), text)

    def _remember_taken(self, name: str, taker: str, names: tuple[str, ...], frame: FrameType) -> None:
        namespace = loaded.namespace(sys.modules.get(name))
        site = importer.site(frame)
        for load in self._open.get(get_ident(), ()):
            if load.name == name:
                for wanted in names:
                    if wanted in namespace:  # of the two reads that 3.11 makes, the second changes nothing
                        load.taken[taker, wanted, site] = namespace[wanted]

    def _taken_stale(self, name: str, taker: str, wanted: str, value: object, site: Site) -> None:
        namespace = loaded.namespace(sys.modules.get(name))
        if namespace.get(wanted, value) is not value:
            self._cycle(
                [name, taker], site, f"{taker} took {name}:{wanted} before {name} had finished, and it changed since"
            )

    def _cycle(self, path: list[str], site: Site, text: str) -> None:
        # One violation per cycle: start at the smallest name, whoever was imported first.
        start = path.index(min(path))
        ring = path[start:] + path[:start]
        target = " -> ".join([*ring, ring[0]])
        self._ledger.sight(Facts("SSG112", "cycles", site, target, f"import cycle {target}: {text}"))

    # -- double imports ------------------------------------------------------------------------------------------

    def adopt(self, name: str, origin: str | None) -> None:
        """A governed module that was there before the guard."""
        self._executed.add(name)
        if self._double and origin:
            self._sources.executed(name, origin)

    def sweep(self) -> None:
        """Find governed files that are also loaded under a name that no finder of ours ever saw (``src.acme.x``)."""
        if self._double:
            for name, origin in self._sources.strangers():
                self._source(name, origin, None)

    def _source(self, name: str, origin: str, frame: FrameType | None) -> None:
        first, path = self._sources.executed(name, origin)
        if first is None:
            return
        text = f"{path} was executed as {first} and again as {name}: its classes and state exist twice"
        if frame is None:
            self._ledger.sight(
                Facts("SSG113", "double-imports", Site(origin, 1, module=name), name, text, canonical=first)
            )
        else:
            self._report("SSG113", "double-imports", name, text, frame, canonical=first)

    # -- reporting -----------------------------------------------------------------------------------------------

    def _report(
        self,
        code: str,
        rule: str,
        target: str,
        text: str,
        frame: FrameType,
        *,
        canonical: str | None = None,
        **details: object,
    ) -> None:
        found = importer.find(frame)
        site = Site() if found is None else importer.site(found.frame)
        self._ledger.sight(Facts(code, rule, site, target, text, canonical=canonical, details=details))

    def after_fork(self) -> None:
        """Only the forking thread lives on; its own open loads stay open."""
        mine = self._open.get(get_ident())
        self._open.clear()
        if mine:
            self._open[get_ident()] = mine


def _is_echo(missed: dict[int, tuple[int, int]], code: CodeType, offset: int) -> bool:
    """Whether 3.11 reads the flag for the second time for one missing name; remembers the first time."""
    thread, key = get_ident(), (id(code), offset)
    if _READS_TWICE and missed.get(thread) == key:
        del missed[thread]
        return True
    missed[thread] = key
    return False


def takes_from(module: str, frame: FrameType) -> str | None:
    """The name that the IMPORT_FROM at which a frame stands takes from this module.

    None where the module is what it takes: CPython looks into ``sys.modules`` for what its parent does not have.
    """
    found = importer.Importer(frame, None)
    return bytecode.bound_at(found.code, found.offset) if found.imported() == module else None
