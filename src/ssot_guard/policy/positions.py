"""What a sequence means, as positions: who may be first, who may follow whom, who may be last.

The language. Read every ``{g}`` of a sequence as one symbol: that makes a regular expression, whose words are sequences
of names and such symbols. A run is right when its events are one of these words in which each unbroken row of one and
the same symbol, ``{g}{g}…{g}``, is replaced by as many words of ``g``, shuffled in any way that keeps the order inside
each of them. So ``{x c}*`` admits ``x x c c`` and ``x c x c``, never ``c x``; and whatever is not in the group waits
until all its instances are complete: ``({x c} | t)*`` admits ``x x c c t``, not ``x t c``.

Events carry no number that says which instance they belong to. It can always be told, because what could be read in
two ways is refused here: a name twice inside of one ``{ }``; one that starts an instance and continues another one; one
that two open instances wait for with different futures (where one future contains the other one, the instance with
fewer ways to go on takes the event: this admits whatever any choice admits); one that the group and its surroundings
can both take.

The positions of a regular expression: Glushkov, "The abstract theory of automata", 1961.
"""

from __future__ import annotations

from itertools import pairwise

from ssot_guard.policy.sequence import Chain, Choice, Name, Overlap, Repeat, SequenceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.policy.sequence import Tree

START = -1  # before the first position
_MOST_STEPS = 100_000  # between pairs of positions that one word leads to


class Positions:
    """Symbols by position, and their order."""

    __slots__ = ("first", "follow", "groups", "last", "nullable", "symbols")

    def __init__(self) -> None:
        self.symbols: list[Name | Overlap] = []
        self.groups: dict[int, Positions] = {}  # position of an Overlap → what is inside
        self.follow: list[set[int]] = []
        self.first: set[int] = set()
        self.last: set[int] = set()
        self.nullable = False

    def after(self, position: int) -> set[int]:
        """The positions that may come next."""
        return self.first if position == START else self.follow[position]

    def names(self, position: int) -> dict[str, int]:
        """The events that can begin a position, with where they stand in the text."""
        symbol, inner = self.symbols[position], self.groups.get(position)
        if isinstance(symbol, Name):
            return {symbol.text: symbol.at}
        return {} if inner is None else {name: at for one in inner.first for name, at in inner.names(one).items()}

    def alphabet(self) -> list[str]:
        """All names, in the order of the text."""
        found: list[str] = []
        for position, symbol in enumerate(self.symbols):
            found.extend([symbol.text] if isinstance(symbol, Name) else self.groups[position].alphabet())
        return list(dict.fromkeys(found))


def positions_of(tree: Tree) -> Positions:
    """The positions of a tree; SequenceError for what could be read in two ways."""
    positions = Positions()
    positions.nullable, positions.first, positions.last = _add(tree, positions)
    for position, inner in positions.groups.items():
        _check_inside(inner, positions.symbols[position].at)
        _check_surroundings(positions, position)
    _check_alternatives(positions)
    return positions


def _add(tree: Tree, positions: Positions) -> tuple[bool, set[int], set[int]]:
    """Number the leaves of a tree; whether it may be empty, and its first and last positions."""
    if isinstance(tree, (Name, Overlap)):
        here = len(positions.symbols)
        positions.symbols.append(tree)
        positions.follow.append(set())
        if isinstance(tree, Overlap):
            inner = positions.groups[here] = Positions()
            inner.nullable, inner.first, inner.last = _add(tree.part, inner)
        return False, {here}, {here}
    if isinstance(tree, Repeat):
        nullable, first, last = _add(tree.part, positions)
        if tree.many:
            _join(positions, last, first)
        return nullable or not tree.always, first, last
    if isinstance(tree, Choice):
        found = [_add(part, positions) for part in tree.parts]
        return (
            any(one[0] for one in found),
            set().union(*(one[1] for one in found)),
            set().union(*(one[2] for one in found)),
        )
    return _chain(tree, positions)


def _chain(tree: Chain, positions: Positions) -> tuple[bool, set[int], set[int]]:
    nullable, first, last = True, set[int](), set[int]()
    for part in tree.parts:
        empty, begins, ends = _add(part, positions)
        _join(positions, last, begins)
        first = first | begins if nullable else first
        last = last | ends if empty else ends
        nullable = nullable and empty
    return nullable, first, last


def _join(positions: Positions, ends: set[int], begins: set[int]) -> None:
    for end in ends:
        positions.follow[end] |= begins


def _check_inside(inner: Positions, at: int) -> None:
    """Whether the instance that an event belongs to can always be told."""
    if inner.nullable:
        raise SequenceError(at, "this group may be empty, so nobody can count its instances; put the mark behind `}`")
    seen: dict[str, int] = {}
    for position, symbol in enumerate(inner.symbols):
        if not isinstance(symbol, Name):  # the parser nests none
            continue
        if symbol.text in seen:
            text = f"`{symbol.text}` stands twice in a group that may overlap: of two instances nobody can tell which"
            raise SequenceError(symbol.at, f"{text} one it belongs to")
        seen[symbol.text] = position
        waiting = takers(inner, position)
        if waiting and position in inner.first:
            text = (
                f"`{symbol.text}` may start an instance of this group or continue another one; it cannot be told which"
            )
            raise SequenceError(symbol.at, text)
        for one, more in pairwise(waiting):
            if not (inner.follow[one] <= inner.follow[more] and (one in inner.last) <= (more in inner.last)):
                names = " and ".join(f"`{inner.symbols[which].text}`" for which in (one, more))  # type: ignore[union-attr]
                text = f"instances after {names} may both wait for `{symbol.text}`, and go on differently"
                raise SequenceError(symbol.at, f"{text}; it cannot be told which one it belongs to")


def takers(inner: Positions, position: int) -> list[int]:
    """The positions that an instance may go to this one from, those with the fewest ways to go on first."""
    found = [one for one, follow in enumerate(inner.follow) if position in follow]
    return sorted(found, key=lambda one: (len(inner.follow[one]), one in inner.last))


def _check_surroundings(positions: Positions, group: int) -> None:
    """Whether a group can overlap at all, and whether what follows it can be told from what is in it."""
    at, inner = positions.symbols[group].at, positions.groups[group]
    if group not in positions.follow[group]:
        raise SequenceError(
            at, "this group never follows itself, so nothing can overlap; write `( )`, or `*` behind it"
        )
    ongoing = {
        name for last in inner.last for one in inner.follow[last] for name in inner.names(one)
    }  # of an instance that might as well be complete
    for following in positions.follow[group] - {group}:
        for name, where in positions.names(following).items():
            if name in ongoing:
                text = f"`{name}` may continue the group before it or come after it; it cannot be told which"
                raise SequenceError(where, text)


def _check_alternatives(positions: Positions) -> None:
    """Whether an event can always be told from the start of a group: over all pairs that one word leads to."""
    waiting = [(START, START)] if positions.groups else []
    seen = set(waiting)
    steps = 0
    for pair in waiting:  # grows meanwhile
        for further in _steps(positions, *pair):
            steps += 1
            if steps > _MOST_STEPS:
                raise SequenceError(0, "this sequence has too many alternatives that begin alike; write it shorter")
            if further not in seen:
                seen.add(further)
                waiting.append(further)


def _steps(positions: Positions, left: int, right: int) -> Iterator[tuple[int, int]]:
    """The pairs of positions that one more event leads to."""
    readings: dict[str, list[int]] = {}
    for one in positions.after(left):
        for name in positions.names(one):
            readings.setdefault(name, []).append(one)
    for other in positions.after(right):
        for name, where in positions.names(other).items():
            for one in readings.get(name, ()):
                if one != other and (one in positions.groups or other in positions.groups):
                    text = f"`{name}` may start a group that overlaps or stand outside of it; it cannot be told which"
                    raise SequenceError(max(where, positions.names(one)[name]), text)
                yield one, other
