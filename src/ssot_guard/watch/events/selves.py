"""Objects that are runs themselves (``run = "self"``): each has a name for as long as it lives."""

from __future__ import annotations

from _functools import partial
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Selves:
    """The names of objects, by identity; whatever they say about equality is not asked."""

    __slots__ = ("_known", "_number")

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Any], str]] = {}
        self._number = 0

    def name(self, obj: Any) -> str | None:
        """The object's; None where no weak reference to it is possible, for its address may be another one's soon."""
        key = id(obj)
        known = self._known.get(key)
        if known is not None and known[0]() is not obj:
            self._known.pop(key, None)
            known = None
        if known is None:
            try:
                reference = ref(obj, partial(self._known.pop, key))
            except TypeError:
                return None
            self._number += 1
            known = self._known.setdefault(key, (reference, f"{type(obj).__qualname__} {self._number}"))
        return known[1]
