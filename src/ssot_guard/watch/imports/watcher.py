"""Watching imports: what is armed, when, and what becomes of it after a load.

The methods that CPython reaches (as :class:`.spec.Tripwire`, :class:`.finder.Owner` and :class:`.names.Reader`) return
a verdict to raise, or None; what they raise is contained at the border that calls them.
"""

from __future__ import annotations

import sys

from ssot_guard.watch.imports import direct, importer, loaded, machinery, reads
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.imports.arming import Arming
from ssot_guard.watch.imports.bystanders import Bystanders
from ssot_guard.watch.imports.events import Events
from ssot_guard.watch.imports.health import Health
from ssot_guard.watch.imports.interest import DEFINES, DEPRECATED, HOLDER, JUDGED, Interest
from ssot_guard.watch.imports.judge import Judge
from ssot_guard.watch.imports.lazy import LazyImports
from ssot_guard.watch.imports.preloaded import Preloaded
from ssot_guard.watch.imports.sightings import Sightings
from ssot_guard.watch.imports.twins import Twins
from ssot_guard.watch.imports.waiting import Waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import ImportRules, Policy
    from ssot_guard.watch.imports.finder import Finder
    from ssot_guard.watch.imports.interest import Audience


class ImportWatcher:
    """SSG101, SSG102 and SSG104 through its parts, SSG111 - SSG115 through :class:`.health.Health`."""

    def __init__(  # noqa: PLR0913 - one argument per neighbour
        self,
        policy: Policy,
        rules: ImportRules,
        finder: Finder,
        ledger: Ledger,
        files: Files,
        faults: Faults,
        audience: Audience | None,
        *,
        blocks: bool,  # whether any rule may ever be strict in this process
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._faults = faults
        self._finder = finder
        self._audience = audience
        self._unfinished: list[ModuleSpec] = []
        self._judged_early: set[str] = set()  # modules whose setter comes too late, or never
        self._lazy = LazyImports()
        self._waiting = Waiting()
        self.judge = Judge(policy, rules)
        self._sightings = Sightings(ledger)
        self._slots = self._sightings.slots
        self._events = Events(self.judge, ledger, files, self._lazy, self._sightings, blocks=blocks)
        self._health = Health(policy, ledger)
        self._interest = Interest(policy, rules, audience, health=self._health.on)
        self.arming = Arming(
            rules, self._interest, Twins(rules, ledger), finder, self, blocks=blocks, lingers=self._health.lingers
        )
        self._preloaded = Preloaded(self.judge, self._interest, self.arming, self._health, ledger)
        self._passing = self.arming.passing
        self._bystanders = Bystanders(rules, self.arming, self._health)
        self.interest = self._interest.of
        self.preloaded = self._preloaded.names
        self.mechanism = "none"

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
                self._preloaded.adopt(name, module)
                self._defined(name)
            except Exception as error:  # noqa: BLE001 - contained: the next one may be as it should be
                self._faults.note("adoption", error)
        self.arming.aliases()
        self.arming.watch_parents()

    def detach(self) -> None:
        """Every spec and every module class as they were; twice is harmless."""
        self.silence()
        self.arming.release()

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
            self.arming.watch(name)
        self.arming.aliases()
        for name in list(sys.modules):
            governed = type(name) is str and name.partition(".")[0] in self._finder.tops
            if governed and self.interest(name) & (DEPRECATED | HOLDER):
                self.arming.compare(name)
        self.sweep()

    def sweep(self) -> None:
        """A last look at the whole process for what no event tells: files executed under a stranger's name."""
        self._health.sweep()

    def _settle(self) -> None:
        """Loads whose end nobody reported."""
        while self._unfinished:
            spec = self._unfinished.pop()
            if spec.name in sys.modules and not loaded.initializing(spec):
                self.arming.finish(spec)
                self._defined(spec.name)

    def after_fork(self) -> None:
        """The child counts for itself."""
        self._events.forget()
        self._health.after_fork()

    # -- the finder's questions ----------------------------------------------------------------------------------

    def found(self, fullname: str, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """Another finder has the spec: arm it. Nothing is recorded here unless the setter would come too late."""
        if self._unfinished:
            self._settle()
        if not loaded.is_spec(spec) or not self.arming.arm(spec):
            self.arming.unguardable.add(fullname)
            return None
        flags = self.interest(spec.name)
        if not flags & JUDGED:
            return None
        if machinery.finds_for_real(frame):
            if direct.loads_before_the_setter(spec):
                self._judged_early.add(spec.name)
                return self._events.module(spec.name, frame)
        elif flags & DEPRECATED and machinery.finds_to_run(frame):
            return self._events.module(spec.name, frame)
        return None

    def missing(self, fullname: str, frame: FrameType) -> BaseException | None:
        """No finder has it: if this is an import and no probe, it fails now."""
        if not machinery.finds_for_real(frame):
            return None
        if self.interest(fullname) & DEPRECATED:
            return self._events.module(fullname, frame)
        found = importer.find(frame)
        if found is None or self._breaks_a_name_rule(fullname, found):
            return self._events.module(fullname, frame)
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

    def loading(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """A load begins; an error returned here stops it before the module is in ``sys.modules``."""
        self._health.loading(spec, frame)
        if not self.interest(spec.name) & JUDGED:
            return None
        self._waiting.begin(spec.name)
        if spec.name in self._judged_early:
            self._judged_early.discard(spec.name)
            return None
        verdict = self._events.module(spec.name, frame)
        if verdict is not None:
            self._waiting.abandon(spec.name)
            self._health.abandoned()
        return verdict

    def loaded(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """A load ended, well or not; an error returned here ends the import, and nobody has the module."""
        succeeded = spec.name in sys.modules
        self._health.loaded(spec, frame, succeeded=succeeded)
        if not succeeded:
            self._waiting.abandon(spec.name)
            tripwire.disarm(spec)
            return None
        if self.interest(spec.name) & JUDGED:
            for waiting in self._waiting.end(spec.name):
                self._events.module(spec.name, waiting, waited=True)
        self.arming.finish(spec)
        verdict = self._defined(spec.name)
        if verdict is not None:
            sys.modules.pop(spec.name, None)  # importlib leaves it there: for importlib, it has loaded
            self._health.refused(spec.name)
        return verdict

    def _defined(self, name: str) -> BaseException | None:
        """Show what the module defines to those who look at that."""
        module = sys.modules.get(name)
        if self._audience is None or not self.interest(name) & DEFINES or not loaded.is_module(module):
            return None
        return self._audience.loaded(name, module)

    def read(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """CPython looks at the flag: mostly because somebody imports the cached module."""
        name = spec.name
        looks = self._passing.get(name)
        if looks is not None and not spec.__dict__.get("_initializing"):
            self._bystanders.read(spec, frame, looks)
            return None
        slot = self._slots.get(id(frame.f_code))
        sighting = None if slot is None else slot.get((frame.f_lasti, name))
        if sighting is None:
            if self._waiting.counts(name, frame):
                return None
            caller = machinery.caller_of_importlib(frame)  # of import_module: its repeats are known by the call
            if caller is not None and name not in self.arming.aliased:
                sighting = self._sightings.known(caller, name)
        if sighting is None or not sighting.entries:
            # What breaks nothing is worth a look as long as its module is watched for other reasons.
            return self._first_read(spec, frame) if sighting is None or not self.arming.stays(name) else None
        entry = sighting.simple
        if entry is not None and sighting.token == name and entry.count + 1 < entry.next_notice:
            if sighting.twice:
                sighting.echo = not sighting.echo
                if not sighting.echo:
                    return None
            entry.count += 1
            return None
        return self._sightings.again(sighting, name, read=True)

    def _first_read(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        name = spec.name
        if spec.__dict__.get("_initializing"):
            self._health.read_while_loading(name, frame)
            if not self.interest(name) & JUDGED:
                return None
        return self._events.module(name, frame, read=True) if reads.imports(frame, name) else None

    def made(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """Importlib reads ``spec.parent`` when it makes a module: by hand or for a reload, no load event follows."""
        maker = direct.maker(frame)
        if maker is None or (maker.f_code.co_name != "_exec" and direct.shadow(spec)):
            return None
        # A reload, or a shared loader (zip, built-in, pytest's rewriter): this is the last moment that we see.
        return self.executed(spec, maker)

    def executed(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
        """A module is executed, and nobody will report the end of it."""
        self._unfinished.append(spec)
        self._health.loading(spec, frame)
        self._health.abandoned()
        return self._events.module(spec.name, frame) if self.interest(spec.name) & JUDGED else None

    # -- watched names -------------------------------------------------------------------------------------------

    def name_read(self, module: ModuleType, name: str, frame: FrameType) -> BaseException | None:
        """Somebody reads a watched name of a module."""
        if tripwire.armed is not self:
            return None
        sighting = self._sightings.known(frame, name)
        if sighting is not None:
            entry = sighting.simple
            if entry is not None and sighting.token == name and entry.count + 1 < entry.next_notice:
                entry.count += 1
                return None
            return self._sightings.again(sighting, name)
        if reads.takes_name(frame, name):
            return self._events.name(loaded.namespace(module)["__name__"], name, frame)
        return None
