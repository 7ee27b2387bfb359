"""Objects that are runs themselves (``run = "self"``): each has a name for as long as it lives.

A weak reference says when it is over. What it calls then is a method in C, so that no Python code runs wherever objects
happen to die; whoever asks for a name later looks at what died. The collector clears references before it lets objects
finalize themselves, and each other: those may still be used, and are not new ones at an old address.
"""

from __future__ import annotations

import gc
import sys
from _collections import deque
from _weakref import ref
from itertools import count

from ssot_guard.watch.classes import qualname_of
from ssot_guard.watch.tenants.callers import finalizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LATELY = 1_000  # objects that died, and may not be through with it
_getframe = sys._getframe  # noqa: SLF001 - documented, in spite of its name; test suites remove it for a while


class _Link(ref):  # type: ignore[type-arg]
    """The reference to one object."""

    __slots__ = ("key", "name")

    key: int
    name: str  # empty where it may be an old object or a new one


class Selves:
    """The names of objects, by identity; whatever they say about equality is not asked. ``gone`` is told who died."""

    __slots__ = ("_dead", "_gone", "_known", "_numbers")

    def __init__(self, gone: Callable[[str], None]) -> None:
        self._gone = gone
        self._known: dict[int, _Link] = {}
        self._dead: deque[_Link] = deque()
        self._numbers = count(1)

    def name(self, obj: Any) -> str | None:
        """The object's; None where nobody can tell whether it has one, or how long it will live."""
        known = self._known.get(id(obj))
        if known is not None and (known() is obj or gc.is_finalized(obj)):
            return known.name or None
        if known is None and gc.is_finalized(obj):  # it was given up, and is still there
            return None
        return self._named(obj, known)

    def _named(self, obj: Any, before: _Link | None) -> str | None:
        try:
            link = _Link(obj, self._dead.append)
        except TypeError:  # its address may be another one's soon
            return None
        doubtful = before is not None and finalizes(_getframe(2))
        link.key = key = id(obj)
        link.name = "" if doubtful else f"{qualname_of(type(obj))} {next(self._numbers)}"
        known = self._known
        if before is None:
            link = known.setdefault(key, link)
        elif key in known and known[key] is before:  # no other thread comes in between: no call, no jump back
            known[key] = link
            self._gone(before.name)
        else:
            return self.name(obj)
        if not doubtful:
            self.look()
        return link.name or None

    def look(self, *, all_of_them: bool = False) -> None:
        """Give up the runs of objects that died, but for the last ones: they may yet send something."""
        dead = self._dead
        while len(dead) > (0 if all_of_them else _LATELY):
            try:
                link = dead.popleft()
            except IndexError:  # another thread took it
                return
            key, known = link.key, self._known
            if key in known and known[key] is link:  # as above
                del known[key]
                self._gone(link.name)
