"""A sequence that cannot be meant is refused, at the character where it goes wrong."""

from typing import Any

import pytest

from ssot_guard.errors import PolicyError
from ssot_guard.policy.load import load_text
from ssot_guard.policy.sequence import complaint

# (text, where the caret stands, what the message says)
REFUSED = [
    ("", 1, "a name is missing"),
    ("   ", 4, "a name is missing"),
    ("a (b", 3, "`(` is never closed"),
    ("a (b | {c", 8, "`{` is never closed"),
    ("a (", 3, "`(` is never closed"),
    ("a (b }", 6, "`}` closes nothing: `(` is open"),
    ("a {b )", 6, "`)` closes nothing: `{` is open"),
    ("a b) c", 4, "`)` closes nothing"),
    ("a () b", 4, "a name is missing"),
    ("a {} b", 4, "a name is missing"),
    ("a | | b", 5, "a name is missing"),
    ("| a", 1, "a name is missing"),
    ("a (b |) c", 7, "a name is missing"),
    ("a |", 4, "a name is missing"),
    ("* a", 1, "`*` repeats nothing"),
    ("a (+ b)", 4, "`+` repeats nothing"),
    ("a** b", 3, "`*` stands behind `*`"),
    ("(a b)+? c", 7, "`?` stands behind `+`"),
    ("a, b", 2, "`,` has no meaning here"),
    ("a -> b", 4, "`>` has no meaning here"),
    ("a 'b'", 3, "`'` has no meaning here"),
    ("a {b {c d}* e}*", 6, "`{` stands inside of `{`"),
    ("a {b (c | {d}*)}*", 11, "`{` stands inside of `{`"),
    ("a {b c} d", 3, "never follows itself, so nothing can overlap"),
    ("({b c} t)*", 2, "never follows itself, so nothing can overlap"),
    ("a {b? c*}* d", 3, "may be empty"),
    ("a {b c b}* d", 8, "`b` stands twice in a group that may overlap"),
    ("a {b+ c}* d", 4, "`b` may start an instance of this group or continue another one"),
    ("a {(b x? | c y?) d}* e", 18, "instances after `b` and `c` may both wait for `d`"),
    ("a {b c?}* c", 11, "`c` may continue the group before it or come after it"),
    ("a (b | {b c}*) d", 9, "`b` may start a group that overlaps or stand outside of it"),
    ("({a b} | {a c})*", 11, "`a` may start a group that overlaps or stand outside of it"),
    ("a? {a b}*", 5, "`a` may start a group that overlaps or stand outside of it"),
    ("a (b b | b {b c}*) d", 13, "`b` may start a group that overlaps or stand outside of it"),
    ("(" * 60 + "a" + ")" * 60, 51, "nested too deeply"),
    (" ".join(f"n{number}" for number in range(300)), 891, "at most 200 names"),
]
ACCEPTED = [
    "a",
    "a*",
    "(a | b)* c",
    "run.started run:step-1/x* run_ended",
    "größer* ende",
    "a{b c}*d",
    "a|b(c|d)+e?",
    "a\n  (b | c)*\n  d",
    "{a}*",
    "{a b? c}+",
    "{a | b c}* d",
    "a {b c}* d {b c}* e",
    "({a b} | {c d} | e)*",
    "({a b}* c)+",
    "(" * 49 + "a" + ")" * 49,
    "(" + " | ".join(f"n{number}" for number in range(200)) + ")*",
    "(" + " | ".join(["a"] * 15) + " | {b c})*",
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_message_points_at_the_character(text: str, column: int, message: str) -> None:
    found = complaint(text)
    assert found is not None
    head, shown, caret = found.split("\n")
    place, _, reason = head.partition(": ")

    assert (place, message in reason) == (f"column {column}", True), found
    pointed = shown[caret.index("^") : caret.index("^") + 1]
    assert pointed == text[column - 1 : column].strip()
    assert len(shown) <= 130


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda text: text[:40])
def test_a_good_sequence_has_no_complaint(text: str) -> None:
    assert complaint(text) is None


def test_in_a_text_of_several_lines_the_line_is_named() -> None:
    assert complaint("a\n  (b | c\n  d") == "line 2, column 3: `(` is never closed\n      (b | c\n      ^"


def test_many_alternatives_that_begin_alike_are_refused_in_time() -> None:
    text = "(" + " | ".join(["a b"] * 90) + ")* {c d}*"

    assert "too many alternatives" in (complaint(text) or "")


EVENT = 'packages = ["a"]\n[[events]]\nrun = "run_id"\nsequence = "x (y | {t u})* z"\n'
TABLES = [
    ('emitter = ["a.b:E.emit"]\nevent = { "E.one" = "x", "E.two" = "y" }', None, ""),
    ('emitter = ["a.b:E"]\nevent = { "E.one" = "x" }', None, ""),
    ('emitter = ["a.b:one", "a.c:two"]\nevent = { one = "x", two = "t" }', None, ""),
    ('emitter = ["a.b:E.emit"]\nevent = {}', "events[0].event", "names no event"),
    ('emitter = ["a.b:E.emit"]\nevent = { "F.one" = "x" }', 'events[0].event."F.one"', "is no method beside one of"),
    ('emitter = ["a.b:E.emit"]\nevent = { one = "x" }', "events[0].event.one", "is no method beside one of"),
    ('emitter = ["a.b:E.emit"]\nevent = { "E.one" = "z2" }', 'events[0].event."E.one"', "'z2' is not in `sequence`"),
]


@pytest.mark.parametrize(("text", "key", "message"), TABLES)
def test_a_table_of_events_names_methods_of_emitters_and_events_of_the_sequence(
    text: str, key: str | None, message: str
) -> None:
    found: Any = ()
    try:
        load_text(EVENT + text)
    except PolicyError as error:
        found = error.problems

    assert [problem.key for problem in found] == ([] if key is None else [key])
    assert message in str(found[0] if found else "")


def test_the_policys_problem_shows_the_place_in_the_text() -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(EVENT.replace("(y", "{y") + 'emitter = ["a.b:E.emit"]\nevent = "name"', "/x/ssot-guard.toml")

    assert str(caught.value) == (
        "/x/ssot-guard.toml:4: events[0].sequence: column 8: `{` stands inside of `{`: only one group can overlap at a time\n"
        "    x {y | {t u})* z\n"
        "           ^"
    )
