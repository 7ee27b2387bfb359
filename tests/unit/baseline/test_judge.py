"""New, known, stale: what a run means for a baseline; and which files were renamed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssot_guard.baseline import Baseline, Key
from ssot_guard.catalogue import CATALOGUE
from ssot_guard.violation import Site

OLD = Key("SSG101", "r", "a.py", "old")
KEYS = st.builds(
    Key,
    st.sampled_from(["SSG101", "SSG102"]),
    st.just("r"),
    st.sampled_from("abc"),
    st.just("old"),
    st.sampled_from(["", "f"]),
)
SITES = st.builds(lambda line, column: Site("", line, column), st.integers(1, 4), st.integers(1, 2) | st.none())
PAIRS = st.lists(st.tuples(KEYS, SITES), max_size=30)
ENTRIES = st.dictionaries(KEYS, st.integers(1, 4))


def at(key: Key, *lines: int) -> list[tuple[Key, Site]]:
    return [(key, Site(key.file, line, 1)) for line in lines]


def lines(found: list[tuple[Key, Site]]) -> list[int | None]:
    return [site.line for _, site in found]


@pytest.mark.parametrize(
    ("allowed", "seen", "known", "new", "stale"),
    [
        (0, [3], [], [3], []),
        (1, [3], [3], [], []),
        (1, [9, 3], [3], [9], []),
        (2, [9, 3, 5, 3, 9], [3, 5], [9], []),
        (3, [3], [3], [], [2]),
        (1, [], [], [], [1]),
    ],
)
def test_sites_beyond_the_allowance_are_new_in_the_order_of_lines(allowed, seen, known, new, stale) -> None:
    judged = Baseline("", {OLD: allowed} if allowed else {}).judge(at(OLD, *seen))
    assert (lines(judged.known), lines(judged.new), [surplus for _, surplus in judged.stale]) == (known, new, stale)


def test_two_sites_on_one_line_are_two() -> None:
    judged = Baseline("", {OLD: 1}).judge([(OLD, Site("", 3, column)) for column in (9, 1, 9)])
    assert [(site.line, site.column) for _, site in judged.new] == [(3, 9)]


@pytest.mark.parametrize("field", range(5))
def test_another_code_rule_file_target_or_scope_is_another_violation(field: int) -> None:
    other = Key(*("x" if at == field else value for at, value in enumerate(OLD)))
    judged = Baseline("", {OLD: 1}).judge(at(other, 1))
    assert (lines(judged.new), judged.stale) == ([1], [(OLD, 1)])


@given(ENTRIES, PAIRS)
def test_every_site_is_judged_once_and_the_result_is_at_rest(entries, pairs) -> None:
    baseline = Baseline("", entries)
    judged = baseline.judge(pairs)
    distinct = {(key, site.line, site.column or 0) for key, site in pairs}
    assert len(judged.new) + len(judged.known) == len(distinct)
    counts = Counter(key for key, _, _ in distinct)
    assert Counter(key for key, _ in judged.known) == {
        key: min(n, entries.get(key, 0)) for key, n in counts.items() if key in entries
    }
    after = baseline.pruned(judged.stale).extended(judged.new)
    assert after.entries == counts
    again = after.judge(pairs)
    assert (again.new, again.stale) == ([], [])


@given(ENTRIES, PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_sights_does_not_matter(entries, pairs, random) -> None:
    def shown(pairs):
        judged = Baseline("", entries).judge(pairs)
        return [[(key, site.line, site.column or 0) for key, site in part] for part in (judged.new, judged.known)]

    before = shown(pairs)
    random.shuffle(pairs)
    assert shown(pairs) == before


@given(ENTRIES, PAIRS)
def test_a_partial_run_judges_only_what_it_looked_at(entries, pairs) -> None:
    whole = Baseline("", entries).judge(pairs)
    part = Baseline("", entries).judge(pairs, looked_at=lambda file, code: file == "a" and code == "SSG101")
    assert part.stale == [(key, n) for key, n in whole.stale if key.file == "a" and key.code == "SSG101"]
    assert (part.new, part.known) == (whole.new, whole.known)


@pytest.mark.parametrize("side", ["runtime", "audit"])
def test_only_the_side_that_sees_a_code_calls_its_entries_stale(side: str) -> None:
    entries = {Key(code, "r", "a.py", "old"): 1 for code in [*CATALOGUE, "SSG999"]}
    stale = {key.code for key, _ in Baseline("", entries).judge([], side=side).stale}
    fleeting = {"SSG115", "SSG204", "SSG206", "SSG501"}  # depend on timing: one quick run proves nothing
    assert stale == {code for code, entry in CATALOGUE.items() if getattr(entry, side)} - fleeting


# -- renamed files ---------------------------------------------------------------------------------------------------


def known(*files: str, target: str = "old") -> dict[Key, int]:
    return {Key("SSG101", "r", file, target, "f"): 2 for file in files}


def seen(*files: str, target: str = "old", lines: tuple[int, ...] = (3, 7)) -> list[tuple[Key, Site]]:
    return [pair for file in files for pair in at(Key("SSG101", "r", file, target, "f"), *lines)]


RENAMES = [
    ("a renamed file", known("a.py"), seen("b.py"), [], {"a.py": "b.py"}),
    ("a moved folder", known("a/x.py", "a/y.py"), seen("b/x.py", "b/y.py"), [], {"a/x.py": "b/x.py", "a/y.py": "b/y.py"}),
    ("crossed names", known("a/x.py", "a/y.py"), seen("b/w.py", "b/x.py"), [], {"a/x.py": "b/x.py", "a/y.py": "b/w.py"}),
    ("the old file is still there", known("a.py"), seen("b.py"), ["a.py"], {}),
    ("the old file still has sites", known("a.py"), seen("a.py", "b.py"), [], {}),
    ("another target", known("a.py"), seen("b.py", target="other"), [], {}),
    ("fewer sites", known("a.py"), seen("b.py", lines=(3,)), [], {}),
    ("more sites", known("a.py"), seen("b.py", lines=(3, 4, 5)), [], {}),
    ("one more violation", known("a.py"), [*seen("b.py"), *seen("b.py", target="other")], [], {}),
    ("a file that is known itself", known("a.py", "b.py"), seen("b.py"), [], {}),
    ("two for one", known("a.py", "b.py"), seen("c.py"), [], {"a.py": "c.py"}),
    ("one for two", known("a.py"), seen("b.py", "c.py"), [], {"a.py": "b.py"}),
    ("no file at all", known(""), seen("b.py"), [], {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "pairs", "there", "renames"), [row[1:] for row in RENAMES], ids=[row[0] for row in RENAMES]
)
def test_a_renamed_file_keeps_its_entries(entries, pairs, there, renames) -> None:
    baseline, found = Baseline("", entries).renamed(pairs, exists=there.__contains__)
    assert found == renames
    judged = baseline.judge(pairs)
    moved = set(renames.values())
    assert not [key for key, _ in judged.new if key.file in moved]
    assert not [key for key, _ in judged.stale if key.file in renames]
    assert sum(baseline.entries.values()) == sum(entries.values())
    assert not baseline.files & renames.keys()
