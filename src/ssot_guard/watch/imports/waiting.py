"""Imports that wait while another thread loads their module: importlib hands it to them, and may read no flag.

Some saw the flag of the open load and count themselves, the others have to be counted when the load ends. Both sides
may meet one call at the same moment: ``dict.setdefault`` elects the one that counts it.
"""

from __future__ import annotations

import sys
from _thread import _count, get_ident

from ssot_guard.watch.imports.machinery import call_of, is_machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    Call = tuple[int, int]  # a thread, and the identity of its `_find_and_load` frame

# Taken now: test suites remove it for a while.
_getframe, _current_frames = sys._getframe, sys._current_frames


class Waiting:
    """The open loads of modules that rules speak of, and who waits for them."""

    def __init__(self) -> None:
        self._open: dict[str, dict[Call, bool]] = {}  # module → call → whether it counts itself
        self._counted: set[tuple[Call, str]] = set()  # what is counted and may yet read the flag

    def begin(self, name: str) -> None:
        """A load begins."""
        self._open[name] = {}

    def abandon(self, name: str) -> None:
        """A load was blocked, or failed: who waited will try for himself."""
        self._open.pop(name, None)

    def end(self, name: str) -> Iterator[FrameType]:
        """A load ended well: the frames of those who took the module and do not count themselves."""
        elected = self._open.get(name, {})
        for call, frame, may_read in _waiting_for(name):
            if elected.setdefault(call, False):
                continue
            if may_read:
                self._counted.add((call, name))
            yield frame
        self._open.pop(name, None)

    def counts(self, name: str, frame: FrameType) -> bool:
        """Whether the end of the load counts the call that reads the flag now."""
        if not self._open and not self._counted:
            return False
        found = call_of(frame)
        if found is None:
            return False
        call = (get_ident(), id(found))
        elected = self._open.get(name)
        if elected is not None:
            return not elected.setdefault(call, True)
        if (call, name) in self._counted:
            self._counted.discard((call, name))
            return True
        return False


def _waiting_for(name: str) -> Iterator[tuple[Call, FrameType, bool]]:
    """(call, frame, whether it may yet read the flag) of each import that waits for this module, or is about to.

    In other threads, and further out in this one, where a finaliser or a signal handler imported in between.
    """
    mine: list[FrameType] = []
    frame: FrameType | None = _getframe(1)
    while frame is not None:
        if _finds(frame, name):
            mine.append(frame)
        frame = frame.f_back
    for outer in mine[1:]:  # the innermost one is the load itself
        yield (get_ident(), id(outer)), outer, False
    if not _count():
        return
    for thread, top in _current_frames().items():
        frame, inner = top if thread != get_ident() else None, None
        while frame is not None and is_machinery(frame):
            if _finds(frame, name):
                yield (thread, id(frame)), top, not _is_past_the_flag(inner)
                break
            frame, inner = frame.f_back, frame


def _finds(frame: FrameType, name: str) -> bool:
    return frame.f_code.co_name == "_find_and_load" and is_machinery(frame) and frame.f_locals.get("name") == name


def _is_past_the_flag(inner: FrameType | None) -> bool:
    """Whether what ``_find_and_load`` calls is the module's lock, and not its look at the flag (which may be us)."""
    if inner is None or inner.f_code.co_name == "_is_initializing":
        return False
    name = inner.f_globals.get("__name__")
    return type(name) is str and not name.startswith("ssot_guard")
