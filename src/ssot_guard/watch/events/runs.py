"""The runs of one rule that are open, and those that ended lately: in bounded memory, without a lock.

A run is changed in one straight line of code (read its state, look the event up, write the state) between two looks of
CPython at its switch flag, so events of one run may come from any number of threads. What takes longer writes only if
nobody else has written meanwhile. Both tables are ordered dictionaries with texts as keys: their methods run no Python
code, so each of them is one step.
"""

from __future__ import annotations

from _collections import OrderedDict
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssot_guard.watch.events.places import Place
    from ssot_guard.watch.events.sequence import State

MOST_OPEN = 100_000
MOST_ENDED = 20_000
IDLE = 3_600.0  # seconds after which a run of a rule without `within` is forgotten
SHOWN = 10  # events of a run that a report shows
_SECOND_CHANCES = 8
_AT_ONCE = 32  # runs that one new run looks at for being overdue
_NEVER = float("inf")


class Run:
    """One run, as far as it was seen. ``owner`` is its tenant's identity; ``place`` where its first event came from."""

    __slots__ = (
        "at", "began", "broken", "gone", "marked", "owed", "owner", "partial", "past", "place", "told", "trimmed",
    )  # fmt: skip

    def __init__(self, at: State, began: float, owner: str | None, place: Place) -> None:
        self.at = at
        self.began = began
        self.owner = owner
        self.place = place
        self.past: list[str] = []  # the last events, and each older one once
        self.trimmed = False
        self.marked = 1  # how many there were when the table was last short of room
        self.owed: tuple[str, ...] = ()  # events that were said to be missing
        self.partial = False  # not seen from its start
        self.broken = False
        self.told = False
        self.gone = False  # the object that it is has died

    def trim(self) -> None:
        """Keep the last events, and each older one once."""
        self.trimmed = True
        kept = self.past[-SHOWN:]
        self.past = [one for one in dict.fromkeys(self.past[:-SHOWN]) if one not in kept] + kept


class Ended:
    """What is remembered of a run that ended: ``event`` ended it, None where it only was given up."""

    __slots__ = ("broken", "event", "partial")

    def __init__(self, event: str | None, *, broken: bool, partial: bool) -> None:
        self.event = event
        self.broken = broken
        self.partial = partial


CLOSED = Ended(None, broken=False, partial=True)  # what the run belonged to was over before the run


class Runs:
    """The tables of one rule."""

    def __init__(self, within: float | None, *, late: bool) -> None:
        self.within = within
        self.noted: Callable[[str], bool] | None = None  # told of each new run: whether it belongs to a test
        self.open: OrderedDict[str, Run] = OrderedDict()
        self.ended: OrderedDict[str, Ended] = OrderedDict()
        self._endings: dict[tuple[str | None, bool, bool], Ended] = {}
        self.blind_until = 0.0  # a run whose start was not seen by then may have begun before we looked
        self.look_again = 0.0  # when a new run looks for old ones that have lasted too long
        self.forget(late=late)

    def forget(self, *, late: bool) -> None:
        """Start from nothing; ``late``: runs may be under way."""
        self.open.clear()
        self.ended.clear()
        self.finished = self.broken = self.evicted = 0
        self.blind_until = self.look_again = 0.0
        if late:
            self.blind()

    def blind(self) -> None:
        """Something was missed: how long a run can take from now on says for how long that matters."""
        self.blind_until = _NEVER if self.within is None else monotonic() + self.within

    def enter(self, key: str, run: Run) -> Run:
        """Take a new run in, unless another thread was first; makes room."""
        mine: Run = self.open.setdefault(key, run)
        if self.noted is not None:
            self.noted(key)
        if len(self.open) > MOST_OPEN:
            self._evict()
        return mine

    def end(self, key: str, event: str | None, run: Run) -> bool:
        """Take a run out, and remember how it ended; False where another thread did."""
        self.remember(key, event, broken=run.broken, partial=run.partial)
        return self.open.pop(key, None) is not None

    def remember(self, key: str, event: str | None, *, broken: bool, partial: bool) -> None:
        """Keep how a run ended; makes room."""
        ending = (event, broken, partial)
        known = self._endings.get(ending)
        if known is None:
            known = self._endings.setdefault(ending, Ended(event, broken=broken, partial=partial))
        self.ended[key] = known
        if len(self.ended) > MOST_ENDED:
            _drop_first(self.ended)

    def overdue(self, now: float, most: int = _AT_ONCE) -> Iterator[tuple[str, Run]]:
        """Runs that have lasted too long, the oldest first; whoever asks takes each one out."""
        limit = IDLE if self.within is None else self.within
        self.look_again = now + limit / 8
        for _ in range(most):
            try:
                key = next(iter(self.open), None)
            except RuntimeError:  # another thread changed the table
                return
            run = None if key is None else self.open.get(key)
            if key is None or run is None or now - run.began <= limit:
                return
            if self.within is None and len(run.past) != run.marked:  # nobody said that it may not take so long
                self._spare(key, run)
                run.began = now
            else:
                yield key, run

    def lost(self, key: str) -> None:
        """A run that can be followed no longer."""
        run = self.open.pop(key, None)
        if run is not None:
            self.evicted += 1
            if not run.gone:
                self.blind()

    def drop(self, key: str) -> bool:
        """Take a run out whose name will not come again; False where another thread did."""
        return self.open.pop(key, None) is not None

    def close(self, key: str) -> bool:
        """What a run belongs to is over; whether it was open, and nobody has said so.

        Its name may come again for another one, and its own end may yet come from elsewhere.
        """
        self.ended[key] = CLOSED
        if len(self.ended) > MOST_ENDED:
            _drop_first(self.ended)
        run = self.open.pop(key, None)
        return run is not None and not (run.told or run.partial or run.at.complete)

    def begins_anew(self, key: str) -> bool:
        """Whether the name of a run that was closed is used by another test now."""
        return self.ended.get(key) is CLOSED and self.noted is not None and self.noted(key)

    def snapshot(self) -> list[tuple[str, Run]]:
        """The open runs; none where other threads change the table all the time."""
        for _ in range(100):
            try:
                return list(self.open.items())
            except RuntimeError:
                continue
        return []

    def _evict(self) -> None:
        """Make room: the oldest run goes that had no event since the table was last short of room."""
        for chance in range(_SECOND_CHANCES + 1):
            try:
                key = next(iter(self.open))
            except (RuntimeError, StopIteration):
                return
            run = self.open.get(key)
            if run is None:
                continue
            if len(run.past) == run.marked or chance == _SECOND_CHANCES:
                self.lost(key)
                return
            self._spare(key, run)

    def _spare(self, key: str, run: Run) -> None:
        run.marked = len(run.past)
        try:  # noqa: SIM105 - contextlib would be imported for it
            self.open.move_to_end(key)
        except KeyError:  # it ended meanwhile
            pass


def _drop_first(table: OrderedDict[str, Ended]) -> None:
    try:  # noqa: SIM105 - contextlib would be imported for it
        table.popitem(last=False)
    except KeyError:  # another thread did
        pass
