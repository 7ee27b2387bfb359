"""Who calls a method or a class: from frames, looked at and let go."""

from __future__ import annotations

import os
import sys

from ssot_guard.watch.imports import importer, machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INSTALLED = ("site-packages", "dist-packages")
_STANDARD = os.path.dirname(os.__file__)
_VARARGS = 0x04
DEPTH = 64  # frames that are looked through outward
_LIBRARY_FRAMES = 3  # that may stand between a line of the application and what it calls through them


def caller(frame: FrameType | None) -> FrameType | None:
    """The frame that calls what is watched, from a frame of ours outward."""
    while frame is not None and (machinery.is_machinery(frame) or _module(frame).startswith("wrapt.")):
        frame = frame.f_back
    return frame


def to_blame(frame: FrameType, tops: set[str]) -> FrameType:
    """The frame whose line a person can change: past a retry decorator or a context manager of some library.

    ``tops`` are packages that are the application's wherever they are installed. Where only a library is near (a
    thread pool, an event loop), its own frame says that.
    """
    found: FrameType | None = frame
    for _ in range(_LIBRARY_FRAMES + 1):
        if found is None:
            break
        if not _is_library(found) or importer.module_name(found).partition(".")[0] in tops:
            return found
        found = found.f_back
    return frame


def finalizes(frame: FrameType | None) -> bool:
    """Whether a finalizer is at work: those run in whatever context drops the last reference, or starts the collector.

    That of an asynchronous generator is a task of its own, with nothing but its ``aclose()`` to run.
    """
    for _ in range(DEPTH):
        if frame is None:
            break
        if frame.f_code.co_name == "__del__" or frame.f_globals.get("__name__") == "weakref":
            return True
        frame = frame.f_back
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    task = asyncio.current_task() if asyncio is not None and running is not None and running() is not None else None
    return task is not None and type(task.get_coro()).__name__ == "async_generator_athrow"


def own(frame: FrameType) -> object:
    """The first argument of the function that a frame runs: ``self`` in a method, also in a decorator's ``*args``."""
    code = frame.f_code
    if code.co_argcount:
        return frame.f_locals.get(code.co_varnames[0])
    if code.co_flags & _VARARGS:
        arguments = frame.f_locals.get(code.co_varnames[code.co_kwonlyargcount])
        return arguments[0] if type(arguments) is tuple and arguments else None
    return None


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__")
    return name if type(name) is str else ""


def _is_library(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    if path.startswith("<frozen"):
        return True
    return any(name in path for name in _INSTALLED) or path.startswith(_STANDARD)
