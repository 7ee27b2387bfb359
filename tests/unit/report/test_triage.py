"""Triage: what to do first, and the next command to paste."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.report import Options, render_triage
from ssot_guard.report.model import Report
from ssot_guard.report.select import parse, select
from ssot_guard.report.triage import Inputs, groups
from ssot_guard.violation import Violation

Make = Callable[..., Violation]
FOUND = Inputs(("found",))

SAMPLE = """\
registry  (different, owner @agents, SSG101)
  edits    2 places in 1 file, reached by 2 tests; frees 2, 1.0 per edit
  at       src/a.py:1  acme.agents.registry  (1,201 times, 2 tests)
  at       src/a.py:2  acme.agents.registry  (1 time, 1 test)
  reason   two registries
  next     ssot-guard report found --select registry+verdict:different+owner:@agents
           ssot-guard explain SSG104

cache  (unknown, no owner, SSG101)
  edits    5 places in 1 file
  at       src/b.py:0  acme.agents.registry  (1 time)
  at       src/b.py:1  acme.agents.registry  (1 time)
  at       src/b.py:2  acme.agents.registry  (1 time)
           … and 2 more
  next     ssot-guard report found --select cache+verdict:unknown+owner:-
           ssot-guard explain SSG101

different: another object lies at the new path: decide first which of them is the truth
unknown: these records do not show whether old and new are the same object; only the audit's proof will
7 violations (7 new) of 2 rules in 2 files
"""


def sample(violation: Make) -> Report:
    reason = {"verdict": "different", "reason": "two registries"}
    return Report(
        [
            *(violation(rule="cache", file="src/b.py", line=line, owner=None) for line in range(5)),
            violation(file="src/a.py", line=1, count=1200, test="t::one", details=reason),
            violation(file="src/a.py", line=1, test="t::two", details=reason),
            violation(file="src/a.py", line=2, test="t::two", details=reason),
        ]
    )


def test_text_is_grouped_ordered_and_ends_with_commands(violation: Make) -> None:
    assert render_triage(sample(violation), "text", FOUND) == SAMPLE


def test_json_has_groups_instead_of_violations(violation: Make) -> None:
    document = json.loads(render_triage(sample(violation), "json", FOUND))
    assert "violations" not in document
    first, second = document["groups"]
    assert (first["rule"], first["verdict"], first["owner"]) == ("registry", "different", "@agents")
    assert (first["edits"], first["files"], first["tests"], first["tests_freed"]) == (2, 1, 2, 2)
    assert (second["owner"], second["executions"], second["new"], second["tests_exact"]) == (None, 5, 5, True)
    assert [place["line"] for place in second["places"]] == [0, 1, 2, 3, 4]
    assert first["next"][-1] == "ssot-guard explain SSG104"
    assert set(document["verdicts"]) == {"different", "unknown"}


def test_markdown_has_a_section_for_each_group(violation: Make) -> None:
    text = render_triage(sample(violation), "markdown", FOUND)
    assert "### `registry`: different, `@agents`\n" in text
    assert "2 edits in 1 file, 1,202 executions. Reached by 2 tests, frees 2\n" in text
    assert "- [`src/a.py:1`](src/a.py#L1) `acme.agents.registry` (1,201 times, 2 tests)\n" in text
    assert "- `ssot-guard report found --select cache+verdict:unknown+owner:-`\n" in text


@pytest.mark.parametrize("name", ["text", "json", "markdown"])
def test_quiet_leaves_the_totals(name: str, violation: Make) -> None:
    text = render_triage(sample(violation), name, FOUND, Options(quiet=True))
    assert "src/a.py" not in text
    assert "7" in text


def test_verbose_lists_all_places(violation: Make) -> None:
    text = render_triage(sample(violation), "text", FOUND, Options(verbose=True))
    assert "src/b.py:4" in text
    assert "more\n" not in text


# Rows: (rule, line, tests, count); expected: (rule, freed tests) in order.
RANKS: list[tuple[str, list[tuple[str, int, str, int]], list[tuple[str, int]]]] = [
    ("more tests per edit come first", [("a", 1, "x", 9), ("a", 2, "", 9), ("b", 3, "y", 1)], [("b", 1), ("a", 1)]),
    ("else more executions", [("a", 1, "", 1), ("b", 2, "", 9)], [("b", 0), ("a", 0)]),
    ("else by name", [("b", 1, "", 1), ("a", 2, "", 1)], [("a", 0), ("b", 0)]),
    ("a test that two groups hold is freed by neither", [("a", 1, "x", 1), ("b", 2, "x", 1)], [("a", 0), ("b", 0)]),
    ("one statement that breaks two rules is one edit", [("a", 1, "x", 1), ("b", 1, "x", 1)], [("a", 1), ("b", 1)]),
    ("tests that need two places of a group", [("a", 1, "x", 1), ("a", 2, "x", 1)], [("a", 1)]),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in RANKS], ids=[case[0] for case in RANKS])
def test_rank(rows: list[tuple[str, int, str, int]], expected: list[tuple[str, int]], violation: Make) -> None:
    report = Report(violation(rule=rule, line=line, test=test or None, count=count) for rule, line, test, count in rows)
    assert [(group.rule, group.freed) for group in groups(report, FOUND)] == expected


def test_what_fails_no_test_holds_none(violation: Make) -> None:
    report = Report([violation(test="x"), violation(code="SSG112", rule="cycles", line=1, test="x")])
    assert {group.rule: group.freed for group in groups(report, FOUND)} == {"registry": 1, "cycles": 0}


@pytest.mark.parametrize(
    ("tests", "test", "expected"),
    [
        (14, "t::x", (14, 14, False)),
        (["t::x", "t::y", 7], "t::x", (2, 2, True)),
        (True, None, (0, 0, True)),
        (None, "t::x", (1, 1, True)),
    ],
)
def test_tests_may_be_counted_or_named(tests: Any, test: str | None, expected: object, violation: Make) -> None:
    (group,) = groups(Report([violation(test=test, details={"tests": tests})]), FOUND)
    assert (group.tests, group.freed, group.exact) == expected


def test_suppressed_ones_need_no_edit(violation: Make) -> None:
    assert groups(Report([violation(status="suppressed")]), FOUND) == []


@pytest.mark.parametrize(
    ("inputs", "changes", "expected"),
    [
        (Inputs(("a b.jsonl",)), {}, ["ssot-guard report 'a b.jsonl' --select registry+verdict:unknown+owner:@agents"]),
        (
            Inputs(("f",), filters=("--since", "7d", "--label", "r=1")),
            {"owner": None},
            ["ssot-guard report f --since 7d --label r=1 --select registry+verdict:unknown+owner:-"],
        ),
        (Inputs(("-",)), {}, []),
        (Inputs(tuple("abcdefghi")), {}, []),
        (Inputs(("a\n",)), {}, []),
        (Inputs(("f",)), {"owner": "a,b"}, []),
        (Inputs(("f",)), {"rule": "x; rm -rf"}, ["ssot-guard report f --select 'x; rm -rf+verdict:unknown+owner:@agents'"]),
        (Inputs(("f",), ()), {}, [..., "ssot-guard check-policy --import"]),
        (Inputs(("f",), ("--policy", "p q")), {}, [..., "ssot-guard check-policy --import --policy 'p q'"]),
        (Inputs(("f",), ()), {"canonical": None}, [..., "ssot-guard explain SSG101"]),
        (Inputs(("f",), ()), {"code": "SSG113"}, [..., "ssot-guard explain SSG113"]),
    ],
)  # fmt: skip
def test_next_commands(inputs: Inputs, changes: dict[str, Any], expected: list[Any], violation: Make) -> None:
    (group,) = groups(Report([violation(**changes)]), inputs)
    if expected[:1] == [...]:
        assert list(group.commands[1:]) == expected[1:]
    else:
        assert list(group.commands[:-1]) == expected


def test_the_command_that_lists_a_group_lists_exactly_this_group(violation: Make) -> None:
    report = Report(
        [
            violation(line=1),
            violation(line=2, owner=None),
            violation(line=3, canonical=None),
            violation(line=4, rule="cache"),
            violation(line=5, owner="me+ssot@example.org"),
            violation(line=6, code="SSG104", owner="@agents"),
        ]
    )
    for group in groups(report, FOUND):
        selection = group.commands[0].rpartition(" ")[2]
        assert list(select(report.rows.values(), parse(selection))) == list(group.rows)
    assert len(groups(report, FOUND)) == 6
