"""Markdown for a pull request: what is in it, that nothing from records can become markup, and that it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.report import Options, format_of, formats, markdown, render, render_triage
from ssot_guard.report.model import Report
from ssot_guard.report.triage import Inputs
from ssot_guard.sinks.plain import visible
from ssot_guard.violation import Violation

Make = Callable[..., Violation]
LIMIT = 65_536

SAMPLE = """\
## ssot-guard

**3 violations (2 new, 1 known) of 1 rule in 2 files**

### `@agents`: 2 violations (1 new, 1 known)

| where | code | rule | target | write instead | count | status |
|---|---|---|---|---|--:|---|
| [`src/acme/b.py:276`](src/acme/b.py#L276) | `SSG101` | `registry` | `acme.agents.registry` | `import acme.new`, but ``DIFFERENT object there: `fix` refuses; see a.py:81`` | 1,200 | new |
| [`src/acme/a.py:276`](src/acme/a.py#L276) | `SSG101` | `registry` | `acme.agents.registry` | `import acme.new` | 1 | known |

### Nobody's files: 1 violation (1 new)

| where | code | rule | target | write instead | count | status |
|---|---|---|---|---|--:|---|
| [`src/acme/b.py:3`](src/acme/b.py#L3) | `SSG101` | `registry` | `acme.agents.registry` | `import acme.new` | 1 | new |

### Why

- `registry`: `two registries lost events (#845)`
"""


def test_there_are_totals_and_a_table_for_each_owner_with_new_ones_first(violation: Make) -> None:
    reason = {"reason": "two registries lost events (#845)"}
    different = reason | {"verdict": "different", "see": "a.py:81"}
    common = {"canonical": "acme.new"}
    report = Report(
        [
            violation(file="src/acme/b.py", line=3, owner=None, details=reason, **common),
            violation(file="src/acme/a.py", status="known", details=reason, **common),
            violation(file="src/acme/b.py", count=1200, details=different, **common),
        ]
    )
    assert render(report, "markdown") == SAMPLE


def test_markdown_is_a_format_with_the_suffix_md() -> None:
    assert "markdown" in formats()
    assert format_of("report.md") == "markdown"


def test_nothing_found_is_said_without_tables(violation: Make) -> None:
    assert render(Report(), "markdown") == "## ssot-guard\n\n**no violations**\n"
    quiet = render(Report([violation()]), "markdown", Options(quiet=True))
    assert quiet == "## ssot-guard\n\n**1 violation (1 new) of 1 rule in 1 file**\n"


def test_what_was_not_clean_stands_below_the_totals(violation: Make) -> None:
    report = Report([violation()])
    report.inputs.unparsable += [{"path": f"{number}\n.jsonl", "reason": "gone"} for number in range(25)]
    text = render(report, "markdown")
    assert "\n- `not read: 0\\n.jsonl: gone`\n" in text
    assert "\n- … and 5 more such notes\n" in text


@pytest.mark.parametrize(
    ("file", "tree", "expected"),
    [
        ("src/a b/(x).py", "", "[`src/a b/(x).py:7`](src/a%20b/%28x%29.py#L7)"),
        ("src/a.py", "https://example.org/r/blob/c/", "[`src/a.py:7`](https://example.org/r/blob/c/src/a.py#L7)"),
        ("/srv/app/a.py", "", "`/srv/app/a.py:7`"),
        ("//evil.example/a.py", "", "`//evil.example/a.py:7`"),
        ("../../settings/a.py", "", "`../../settings/a.py:7`"),
        ("<string>", "", "`<string>:7`"),
        ("javascript:alert(1)", "", "`javascript:alert(1):7`"),
        ("C:\\app\\a.py", "", "`C:\\app\\a.py:7`"),
    ],
)
def test_place_is_a_link_where_it_lies_in_the_tree(file: str, tree: str, expected: str, violation: Make) -> None:
    text = render(Report([violation(file=file, line=7)]), "markdown", Options(tree=tree))
    assert f"| {expected} |" in text


def test_advice_of_the_catalogue_needs_no_care() -> None:
    assert not [entry.code for entry in CATALOGUE.values() if "\n" in entry.write or len(entry.write) > 300]


# -- nothing can break out ------------------------------------------------------------------------------------------

NASTY = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="|`\\<>[]()*_#!&;:/@~-+ \n\r\t\x1b\u202e\u2028\ud800a", max_size=40),
    st.sampled_from(
        [
            "</td></table><script>alert(1)</script>", "a|b\\|c\\\\|d", "`", "``` ```", "\\`", "| --- |", "\n\n# x", "--",
            "@everyone", "https://evil.example", "[x](javascript:1)", "![x](y)", "&lt;b&gt;", "<!-- -->", " ` ", "\x00",
        ]
    ),
)  # fmt: skip


def tokens(text: str) -> list[tuple[str, str]]:
    """(kind, content) of everything in a Markdown text, links as their address."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    found = []
    for block in parser.parse(text):
        if block.type != "inline":
            found.append((block.type, ""))
        for inline in block.children or ():
            content = str(inline.attrs["href"]) if inline.type == "link_open" else inline.content
            found.append((inline.type, content))
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=NASTY, target=NASTY, write=NASTY, owner=NASTY, reason=NASTY, file=NASTY, see=NASTY)
def test_text_from_records_stays_text(violation: Make, **texts: str) -> None:
    harmless = {name: f"harmless-{name}" for name in texts} | {"file": "/harmless"}
    shapes = []
    for given_texts in (harmless, texts | {"file": "/" + texts["file"]}):
        chosen = {name: text or "x" for name, text in given_texts.items()}
        details = {"verdict": "different", **{name: chosen.pop(name) for name in ("write", "reason", "see")}}
        report = Report([violation(details=details, **chosen)])
        inputs = Inputs(("found",), ())
        found = tokens(render(report, "markdown")) + tokens(render_triage(report, "markdown", inputs))
        spans = {content for kind, content in found if kind == "code_inline"}
        assert {visible(chosen["target"]), visible(chosen["rule"])} <= spans
        shapes.append([(kind, "" if kind == "code_inline" else content) for kind, content in found])
    # The command that lists the group is left out where it could not be pasted.
    assert [part for part in shapes[1] if part[1] != ""] == [part for part in shapes[0] if part[1] != ""]
    assert {kind for kind, _ in shapes[1]} <= {kind for kind, _ in shapes[0]}


@settings(max_examples=300, deadline=None)
@given(text=NASTY)
def test_a_code_span_shows_exactly_its_text(text: str) -> None:
    shown = visible(text)
    expected = ("code_inline", shown) if shown else ("text", "x-y")
    assert expected in tokens(f"x{markdown.code(text)}y")


def test_the_check_for_markup_can_fail() -> None:
    assert ("html_inline", "<b>") in tokens("a <b>c</b>")


# -- it fits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owners", [1, 7, 5000])
@pytest.mark.parametrize("target", ["acme.agents.registry", "é" * 8000])
def test_a_large_report_is_cut_at_rows_and_says_so(owners: int, target: str, violation: Make) -> None:
    found = [
        violation(
            fingerprint=f"{number:x}", line=number, target=target, owner=f"@{number % owners:04}",
            details={"reason": target}, rule=f"r{number % 300}",
        )
        for number in range(5000)
    ]  # fmt: skip
    text = render(Report(found), "markdown")
    assert len(text.encode()) <= LIMIT
    assert len(text.encode()) > LIMIT * 0.8
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert all(line.endswith("| 1 | new |") for line in rows)
    left = [
        int(word.replace(",", ""))
        for line in text.splitlines()
        if line.startswith("… and ")
        for word in [line.split()[2]]
    ]
    assert len(rows) + sum(left) == 5000
    assert owners == 5000 or text.count("\n### `@") == owners  # each owner gets a share


def test_a_cut_report_keeps_what_is_new(violation: Make) -> None:
    known = [violation(fingerprint=f"{number:x}", line=number, status="known") for number in range(2000)]
    text = render(Report([*known, violation(line=9999)]), "markdown")
    assert "`src/acme/services/bridge.py:9999`" in text


@pytest.mark.parametrize("details", [{}, {"reason": "x" * 9000}])
def test_a_large_triage_is_cut_at_groups_and_says_so(details: dict[str, Any], violation: Make) -> None:
    found = [violation(rule=f"r{number}", line=number, details=details) for number in range(3000)]
    text = render_triage(Report(found), "markdown", Inputs(("found",)))
    assert len(text.encode()) <= LIMIT
    shown = text.count("\n### ")
    assert text.endswith(f"\n… and {3000 - shown:,} more groups: too long for one comment.\n")
