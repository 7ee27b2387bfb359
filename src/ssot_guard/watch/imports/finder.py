"""The finder: hands governed modules' own specs back with the tripwire in them, and decides nothing.

``find_spec`` is also how everybody probes for a module (``importlib.util.find_spec``), so nothing is recorded and
nothing raised for a probe. The spec comes from the rest of ``sys.meta_path``, asked in order: editable installs,
pytest's rewriter and frozen applications have finders of their own, and ``importlib.util.find_spec`` would take module
locks (a deadlock seen in production elsewhere: DataDog/dd-trace-py#17742).

The rest of this room loads when the first governed module is looked for: a process that never touches one, an
interpreter's bare start above all, pays for this file only.
"""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType
    from typing import Any, Protocol, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    class Owner(Protocol):
        """Who is told; the methods return the error to raise, or None. What they raise is a bug, and contained."""

        def interest(self, fullname: str) -> int: ...
        def found(self, fullname: str, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def missing(self, fullname: str, frame: FrameType) -> BaseException | None: ...
        def contain(self, failure: Exception) -> BaseException | None: ...
        def lazily(self, importing: str, imported: str, names: tuple[str, ...], frame: FrameType) -> None: ...


# Taken now: test suites remove it for a while.
_getframe = sys._getframe


def unseen(function: F) -> F:
    """Let CPython cut this function's frame from the end of an import error's traceback.

    It cuts frames that carry importlib's file name; so the traceback ends at the importer's line.
    """
    function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    return function


def set_finders(finders: list[Any]) -> None:
    """Change ``sys.meta_path`` in place; somebody may have put a tuple there."""
    try:
        sys.meta_path[:] = finders
    except TypeError:
        sys.meta_path = finders


class Finder:
    """Position 0 of ``sys.meta_path``; one per interpreter. ``tops`` are the governed top-level names.

    ``wake`` makes the owner when the first of them is looked for; None where it cannot, then this finder is no one.
    """

    __slots__ = ("_before", "_busy", "_wake", "owner", "tops")

    def __init__(self, tops: frozenset[str], wake: Callable[[], Owner | None]) -> None:
        self.tops = tops
        self.owner: Owner | None = None
        self._wake = wake
        self._busy: set[tuple[int, str]] = set()
        self._before: Any = None

    def attach(self) -> None:
        """Go to the front of ``sys.meta_path`` and, on 3.15, of the lazy-imports filter."""
        set_finders([self, *sys.meta_path])
        if sys.version_info >= (3, 15):
            self._before = sys.get_lazy_imports_filter()
            sys.set_lazy_imports_filter(self.lazy_filter)

    def detach(self) -> None:
        """Leave; what others put there meanwhile stays. Twice is harmless."""
        set_finders([finder for finder in sys.meta_path if finder is not self])
        if sys.version_info >= (3, 15) and sys.get_lazy_imports_filter() == self.lazy_filter:
            sys.set_lazy_imports_filter(self._before)

    def position(self) -> int | None:
        """Where it stands in ``sys.meta_path``; None when it was thrown out."""
        return next((index for index, finder in enumerate(sys.meta_path) if finder is self), None)

    @unseen
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders have for a governed module; None at once for everything else."""
        if fullname.partition(".")[0] not in self.tops:
            return None
        # A finder that asks importlib.util.find_spec for the same name comes back here: let it have the plain answer.
        key = (get_ident(), fullname)
        try:
            owner = self.owner or self._wake()
            if owner is None or not owner.interest(fullname) or (key in self._busy and _asks(fullname, _getframe(1))):
                return None
        except Exception as failure:  # noqa: BLE001 - a bug of ours; a finder that says nothing does no harm
            self._contain(failure)
            return None
        spec: ModuleSpec | None = None
        self._busy.add(key)
        try:
            for finder in list(sys.meta_path):
                # By name, not identity: a second copy of this package (pytester imports one) must not be asked either.
                if type(finder).__name__ != "Finder" or type(finder).__module__ != __name__:
                    ask = getattr(finder, "find_spec", None)
                    spec = None if ask is None else ask(fullname, path, target)
                    if spec is not None:
                        break
        finally:
            self._busy.discard(key)
        try:
            frame = _getframe(1)
            error = owner.missing(fullname, frame) if spec is None else owner.found(fullname, spec, frame)
        except Exception as failure:  # noqa: BLE001
            error = None
            self._contain(failure)
        if error is not None:
            raise error
        return spec

    def _contain(self, failure: Exception) -> None:
        if self.owner is not None:
            self.owner.contain(failure)

    def lazy_filter(self, importing: str, imported: str, names: tuple[str, ...] | None) -> bool:
        """PEP 810: called at each lazy statement. A filter that was there before decides; else it stays lazy."""
        try:
            if imported.partition(".")[0] in self.tops:
                owner = self.owner or self._wake()
                if owner is not None:
                    owner.lazily(importing, imported, names or (), _getframe(1))
        except Exception as failure:  # noqa: BLE001
            self._contain(failure)
        return True if self._before is None else bool(self._before(importing, imported, names))

    def invalidate_caches(self) -> None:
        """Nothing is cached here; importlib calls it on every finder."""


def _asks(fullname: str, frame: FrameType | None) -> bool:
    """Whether this finder is really asking the others for a name, further out: a signal may have cut it short."""
    while frame is not None:
        if frame.f_code is Finder.find_spec.__code__ and frame.f_locals.get("fullname") == fullname:
            return True
        frame = frame.f_back
    return False
