"""Objects of the application that a policy names. They are never imported: they are known once they are loaded.

Until then their source tells what is needed of them (:mod:`.blueprint`), and it is read only where somebody is about to
be called a competitor.
"""

from __future__ import annotations

import sys

from ssot_guard.watch.classes import MISSING, attribute_of, is_class, key_of, mro_of, name_of, plain
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.roles import blueprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.watch.classes import Key
    from ssot_guard.watch.roles.blueprint import Blueprint

_FUNCTION = type(lambda: None)


class Home:
    """``module:Name`` of a policy. ``keys`` are all names of the object, ``bases`` the keys of the classes above it."""

    __slots__ = ("_drawn", "bases", "blueprint", "keys", "module", "name", "text", "whole")

    def __init__(self, text: str) -> None:
        self.text = text
        self.module, _, self.name = text.partition(":")
        self.keys: set[Key] = {(self.module, self.name)}
        self.bases: set[Key] = set()
        self.whole = False  # whether all its bases are known
        self.blueprint: Blueprint | None = None
        self._drawn = False

    def find(self) -> Any:
        """The object, if its module is loaded and has it; MISSING else. Nothing of the application runs for it."""
        first, *rest = self.name.split(".")
        found = loaded.namespace(sys.modules.get(self.module)).get(first, MISSING)
        for part in rest:
            found = attribute_of(found, part) if is_class(found) else MISSING
        return MISSING if name_of(type(found)) == "lazy_import" else found

    def look(self) -> Any:
        """As :meth:`find`; what is found is known from then on by the name that it was defined under, too."""
        found = self.find()
        if is_class(found):
            self.keys.add(key_of(found))
            self.bases.update(key_of(one) for one in mro_of(found)[1:])
            self.whole = True
        elif type(found) is _FUNCTION:
            self.keys.add((found.__module__, plain(found.__qualname__)))
            self.whole = True
        elif found is not MISSING:
            self.whole = True
        return found

    def draw(self, governs: Callable[[str], bool]) -> Blueprint | None:
        """What its source says about it."""
        if not self._drawn:
            self._drawn = True
            self.blueprint = drawn = blueprint.draw(self.module, self.name, governs)
            if drawn is not None:
                self.keys.add(drawn.key)
                self.bases |= drawn.bases
                self.whole = self.whole or drawn.whole
        return self.blueprint

    def may_come(self) -> bool:
        """Whether it may yet appear: its module is loading right now, or gives out names that its source hides."""
        return loaded.initializing(loaded.spec_of(sys.modules.get(self.module))) or blueprint.may_come(self.module)
