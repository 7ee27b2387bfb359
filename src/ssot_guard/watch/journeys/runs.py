"""The runs of journeys, as the application marks them: ``with ssot_guard.journey("golden-path"):``.

Without a guard that costs next to nothing, and imports nothing else.
"""

from __future__ import annotations

import sys
from _collections import deque
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType, TracebackType
    from typing import Any, TypeVar

    from ssot_guard.watch.journeys.watcher import Journeys

    F = TypeVar("F")
    Place = tuple[CodeType, int, dict[str, Any]]  # an instruction, and the namespace around it
    Frame = tuple[str, int, str]  # path, line, module

_getframe = sys._getframe  # noqa: SLF001 - documented, in spite of its name; test suites remove it for a while
_DECORATOR = "ssot_guard.watch.journeys.decorated"
_PASSED = frozenset((__name__, "contextlib"))
_DEEP = 1_000  # frames of a traceback that are looked at

wake: Callable[[], Journeys | None] | None = None  # set by the guard in force: builds the parts where they are not yet
waiting: deque[Ended] = deque(maxlen=10_000)  # runs that ended while another thread built the parts


class journey:  # noqa: N801 - used as a function
    """``with ssot_guard.journey("golden-path"):`` is one run of a critical path; also ``async with``, and a decorator.

    An exception that leaves the block is a failure, and so is a run that lasts longer than the rule's ``max-seconds``.
    What is told to stop (a cancelled task, a closed generator, Ctrl-C) is abandoned: it does not count, unless it was
    too slow by then. A decorated generator's run lasts from its first item to its end.
    """

    __slots__ = ("_id", "_open", "_place")

    def __init__(self, rule_id: str) -> None:
        if callable(rule_id):
            raise TypeError('a journey needs the id of its rule: @ssot_guard.journey("golden-path")')
        self._id = rule_id
        self._open: list[_Run] = []  # several, where one object serves many tasks
        self._place: Place | None = None

    def __enter__(self) -> None:
        if wake is not None:
            try:
                self._begin(_caller(_getframe(1)))
            except Exception as error:  # noqa: BLE001 - contained
                _note(error)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._open:
            try:
                self._end(_caller(_getframe(1)), error)
            except Exception as problem:  # noqa: BLE001 - contained
                _note(problem)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        from ssot_guard.watch.journeys import decorated

        wrapped: F = decorated.decorate(self._id, function, _place(_caller(_getframe(1))))
        return wrapped

    def _begin(self, frame: FrameType) -> None:
        self._open.append(_Run(id(frame), self._place or _place(frame), perf_counter()))

    def _end(self, frame: FrameType, error: BaseException | None) -> None:
        now, mine = perf_counter(), id(frame)
        known = self._open[::-1]
        run = next((one for one in known if one.frame == mine), known[0] if known else None)
        try:
            self._open.remove(run)  # type: ignore[arg-type]
        except ValueError:  # a task that shares this object ended it
            return
        if run is not None:
            _take(Ended(self._id, run.place, now - run.start, error))


class _Run:
    """A run that is open; ``frame`` tells apart those of one object that many tasks share."""

    __slots__ = ("frame", "place", "start")

    def __init__(self, frame: int, place: Place, start: float) -> None:
        self.frame = frame
        self.place = place
        self.start = start


class Ended:
    """A run that is over; of its error, what may be kept: no message, it may hold a user's data."""

    __slots__ = ("frames", "gave_up", "id", "kind", "place", "seconds")

    def __init__(self, rule_id: str, place: Place, seconds: float, error: BaseException | None) -> None:
        self.id = rule_id
        self.place = place
        self.seconds = seconds
        kind = type(error)
        self.kind = None if error is None else name_of(kind)
        # `pytest.fail` is no `Exception`, and means one.
        self.gave_up = error is not None and not issubclass(kind, Exception) and kind.__name__ != "Failed"
        self.frames = [] if error is None or self.gave_up else frames_of(error.__traceback__)


def begin_at(rule_id: str, place: Place) -> journey:
    """A journey that begins at a place of its own: that of its decorator."""
    one = journey(rule_id)
    one._place = place  # noqa: SLF001 - the same file
    return one


def _caller(frame: FrameType) -> FrameType:
    """Who uses a journey: past ourselves and exit stacks."""
    outer: FrameType | None = frame
    while outer is not None and outer.f_globals.get("__name__") in _PASSED:
        outer = outer.f_back
    return outer or frame


def _place(frame: FrameType) -> Place:
    return frame.f_code, frame.f_lasti, frame.f_globals


def _take(run: Ended) -> None:
    awake = wake
    part = None if awake is None else awake()
    if part is not None:
        part.take(run)
    elif awake is not None:
        waiting.append(run)


def _note(error: Exception) -> None:
    """A bug of ours: whatever goes wrong here is not the host's."""
    part = None if wake is None else wake()
    if part is not None:
        part.faults.note(part.name, error)


def name_of(kind: type) -> str:
    """``httpx.ReadTimeout``, ``ValueError``."""
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def frames_of(trace: TracebackType | None) -> list[Frame]:
    """The frames of a traceback, the innermost last."""
    found: deque[Frame] = deque(maxlen=_DEEP)
    while trace is not None:
        code, module = trace.tb_frame.f_code, trace.tb_frame.f_globals.get("__name__")
        if module != _DECORATOR:
            found.append((code.co_filename, trace.tb_lineno, module if type(module) is str else ""))
        trace = trace.tb_next
    return list(found)
