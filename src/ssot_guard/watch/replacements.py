"""Puts something of ours in the place of an attribute of the host's, and puts the very same object back.

Everything is read from and compared in the owner's own ``__dict__``, past descriptors, metaclasses and lazy imports.
What somebody else has put over ours meanwhile is left alone.
"""

from __future__ import annotations

import sys

from ssot_guard.watch.classes import MISSING, module_of, namespace_of
from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Layer:
    """One replacement: what was there, and what is there of ours. ``module``: the name of the owner's."""

    __slots__ = ("before", "module", "name", "ours", "owner")

    def __init__(self, owner: Any, name: str, before: Any, ours: object) -> None:
        self.owner = owner
        self.name = name
        self.before = before
        self.ours = ours
        self.module = module_of(owner) if isinstance(owner, type) else loaded.namespace(owner).get("__name__", "")

    def key(self) -> tuple[int, str]:
        """The attribute."""
        return id(self.owner), self.name


# Several parts may replace one attribute, and leave in any order.
_layers: dict[tuple[int, str], list[_Layer]] = {}


class Replacements:
    """Attributes of classes and modules that are replaced, in order."""

    __slots__ = ("_done", "_namespaces")

    def __init__(self) -> None:
        self._done: list[_Layer] = []
        self._namespaces: dict[str, int] = {}  # module → id of the namespace whose things are replaced

    def put(self, owner: Any, name: str, value: object) -> bool:
        """Replace one attribute; False where its owner allows no change (a type of C)."""
        layer = _Layer(owner, name, own(owner, name), value)
        try:
            _set(owner, name, value)
        except (TypeError, AttributeError):
            return False
        self._done.append(layer)
        self._namespaces.setdefault(layer.module, _namespace(layer.module))
        _layers.setdefault(layer.key(), []).append(layer)
        return True

    def leave(self, name: str) -> list[Any]:
        """Give back what belongs to a module that another one of this name has replaced: it would live on here.

        Returns what stood there of ours.
        """
        now = _namespace(name)
        if self._namespaces.get(name, now) == now:
            return []
        del self._namespaces[name]
        gone = [layer for layer in self._done if layer.module == name]
        self._done = [layer for layer in self._done if layer.module != name]
        for layer in reversed(gone):
            _take_out(layer)
        return [layer.ours for layer in gone]

    def restore(self) -> None:
        """Everything as it was, the last first; twice is harmless."""
        while self._done:
            _take_out(self._done.pop())


def _take_out(layer: _Layer) -> None:
    """Put back what was there, or leave it to the layer of another part that lies above."""
    layers = _layers[layer.key()]
    layers.remove(layer)
    if not layers:
        del _layers[layer.key()]
    if own(layer.owner, layer.name) is layer.ours:
        if layer.before is MISSING:
            _delete(layer.owner, layer.name)
        else:
            _set(layer.owner, layer.name, layer.before)
        return
    for above in layers:
        if above.before is layer.ours:
            above.before = layer.before


def _namespace(name: str) -> int:
    """What tells a module from another one of its name: its functions keep the namespace alive, not the module."""
    found = sys.modules.get(name)
    return id(loaded.namespace(found)) if loaded.is_module(found) else 0


def own(owner: Any, name: str) -> Any:
    """What a class or module itself has under a name, as it stands in its namespace; MISSING where it has not."""
    space = namespace_of(owner) if isinstance(owner, type) else loaded.namespace(owner)
    return space.get(name, MISSING)


def _set(owner: Any, name: str, value: object) -> None:
    if isinstance(owner, type):
        type.__setattr__(owner, name, value)  # a metaclass may have ideas of its own
    else:
        loaded.namespace(owner)[name] = value


def _delete(owner: Any, name: str) -> None:
    if isinstance(owner, type):
        type.__delattr__(owner, name)
    else:
        del loaded.namespace(owner)[name]
