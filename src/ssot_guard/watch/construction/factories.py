"""The factories of all roles: bound when their modules have loaded, and looked for on the stack in case of doubt.

A module hands its functions out before it has ended: to decorators, to tables, to modules that import it in a circle,
and it may call them itself. Such a call passes no wrapper. So before anything is called a bypass, the stack is searched
for the factory by its name.
"""

from __future__ import annotations

import gc
import sys

from ssot_guard.watch.classes import MISSING, is_class, mro_of
from ssot_guard.watch.construction.factory import wrap
from ssot_guard.watch.imports import importer, loaded
from ssot_guard.watch.replacements import Replacements, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType
    from typing import Any

    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.construction.population import Population

# Modules in which a thread stands that waits for another one.
_WAITING = frozenset(("concurrent.futures._base", "multiprocessing.pool", "queue", "threading"))


class Factories:
    """What the roles' ``factory`` keys name."""

    def __init__(self, populations: list[Population]) -> None:
        self.matched: set[str] = set()
        self._replacements = Replacements()
        self._ours: dict[int, Any] = {}  # what stands in front of a factory, by its own id
        self._seen: set[str] = set()  # modules that were shown
        self._waiting: dict[str, list[tuple[str, Any]]] = {}  # module → what it holds of others' factories
        self._references: dict[str, dict[str, list[Population]]] = {}
        for population in populations:
            for text in population.rule.factory:
                module, _, path = text.partition(":")
                self._references.setdefault(module, {}).setdefault(path, []).append(population)
                population.named.add((module, path))

    def bind(self, name: str, module: ModuleType) -> None:
        """A module was executed: put ours in front of the factories that it defines, and of those that it holds."""
        self._seen.add(name)
        for path, populations in self._references.get(name, {}).items():
            self._bind(name, module, path, tuple(populations))
        for key, ours in self._waiting.pop(name, ()):
            if own(module, key) is getattr(ours, "__wrapped__", None):
                self._replacements.put(module, key, ours)

    def leave(self, name: str) -> None:
        """Another module of this name comes in the place of one that was bound."""
        for ours in self._replacements.leave(name):
            self._ours.pop(id(ours), None)

    def detach(self) -> None:
        """Everything as it was."""
        self._replacements.restore()

    def _bind(self, name: str, module: ModuleType, path: str, populations: tuple[Population, ...]) -> None:
        *outer, last = path.split(".")
        owner: Any = module
        for part in outer:
            owner = _inherited(owner, part)
        theirs, held = _counted(owner, last)
        if id(theirs) in self._ours:
            return
        ours = None if theirs is MISSING else wrap(theirs, populations)
        if ours is None or not self._replacements.put(owner, last, ours):
            for population in populations:
                population.unbound = True
            return
        self._ours[id(ours)] = ours
        self.matched.update(population.rule.id for population in populations)
        inner = getattr(theirs, "__func__", theirs)
        for population in populations:
            population.named.add((name, getattr(inner, "__qualname__", path)))
        if owner is module and held > _HELD_AT_HOME:
            self._follow(name, theirs, ours)

    def _follow(self, home: str, theirs: Any, ours: Any) -> None:
        """Other modules took it before it was bound. Found through the collector, so that no namespace is asked."""
        for referrer in gc.get_referrers(theirs):
            name = referrer.get("__name__") if type(referrer) is dict else None
            module = sys.modules.get(name) if type(name) is str and name != home else None
            if loaded.namespace(module) is not referrer:
                continue
            for key in [key for key, value in list(referrer.items()) if value is theirs]:
                if name in self._seen:
                    self._replacements.put(module, key, ours)
                else:  # only if it turns out to be governed
                    self._waiting.setdefault(str(name), []).append((key, ours))


def _inherited(owner: Any, name: str) -> Any:
    """What a module has under a name, or a class or one above it, as it stands there."""
    for one in mro_of(owner) if is_class(owner) else (owner,):
        found = own(one, name) if is_class(one) or loaded.is_module(one) else MISSING
        if found is not MISSING:
            return found
    return MISSING


def _counted(owner: Any, name: str) -> tuple[Any, int]:
    """It, and how many references to it there are."""
    found = _inherited(owner, name)
    return found, sys.getrefcount(found)


class _Home:
    def only_here(self) -> None: ...


_HELD_AT_HOME = _counted(_Home, "only_here")[1]


def on_stack(population: Population, frame: FrameType | None) -> bool:
    """Whether a factory of these instances, or a function written in one, is running further out."""
    while frame is not None:
        path = frame.f_code.co_qualname.partition(".<locals>")[0]
        named = any(path == name for _, name in population.named)
        if named and (importer.module_name(frame), path) in population.named:
            return True
        frame = frame.f_back
    return False


def elsewhere(population: Population, instance: Instance) -> bool:
    """Whether a factory in another thread waits for something: perhaps for this one to build for it."""
    windows = list(population.shared.table.windows)
    others = [one for one in windows if one.thread != instance.thread and population in one.populations]
    if not others:
        return False
    frames = sys._current_frames()
    return any(window.suspends or _waits(frames.get(window.thread)) for window in others)


def _waits(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") in _WAITING
