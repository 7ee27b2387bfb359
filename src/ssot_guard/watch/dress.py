"""Makes a function of ours look like the one that it stands in front of (as ``functools.wraps``, which is dear)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# `warnings` and `logging` leave frames out whose file carries both words, when they count frames for a `stacklevel`:
# so what is called through ours is told as its caller's line, as it was.
_FILE = "<ssot-guard: calls through, left out by stacklevel like importlib._bootstrap>"
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__type_params__")


def dress(ours: Any, theirs: Any) -> Any:
    """Name, text, annotations, attributes, and by way of ``__wrapped__`` the signature."""
    for name in _COPIED:
        value = getattr(theirs, name, ours)
        if value is not ours:
            setattr(ours, name, value)
    worked_out_later = getattr(theirs, "__annotate__", None)
    if worked_out_later is not None:  # 3.14: asking now might be too early
        ours.__annotate__ = worked_out_later
    else:
        ours.__annotations__ = getattr(theirs, "__annotations__", {})
    ours.__dict__.update(getattr(theirs, "__dict__", {}))
    ours.__wrapped__ = theirs
    return uncounted(ours)


def named(ours: Any, theirs: Any) -> Any:
    """Call a coroutine, a generator or a function of ours as theirs: task names and warnings show it."""
    ours.__name__, ours.__qualname__ = theirs.__name__, theirs.__qualname__
    return ours


def uncounted(ours: Any) -> Any:
    """Let whoever counts frames outward (``stacklevel``) not count a function of ours."""
    ours.__code__ = ours.__code__.replace(co_filename=_FILE)
    return ours
