"""Whatever is in a policy: plain data, or one PolicyError. Never another exception, and never a slow one."""

import datetime as dt
import marshal
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssot_guard.errors import PolicyError
from ssot_guard.policy import fields
from ssot_guard.policy.check import normalise
from ssot_guard.policy.lines import Lines, no_lines
from ssot_guard.policy.load import load_text
from ssot_guard.policy.model import Policy


def words(schema: Any) -> Any:
    """Every key and word of the format, so that the fuzz gets behind the first door."""
    if isinstance(schema, dict):
        found = set(schema.get("properties", ())) | {word for word in schema.get("enum", ()) if isinstance(word, str)}
        return found.union(*map(words, schema.values()))
    return set().union(*map(words, schema)) if isinstance(schema, list) else set()


WORDS = sorted(words(fields.schema()))
PATTERNS = [
    "a",
    "a.b",
    "a.b.c",
    "a.*",
    "a.*.b",
    "a.b.**",
    "a.b:N",
    "a.c:N",
    "a.b:*",
    "b.x",
    "src/a.py",
    "!a",
    "$X",
    "64 MiB",
]
patterns: Any = st.sampled_from(PATTERNS)
texts = st.sampled_from(WORDS) | st.sampled_from(PATTERNS) | st.text(max_size=8)
atoms = texts | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes() | st.times()
keys = st.sampled_from(WORDS) | st.text(max_size=6)
anything = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)


def shaped(table: Any) -> Any:
    """Tables with the right keys and, mostly, values of the right type."""
    optional = {known.name: value_of(known.kind) | anything for known in table.fields}
    return st.fixed_dictionaries({}, optional=optional)


def value_of(kind: Any) -> Any:
    match type(kind).__name__:
        case "Table":
            found = shaped(kind)
        case "Many":
            found = st.lists(value_of(kind.item), max_size=3)
        case "Named":
            found = st.dictionaries(texts, value_of(kind.item), max_size=2)
        case "Either":
            found = st.one_of(*map(value_of, kind.kinds))
        case "Choice":
            found = st.sampled_from(kind.options)
        case name:
            found = {"Flag": st.booleans(), "Number": st.integers(0, 5), "Day": st.dates()}.get(name, patterns)
    return found


def check(data: Any) -> None:
    try:
        plain = normalise(data, file="x", lines=no_lines)
    except PolicyError as error:
        said = [str(problem) for problem in error.problems]
    else:
        said = ["a policy"]
        assert marshal.loads(marshal.dumps(plain, 4)) == plain  # noqa: S302 - written one line above
        assert Policy(plain, source="x", root="/", digest="").rules() is not None
    assert said


@settings(deadline=None, max_examples=300)
@given(anything)
def test_any_data_is_a_policy_or_a_policy_error(data: Any) -> None:
    check(data)


@settings(deadline=None, max_examples=100)
@given(shaped(fields.POLICY))
def test_almost_good_data_is_a_policy_or_a_policy_error(data: Any) -> None:
    check(data)


IMPORT = st.fixed_dictionaries(
    {"deprecated": st.sampled_from(PATTERNS[:10]) | st.lists(st.sampled_from(PATTERNS[:10]), min_size=1, max_size=2)},
    optional={
        "canonical": st.sampled_from(PATTERNS[:10]),
        "names": st.dictionaries(st.sampled_from("NM"), st.sampled_from(PATTERNS[:10]), max_size=1),
        "sides": st.lists(st.sampled_from(["runtime", "audit"]), min_size=1),
    },
)


@settings(deadline=None, max_examples=400)
@given(st.lists(IMPORT, max_size=4))
def test_rules_that_point_at_each_other_are_a_policy_or_a_policy_error(rules: Any) -> None:
    check({"packages": ["a"], "imports": rules})


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="[]{}=.,\"'#\n ab1\\-", max_size=60))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    with suppress(PolicyError):
        load_text(text)
    assert (Lines(text)(("a",)) or 1) >= 1


@pytest.mark.parametrize("moment", [dt.datetime(2027, 1, 1), dt.time(1, 2)])  # noqa: DTZ001 - TOML has local ones
def test_only_a_day_is_a_day(moment: dt.datetime | dt.time) -> None:
    with pytest.raises(PolicyError, match="must be a day"):
        normalise({"imports": [{"deprecated": "a.b", "due": moment}]}, file="x", lines=no_lines)
