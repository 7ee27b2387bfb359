"""Whether a constructor follows, after a class's own ``__new__`` has returned: by who called it."""

from __future__ import annotations

from ssot_guard.watch.imports import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_ALONE = frozenset(("__new__", "load", "loads"))
_RESTORING = frozenset(("copy", "copyreg", "pickle"))


def nothing(frame: FrameType) -> bool:
    """Whether the object is allocated and no more: restored from a copy or a pickle, or by ``cls.__new__(cls)``.

    Where that is not plain, the next check judges what stayed alone.
    """
    if frame.f_globals.get("__name__") in _RESTORING:
        return True
    return bytecode.call_at(frame.f_code, frame.f_lasti)[0] in _ALONE
