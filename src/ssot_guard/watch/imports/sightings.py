"""What was seen of each statement: the way of every repeat.

One execution of one statement makes several events: its parents load, the module loads, its names are read. They meet
in one :class:`Sighting` per statement, which counts an execution when an event comes back that it has seen.
"""

from __future__ import annotations

from _functools import partial
from _weakref import ref

from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from ssot_guard.ledger import Entry, Ledger

_MOST_CODES = 10_000


class Sighting:
    """One statement (or call) and the entries of what it breaks; ``seen`` holds the events of its present execution."""

    __slots__ = ("echo", "entries", "parents", "seen", "simple", "swallowed", "token", "twice")

    def __init__(
        self, entries: tuple[Entry, ...], swallowed: Callable[[], bool] | None, module: str | None = None
    ) -> None:
        self.entries = entries
        # Of the module that is spelled: CPython and importlib read parents at will.
        parts = (module or "").split(".")
        self.parents = frozenset(".".join(parts[:end]) for end in range(1, len(parts)))
        self.swallowed = swallowed
        self.seen: set[str] = set()
        self.twice = False  # 3.11: each execution reads the flag twice …
        self.echo = False  # … and the second read is still to come
        self.simple: Entry | None = None  # the only entry, where each event …
        self.token = ""  # … of this module or name is an execution, and there is nothing else to do


NOTHING = Sighting((), None)


class Sightings:
    """All statements that were looked at, by code object and instruction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.slots: dict[int, dict[tuple[int, str], Sighting]] = {}
        self._codes: dict[int, ref[CodeType]] = {}

    def known(self, frame: FrameType, token: str) -> Sighting | None:
        """The sighting at the instruction where a frame stands: the way of every repeat."""
        slot = self.slots.get(id(frame.f_code))
        return None if slot is None else slot.get((frame.f_lasti, token))

    def again(self, sighting: Sighting, token: str, *, read: bool = False) -> BaseException | None:
        """An event of a statement that is known: a new execution if the event comes back, else more of the same."""
        if not sighting.entries:
            return None
        if read:
            if token in sighting.parents:
                return None
            if sighting.echo:
                sighting.echo = False
                # From the namespace: hasattr() would read the flag, and come back here.
                if not loaded.is_package(token):
                    self.simplify(sighting, token)
                    return None
        seen = sighting.seen
        if token not in seen:
            seen.add(token)
            sighting.simple = None
            return None
        if len(seen) > 1:
            seen.clear()
            seen.add(token)
        sighting.echo = sighting.twice and read
        verdict = None
        for entry in sighting.entries:
            verdict = self._ledger.repeat(entry, sighting.swallowed) or verdict
        return verdict

    def clear(self) -> None:
        """Forget all: the next executions are first sights again."""
        self.slots.clear()
        self._codes.clear()

    def simplify(self, sighting: Sighting, token: str) -> None:
        """From now on each event of a statement with one entry is an execution, as long as it is this one."""
        if len(sighting.entries) == 1 and sighting.seen == {token} and token not in sighting.parents:
            sighting.simple = self._ledger.only_counts(sighting.entries[0])
            sighting.token = token

    def expect_echo(self, code: CodeType, key: tuple[int, str]) -> None:
        """On 3.11 each execution of a ``from`` import of a plain module reads the flag a second time."""
        sighting = self.slot(code).get(key)
        if sighting is not None and not sighting.twice:
            sighting.twice = sighting.echo = True
            sighting.simple = None

    def slot(self, code: CodeType) -> dict[tuple[int, str], Sighting]:
        """The sightings in one code object; forgotten with it."""
        key = id(code)
        slot = self.slots.get(key)
        if slot is None:
            if len(self.slots) >= _MOST_CODES:
                self.clear()
            slot = self.slots[key] = {}
            # `dict.pop(key, dead_reference)`: C only, so it is safe wherever the collector runs it.
            self._codes[key] = ref(code, partial(self.slots.pop, key))
        return slot
