"""What is registered with the interpreter: for the end of the process, and for forks."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_hooked = False


def at_fork(before: Callable[[], None], after_in_child: Callable[[], None]) -> None:
    """Once per process: what is registered with ``os`` cannot be taken back."""
    global _hooked  # noqa: PLW0603
    if not _hooked and hasattr(os, "register_at_fork"):
        _hooked = True
        os.register_at_fork(before=before, after_in_child=after_in_child)


def at_exit(function: Callable[[], None]) -> None:
    """Call it at the end of the process."""
    import atexit

    atexit.register(function)


def not_at_exit(function: Callable[[], None]) -> None:
    """Do not."""
    import atexit

    atexit.unregister(function)
