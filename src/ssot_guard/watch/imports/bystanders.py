"""Governed modules that no rule is about: watched a while for names that they lack, then let go for good."""

from __future__ import annotations

import sys

from ssot_guard.watch.imports import bytecode, importer, loaded, machinery
from ssot_guard.watch.imports import spec as tripwire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType

    from ssot_guard.policy.model import ImportRules
    from ssot_guard.watch.imports.arming import Arming
    from ssot_guard.watch.imports.health import Health


class Bystanders:
    """Told of each look at the flag of a module that :attr:`.arming.Arming.passing` lists."""

    def __init__(self, rules: ImportRules, arming: Arming, health: Health) -> None:
        self._rules = rules
        self._passing = arming.passing
        self._health = health

    def read(self, spec: ModuleSpec, frame: FrameType, looks: int) -> None:
        """One of the ``looks`` that are left."""
        if looks:
            self._passing[spec.name] = looks - 1
            if not bytecode.imports_now(frame.f_code, frame.f_lasti):  # else it is imported, and that is all
                self._look_for_missing(spec.name, frame)
        elif loaded.spec_of(sys.modules.get(spec.name)) is spec:
            tripwire.disarm(spec)

    def _look_for_missing(self, name: str, frame: FrameType) -> None:
        """CPython reads the flag for the message about a missing name; and importlib in vain for a ``__path__``."""
        code, offset = frame.f_code, frame.f_lasti
        if bytecode.binds_now(code, offset):
            if not bytecode.runs_at(code, offset) and self._rules.name(name, bytecode.bound_at(code, offset)) is None:
                self._health.missing_name(name, frame)
        elif machinery.is_machinery(frame):
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
