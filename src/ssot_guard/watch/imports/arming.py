"""Puts tripwires and watched names where the policy needs them, and takes every one of them away again."""

from __future__ import annotations

import sys
from _functools import partial
from _weakref import ref

from ssot_guard.watch.imports import direct, loaded, names
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.imports.interest import CANONICAL, DEPRECATED, HEALTH, HOLDER, JUDGED
from ssot_guard.watch.imports.spec import READ_CAN_RAISE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from ssot_guard.policy.model import ImportRules
    from ssot_guard.watch.imports.finder import Finder
    from ssot_guard.watch.imports.interest import Interest
    from ssot_guard.watch.imports.twins import Twins

# A name that is missing in a module is seen through its tripwire, too. That costs half a microsecond per cached import,
# so it ends after this many: what is imported in a hot loop is free, and code that boots is watched.
_LOOKS = 200

_LAZY_IMPORTS = sys.version_info >= (3, 15)


class Arming:
    """What is armed. ``reader`` is told of watched names; ``lingers`` keeps healthy modules armed for a while."""

    def __init__(
        self,
        rules: ImportRules,
        interest: Interest,
        twins: Twins,
        finder: Finder,
        reader: names.Reader,
        *,
        blocks: bool,
        lingers: bool,
    ) -> None:
        self._rules = rules
        self._interest = interest
        self._twins = twins
        self._finder = finder
        self._reader = reader
        self._blocks = blocks
        self._lingers = lingers
        self._specs: dict[int, ref[ModuleSpec]] = {}
        self._modules: dict[int, ref[ModuleType]] = {}
        self._children: dict[str, set[str]] = {}  # package → its loaded submodules that are deprecated
        self._looked_at: set[str] = set()  # names in sys.modules that are no aliases
        self.passing: dict[str, int] = {}  # healthy modules → how often their tripwire will yet be looked at
        self.aliased: set[str] = set()  # names of specs whose module has a deprecated second name
        self.unguardable: set[str] = set()
        self.not_modules: set[str] = set()

    def arm(self, spec: ModuleSpec) -> bool:
        """Put the tripwire into a spec; False where that cannot be done."""
        if not tripwire.arm(spec):
            return False
        key = id(spec)
        self._specs[key] = ref(spec, partial(self._specs.pop, key))
        return True

    def release(self) -> None:
        """Every spec, loader and module class as it was; twice is harmless."""
        for found in list(self._specs.values()):
            spec = found()
            if spec is not None:
                tripwire.disarm(spec)
                direct.unshadow(spec)
        for kept in list(self._modules.values()):
            module = kept()
            if module is not None:
                names.unwatch(module)

    def stays(self, name: str) -> bool:
        """Whether a module keeps the tripwire for good: if it is deprecated, or has a deprecated second name.

        On 3.15 also if it has watched names: a ``lazy from`` takes them from the namespace, past the descriptors.
        """
        if self._interest.of(name) & DEPRECATED or name in self.aliased:
            return True
        return _LAZY_IMPORTS and names.is_watched(sys.modules.get(name))

    def finish(self, spec: ModuleSpec) -> None:
        """The body has run: keep the tripwire where it is needed, watch names, and compare twins."""
        name = spec.name
        flags = self._interest.of(name)
        if flags & JUDGED:
            present = loaded.spec_of(sys.modules.get(name))
            if flags & DEPRECATED and present is not None and present is not spec:
                self.arm(present)  # a module that replaced itself
            self.watch(name)
            if flags & DEPRECATED:
                self.watch(self.adopt_child(name))
            self.aliases()
        self.let_pass(spec)
        if flags & (DEPRECATED | HOLDER):
            self.compare(name)
        if flags & CANONICAL:
            self._twins.arrived(name)

    def let_pass(self, spec: ModuleSpec) -> None:
        """Where the tripwire is not needed for good: keep it for a while, for names that are missing, or not at all."""
        if self.stays(spec.name):
            self.passing.pop(spec.name, None)
        elif self._lingers and self._interest.of(spec.name) & HEALTH:
            self.passing[spec.name] = _LOOKS
        else:
            tripwire.disarm(spec)

    def adopt_child(self, name: str) -> str:
        """Remember a loaded deprecated module as a name that its package holds; returns the package."""
        parent, _, leaf = name.rpartition(".")
        self._children.setdefault(parent, set()).add(leaf)
        return parent

    def watch_parents(self) -> None:
        """Watch the packages of all loaded deprecated modules."""
        for parent in list(self._children):
            self.watch(parent)

    def watch(self, name: str) -> None:
        """Watch what this module holds: deprecated names and submodules, and ``__path__`` where it can block."""
        deprecated = self._interest.of(name) & DEPRECATED
        wanted = set(self._rules.watched(name))
        if not deprecated:
            wanted.update(self._children.get(name, ()))
        if self._blocks and (wanted or (deprecated and not READ_CAN_RAISE)):
            wanted.add("__path__")
        module = sys.modules.get(name)
        if not wanted or module is None or loaded.is_lazy(module):
            return  # a lazy module's load comes later, and then so do we
        if loaded.is_module(module):
            self._watch_module(name, module, wanted)
        else:
            self.not_modules.add(name)

    def _watch_module(self, name: str, module: ModuleType, wanted: set[str]) -> None:
        if not names.watch(module, sorted(wanted), self._reader):
            self.unguardable.add(name)
            return
        key = id(module)
        self._modules[key] = ref(module, partial(self._modules.pop, key))
        spec = loaded.spec_of(module)
        if _LAZY_IMPORTS and spec is not None:
            self.arm(spec)
            self.passing.pop(spec.name, None)

    def aliases(self) -> None:
        """Modules that stand in ``sys.modules`` under a deprecated name but carry the spec of another one."""
        for name in sys.modules.keys() - self._looked_at:
            module = sys.modules.get(name)
            governed = type(name) is str and name.partition(".")[0] in self._finder.tops
            if not governed or not self._interest.of(name) & DEPRECATED:
                self._looked_at.add(name)
                continue
            if not loaded.is_module(module):  # somebody may put another one in its place at any time
                continue
            spec = loaded.spec_of(module)
            if spec is None or spec.name == name:
                if spec is not None and not tripwire.is_armed(spec) and not loaded.initializing(spec):
                    self.arm(spec)  # a finder in front of ours gave it out
                    self.finish(spec)
                continue
            self.aliased.add(spec.name)
            self.arm(spec)
            self.passing.pop(spec.name, None)
            self.watch(self.adopt_child(name))
            if self._blocks and not READ_CAN_RAISE:
                self._watch_module(name, module, {"__path__"})

    def compare(self, holder: str) -> None:
        """Look for diverged twins; where the canonical home is not loaded yet, its load must reach us."""
        for canonical in self._twins.compare(holder):
            self._interest.awaits(canonical)
            self._finder.tops |= {canonical.partition(".")[0]}
