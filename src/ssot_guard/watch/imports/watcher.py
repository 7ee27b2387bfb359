"""Watching imports: what is armed, when, and what becomes of it after a load.

The methods that CPython reaches (as :class:`.spec.Tripwire`, :class:`.finder.Owner` and :class:`.names.Reader`) return
a verdict to raise, or None; what they raise is contained at the border that calls them.
"""

from __future__ import annotations

import sys
from _functools import partial
from _thread import get_ident
from _weakref import ref

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, direct, importer, loaded, names
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.imports.health import Health
from ssot_guard.watch.imports.judge import Judge
from ssot_guard.watch.imports.lazy import LazyImports
from ssot_guard.watch.imports.sightings import READ_CAN_RAISE, Sightings
from ssot_guard.watch.imports.twins import Twins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType, ModuleType

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import ImportRules, Policy
    from ssot_guard.watch.imports.finder import Finder

# What a module is to the policy.
DEPRECATED, LEADS, HOLDER, HEALTH, CANONICAL = 1, 2, 4, 8, 16
_IMPORTING = frozenset(("__import__", "import_module", "load", "loads", "find_class"))
JUDGED = DEPRECATED | LEADS | HOLDER  # importing it may break a rule

# A name that is missing in a module is seen through its tripwire, too. That costs half a microsecond per cached import,
# so it ends after this many: what is imported in a hot loop is free, and code that boots is watched.
_READS_WATCHED = 200

_LAZY_IMPORTS = sys.version_info >= (3, 15)

_getframe = sys._getframe


class ImportWatcher:
    """SSG101, SSG102 and SSG104 through its parts, SSG111 - SSG115 through :class:`.health.Health`."""

    def __init__(
        self,
        policy: Policy,
        rules: ImportRules,
        finder: Finder,
        ledger: Ledger,
        files: Files,
        faults: Faults,
        *,
        blocks: bool,
    ) -> None:
        self._policy = policy
        self._rules = rules
        self._ledger = ledger
        self._faults = faults
        self._blocks = blocks  # whether any rule may ever be strict in this process
        self._finder = finder
        self._interest: dict[str, int] = {}
        self._specs: dict[int, ref[ModuleSpec]] = {}
        self._modules: dict[int, ref[ModuleType]] = {}
        self._reads: dict[str, int] = {}
        self._unfinished: list[ModuleSpec] = []
        self._waiting: set[tuple[int, str]] = set()  # (thread, module) that read the flag of an open load
        self._counted: set[tuple[int, str]] = set()  # (thread, module) that may read the flag for what is counted
        self._judged_early: set[str] = set()  # modules whose setter comes too late, or never
        self._children: dict[str, set[str]] = {}  # package → its loaded submodules that are deprecated
        self._looked_at: set[str] = set()  # names in sys.modules that are no aliases
        self._aliased: set[str] = set()  # names of specs whose module has a deprecated second name
        self._lazy = LazyImports()
        self.judge = Judge(policy, rules)
        self._sightings = Sightings(self.judge, ledger, files, self._lazy, blocks=blocks)
        self._health = Health(policy, ledger)
        self._twins = Twins(rules, ledger)
        self.mechanism = "none"
        self.preloaded: list[str] = []
        self.unguardable: set[str] = set()
        self.not_modules: set[str] = set()

    # -- attach, detach, check -----------------------------------------------------------------------------------

    def attach(self) -> None:
        """Start to watch, beginning with what was loaded before."""
        if not tripwire.works():
            return
        self.mechanism = "spec"
        tripwire.armed = self
        for name, module in list(sys.modules.items()):
            if type(name) is not str or name.partition(".")[0] not in self._finder.tops or module is None:
                continue
            try:
                self._adopt(name, module)
            except Exception as error:  # noqa: BLE001 - contained: the next one may be as it should be
                self._faults.note("adoption", error)
        self._arm_aliases()
        for parent in list(self._children):
            self._watch(parent)

    def detach(self) -> None:
        """Every spec and every module class as they were; twice is harmless."""
        self.silence()
        for found in list(self._specs.values()):
            spec = found()
            if spec is not None:
                tripwire.disarm(spec)
        for kept in list(self._modules.values()):
            module = kept()
            if module is not None:
                names.unwatch(module)

    def silence(self) -> None:
        """Watch no more, and leave everything in place: the way out after too many internal errors."""
        if tripwire.armed is self:
            tripwire.armed = None
        self._finder.tops = frozenset()

    def contain(self, failure: Exception) -> BaseException | None:
        """Take a bug of ours, at the border to the import system; there is never a verdict in it."""
        self._faults.note("imports", failure)
        return None

    def silent(self) -> bool:
        """Whether nothing is watched (any more)."""
        return tripwire.armed is not self

    def check(self) -> None:
        """What only a look at the whole process finds."""
        self._settle()
        for name in list(self._judged_early):
            self._judged_early.discard(name)
            self._watch(name)
        self._arm_aliases()
        for name in list(sys.modules):
            if self.interest(name) & (DEPRECATED | HOLDER):
                self._compare(name)
        self._health.sweep()

    def _settle(self) -> None:
        """Loads whose end nobody reported."""
        while self._unfinished:
            spec = self._unfinished.pop()
            if spec.name in sys.modules and not loaded.initializing(spec):
                self._finish(spec)

    def after_fork(self) -> None:
        """The child counts for itself."""
        self._sightings.clear()
        self._health.after_fork()

    # -- the finder's questions ----------------------------------------------------------------------------------

    def interest(self, fullname: str) -> int:
        """What a module is to the policy; worked out once per name."""
        flags = self._interest.get(fullname)
        if flags is None:
            rules = self._rules
            flags = DEPRECATED if rules.module(fullname) is not None else 0
            flags |= LEADS if rules.modules.leads(fullname) or rules.names.leads(fullname) else 0
            flags |= HOLDER if rules.watched(fullname) else 0
            flags |= HEALTH if self._health.on and self._policy.governs(fullname) else 0
            flags |= CANONICAL if fullname in self._twins.waiting else 0
            self._interest[fullname] = flags
        return flags

    def found(self, fullname: str, spec: ModuleSpec) -> BaseException | None:
        """Another finder has the spec: arm it. Nothing is recorded here unless the setter would come too late."""
        if self._unfinished:
            self._settle()
        if not loaded.is_spec(spec) or not self._arm(spec):
            self.unguardable.add(fullname)
            return None
        flags = self.interest(spec.name)
        frame = _getframe(2)
        if not flags & JUDGED:
            return None
        if importer.finds_for_real(frame):
            if direct.loads_before_the_setter(spec):
                self._judged_early.add(spec.name)
                return self._sightings.module_event(spec.name, frame)
        elif flags & DEPRECATED and importer.finds_to_run(frame):
            return self._sightings.module_event(spec.name, frame)
        return None

    def missing(self, fullname: str) -> BaseException | None:
        """No finder has it: if this is an import and no probe, it fails now."""
        frame = _getframe(2)
        if not importer.finds_for_real(frame):
            return None
        if self.interest(fullname) & DEPRECATED:
            return self._sightings.module_event(fullname, frame)
        found = importer.find(frame)
        if found is None or self._breaks_a_name_rule(fullname, found):
            return self._sightings.module_event(fullname, frame)
        if self._policy.governs(fullname) and not found.probes:
            self._health.missing(fullname, found)
        return None

    def lazily(self, importing: str, imported: str, names: tuple[str, ...], frame: FrameType) -> None:
        """A lazy statement was executed; its import comes later."""
        self._lazy.add(importing or "", imported, names, frame)  # None where the namespace has no name

    def _breaks_a_name_rule(self, fullname: str, found: importer.Importer) -> bool:
        """``from mod import Gone``, also from a module that is gone itself: the rule of the name speaks."""
        module, statement = found.imported(), found.statement
        if module is None or statement is None:
            return False
        if module != fullname and not fullname.startswith(f"{module}."):
            return f"{module}.".startswith(f"{fullname}.") and any(self.judge.statement(module, statement.names))
        return any(finding.code == "SSG102" for finding in self.judge.statement(module, statement.names))

    # -- the tripwire's events -----------------------------------------------------------------------------------

    def loading(self, spec: ModuleSpec) -> BaseException | None:
        """A load begins; an error returned here stops it before the module is in ``sys.modules``."""
        frame = _getframe(2)
        self._health.loading(spec, frame)
        if spec.name in self._judged_early:
            self._judged_early.discard(spec.name)
        elif self.interest(spec.name) & JUDGED:
            verdict = self._sightings.module_event(spec.name, frame)
            if verdict is not None:
                self._health.abandoned()
            return verdict
        return None

    def loaded(self, spec: ModuleSpec) -> None:
        """A load ended, well or not."""
        succeeded = spec.name in sys.modules
        self._health.loaded(spec, _getframe(2), succeeded=succeeded)
        if succeeded:
            if self.interest(spec.name) & JUDGED:
                self._count_waiting(spec.name)
            self._finish(spec)
        else:
            tripwire.disarm(spec)

    def _count_waiting(self, name: str) -> None:
        """Other threads took the module while it loaded: some were seen to read its flag, the others go uncounted."""
        for thread, frame, surely in importer.waiting_for(name):
            if (thread, name) not in self._waiting:
                self._sightings.module_event(name, frame, waited=True)
                if not surely:
                    self._counted.add((thread, name))
            self._waiting.discard((thread, name))

    def read(self, spec: ModuleSpec) -> BaseException | None:
        """CPython looks at the flag: mostly because somebody imports the cached module."""
        frame = _getframe(2)
        if self._counted and (get_ident(), spec.name) in self._counted:
            self._counted.discard((get_ident(), spec.name))
            return None
        sighting = self._sightings.known(frame, spec.name)
        if sighting is None and importer.finds_cached(frame) and spec.name not in self._aliased:
            caller = importer.caller_of_importlib(frame)  # of import_module: its repeats are known by the call
            sighting = None if caller is None else self._sightings.known(caller, spec.name)
        if sighting is None or not sighting.entries:
            # What breaks nothing is worth a look as long as its module is watched for other reasons.
            return self._first_read(spec, frame) if sighting is None or not self._stays_armed(spec.name) else None
        return self._sightings.again(sighting, spec.name, read=True)

    def _first_read(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        name = spec.name
        if spec.__dict__.get("_initializing"):
            self._health.read_while_loading(name, frame)
            self._waiting.add((get_ident(), name))
            if not self.interest(name) & JUDGED:
                return None
        elif not self._stays_armed(name):
            self._healthy_read(spec, frame)
            return None
        code, offset = frame.f_code, frame.f_lasti
        if importer.is_machinery(frame):
            imports = importer.finds_cached(frame)
        else:
            kind = bytecode.kind_at(code, offset)
            # A name that is missing is read, too, and so is `__all__`, in vain, by 3.11.
            imports = bytecode.runs_at(code, offset) if kind == bytecode.STATEMENT else kind != bytecode.ATTRIBUTE
            if kind == bytecode.CALL:
                imports = _calls_import(code, offset, name)
        return self._sightings.module_event(name, frame, read=True) if imports else None

    def _healthy_read(self, spec: ModuleSpec, frame: FrameType) -> None:
        """A governed module without a rule: look for missing names a while, then let it go for good."""
        name = spec.name
        reads = self._reads[name] = self._reads.get(name, 0) + 1
        if self._health.lingers and reads <= _READS_WATCHED:
            self._look_for_missing(name, frame)
        elif loaded.spec_of(sys.modules.get(name)) is spec:
            tripwire.disarm(spec)

    def _look_for_missing(self, name: str, frame: FrameType) -> None:
        """CPython reads the flag for the message about a missing name; and importlib in vain for a ``__path__``."""
        code, offset = frame.f_code, frame.f_lasti
        if bytecode.imports_now(code, offset):
            return  # nearly always: the module is imported, and that is all
        if bytecode.binds_now(code, offset):
            if not bytecode.runs_at(code, offset) and self._rules.name(name, bytecode.bound_at(code, offset)) is None:
                self._health.missing_name(name, frame)
        elif importer.is_machinery(frame):
            if code.co_name != "_find_and_load_unlocked" or loaded.is_package(name):
                return
            found = importer.find(frame)
            submodule = frame.f_locals.get("name")
            if found is not None and not found.probes and type(submodule) is str:
                self._health.missing(submodule, found)
        elif self._health.open_loads():
            wanted = bytecode.attribute_at(code, offset)
            if wanted is not None:  # `package.module`, while the module loads and is not bound yet
                self._health.missed(f"{name}.{wanted}", wanted, frame)

    def made(self, spec: ModuleSpec) -> BaseException | None:
        """Importlib reads ``spec.parent`` when it makes a module: by hand or for a reload, no load event follows."""
        maker = direct.maker(_getframe(2))
        if maker is None or (maker.f_code.co_name != "_exec" and direct.shadow(spec)):
            return None
        # A reload, or a shared loader (zip, built-in, pytest's rewriter): this is the last moment that we see.
        self._unfinished.append(spec)
        self._health.loading(spec, maker)
        self._health.abandoned()
        return self._sightings.module_event(spec.name, maker) if self.interest(spec.name) & JUDGED else None

    # -- watched names -------------------------------------------------------------------------------------------

    def name_read(self, module: ModuleType, name: str) -> BaseException | None:
        """Somebody reads a watched name of a module."""
        if tripwire.armed is not self:
            return None
        frame = _getframe(2)
        sighting = self._sightings.known(frame, name)
        if sighting is not None:
            return self._sightings.again(sighting, name)
        if _takes_name(frame, name):
            return self._sightings.name_event(loaded.namespace(module)["__name__"], name, frame)
        return None

    # -- what was loaded before, and after a load ----------------------------------------------------------------

    def _adopt(self, name: str, module: object) -> None:
        """A module that was there before the guard: arm it in place, and say that its importers were not seen."""
        flags = self.interest(name)
        if not flags:
            return
        spec = loaded.spec_of(module)
        if flags & HEALTH and spec is not None:
            self._health.adopt(name, spec.origin if getattr(spec, "has_location", False) else None)
            if self._health.lingers:
                self._arm(spec)
        if flags & DEPRECATED:
            self.preloaded.append(name)
            self._report_preloaded(name, module)
            if spec is not None and not self._arm(spec):
                self.unguardable.add(name)
            parent, _, leaf = name.rpartition(".")
            self._children.setdefault(parent, set()).add(leaf)
        self._watch(name)

    def _report_preloaded(self, name: str, module: object) -> None:
        holders = _holders(name, module)
        text = f"{name} was loaded before the guard"
        if holders:
            text += f"; held by {', '.join(holders[:5])}"
        for finding in self.judge.call(name):
            self.judge.matched.add(finding.home.rule.id)
            details = {"loaded": "before the guard", "held-by": holders}
            facts = Facts(
                "SSG101", finding.home.rule, Site(), finding.target, text, canonical=finding.canonical, details=details
            )
            self._ledger.sight(facts)

    def _arm(self, spec: ModuleSpec) -> bool:
        if not tripwire.arm(spec):
            return False
        key = id(spec)
        self._specs[key] = ref(spec, partial(self._specs.pop, key))
        return True

    def _stays_armed(self, name: str) -> bool:
        """Whether a module keeps the tripwire for good: if it is deprecated, or has a deprecated second name.

        On 3.15 also if it has watched names: a ``lazy from`` takes them from the namespace, past the descriptors.
        """
        if self.interest(name) & DEPRECATED or name in self._aliased:
            return True
        return _LAZY_IMPORTS and names.is_watched(sys.modules.get(name))

    def _finish(self, spec: ModuleSpec) -> None:
        """The body has run: keep the tripwire where it is needed, and watch names."""
        name = spec.name
        flags = self.interest(name)
        if flags & JUDGED:
            present = loaded.spec_of(sys.modules.get(name))
            if flags & DEPRECATED and present is not None and present is not spec:
                self._arm(present)  # a module that replaced itself
            self._watch(name)
            parent = name.rpartition(".")[0]
            if flags & DEPRECATED and parent:
                self._children.setdefault(parent, set()).add(name.rpartition(".")[2])
                self._watch(parent)
            self._arm_aliases()
        if not self._stays_armed(name) and not (flags & HEALTH and self._health.lingers):
            tripwire.disarm(spec)
        if flags & (DEPRECATED | HOLDER):
            self._compare(name)
        if flags & CANONICAL:
            self._twins.arrived(name)

    def _watch(self, name: str) -> None:
        """Watch what this module holds: deprecated names and submodules, and ``__path__`` where it can block."""
        deprecated = self.interest(name) & DEPRECATED
        wanted = set(self._rules.watched(name))
        if not deprecated:
            wanted.update(self._children.get(name, ()))
        if self._blocks and (wanted or (deprecated and not READ_CAN_RAISE)):
            wanted.add("__path__")
        if not wanted:
            return
        module = sys.modules.get(name)
        if loaded.is_lazy(module):
            return  # its load comes later, and then so do we
        if loaded.is_module(module):
            self._watch_module(name, module, wanted)
        else:
            self.not_modules.add(name)

    def _watch_module(self, name: str, module: ModuleType, wanted: set[str]) -> None:
        if not names.watch(module, sorted(wanted), self):
            self.unguardable.add(name)
            return
        key = id(module)
        self._modules[key] = ref(module, partial(self._modules.pop, key))
        spec = loaded.spec_of(module)
        if _LAZY_IMPORTS and spec is not None:
            self._arm(spec)

    def _arm_aliases(self) -> None:
        """Modules that stand in ``sys.modules`` under a deprecated name but carry the spec of another one."""
        fresh = sys.modules.keys() - self._looked_at
        self._looked_at |= fresh
        for name in fresh:
            module = sys.modules.get(name)
            if type(name) is not str or name.partition(".")[0] not in self._finder.tops:
                continue
            if not loaded.is_module(module) or not self.interest(name) & DEPRECATED:
                continue
            spec = loaded.spec_of(module)
            if spec is None or spec.name == name:
                if spec is not None and not tripwire.is_armed(spec) and not loaded.initializing(spec):
                    self._arm(spec)  # a finder in front of ours gave it out
                    self._finish(spec)
                continue
            self._aliased.add(spec.name)
            self._arm(spec)
            parent, _, leaf = name.rpartition(".")
            self._children.setdefault(parent, set()).add(leaf)
            self._watch(parent)
            if self._blocks and not READ_CAN_RAISE:
                self._watch_module(name, module, {"__path__"})

    def _compare(self, holder: str) -> None:
        """Look for diverged twins; where the canonical home is not loaded yet, its load must reach us."""
        for canonical in self._twins.compare(holder):
            self._interest[canonical] = self.interest(canonical) | CANONICAL
            self._finder.tops |= {canonical.partition(".")[0]}


def _calls_import(code: CodeType, offset: int, name: str) -> bool:
    """Whether a call imports: by what is called, or by the module's name among its arguments.

    What else reads the flag from C are ``hasattr`` and ``getattr`` in vain, pickling, and copying.
    """
    callee, literal = bytecode.call_at(code, offset)
    return callee in _IMPORTING or literal == name


def _takes_name(frame: FrameType, name: str) -> bool:
    """Whether code takes the name: by an import statement, as an attribute, or by ``getattr`` with the literal name.

    Probes do not: importlib's look before an import, ``hasattr``, and reflection by the standard library or pytest.
    """
    if importer.is_machinery(frame):
        return False
    code, offset = frame.f_code, frame.f_lasti
    kind = bytecode.kind_at(code, offset)
    if kind == bytecode.STATEMENT:
        return name != "__path__" or bytecode.imports_at(code, offset)
    if name == "__path__":
        return False
    if kind == bytecode.CALL:
        top = importer.module_name(frame).partition(".")[0]
        return (
            bytecode.call_at(code, offset) == ("getattr", name)
            and top not in sys.stdlib_module_names
            and top != "_pytest"
        )
    if kind == bytecode.LAZY:
        return True
    return kind == bytecode.ATTRIBUTE and bytecode.attribute_at(code, offset) == name


def _holders(name: str, module: object) -> list[str]:
    """Modules whose namespace holds a module: found through the collector, so that no namespace is touched."""
    import gc

    found = set()
    for referrer in gc.get_referrers(module):
        holder = referrer.get("__name__") if type(referrer) is dict else None
        if type(holder) is str and holder != name and holder in sys.modules:
            found.add(holder)
    return sorted(found)
