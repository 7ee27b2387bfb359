from typing import Any

import pytest

from ssot_guard.names import CHILDREN, EXACT, SUBTREE, ModuleIndex, PatternSyntaxError, parse

MATCHES = [
    ("a plain path matches itself", "a.b", "a.b", True),
    ("a plain path matches what lies below", "a.b", "a.b.c.d", True),
    ("a plain path does not match a sibling with its prefix", "a.b", "a.bc", False),
    ("a plain path does not match its parent", "a.b", "a", False),
    ("two stars match the path itself", "a.b.**", "a.b", True),
    ("two stars match any depth", "a.b.**", "a.b.c.d", True),
    ("one star at the end matches one level below", "a.b.*", "a.b.c", True),
    ("one star at the end does not match two levels below", "a.b.*", "a.b.c.d", False),
    ("one star at the end does not match the path itself", "a.b.*", "a.b", False),
    ("one star in the middle matches any one segment", "a.*.c", "a.x.c", True),
    ("one star in the middle matches below as well", "a.*.c", "a.x.c.d", True),
    ("one star in the middle does not match two segments", "a.*.c", "a.x.y.c", False),
    ("a name pattern matches exactly its module", "a.b:Name", "a.b", True),
    ("a name pattern does not match below", "a.b:Name", "a.b.c", False),
    ("a name pattern with two stars matches below", "a.b.**:Name", "a.b.c", True),
    ("a name pattern with one star matches one level below", "a.b.*:Name", "a.b.c", True),
    ("identifiers may be in any script", "acme.données", "acme.données.x", True),
]


@pytest.mark.parametrize(("description", "pattern", "module", "expected"), MATCHES)
def test_a_pattern_matches_modules(description: str, pattern: str, module: str, expected: Any) -> None:
    assert parse(pattern).matches(module) is expected, description


@pytest.mark.parametrize(("description", "pattern", "module", "expected"), MATCHES)
def test_the_index_agrees_with_the_pattern(description: str, pattern: str, module: str, expected: Any) -> None:
    index: ModuleIndex[str] = ModuleIndex()
    index.add(parse(pattern), "found")
    assert (index.get(module) == "found") is expected, description


BROKEN = [
    ("an empty text", ""),
    ("a name missing behind the colon", "a.b:"),
    ("a module missing before the colon", ":Name"),
    ("a wildcard at the start", "*.b"),
    ("only a wildcard", "**"),
    ("an empty segment", "a..b"),
    ("a leading dot", ".a"),
    ("a trailing dot", "a."),
    ("a half-segment wildcard", "a.b*"),
    ("two stars in the middle", "a.**.b"),
    ("a path", "a/b.py"),
    ("a blank", "a b"),
]


@pytest.mark.parametrize(("description", "text"), BROKEN)
def test_what_is_no_pattern_is_refused(description: str, text: str) -> None:
    with pytest.raises(PatternSyntaxError):
        parse(text)


PARTS = [
    ("a.b", ("a", "b"), SUBTREE, None),
    ("a.b.**", ("a", "b"), SUBTREE, None),
    ("a.b.*", ("a", "b"), CHILDREN, None),
    ("a.*.c", ("a", "*", "c"), SUBTREE, None),
    ("a.b:N", ("a", "b"), EXACT, "N"),
    ("a.b.**:N", ("a", "b"), SUBTREE, "N"),
    ("a.b:C.m", ("a", "b"), EXACT, "C.m"),
]


@pytest.mark.parametrize(("text", "segments", "reach", "name"), PARTS)
def test_a_pattern_knows_its_parts(text: str, segments: tuple[str, ...], reach: str, name: str) -> None:
    pattern = parse(text)
    assert (pattern.segments, pattern.reach, pattern.name, pattern.text) == (segments, reach, name, text)


def test_the_tail_is_what_lies_below_the_pattern() -> None:
    assert [parse("a.b").tail(name) for name in ("a.b", "a.b.x", "a.b.x.y")] == ["", "x", "x.y"]


def test_the_literal_ends_before_the_first_wildcard() -> None:
    assert [parse(text).literal for text in ("a.b", "a.*.c", "a.b.*")] == ["a.b", "a", "a.b"]


SPECIFIC = [
    ("the deeper path wins", ["a", "a.b"], "a.b.c", "a.b"),
    ("a literal segment beats a wildcard", ["a.*.c", "a.b.c"], "a.b.c", "a.b.c"),
    ("a wildcard is tried where the literal leads nowhere", ["a.b.x", "a.*.c"], "a.b.c", "a.*.c"),
    ("children beat the subtree around them", ["a.b", "a.b.*"], "a.b.c", "a.b.*"),
    ("what children do not reach falls back to the subtree", ["a.b", "a.b.*"], "a.b.c.d", "a.b"),
    ("of two equal patterns the first stays", ["a.b", "a.b.**"], "a.b", "a.b"),
    ("nothing matches elsewhere", ["a.b"], "b.a", None),
]


@pytest.mark.parametrize(("description", "patterns", "module", "winner"), SPECIFIC)
def test_the_most_specific_pattern_wins(description: str, patterns: list[str], module: str, winner: Any) -> None:
    index: ModuleIndex[str] = ModuleIndex()
    for text in patterns:
        index.add(parse(text), text)
    assert index.get(module) == winner, description


def test_an_index_knows_its_top_level_packages_and_whether_it_is_empty() -> None:
    index: ModuleIndex[str] = ModuleIndex()
    assert not index
    for text in ("a.b", "a.c:N", "z.*"):
        index.add(parse(text), text)
    assert index
    assert index.tops() == {"a", "z"}
