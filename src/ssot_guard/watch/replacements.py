"""Puts something of ours in the place of an attribute of the host's, and puts the very same object back.

Everything is read from and compared in the owner's own ``__dict__``, past descriptors, metaclasses and lazy imports.
What somebody else has put over ours meanwhile is left alone.
"""

from __future__ import annotations

from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MISSING: Any = object()  # the owner itself had no such attribute


class Replacements:
    """Attributes of classes and modules that are replaced, in order."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done: list[tuple[Any, str, Any, Any]] = []

    def put(self, owner: Any, name: str, value: object) -> bool:
        """Replace one attribute; False where its owner allows no change (a type of C)."""
        before = own(owner, name)
        try:
            _set(owner, name, value)
        except (TypeError, AttributeError):
            return False
        self._done.append((owner, name, before, value))
        return True

    def restore(self) -> None:
        """Everything as it was, the last first; twice is harmless."""
        while self._done:
            owner, name, before, ours = self._done.pop()
            if own(owner, name) is ours:
                if before is MISSING:
                    _delete(owner, name)
                else:
                    _set(owner, name, before)


def own(owner: Any, name: str) -> Any:
    """What a class or module itself has under a name, as it stands in its namespace; MISSING where it has not."""
    space = type.__getattribute__(owner, "__dict__") if isinstance(owner, type) else loaded.namespace(owner)
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
