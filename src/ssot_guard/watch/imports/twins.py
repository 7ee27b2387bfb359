"""SSG104: behind the deprecated path sits another object than behind the canonical one.

Compared by identity, name by name, once both modules are loaded. Neither is ever imported for it.
"""

from __future__ import annotations

import sys

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Home, ImportRule, ImportRules


_FUNCTION = type(lambda: None)
_KINDS = (type, _FUNCTION, type(len))


class Twins:
    """Pairs of deprecated and canonical modules; those that wait for the second one are in ``waiting``."""

    def __init__(self, rules: ImportRules, ledger: Ledger) -> None:
        self._rules = rules
        self._ledger = ledger
        self._compared: set[tuple[str, str]] = set()
        self.waiting: dict[str, set[str]] = {}  # canonical module → modules that hold deprecated things

    def compare(self, holder: str) -> set[str]:
        """Compare what a module holds with its canonical homes; returns the homes that are not loaded yet."""
        missing = set()
        home = self._rules.module(holder)
        if home is not None:
            missing |= self._pair(home, holder, self._rules.canonical(home, holder), None)
        for name, home_of_name in self._rules.watched(holder).items():
            missing |= self._pair(home_of_name, holder, self._rules.canonical(home_of_name, holder, name), name)
        for canonical in missing:
            self.waiting.setdefault(canonical, set()).add(holder)
        return missing

    def arrived(self, canonical: str) -> None:
        """A module was loaded that others may have waited for."""
        for holder in self.waiting.pop(canonical, ()):
            self.compare(holder)

    def _pair(self, home: Home, holder: str, canonical: str | None, name: str | None) -> set[str]:
        """One deprecated module (``name`` is None) or name against its successor."""
        path, _, new_name = (canonical or "").partition(":")
        key = (holder if name is None else f"{holder}:{name}", canonical or "")
        if not path or (name is None and new_name) or key in self._compared:
            return set()
        old, new = sys.modules.get(holder), sys.modules.get(path)
        if not loaded.is_module(old):
            return set()
        if not loaded.is_module(new) or _loads(new) or _loads(old):
            return {path}
        self._compared.add(key)
        if name is not None:
            self._objects(home.rule, old, name, new, new_name)
        elif old is not new:
            for public in [key for key in list(old.__dict__) if not key.startswith("_")]:
                self._objects(home.rule, old, public, new, public)
        return set()

    def _objects(self, rule: ImportRule, old: ModuleType, name: str, new: ModuleType, new_name: str) -> None:
        value, other = loaded.namespace(old).get(name), loaded.namespace(new).get(new_name)
        # Two classes or functions that should be one; constants and instances say nothing about identity. By type:
        # isinstance() asks a lazy proxy for its `__class__`, which wakes it.
        if value is other or not issubclass(type(value), _KINDS) or not issubclass(type(other), _KINDS):
            return
        target, canonical = f"{old.__name__}:{name}", f"{new.__name__}:{new_name}"
        text = f"{target} is another object than {canonical}: two truths under one name"
        site = Site(old.__dict__.get("__file__"), _bound_at(old, name), module=old.__name__, scope="")
        self._ledger.sight(Facts("SSG104", rule, site, target, text, canonical=canonical, kind="name"))


def _loads(module: ModuleType) -> bool:
    """Whether its body still runs."""
    return loaded.initializing(loaded.spec_of(module))


def _bound_at(module: ModuleType, name: str) -> int | None:
    """The line where the module's body binds a name last: a definition, an import, an assignment; None after ``*``."""
    body = loaded.body_of(module)
    offset = None if body is None else bytecode.bound_last(body, name)
    return None if body is None or offset is None else bytecode.position(body, offset)[0]
