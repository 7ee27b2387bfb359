"""What the guard reads and writes itself, apart from the event loop that may run in the thread.

Test suites replace functions that block, such as ``os.stat``, by some that raise while a loop runs: in the application
they are a mistake. Ours are few and short (a source file at the first violation in it, a line of a report), and what is
to be found there is worth them. So what was refused is done again, as if there were no loop. Only then: finalisers that
run meanwhile would miss it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T", bound=Callable[..., Any])


def apart(function: T) -> T:
    """A function that may be called twice, and does not call the application's code."""

    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except Exception:
            asyncio: Any = sys.modules.get("asyncio.events")
            loop = getattr(asyncio, "_get_running_loop", _nothing)()
            if loop is None:
                raise
        asyncio._set_running_loop(None)  # noqa: SLF001 - documented, for whoever runs loops
        try:
            return function(*args)
        finally:
            asyncio._set_running_loop(loop)  # noqa: SLF001

    call.__doc__ = function.__doc__
    return call  # type: ignore[return-value]


def _nothing() -> None:
    """As long as asyncio is not loaded, or only halfway."""
