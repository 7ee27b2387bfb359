"""Whatever is in a policy: plain data, or one PolicyError. Never another exception, and never a slow one."""

import datetime
import marshal

from hypothesis import given, settings
from hypothesis import strategies as st

from ssot_guard.errors import PolicyError
from ssot_guard.policy import fields
from ssot_guard.policy.check import normalise
from ssot_guard.policy.lines import Lines, no_lines
from ssot_guard.policy.load import load_text
from ssot_guard.policy.model import Policy


def words(schema):
    """Every key and word of the format, so that the fuzz gets behind the first door."""
    if isinstance(schema, dict):
        found = set(schema.get("properties", ())) | {word for word in schema.get("enum", ()) if isinstance(word, str)}
        return found.union(*map(words, schema.values()))
    return set().union(*map(words, schema)) if isinstance(schema, list) else set()


WORDS = sorted(words(fields.schema()))
PATTERNS = ["a", "a.b", "a.b.c", "a.*", "a.*.b", "a.b.**", "a.b:N", "a.c:N", "a.b:*", "b.x", "src/a.py", "!a", "$X", "64 MiB"]
texts = st.sampled_from(WORDS) | st.sampled_from(PATTERNS) | st.text(max_size=8)
atoms = texts | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes() | st.times()
keys = st.sampled_from(WORDS) | st.text(max_size=6)
anything = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)


def shaped(table):
    """Tables with the right keys and, mostly, values of the right type."""
    optional = {known.name: value_of(known.kind) | anything for known in table.fields}
    return st.fixed_dictionaries({}, optional=optional)


def value_of(kind):
    match type(kind).__name__:
        case "Table":
            return shaped(kind)
        case "Many":
            return st.lists(value_of(kind.item), max_size=3)
        case "Named":
            return st.dictionaries(texts, value_of(kind.item), max_size=2)
        case "Either":
            return st.one_of(*map(value_of, kind.kinds))
        case "Choice":
            return st.sampled_from(kind.options)
        case "Flag":
            return st.booleans()
        case "Number":
            return st.integers(0, 5)
        case "Day":
            return st.dates()
        case _:
            return st.sampled_from(PATTERNS)


def check(data):
    try:
        plain = normalise(data, file="x", lines=no_lines)
    except PolicyError as error:
        assert error.problems
        assert str(error)
        return
    assert marshal.loads(marshal.dumps(plain, 4)) == plain
    assert Policy(plain, source="x", root="/", digest="") is not None


@settings(deadline=None, max_examples=300)
@given(anything)
def test_any_data_is_a_policy_or_a_policy_error(data):
    check(data)


@settings(deadline=None, max_examples=100)
@given(shaped(fields.POLICY))
def test_almost_good_data_is_a_policy_or_a_policy_error(data):
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
def test_rules_that_point_at_each_other_are_a_policy_or_a_policy_error(rules):
    check({"packages": ["a"], "imports": rules})


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="[]{}=.,\"'#\n ab1\\-", max_size=60))
def test_any_text_is_a_policy_or_a_policy_error(text):
    try:
        load_text(text)
    except PolicyError as error:
        assert all(problem.message for problem in error.problems)
    lines = Lines(text)
    assert lines(("a",)) is None or lines(("a",)) >= 1


def test_days_of_any_kind_are_told_apart():
    for day in (datetime.datetime(2027, 1, 1), datetime.time(1, 2)):  # noqa: DTZ001 - TOML has local ones
        try:
            normalise({"imports": [{"deprecated": "a.b", "due": day}]}, file="x", lines=no_lines)
        except PolicyError as error:
            assert "must be a day" in str(error)  # noqa: PT017 - the loop has two
        else:
            raise AssertionError
