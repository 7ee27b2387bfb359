"""The automaton of a sequence: one dictionary look-up per event.

A state is a set of positions (:mod:`ssot_guard.policy.positions`), as in any automaton of a regular expression, and,
where a group that overlaps is open, how many of its instances stand at each of its positions. States are made when a
run first gets there, and kept as long as there are few; what a state says never changes, so threads share them.
"""

from __future__ import annotations

from _collections import deque

from ssot_guard.policy.positions import START, positions_of, takers
from ssot_guard.policy.sequence import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.policy.positions import Positions

_MOST_STATES = 4_096  # that are kept; numbers of open instances have no end
_LOOK_AHEAD = 400  # states that are looked at to find out what was left out


class State:
    """Where a run stands. ``moves`` fills with the events that were met here: event → state."""

    __slots__ = ("_expected", "complete", "counts", "kept", "moves", "over", "positions")

    def __init__(self, positions: frozenset[int], counts: tuple[int, ...], *, complete: bool, over: bool) -> None:
        self.positions = positions
        self.counts = counts  # of open instances, by position in their group; empty outside of groups
        self.complete = complete  # a run may end here
        self.over = over  # … and must
        self.moves: dict[str, State] = {}
        self.kept = False
        self._expected: tuple[str, ...] | None = None


class _Group:
    """What is inside of one ``{ … }``."""

    __slots__ = ("by_name", "final", "goes_on", "positions", "takers")

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self.by_name = {positions.symbols[one].text: one for one in range(len(positions.symbols))}  # type: ignore[union-attr]
        self.takers = [takers(positions, one) for one in range(len(positions.symbols))]
        self.goes_on = [bool(follow) for follow in positions.follow]
        self.final = [one in positions.last for one in range(len(positions.symbols))]

    def step(self, counts: tuple[int, ...], event: str) -> tuple[int, ...] | None:
        """The counts after an event; None where no instance takes it."""
        to = self.by_name.get(event)
        if to is None:
            return None
        after = list(counts) or [0] * len(self.takers)
        for one in self.takers[to]:
            if after[one]:
                after[one] -= 1
                break
        else:
            if to not in self.positions.first:
                return None
        if self.goes_on[to]:  # else the instance is complete, and gone
            after[to] += 1
        return tuple(after)

    def complete(self, counts: tuple[int, ...]) -> bool:
        """Whether every instance may end here."""
        return all(final or not count for count, final in zip(counts, self.final, strict=True))


class Automaton:
    """One sequence. ``names`` gives the one object for each event that it names."""

    def __init__(self, text: str) -> None:
        self._positions = positions_of(parse(text))
        self._groups = {position: _Group(inner) for position, inner in self._positions.groups.items()}
        self._states: dict[tuple[frozenset[int], tuple[int, ...]], State] = {}
        self._resumed: dict[tuple[State, str], tuple[tuple[str, ...], State] | None] = {}
        self.names = {name: name for name in self._positions.alphabet()}
        self.start = self._state(frozenset((START,)), ())

    def step(self, state: State, event: str) -> State | None:
        """The state after an event; None where it breaks the sequence."""
        known = state.moves.get(event)
        if known is not None:
            return known
        found = self._step(state, event)
        if found is not None and found.kept:
            state.moves[event] = found
        return found

    def expected(self, state: State) -> tuple[str, ...]:
        """The events that may come next, in the order of the text."""
        if state._expected is None:  # noqa: SLF001 - kept there for us
            state._expected = tuple(name for name in self.names if self.step(state, name) is not None)  # noqa: SLF001
        return state._expected  # noqa: SLF001

    def resume(self, state: State, event: str) -> tuple[tuple[str, ...], State] | None:
        """The fewest events that are missing before this one, and the state after it; None where it cannot come."""
        key = (state, event)
        if key not in self._resumed:
            found = self._search(state, event)
            if not state.kept or len(self._resumed) >= _MOST_STATES:
                return found
            self._resumed[key] = found
        return self._resumed[key]

    def _search(self, state: State, event: str) -> tuple[tuple[str, ...], State] | None:
        seen = {(state.positions, state.counts)}
        waiting: deque[tuple[tuple[str, ...], State]] = deque((((), state),))
        while waiting:
            left_out, here = waiting.popleft()
            there = self.step(here, event)
            if there is not None:
                return left_out, there
            for name in self.expected(here):
                further = self.step(here, name)
                if further is not None and (further.positions, further.counts) not in seen and len(seen) < _LOOK_AHEAD:
                    seen.add((further.positions, further.counts))
                    waiting.append(((*left_out, name), further))
        return None

    def _step(self, state: State, event: str) -> State | None:
        if state.counts:
            (at,) = state.positions  # a group stands alone
            group = self._groups[at]
            counts = group.step(state.counts, event)
            if counts is not None:
                return self._state(state.positions, counts)
            if not group.complete(state.counts):
                return None
        following = {one for position in state.positions for one in self._positions.after(position)}
        plain = frozenset(one for one in following if one not in self._groups and event in self._positions.names(one))
        if plain:
            return self._state(plain, ())
        for one in following:
            if one in self._groups and event in self._positions.names(one):  # at most one, says the policy
                return self._state(frozenset((one,)), self._groups[one].step((), event) or ())
        return None

    def _state(self, positions: frozenset[int], counts: tuple[int, ...]) -> State:
        known = self._states.get((positions, counts))
        if known is not None:
            return known
        last = self._positions.last
        complete = self._positions.nullable if START in positions else not last.isdisjoint(positions)
        if counts:
            (at,) = positions
            complete = complete and self._groups[at].complete(counts)
        over = complete and not counts and not any(self._positions.after(one) for one in positions)
        state = State(positions, counts, complete=complete, over=over)
        if len(self._states) >= _MOST_STATES:
            return state
        state = self._states.setdefault((positions, counts), state)
        state.kept = True
        return state
