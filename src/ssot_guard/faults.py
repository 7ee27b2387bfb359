"""A bug of ours stays ours: it is counted, shown once, and never reaches the host.

After five internal errors within a minute the part that fails switches itself off, visibly: a guard that keeps
failing would only cost. ``SSOT_GUARD_DEBUG=1`` re-raises, for people who work on this project.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT = 5
_WINDOW = 60.0  # seconds


class Faults:
    """Internal errors of one guard, by component."""

    __slots__ = ("_debug", "_recent", "counts", "first", "on_first", "on_switched_off", "switched_off")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.first: dict[str, str] = {}
        self.switched_off: set[str] = set()
        self.on_first: Callable[[str, str], None] | None = None  # component, what happened and where
        self.on_switched_off: Callable[[str], None] | None = None
        self._recent: dict[str, list[float]] = {}
        self._debug = os.environ.get("SSOT_GUARD_DEBUG") == "1"

    def note(self, component: str, error: BaseException) -> None:
        """Take one internal error; must be called from the ``except`` clause that caught it."""
        if self._debug:
            raise error
        self.counts[component] = self.counts.get(component, 0) + 1
        if isinstance(error, RecursionError):
            return  # the host's stack is full, which says nothing about us
        now = monotonic()
        recent = self._recent.setdefault(component, [])
        recent.append(now)
        del recent[:-_LIMIT]
        if len(recent) == _LIMIT and now - recent[0] <= _WINDOW and component not in self.switched_off:
            self.switched_off.add(component)
            self._tell(self.on_switched_off, component)
        if component not in self.first:
            self.first[component] = _where(error)
            self._tell(self.on_first, component, self.first[component])

    def told(self) -> dict[str, str]:
        """Component → its first error, and whether it has switched itself off since."""
        off = "; it failed again and again, and is switched off: what it looks for is not seen any more"
        return {name: text + off if name in self.switched_off else text for name, text in self.first.items()}

    @staticmethod
    def _tell(listener: Callable[..., None] | None, *facts: str) -> None:
        if listener is not None:
            try:  # noqa: SIM105 - contextlib would be imported for it
                listener(*facts)
            except Exception:  # noqa: BLE001, S110 - an error about an error: the counts tell
                pass


def say(text: str) -> None:
    """One line on stderr, where there is one: silence would look like success."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"ssot-guard: {text}\n")
    except (OSError, ValueError):
        pass


def _where(error: BaseException) -> str:
    """``TypeError: … at file:line``, without the traceback module and without keeping the traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown place"
    return f"{type(error).__name__}: {error} at {place}"
