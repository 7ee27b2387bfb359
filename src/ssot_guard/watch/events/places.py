"""Where events are sent from: one object per instruction, which also keeps what was recorded there."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

    from ssot_guard.ledger import Entry

_MOST = 10_000
_SCHEDULERS = ("asyncio.", "concurrent.futures.", "anyio.")  # they call what somebody else has handed to them
_THREADS = frozenset(("threading", "contextvars"))
_HERE = __name__.rpartition(".")[0]
_OURS = frozenset((
    *(f"{_HERE}.{name}" for name in ("contract", "emitter", "foreign", "tap")),
    "ssot_guard.watch.proxy", "wrapt.wrappers",
))  # fmt: skip
_INSIDE = 3  # frames between a wrapper and who asks for its caller, at least
_getframe = sys._getframe  # noqa: SLF001 - documented, in spite of its name; test suites remove it for a while


class Place:
    """An instruction; has what :func:`~ssot_guard.watch.imports.importer.site` asks of a frame, and keeps no frame."""

    __slots__ = ("entries", "f_code", "f_globals", "f_lasti")

    def __init__(self, code: CodeType, offset: int, scope: dict[str, Any]) -> None:
        self.f_code = code
        self.f_lasti = offset
        self.f_globals = scope
        self.entries: dict[tuple[str, str, str], Entry] = {}  # (code, rule, target) → what was recorded here

    @property
    def f_lineno(self) -> int:
        """Where the instruction has no line of its own."""
        return self.f_code.co_firstlineno


class Places:
    """The places of one process, each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Place] = {}

    def caller(self, callee: Place) -> Place:
        """Who called the wrapper that asks; the callee itself where that was an event loop, a pool or nobody."""
        frame: FrameType | None = _getframe(_INSIDE)
        while frame is not None and frame.f_globals.get("__name__") in _OURS:
            frame = frame.f_back
        if frame is None:
            return callee
        key = (id(frame.f_code), frame.f_lasti)
        known = self._known.get(key)
        if known is None:
            if _is_scheduler(frame):
                return callee
            known = Place(frame.f_code, frame.f_lasti, frame.f_globals)
            if len(self._known) < _MOST:  # generated code has no end
                known = self._known.setdefault(key, known)
        return known

    def after_fork(self) -> None:
        """What the parent recorded is the parent's."""
        for place in self._known.values():
            place.entries.clear()


def place_of(function: Any) -> Place:
    """Where a function is defined."""
    code = getattr(function, "__code__", None)
    if code is None:
        code, scope = _getframe(0).f_code, globals()
    else:
        scope = function.__globals__
    return Place(code, -1, scope)


def _is_scheduler(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return type(name) is str and (name in _THREADS or f"{name}.".startswith(_SCHEDULERS))
