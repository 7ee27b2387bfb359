"""Formats: what people read, and what machines read."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.report import Options, UnknownFormatError, format_of, formats, render
from ssot_guard.report.model import Report
from ssot_guard.report.select import SelectionError, parse, select
from ssot_guard.violation import Violation

Make = Callable[..., Violation]

SAMPLE = """\
SSG101 registry  src/acme/services/bridge.py:276
  imports  acme.agents.registry            (deprecated, wave1, owner @agents)
  write    from acme.agents.supervisor.agent_registry import AgentRegistry
  but      DIFFERENT object there: `fix` refuses; see src/acme/agents/registry.py:81
  allow    # ssot: ignore[SSG101] <reason>
14 tests reach this line; first: tests/test_x.py::test_y

1 violation (1 new) of 1 rule in 1 file
"""


def sample(violation: Make) -> Report:
    details = {
        "write": "from acme.agents.supervisor.agent_registry import AgentRegistry",
        "verdict": "different",
        "see": "src/acme/agents/registry.py:81",
        "tests": 14,
    }
    return Report([violation(details=details, test="tests/test_x.py::test_y")], rules=["registry", "idle"])


def test_text_is_the_one_in_the_contract(violation: Make) -> None:
    assert render(sample(violation), "text") == SAMPLE


CASES: list[tuple[str, dict[str, Any], str]] = [
    (
        "name",
        {"code": "SSG102", "kind": "name", "target": "a.b:N", "canonical": "c.d:N"},
        "  write    from c.d import N\n",
    ),
    ("module", {}, "  write    import acme.agents.supervisor.agent_registry\n"),
    ("string", {"code": "SSG103", "kind": "string", "canonical": "c.d:N"}, '  write    "c.d.N"\n'),
    ("string verb", {"code": "SSG103", "kind": "string"}, "  names    acme.agents.registry"),
    ("attribute", {"code": "SSG102", "kind": "attribute"}, "  reads    acme.agents.registry"),
    ("unknown kind", {"kind": "telepathy"}, "  uses     acme.agents.registry"),
    ("no successor", {"canonical": None}, "  write    nothing: there is no successor, remove the use\n"),
    ("reason", {"details": {"reason": "two registries (#845)"}}, "  reason   two registries (#845)\n"),
    ("absent", {"details": {"verdict": "absent"}}, "  but      no such name there: `fix` refuses\n"),
    ("known", {"status": "known"}, "(deprecated, known, wave1, owner @agents)"),
    ("rule owner", {"details": {"rule-owner": "@core"}}, "owner @core)"),
    ("no file", {"path": None, "file": None, "line": None}, "SSG101 registry  (unknown file)\n"),
    (
        "other code",
        {"code": "SSG202", "message": "2 live, at most 1"},
        "  found    2 live, at most 1 (too-many-instances",
    ),
    ("other code's advice", {"code": "SSG203"}, "  instead  Call the factory that the rule names.\n"),
    ("code of the future", {"code": "SSG999"}, "(unknown code, wave1, owner @agents)"),
    ("one test", {"test": "tests/x.py::t"}, "\n1 test reaches this line: tests/x.py::t\n"),
    ("control characters", {"target": "a\x1b[2J\nSSG101", "rule": "r\u202e"}, "a\\x1b[2J\\nSSG101"),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_text_says(changes: dict[str, Any], expected: str, violation: Make) -> None:
    text = render(Report([violation(**changes)]), "text")
    assert expected in text
    assert text.replace("\n", "").isprintable()


IGNORED = {"details": {"ignore": "has no reason, so it ignores nothing: # ssot: ignore[SSG101] <reason>"}}


@pytest.mark.parametrize("verbose", [False, True])
def test_comment_that_does_not_count_is_told_with_the_reason_and_once(violation: Make, *, verbose: bool) -> None:
    text = render(Report([violation(**IGNORED)]), "text", Options(verbose=verbose))
    assert "  ignore   has no reason, so it ignores nothing: # ssot: ignore[SSG101] <reason>\n" in text
    assert text.count("# ssot: ignore[SSG101]") == 1


def test_markdown_tells_why_a_comment_does_not_count(violation: Make) -> None:
    cell = "; the ignore comment there `has no reason, so it ignores nothing: # ssot: ignore[SSG101] <reason>` | 1 |"
    assert cell in render(Report([violation(**IGNORED)]), "markdown")


def test_reason_is_said_once(violation: Make) -> None:
    found = violation(code="SSG202", message="2 live (one is enough)", details={"reason": "one is enough"})
    text = render(Report([found]), "text", Options(verbose=True))
    assert text.count("one is enough") == 1


def test_runtime_only_codes_offer_no_comment(violation: Make) -> None:
    assert "ssot: ignore" not in render(Report([violation(code="SSG301")]), "text")


def test_summary_tells_everything_that_was_not_clean(violation: Make) -> None:
    report = Report([violation(), violation(line=1, status="known", count=1234), violation(line=2, status="contested")])
    report.inputs.processes |= {"1.1", "2.2"}
    report.inputs.unparsable.append({"path": "run\n.jsonl", "reason": "2 damaged lines were skipped"})
    report.inputs.stale = 1
    report.inputs.lost = 5
    assert render(report, "text", Options(quiet=True)) == (
        "3 violations (1 new, 1 known, 1 contested) of 1 rule in 1 file, 1,236 executions in 2 processes\n"
        "1 baseline entry is stale\n"
        "not read: run\\n.jsonl: 2 damaged lines were skipped\n"
        "5 executions belong to violations whose first record is missing\n"
    )


def test_nothing_found_is_said(violation: Make) -> None:
    assert render(Report(), "text") == "no violations\n"


def test_colours_change_no_text(violation: Make) -> None:
    rich_text = pytest.importorskip("rich.text")
    report = sample(violation)
    colored = render(report, "text", Options(color=True))
    assert "\x1b[" in colored
    assert rich_text.Text.from_ansi(colored).plain.rstrip("\n") == SAMPLE.rstrip("\n")


def test_markup_in_names_is_text(violation: Make) -> None:
    pytest.importorskip("rich")
    assert "[bold]x[/bold]" in render(Report([violation(target="[bold]x[/bold]")]), "text", Options(color=True))


def test_verbose_adds_how_often_and_the_details(violation: Make) -> None:
    text = render(Report([violation(count=3, scope="f", details={"via": "x"})]), "text", Options(verbose=True))
    assert "  seen     3 times in f, mode observe, recorded, fingerprint 00112233445566aa\n  detail   via = x\n" in text


def test_json_is_schema_1(violation: Make) -> None:
    report = sample(violation)
    report.inputs.files = report.inputs.parsed = 1
    document = json.loads(render(report, "json"))
    assert document["schema"] == 1
    assert document["summary"] == {
        "files": 1, "parsed": 1, "excluded": 0, "unparsable": [],
        "violations": 1, "new": 1, "known": 0, "contested": 0, "stale": 0,
    }  # fmt: skip
    assert document["rules"] == [{"id": "idle", "matched": 0}, {"id": "registry", "matched": 1}]
    (found,) = document["violations"]
    contract = {
        "code": "SSG101",
        "rule": "registry",
        "path": "src/acme/services/bridge.py",
        "line": 276,
        "column": 1,
        "end_line": None,
        "end_column": None,
        "kind": "import",
        "context": None,
        "scope": None,
        "target": "acme.agents.registry",
        "canonical": "acme.agents.supervisor.agent_registry",
        "verdict": "different",
        "owner": "@agents",
        "message": "imports acme.agents.registry",
        "fingerprint": "00112233445566aa",
        "status": "new",
        "count": 1,
    }
    assert contract.items() <= found.items()
    assert (found["tests"], found["first_test"]) == (14, "tests/test_x.py::test_y")


def test_json_carries_what_only_an_interpreter_could_invent(violation: Make) -> None:
    found = violation(path="/a\udc80", file=None, message="\x00", details={1: {object}, "x": float("nan")})
    document = json.loads(render(Report([found]), "json").encode())
    assert document["violations"][0]["path"] == "/a\\udc80"


def test_violations_are_sorted_by_place(violation: Make) -> None:
    report = Report([violation(file="b.py"), violation(line=300), violation(line=5), violation(line=None)])
    assert [(row.path[:1], row.line) for row in report.violations()] == [("b", 276), ("s", None), ("s", 5), ("s", 300)]


def test_formats_are_the_files_of_the_package() -> None:
    assert {"json", "text"} <= set(formats())
    assert not {"filter", "model", "read", "select", "triage", "verdicts"} & set(formats())


@pytest.mark.parametrize(("file", "expected"), [("a.json", "json"), ("a/b.TXT", "text"), ("x.tar.json", "json")])
def test_suffix_names_the_format(file: str, expected: str) -> None:
    assert format_of(file) == expected


@pytest.mark.parametrize("file", ["a", "a.pdf", "a.model", "."])
def test_unknown_suffix_lists_the_formats(file: str) -> None:
    with pytest.raises(UnknownFormatError, match=r"choose one of: .*json"):
        format_of(file)


@pytest.mark.parametrize(
    ("selection", "lines"),
    [
        ("", [1, 2, 3]),
        ("registry", [1]),
        ("SSG201", [2]),
        ("tag:wave2", [3]),
        ("owner:@x", [2]),
        ("owner:@core", [3]),
        (" SSG201 , registry,", [1, 2]),
        ("nothing", []),
        ("registry+owner:@agents", [1]),
        ("registry+owner:@x", []),
        ("registry+owner:@x,SSG201+owner:@x", [2]),
        ("tag:wave2+owner:@core+verdict:unknown", [3]),
        ("verdict:unknown", [1, 3]),
        ("verdict:-", [2]),
        ("owner:-", [3]),
        ("owner:a+b@example.org", []),
    ],
)
def test_selection_keeps(selection: str, lines: list[int], violation: Make) -> None:
    report = Report(
        [
            violation(line=1),
            violation(line=2, code="SSG201", rule="role", owner="@x"),
            violation(line=3, rule="other", owner=None, tags=("wave2",), details={"rule-owner": "@core"}),
        ]
    )
    report.judge()
    assert [row.line for row in select(report.violations(), parse(selection))] == lines


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("SSG110", "did you mean SSG11"),
        ("tag:", "needs a name"),
        ("registry+owner:", "needs a name"),
        ("verdict:diferent", "did you mean different.*choose one of: same, repair"),
    ],
)
def test_impossible_selection_is_an_error(selection: str, message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        parse(selection)


def test_plain_text_needs_no_rich(violation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    out = io.StringIO(render(sample(violation), "text"))
    assert out.getvalue() == SAMPLE
