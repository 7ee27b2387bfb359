"""Verdicts: what the records of a run prove about old and new, and what they leave unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.report import render
from ssot_guard.report.model import Report
from ssot_guard.report.select import select
from ssot_guard.violation import Violation

Make = Callable[..., Violation]

USE = {"target": "acme.old", "canonical": "acme.new", "line": 10, "end_line": 12, "file": "a.py"}
NAME = USE | {"code": "SSG102", "target": "acme.old:X", "canonical": "acme.new:X"}
TAKES_X = {"write": "from acme.new import X, Y as Z; from acme.other import W"}
TWIN = {
    "code": "SSG104", "target": "acme.old:X", "canonical": "acme.new:X", "fingerprint": "t", "file": "old.py", "line": 81
}  # fmt: skip
FAILED = {
    "code": "SSG111", "rule": "failed-imports", "target": "acme.old", "fingerprint": "f", "file": "a.py", "line": 10,
    "canonical": None, "details": {"swallowed": False},
}  # fmt: skip
HIDDEN = FAILED | {"details": {"swallowed": True}}

CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], str | None]] = [
    ("nothing else is known", USE, [], "unknown"),
    ("the audit has proven it", USE | {"details": {"verdict": "same"}}, [], "same"),
    ("the audit's proof stands before any sight", USE | {"details": {"verdict": "same"}}, [TWIN], "same"),
    ("no word of the catalogue", USE | {"details": {"verdict": "fine"}}, [], "unknown"),
    ("no successor", USE | {"canonical": None}, [], "absent"),
    ("nobody has decided", USE | {"canonical": None, "status": "contested"}, [], "unknown"),
    ("not a use of something deprecated", USE | {"code": "SSG113"}, [], None),
    ("the name that it takes diverged", USE | {"details": TAKES_X}, [TWIN], "different"),
    ("another name diverged", USE | {"details": {"write": "from acme.new import Other"}}, [TWIN], "unknown"),
    ("it takes everything", USE | {"details": {"write": "from acme.new import *"}}, [TWIN], "different"),
    ("it takes the module", USE | {"details": {"write": "import acme.new"}}, [TWIN], "different"),
    ("it takes the module from its parent", USE | {"details": {"write": "from acme import new as old"}}, [TWIN], "different"),
    ("a name of another module diverged", USE, [TWIN | {"target": "acme.older:X"}], "unknown"),
    ("a name of another rule diverged", USE, [TWIN | {"rule": "other"}], "unknown"),
    ("the deprecated name diverged", NAME, [TWIN], "different"),
    ("another name of its module diverged", NAME, [TWIN | {"target": "acme.old:Y"}], "unknown"),
    ("the import fails", USE, [FAILED], "repair"),
    ("the import fails on a later line", USE, [FAILED | {"line": 12}], "repair"),
    ("the import of the line below fails", USE, [FAILED | {"line": 13}], "unknown"),
    ("it fails in another file", USE, [FAILED | {"file": "b.py"}], "unknown"),
    ("a parent is missing", USE | {"target": "acme.old.deep"}, [FAILED], "repair"),
    ("a namesake is missing", USE | {"target": "acme.older"}, [FAILED], "unknown"),
    ("a name of it is missing", USE, [FAILED | {"target": "acme.old:X"}], "repair"),
    ("the deprecated name is missing", NAME, [FAILED | {"target": "acme.old:X"}], "repair"),
    ("another name of the statement is missing", NAME, [FAILED | {"target": "acme.old:Y"}], "unknown"),
    ("it fails, hidden by a try", USE, [HIDDEN], "awakens"),
    ("it fails sometimes", USE | {"count": 5}, [FAILED | {"count": 4}], "unknown"),
    ("it fails each time", USE | {"count": 5}, [FAILED | {"count": 5}], "repair"),
    ("the new one fails, too", USE, [FAILED, FAILED | {"target": "acme.new", "line": 90}], "unknown"),
    ("the new name fails, too", NAME, [FAILED | {"target": "acme.old:X"}, FAILED | {"target": "acme.new:X", "line": 90}], "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("use", "others", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("last", [False, True], ids=["seen first", "seen last"])
def test_verdict_of_a_use(
    use: dict[str, Any], others: list[dict[str, Any]], expected: str | None, last: object, violation: Make
) -> None:
    found = [violation(**use), *(violation(**other) for other in others)]
    report = Report(reversed(found) if last else found)
    report.judge()
    (row,) = [row for row in report.rows.values() if row.fingerprint == violation().fingerprint]
    assert row.verdict == expected


def test_verdict_survives_a_selection_that_leaves_its_proof_out(violation: Make) -> None:
    report = Report([violation(**USE), violation(**TWIN)])
    chosen = report.select(select(report.rows.values(), ("SSG101",)))
    text = render(chosen, "text")
    assert "  but      DIFFERENT object there: `fix` refuses; see old.py:81\n" in text
    assert "SSG104" not in text


def test_awakening_is_said(violation: Make) -> None:
    text = render(Report([violation(**USE), violation(**HIDDEN)]), "text")
    assert "  but      the import fails today and a `try` hides it: code that is dead would run again\n" in text


def test_contested_use_is_not_told_to_go_away(violation: Make) -> None:
    text = render(Report([violation(**USE | {"canonical": None, "status": "contested"})]), "text")
    assert "  write    nothing yet: nobody has decided which home is the canonical one\n" in text
