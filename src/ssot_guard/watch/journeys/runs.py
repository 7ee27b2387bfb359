"""The runs of journeys, as the application marks them: ``with ssot_guard.journey("golden-path"):``.

Without a guard that costs next to nothing, and imports nothing else.
"""

from __future__ import annotations

import sys
from _collections import deque
from _contextvars import ContextVar
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _contextvars import Token
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
_DEEP = 1_000  # frames of a traceback that are looked at, and runs of a context
_TRIES = 100

wake: Callable[[], Journeys | None] | None = None  # set by the guard in force: builds the parts where they are not yet
_innermost: ContextVar[_Run | None] = ContextVar("ssot_guard.journeys", default=None)
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
        self._open: dict[_Run, None] = {}  # several, where one object serves many tasks
        self._place: Place | None = None

    def __enter__(self) -> None:
        if wake is not None:
            try:
                self._begin(*_caller(_getframe(1)))
            except Exception as error:  # noqa: BLE001 - contained
                _note(error)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._open:
            try:
                self._end(*_caller(_getframe(1)), error)
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

        wrapped: F = decorated.decorate(self._id, function, _place(_caller(_getframe(1))[0]))
        return wrapped

    def _begin(self, frame: FrameType, holder: int) -> None:
        run = _Run(self, frame, holder, self._place or _place(frame))
        run.outer = _still_open(_innermost.get())
        run.token = _innermost.set(run)
        run.earliest = run.latest = perf_counter()
        self._open[run] = None

    def _end(self, frame: FrameType, holder: int, error: BaseException | None) -> None:
        now = perf_counter()
        inner = _innermost.get()
        if inner is not None and inner.is_of(self, frame, holder) and self._open.pop(inner, self) is None:
            ended, earliest, latest = inner, inner.earliest, inner.latest
        else:
            inner = _still_open(inner)
            known = self._known(inner, frame, holder)
            earliest = min((run.earliest for run in known), default=now)
            latest = max((run.latest for run in known), default=now)
            while known and self._open.pop(known[-1], self) is not None:  # another one that shares this object ended it
                known.pop()
            if not known:
                return
            ended = known.pop()
            for other in known:  # which of them ended, nobody knows
                other.earliest, other.latest = earliest, latest
        _innermost.set(_still_open(inner))
        _take(Ended(self._id, ended.place, now - latest, now - earliest, error))

    def _known(self, inner: _Run | None, frame: FrameType, holder: int) -> list[_Run]:
        """The runs that may be the one that ends: of this frame or exit stack, else of this context, else all."""
        here: list[_Run] = []
        while inner is not None and len(here) < _DEEP:
            if inner.journey is self and inner in self._open:
                here.append(inner)
            inner = inner.outer
        everywhere = here if len(self._open) == len(here) else _keys(self._open)
        for runs in (here, everywhere):
            exact = [run for run in runs if run.is_of(self, frame, holder)]
            if exact:
                return exact[:1] if runs is here else exact[-1:]
        return [run for run in here if run.began_here()][::-1] or everywhere


class _Run:
    """A run that is open. Whoever ends it is known by the frame or the exit stack that holds it, or by its context.

    Where neither tells it from others of the same object it began between ``earliest`` and ``latest``.
    """

    __slots__ = ("code", "earliest", "holder", "journey", "latest", "outer", "place", "token")

    outer: _Run | None  # around it, in its context
    token: Token[_Run | None]
    earliest: float
    latest: float

    def __init__(self, journey: journey, frame: FrameType, holder: int, place: Place) -> None:
        self.journey = journey
        self.holder = holder
        self.code = frame.f_code if holder == id(frame) else None  # another frame may have the address by now
        self.place = place

    def is_of(self, journey: journey, frame: FrameType, holder: int) -> bool:
        """Whether it is held there."""
        return self.journey is journey and self.holder == holder and (self.code is None or self.code is frame.f_code)

    def began_here(self) -> bool:
        """Whether it began in this very context, and not in one that this is a copy of."""
        innermost = _innermost.get()
        try:
            _innermost.reset(self.token)  # what it may be used for is told by nothing else
        except (ValueError, RuntimeError):
            return False
        self.token = _innermost.set(innermost)
        return True


class Ended:
    """A run that is over; of its error, what may be kept: no message, it may hold a user's data."""

    __slots__ = ("frames", "gave_up", "id", "kind", "longest", "place", "shortest")

    def __init__(
        self, rule_id: str, place: Place, shortest: float, longest: float, error: BaseException | None
    ) -> None:
        self.id = rule_id
        self.place = place
        self.shortest = shortest  # seconds; as long as the longest, unless it cannot be told from others
        self.longest = longest
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


def _still_open(run: _Run | None) -> _Run | None:
    """The innermost run of a context that has not ended."""
    while run is not None and run not in run.journey._open:  # noqa: SLF001 - the same file
        run = run.outer
    return run


def _keys(table: dict[_Run, None]) -> list[_Run]:
    """In order; none where other threads change the table all the time."""
    for _ in range(_TRIES):
        try:
            return list(table)
        except RuntimeError:
            continue
    return []


def _caller(frame: FrameType) -> tuple[FrameType, int]:
    """Who uses a journey, past ourselves and exit stacks; and the identity of the exit stack, else of its frame."""
    outer: FrameType | None = frame
    holder = None
    while outer is not None and (name := outer.f_globals.get("__name__")) in _PASSED:
        if name == "contextlib" and "self" in outer.f_code.co_varnames[:1]:
            holder = outer.f_locals["self"]
        outer = outer.f_back
    outer = outer or frame
    return outer, id(outer if holder is None else holder)


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
