"""Delivers violations to the sinks: lock-free ones at once, all others never from inside an import.

A thread that imports holds import locks. A sink that waits for a lock (logging, telemetry) whose owner imports would
never come back (seen in coloredlogs#29, opentelemetry-python#4954). So what an import postpones is delivered at the
next safe point, or by a thread that lives for that only.
"""

from __future__ import annotations

import sys
from _collections import deque
from _functools import partial
from _thread import allocate_lock, get_ident, start_new_thread

from ssot_guard.faults import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ssot_guard.faults import Faults
    from ssot_guard.sinks import Sink
    from ssot_guard.violation import Violation

_IMPORTLIB = ("importlib._bootstrap", "_frozen_importlib")

# Taken now: test suites remove it for a while.
_getframe = sys._getframe


class Publisher:
    """The sinks of one guard and what waits for them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.sinks: list[Sink] = []
        self._pending: deque[Callable[[], object]] = deque()
        self._draining: set[int] = set()
        self._helper = allocate_lock()  # held by the thread that delivers what an import postponed

    def publish(self, violation: Violation, *, repeat: bool) -> None:
        """A violation, on first sight or as a reminder."""
        self._send(partial(_publish, violation, repeat))

    def internal_error(self, component: str, text: str) -> None:
        """A bug of ours, once for each component; on standard error where there is nobody else to tell."""
        if self.sinks:
            self._send(partial(_internal_error, component, text))
        else:
            say(f"ssot_guard.internal_error in {component}: {text}")

    def _send(self, delivery: Callable[[Sink], None]) -> None:
        """Deliver to lock-free sinks at once, so that it survives a crash, and to the others as soon as it is safe."""
        postponed = False
        for sink in self.sinks:
            if sink.safe_in_import:
                self._deliver(sink, delivery)
            else:
                postponed = True
        if postponed:
            self.postpone(partial(self._deliver_to_others, delivery))

    def postpone(self, action: Callable[[], object]) -> None:
        """Do it as soon as it is safe: now, where nobody imports."""
        self._pending.append(action)
        self.drain()

    def drain(self) -> None:
        """Deliver what waits; from inside an import, let the helper do it."""
        if not self._pending or get_ident() in self._draining:
            return  # in the second case a sink caused a violation: the loop further up in this thread takes it
        if inside_import(_getframe(1)):
            self._send_helper()
        else:
            self._deliver_pending()

    def wait(self, seconds: float = 1.0) -> None:
        """Wait until no helper is at work, so that a fork or the exit finds a single-threaded guard."""
        if self._helper.acquire(timeout=seconds):
            self._helper.release()

    def close(self, final: tuple[Violation, ...]) -> None:
        """Deliver what waits and the final counts, and close the sinks."""
        self.wait()
        self._deliver_pending()
        for sink in self.sinks:
            try:
                sink.close(final)
            except Exception as error:  # noqa: BLE001 - a sink is other people's code
                self._faults.note(f"sink {sink.name}", error)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's waits here, and the parent's helper is not here."""
        self._pending.clear()
        self._draining.clear()
        self._helper = allocate_lock()

    def _send_helper(self) -> None:
        # Threads in sub-interpreters can end the whole process (3.13.0 frees their state twice): there, the next safe
        # point delivers.
        if not _in_main_interpreter() or not self._helper.acquire(blocking=False):
            return  # one is on its way, and takes this one along
        try:
            start_new_thread(self._help, ())
        except RuntimeError:  # the interpreter is ending, or allows no threads: the exit delivers
            self._helper.release()
        except BaseException:  # a signal's
            self._helper.release()
            raise

    def _help(self) -> None:
        try:
            self._deliver_pending()
        finally:
            self._helper.release()
        # What came between the last look and the release found the helper busy, and nobody to take it.
        if self._pending:
            self._send_helper()

    def _deliver_pending(self) -> None:
        thread = get_ident()
        self._draining.add(thread)
        try:
            while True:
                try:
                    action = self._pending.popleft()
                except IndexError:
                    return
                action()
        finally:
            self._draining.discard(thread)

    def _deliver_to_others(self, delivery: Callable[[Sink], None]) -> None:
        for sink in self.sinks:
            if not sink.safe_in_import:
                self._deliver(sink, delivery)

    def _deliver(self, sink: Sink, delivery: Callable[[Sink], None]) -> None:
        try:
            delivery(sink)
        except Exception as error:  # noqa: BLE001 - a sink is other people's code
            self._faults.note(f"sink {sink.name}", error)


def _publish(violation: Violation, repeat: bool, sink: Sink) -> None:  # noqa: FBT001 - a partial's argument
    sink.publish(violation, repeat=repeat)


def _internal_error(component: str, text: str, sink: Sink) -> None:
    sink.internal_error(component, text)


def _in_main_interpreter() -> bool:
    import _thread

    known = getattr(_thread, "_is_main_interpreter", None)  # 3.13
    if known is not None:
        return bool(known())
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


def inside_import(frame: FrameType | None) -> bool:
    """Whether the thread is inside an import, and so may hold import locks."""
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load" and frame.f_globals.get("__name__") in _IMPORTLIB:
            return True
        frame = frame.f_back
    return False
