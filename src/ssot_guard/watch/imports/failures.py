"""Which import statement an exception comes from, read from the end of its traceback."""

from __future__ import annotations

from ssot_guard.watch.imports import bytecode, machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


def origin(error: BaseException) -> tuple[str, str, FrameType, Any, int] | None:
    """(target, text, frame, code, offset) of the import statement that raised, read from the traceback's end."""
    trace = error.__traceback__
    last = None
    while trace is not None:
        if not machinery.is_machinery(trace.tb_frame):
            last = trace
        trace = trace.tb_next
    if last is None or not isinstance(error, ImportError):
        return None
    code, offset = last.tb_frame.f_code, last.tb_lasti
    statement = bytecode.statement_at(code, offset) if bytecode.binds_at(code, offset) else None
    if statement is None or not error.name:
        return None
    wanted = getattr(error, "name_from", None) or bytecode.bound_at(code, offset)
    return f"{error.name}:{wanted}", f"{error.name} has no {wanted}", last.tb_frame, code, offset


def short(error: BaseException) -> str:
    """The beginning of an exception's text."""
    try:
        return str(error)[:200]
    except Exception:  # noqa: BLE001 - an exception whose text raises
        return "(no text)"
