"""Merging two branches' baselines, entry by entry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssot_guard.baseline import Baseline, Key
from ssot_guard.baseline.merge import merged

KEY = Key("SSG101", "r", "a.py", "old")
BASELINES = st.builds(
    Baseline,
    st.just(""),
    st.dictionaries(st.sampled_from([Key("SSG101", "r", file, "old") for file in "abcd"]), st.integers(1, 3)),
)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "after", "why"),
    [
        (1, 0, 1, 0, "ours repaired it"),
        (1, 1, 0, 0, "theirs repaired it"),
        (1, 0, 0, 0, "both repaired it"),
        (3, 2, 2, 2, "both repaired one, perhaps the same"),
        (3, 0, 2, 0, "ours repaired all"),
        (0, 1, 0, 1, "ours added it"),
        (0, 1, 1, 1, "both added it"),
        (0, 2, 1, 2, "both added some"),
        (2, 1, 3, 2, "ours repaired one, theirs added one"),
        (1, 0, 2, 1, "ours repaired the only one, theirs added another"),
    ],
)
def test_counts_are_merged(base, ours, theirs, after, why) -> None:
    one, two, three = (Baseline("", {KEY: count} if count else {}) for count in (base, ours, theirs))
    assert merged(one, two, three).allowance(KEY) == after, why


@given(BASELINES, BASELINES, BASELINES)
def test_merging_is_symmetric_and_an_unchanged_side_gives_way(base, ours, theirs) -> None:
    assert merged(base, ours, theirs).dump() == merged(base, theirs, ours).dump()
    assert merged(base, ours, base).dump() == ours.dump()
    assert merged(base, ours, ours).dump() == ours.dump()


def test_lines_of_files_without_entries_are_merged_too() -> None:
    other = Key("SSG101", "r", "z.py", "old")
    base, ours, theirs = (Baseline("", {other: 1}, files) for files in (["a", "b"], ["b", "c"], ["a", "b"]))
    assert merged(base, ours, theirs).files == {"b", "c", "z.py"}
