"""Questions to frames of the import system: who is asking importlib, and what for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_MACHINERY = frozenset(
    ("importlib", "importlib._bootstrap", "_frozen_importlib", "_frozen_importlib_external", "runpy", "pkgutil")
)
_MACHINERY_PREFIXES = ("importlib.", "ssot_guard.")
_LOOK_OUTWARD = 8  # frames between runpy's look for a module and the finder


def is_machinery(frame: FrameType) -> bool:
    """Whether the frame belongs to the import system or to us."""
    name = frame.f_globals.get("__name__")
    return type(name) is str and (name in _MACHINERY or name.startswith(_MACHINERY_PREFIXES) or name == "ssot_guard")


def outside(frame: FrameType | None) -> FrameType | None:
    """The first frame outward that is none of the import system's."""
    while frame is not None and is_machinery(frame):
        frame = frame.f_back
    return frame


def nobody_left(frame: FrameType | None) -> bool:
    """Whether there is nothing but the import system and runpy on the stack: ``python -m module``."""
    ran = False
    while frame is not None and is_machinery(frame) and frame.f_code.co_name != "walk_packages":
        ran = ran or frame.f_globals.get("__name__") == "runpy"
        frame = frame.f_back
    return frame is None and ran


def finds_for_real(frame: FrameType) -> bool:
    """Whether importlib is importing, and not ``importlib.util.find_spec`` asking; ``frame`` is the finder's own."""
    asker = frame.f_back if frame.f_code.co_name != "_find_spec" else frame
    if asker is None or asker.f_code.co_name != "_find_spec":
        return False
    outer = asker.f_back
    return outer is not None and outer.f_code.co_name == "_find_and_load_unlocked"


def finds_cached(frame: FrameType) -> bool:
    """Whether importlib reads the flag to import a cached module; on 3.11 it also does when it misses an attribute."""
    return call_of(frame) is not None


def call_of(frame: FrameType) -> FrameType | None:
    """The ``_find_and_load`` that reads the flag; None where somebody else does."""
    if frame.f_code.co_name == "_is_initializing" and frame.f_back is not None:  # 3.15
        frame = frame.f_back
    return frame if frame.f_code.co_name == "_find_and_load" else None


def caller_of_importlib(frame: FrameType) -> FrameType | None:
    """Who called ``importlib.import_module``, a few frames out of the ``_find_and_load`` that reads the flag."""
    outer = call_of(frame)
    while outer is not None and is_machinery(outer):
        outer = outer.f_back
    return outer


def finds_to_run(frame: FrameType | None) -> bool:
    """Whether runpy looks for the module that it is going to run."""
    for _ in range(_LOOK_OUTWARD):
        if frame is None:
            return False
        if frame.f_code.co_name == "_get_module_details" and frame.f_globals.get("__name__") == "runpy":
            return True
        frame = frame.f_back
    return False
