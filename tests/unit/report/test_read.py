"""Merging JSONL: counts add up over processes and hosts, and no line of production stops the report."""

import json
import sys
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssot_guard.report import model, read, render
from ssot_guard.report.filter import Filter
from ssot_guard.report.model import Report
from ssot_guard.sinks import Context
from ssot_guard.sinks import record as records
from ssot_guard.sinks.jsonl import JsonlSink
from ssot_guard.violation import Violation

Make = Callable[..., Violation]
CODEC = records.Codec()


def lines(*violations: Violation, pid: int = 1) -> bytes:
    origin = records.Origin(pid)
    whole = [records.header(origin, Context()), *(records.violation(origin, found, {}) for found in violations)]
    return b"".join(map(CODEC.line, whole))


def merged(*paths: Path) -> Report:
    report = Report()
    read.read(map(str, paths), report)
    return report


def counts(report: Report) -> dict[int | None, int]:
    return {row.line: row.count for row in report.violations()}


def test_what_the_sink_writes_comes_back(tmp_path: Path, violation: Make) -> None:
    sink = JsonlSink(str(tmp_path), Context())
    found = violation(details={"verdict": "different"}, test="tests/x.py::t", scope="f", end_line=277)
    sink.publish(found)
    sink.publish(found.replace(count=10), repeat=True)
    sink.close([found.replace(count=12)])
    report = merged(tmp_path)
    (row,) = report.violations()
    assert row.path == "src/acme/services/bridge.py"
    assert (row.count, row.end_line, row.scope, row.details, list(row.tests)) == (
        12, 277, "f", {"verdict": "different"}, ["tests/x.py::t"],
    )  # fmt: skip
    assert (report.inputs.files, report.inputs.parsed, report.inputs.lines, report.inputs.damaged) == (1, 1, 4, 0)


def test_internal_errors_of_all_processes_are_told_in_the_summary(tmp_path: Path, violation: Make) -> None:
    for number in range(2):
        sink = JsonlSink(str(tmp_path / f"{number}.jsonl"), Context())
        sink.publish(violation())
        sink.internal_error("imports", "RuntimeError: injected at judge.py:1")
        sink.close()
    report = merged(tmp_path)
    assert report.inputs.internal_errors == {"imports: RuntimeError: injected at judge.py:1": 2}
    assert (report.inputs.damaged, len(report.rows)) == (0, 1)
    text = render(report, "text")
    assert "the guard itself failed, please report it: imports: RuntimeError: injected at judge.py:1 (in 2 proc" in text


def test_same_violation_of_many_processes_is_one_row(tmp_path: Path, violation: Make) -> None:
    for pid in range(5):
        whole = lines(violation(test=f"tests/x.py::t{pid}"), violation(line=9, count=pid), pid=pid)
        (tmp_path / f"{pid}.jsonl").write_bytes(whole)
    report = merged(tmp_path)
    assert counts(report) == {9: 10, 276: 5}
    assert report.violations()[1].test_count == 5
    assert len(report.inputs.processes) == 5


def test_violation_is_told_apart_by_fingerprint_path_line_and_rule(tmp_path: Path, violation: Make) -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"fingerprint": "f"},
        {"file": "other.py"},
        {"line": 1},
        {"rule": "r"},
        {"message": "same"},
    ]
    (tmp_path / "a.jsonl").write_bytes(lines(*(violation(**variant) for variant in variants)))
    assert len(merged(tmp_path).rows) == 5


@pytest.mark.parametrize(
    ("one", "other", "field", "expected"),
    [
        ({"status": "known"}, {"status": "new"}, "status", "new"),
        ({"status": "known"}, {"status": "contested"}, "status", "contested"),
        ({"mode": "strict"}, {"mode": "warn"}, "mode", "strict"),
        ({"action": "recorded"}, {"action": "blocked"}, "action", "blocked"),
        ({"status": "new"}, {"status": "invented"}, "status", "new"),
    ],
)
def test_strongest_sight_wins(one: Any, other: Any, field: str, expected: str, tmp_path: Path, violation: Make) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(violation(**one), violation(**other)))
    assert getattr(merged(tmp_path).violations()[0], field) == expected


def test_count_that_comes_before_its_violation_is_kept(tmp_path: Path, violation: Make) -> None:
    origin = records.Origin(1)
    (tmp_path / "1.jsonl").write_bytes(CODEC.line(records.count(origin, violation(count=10), 9)))
    (tmp_path / "2.jsonl").write_bytes(lines(violation()))
    (tmp_path / "3.jsonl").write_bytes(CODEC.line(records.count(origin, violation(line=5, count=10), 9)))
    report = merged(tmp_path)
    assert counts(report) == {276: 10}
    assert report.inputs.lost == 9


DAMAGE = [
    ("torn at the end", lambda whole: whole + b'{"schema":1,"record":"viol', 1, 0),
    ("torn in the middle", lambda whole: b'{"schema":1,"record":"viol\n' + whole, 1, 0),
    ("torn inside a string", lambda whole: whole[:-30] + b"\n" + whole, 1, 0),
    ("not JSON", lambda whole: b"INFO: started\n" + whole, 0, 1),
    ("JSON of somebody else", lambda whole: b'{"level":"info"}\n' + whole, 0, 1),
    ("blank lines", lambda whole: b"\n\n \n" + whole, 0, 0),
    ("behind a prefix of a log collector", lambda whole: b"2026-11-22T16:17:33Z stdout F " + whole, 0, 0),
    ("glued to other output", lambda whole: b"Loading..." + whole, 0, 0),
    ("without its front", lambda whole: whole[whole.rindex(b'"added"') :] + whole, 0, 0),
    ("without its front and end", lambda whole: b'"added":1}\n' + whole, 1, 0),
    ("a number that is none", lambda whole: whole + whole.replace(b'"added":1,', b'"added":1x,'), 2, 0),
    ("carriage returns", lambda whole: whole.replace(b"\n", b"\r\n"), 0, 0),
    ("a carriage return within a line", lambda whole: b'{"schema":1,\r"x"\n' + whole, 1, 0),
    ("binary", lambda whole: bytes(range(256)) + b"\n" + whole, 0, 2),
    ("another schema", lambda whole: b'{"schema":2,"record":"violation","code":"SSG101","rule":"r"}\n' + whole, 1, 0),
    ("unknown record", lambda whole: b'{"schema":1,"record":"poem"}\n' + whole, 1, 0),
    ("no code", lambda whole: b'{"schema":1,"record":"violation"}\n' + whole, 1, 0),
    ("not an object", lambda whole: b'{"schema":1}[]\n' + whole, 1, 0),
    ("deeply nested", lambda whole: b'{"schema":' + b"[" * 100_000 + b"\n" + whole, 1, 0),
    ("endless line", lambda whole: whole + b'{"schema":1' + b"x" * 3_000_000, 1, 1),
]


@pytest.mark.parametrize(
    ("damage", "damaged", "foreign"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE]
)
def test_damage_is_counted_and_the_rest_is_read(
    damage: Callable[[bytes], bytes], damaged: int, foreign: int, tmp_path: Path, violation: Make
) -> None:
    (tmp_path / "a.jsonl").write_bytes(damage(lines(violation(), violation(line=9))))
    report = merged(tmp_path)
    assert {9, 276} >= set(counts(report)) >= {276}
    assert report.inputs.damaged == damaged
    assert report.inputs.foreign == foreign
    assert bool(report.inputs.unparsable) == bool(damaged)


HOSTILE: list[dict[str, Any]] = [
    {"line": "nine"}, {"line": True}, {"count": "many"}, {"added": -5}, {"tags": "abc"}, {"tags": [1, "t"]},
    {"details": 7},
    {"test": []}, {"file": 7, "path": None}, {"fingerprint": None}, {"message": {"a": 1}},
]  # fmt: skip


@pytest.mark.parametrize("changes", HOSTILE, ids=str)
def test_fields_of_the_wrong_type_break_nothing(changes: dict[str, Any], tmp_path: Path, violation: Make) -> None:
    record = records.violation(records.Origin(1), violation(), {}) | changes
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    (row,) = merged(tmp_path).violations()
    assert row.line is None or row.line == 276
    assert row.count == 1


RAW = [
    b'{"schema":1,"record":"viol', b'{"schema":1,"record":"viol\n', b"INFO: started\n", b'{"level":"info"}\n', b"\n \n",
    b"2026-11-22T16:17:33Z stdout F ", b"Loading...", b"\x00\xff\n", b"\r\n", b'{"schema":1,"record":"count","time_ns":1}\n',
    b'{"schema":1,"record":"count","time_ns":1,"pid":1,"process":"1.1","count":1,',
    b'{"schema":1,"record":"count","time_ns":1,"pid":1,"process":"1.1","count":1,"added":1',
    b'{"schema":1,"record":"count","time_ns":1,"pid":1,"process":"1.1","count":1,"added":1,"code":"SSG101"',
]  # fmt: skip
PIECES = st.lists(
    st.one_of(
        st.tuples(st.just("violation"), st.integers(0, 3), st.integers(0, 30)),
        st.tuples(st.just("count"), st.integers(0, 3), st.integers(0, 10**20)),
        st.tuples(st.just("header"), st.just(0), st.just(0)),
        st.sampled_from(RAW),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=PIECES, cut=st.integers(0, 400), chunk=st.sampled_from([1 << 18, 100, 7]))
def test_counting_equal_ends_gives_what_looking_at_each_line_gives(
    pieces: list[tuple[str, int, int] | bytes], cut: int, chunk: int, tmp_path: Path, violation: Make
) -> None:
    whole = b"".join(map(piece, pieces, repeat(violation)))
    (tmp_path / "a.jsonl").write_bytes(whole[:-cut] if cut else whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "_CHUNK", chunk)
        reports = [Report(), Report()]
        read.read([str(tmp_path)], reports[0])
        read.read([str(tmp_path)], reports[1], Filter(since_ns=1))
    one, other = reports
    assert one.violations() == other.violations()
    for name in ("lines", "damaged", "foreign", "lost", "unparsable"):
        assert getattr(one.inputs, name) == getattr(other.inputs, name), name


def piece(given: tuple[str, int, int] | bytes, violation: Make) -> bytes:
    if isinstance(given, bytes):
        return given
    kind, number, count = given
    origin = records.Origin(number)
    found = violation(line=number, count=count, test=f"t::{number}")
    made = {
        "header": lambda: records.header(origin, Context()),
        "violation": lambda: records.violation(origin, found, {}),
        "count": lambda: records.count(origin, found, count),
    }
    return CODEC.line(made[kind]())


def test_missing_file_is_named(tmp_path: Path, violation: Make) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(violation()))
    report = merged(tmp_path / "missing.jsonl", tmp_path / "a.jsonl")
    assert report.inputs.unparsable == [
        {"path": str(tmp_path / "missing.jsonl"), "reason": "No such file or directory"}
    ]
    assert len(report.rows) == 1


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_lines_may_lie_across_chunks(
    size: int, tmp_path: Path, violation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "_CHUNK", size)
    (tmp_path / "a.jsonl").write_bytes(lines(*(violation(line=number % 7) for number in range(50))))
    assert counts(merged(tmp_path)) == {line: 8 if line == 0 else 7 for line in range(7)}


def test_forgetting_tails_changes_nothing(tmp_path: Path, violation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_MOST_TAILS", 2)
    (tmp_path / "a.jsonl").write_bytes(lines(*(violation(line=number % 5) for number in range(100))))
    assert counts(merged(tmp_path)) == dict.fromkeys(range(5), 20)


@pytest.mark.skipif(sys.platform == "win32", reason="resource is POSIX only")
def test_memory_does_not_follow_the_number_of_lines(tmp_path: Path, violation: Make) -> None:
    import tracemalloc

    whole = lines(*(violation(line=number) for number in range(100)))
    peaks = []
    for repeats in (20, 200):
        (tmp_path / "a.jsonl").write_bytes(whole * repeats)
        tracemalloc.start()
        merged(tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_reading_needs_no_orjson(tmp_path: Path, violation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "find_spec", lambda name: None)
    (tmp_path / "a.jsonl").write_bytes(lines(violation()))
    assert len(merged(tmp_path).rows) == 1


def test_live_violations_make_the_same_rows(tmp_path: Path, violation: Make) -> None:
    found = [violation(details={"see": "a.py:1"}), violation(line=3, count=4)]
    (tmp_path / "a.jsonl").write_bytes(lines(*found))
    assert merged(tmp_path).violations() == Report(found).violations()
    assert model.SCHEMA == 1
