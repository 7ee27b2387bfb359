"""A sequence admits exactly the words that its definition admits, with one look-up per event."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssot_guard.policy.sequence import Chain, Choice, Name, Overlap, Repeat, complaint, parse
from ssot_guard.watch.events.sequence import Automaton

AGENT = "agent_started (agent_thinking | {tool_executing tool_completed})* (agent_completed | agent_failed)"
PARALLEL = "s (t | {x c})* e"


def verdict(text: str, events: str) -> str:
    """What becomes of a run: "complete", "open", or the first event that breaks it."""
    automaton = Automaton(text)
    state = automaton.start
    for event in events.split():
        after = automaton.step(state, event)
        if after is None:
            return event
        state = after
    return "complete" if state.complete else "open"


VERDICTS = [
    ("a b", "a b", "complete"),
    ("a b", "a", "open"),
    ("a b", "b", "b"),
    ("a b", "a a", "a"),
    ("a b", "a b b", "b"),
    ("a | b", "b", "complete"),
    ("a | b", "a b", "b"),
    ("a (b | c)* d", "a c b b d", "complete"),
    ("a (b | c)* d", "a", "open"),
    ("a b? c", "a c", "complete"),
    ("a b? c", "a b b", "b"),
    ("a b+ c", "a c", "c"),
    ("a b+ c", "a b b b c", "complete"),
    ("(a b | a c) d", "a c d", "complete"),
    ("(a b | a c) d", "a d", "d"),
    ("a (b c)* b d", "a b c b d", "complete"),
    ("a (b c)* b d", "a b d", "complete"),
    ("a*", "a a a", "complete"),
    ("run:started run.tick/1* run-ended", "run:started run.tick/1 run-ended", "complete"),
    (PARALLEL, "s e", "complete"),
    (PARALLEL, "s x c e", "complete"),
    (PARALLEL, "s x x c c e", "complete"),
    (PARALLEL, "s x x c x c c t x c e", "complete"),
    (PARALLEL, "s x x c", "open"),
    (PARALLEL, "s x x c e", "e"),
    (PARALLEL, "s x x c t", "t"),
    (PARALLEL, "s c", "c"),
    (PARALLEL, "s x c c", "c"),
    ("{x c}+", "x c", "complete"),
    ("{x (ok | failed)}* done", "x x x failed ok ok done", "complete"),
    ("{x (ok | failed)}* done", "x ok failed", "failed"),
    ("{a b? c}* d", "a a b c c d", "complete"),
    ("{a b? c}* d", "a b a b c b", "b"),
    ("{a b?}* d", "a a a b b d", "complete"),
    ("{t | x c}* e", "x t c e", "complete"),
    ("{x c}* m {x c}* e", "x c m x x c c e", "complete"),
    ("{x c}* m {x c}* e", "x m", "m"),
    (AGENT, "agent_started agent_thinking tool_executing tool_completed agent_failed", "complete"),
]


@pytest.mark.parametrize(("text", "events", "expected"), VERDICTS)
def test_a_run_is_complete_or_open_or_breaks_at_one_event(text: str, events: str, expected: str) -> None:
    assert complaint(text) is None
    assert verdict(text, events) == expected


# -- against the definition --------------------------------------------------------------------------------------------

LONGEST = 5


def words(tree: Any, most: int) -> set[tuple[Any, ...]]:
    """The words of a tree of up to ``most`` symbols, read as a regular expression over names and groups."""
    if isinstance(tree, (Name, Overlap)):
        return {(tree.text if isinstance(tree, Name) else tree,)}
    if isinstance(tree, Choice):
        return set().union(*(words(part, most) for part in tree.parts))
    if isinstance(tree, Chain):
        found: set[tuple[Any, ...]] = {()}
        for part in tree.parts:
            found = {one + more for one, more in product(found, words(part, most)) if len(one) + len(more) <= most}
        return found
    assert isinstance(tree, Repeat)
    once = words(tree.part, most)
    found = once | (set() if tree.always else {()})
    while tree.many:
        more = {one + further for one, further in product(found, once) if len(one) + len(further) <= most} - found
        if not more:
            break
        found |= more
    return found


def shuffles(one: tuple[str, ...], other: tuple[str, ...]) -> set[tuple[str, ...]]:
    if not one or not other:
        return {one + other}
    return {(one[0], *rest) for rest in shuffles(one[1:], other)} | {
        (other[0], *rest) for rest in shuffles(one, other[1:])
    }


def spelled(word: tuple[Any, ...], most: int) -> set[tuple[str, ...]]:
    """What a word of names and groups stands for: each unbroken row of one group is shuffled."""
    found: set[tuple[str, ...]] = {()}
    row: set[tuple[str, ...]] = {()}
    for number, symbol in enumerate(word):
        if isinstance(symbol, str):
            row = {(symbol,)}
        else:
            row = {
                mixed
                for before, instance in product(row, words(symbol.part, most))
                if len(before) + len(instance) <= most
                for mixed in shuffles(before, instance)
            }
        if isinstance(symbol, str) or number + 1 == len(word) or word[number + 1] is not symbol:
            found = {one + more for one, more in product(found, row) if len(one) + len(more) <= most}
            row = {()}
    return found


def language(text: str, most: int = LONGEST) -> set[tuple[str, ...]]:
    return {spelling for word in words(parse(text), most) for spelling in spelled(word, most)}


def admitted(text: str, most: int = LONGEST) -> set[tuple[str, ...]]:
    automaton = Automaton(text)
    found: set[tuple[str, ...]] = set()
    waiting: list[tuple[tuple[str, ...], Any]] = [((), automaton.start)]
    while waiting:
        word, state = waiting.pop()
        if state.complete:
            found.add(word)
        for name in automaton.names if len(word) < most else ():
            after = automaton.step(state, name)
            assert (after is None) == (name not in automaton.expected(state))
            if after is not None:
                waiting.append(((*word, name), after))
    return found


@st.composite
def trees(draw: Any, names: str, *, once: bool = False) -> str:
    """A text over these names; with ``once`` every name stands in it exactly once."""
    if len(names) == 1 or (not once and draw(st.booleans())):
        text = names if len(names) == 1 else draw(st.sampled_from(names))
    else:
        cut = draw(st.integers(1, len(names) - 1))
        parts = [draw(trees(names[:cut], once=once)), draw(trees(names[cut:] if once else names, once=once))]
        text = f"({draw(st.sampled_from([' ', ' | '])).join(parts)})"
    mark: str = draw(st.sampled_from(["", "", "", "*", "+", "?"]))
    return f"({text})" if text[-1] in "*+?" else text + mark


@st.composite
def overlapping(draw: Any) -> str:
    """Groups of one to four names, starred, somewhere between other names, which may be the same."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        first, *others = draw(st.permutations("wxyz"))[: draw(st.integers(1, 4))]
        rest = draw(trees("".join(others), once=True)) if others else ""
        group = f"{{{first} {rest}}}" if draw(st.integers(0, 5)) else f"{{{rest or first}}}"
        mixed = draw(st.sampled_from(["{}*", "{}+", "({} | a)*", "({} | a b)*", "({} a?)*", "({} {} b?)*", "({}+ b)*"]))
        parts.append(mixed.format(group, group))
    before, after = (draw(st.sampled_from(["a", "(a | b)", "a* b", "w", "(a b)+", "x?"])) for _ in "12")
    texts = [f"{before} {' '.join(parts)} {after}", " ".join(parts), f"({' | '.join(parts)}) {after}"]
    text: str = draw(st.sampled_from(texts))
    return text


@settings(max_examples=150, deadline=None)
@given(trees("abc"))
def test_without_groups_the_automaton_is_that_of_the_regular_expression(text: str) -> None:
    assert complaint(text) is None
    assert admitted(text) == language(text)


@settings(max_examples=200, deadline=None)
@given(overlapping())
def test_with_groups_the_automaton_admits_what_the_definition_does_or_the_policy_refuses(text: str) -> None:
    if complaint(text) is None:
        assert admitted(text) == language(text)


@pytest.mark.parametrize("text", sorted({text for text, *_ in VERDICTS if "{" in text and "_" not in text}))
def test_the_groups_of_the_table_admit_what_the_definition_does(text: str) -> None:
    assert admitted(text, 6) == language(text, 6)
