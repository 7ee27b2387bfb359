"""Which line builds an object: past what builds on somebody's behalf.

That is: a subclass's own ``__init__`` on its way to ``super()``, a metaclass's ``__call__``, generated constructors
(dataclasses, attrs), and the machinery of copying, restoring and validating.
"""

from __future__ import annotations

from ssot_guard.watch.classes import is_class, mro_of
from ssot_guard.watch.imports import importer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

# Functions that may be on their way to a constructor; all others build by themselves.
CONSTRUCTORS = frozenset(("__init__", "__new__", "__call__", "__attrs_init__"))
_MACHINERY = frozenset(
    (
        "attr", "attrs", "contextlib", "copy", "copyreg", "dataclasses", "functools", "importlib", "pickle", "pydantic",
        "pydantic_core", "ssot_guard", "typing", "wrapt",
    )
)  # fmt: skip
_GENERATED = ("<string>", "<attrs generated ")
_MOST = 10_000


class Builders:
    """Finds the frame that builds. ``plain``: the code of functions that build by themselves, by its id."""

    __slots__ = ("modules", "plain")

    def __init__(self) -> None:
        self.plain: dict[int, CodeType] = {}  # which keeps it alive, so the id stays its own
        self.modules: dict[str, str] = {}  # file → module

    def of(self, frame: FrameType, obj: Any) -> FrameType:
        """The frame whose line builds an object, outward from the one that called its constructor."""
        found: FrameType | None = frame
        while found is not None and (_is_machinery(found) or _passes_on(found, obj)):
            found = found.f_back
        if found is None:  # a thread that does nothing else
            return frame
        code = found.f_code
        if len(self.plain) >= _MOST:  # generated code has no end
            self.plain.clear()
            self.modules.clear()
        if code.co_name not in CONSTRUCTORS:
            self.plain[id(code)] = code
        self.modules[code.co_filename] = importer.module_name(found)
        return found


def _is_machinery(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return type(name) is str and name.partition(".")[0] in _MACHINERY


def _passes_on(frame: FrameType, obj: Any) -> bool:
    """Whether a frame is part of the same construction: it was called for this very object, or for its class."""
    code = frame.f_code
    if code.co_name not in CONSTRUCTORS:
        return False
    if code.co_filename.startswith(_GENERATED):
        return True
    if not code.co_argcount:
        return False
    first = frame.f_locals.get(code.co_varnames[0])
    return first is obj or (is_class(first) and any(first is one for one in mro_of(type(obj))))
