"""--since and --label: counts are those of the chosen time and processes, and violations keep their description."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ssot_guard.report import filter as filters
from ssot_guard.report.filter import Filter, FilterError
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
from ssot_guard.sinks import Context
from ssot_guard.sinks import record as records
from ssot_guard.violation import Violation

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., Violation]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(hours=24)),
        (" 7d ", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T10:30", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("2026-11-22T10:30Z", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("2026-11-22T10:30+02:00", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
    ],
)
def test_times_and_durations(text: str, expected: datetime) -> None:
    assert filters.since(text, NOW) == int(expected.timestamp()) * NS


@pytest.mark.parametrize("text", ["", "yesterday", "7", "d", "-7d", "1.5h", "2026-13-01", "9" * 30 + "w", "7d 2h"])
def test_no_time_is_an_error_that_shows_how(text: str) -> None:
    with pytest.raises(FilterError, match="is no time: write 24h, 7d, 2026-11-22"):
        filters.since(text, NOW)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], {}),
        (["release=7f3c", "a=b=c", "x="], {"release": "7f3c", "a": "b=c", "x": ""}),
        (["a=1", "a=1"], {"a": "1"}),
    ],
)
def test_labels(texts: list[str], expected: dict[str, str]) -> None:
    assert filters.labels(texts) == expected


@pytest.mark.parametrize("texts", [["release"], ["=x"], [""], ["a=1", "a=2"]])
def test_impossible_labels_are_errors(texts: list[str]) -> None:
    with pytest.raises(FilterError):
        filters.labels(texts)


class Stream:
    """The lines of one process, at chosen times."""

    def __init__(self, pid: int, **labels: str) -> None:
        self.origin = records.Origin(pid)
        self.labels = labels
        self.lines: list[bytes] = []
        self._add(records.header(self.origin, Context(labels=labels)), 0)

    def first(self, found: Violation, time: int) -> Stream:
        return self._add(records.violation(self.origin, found, self.labels), time)

    def more(self, found: Violation, added: int, time: int) -> Stream:
        return self._add(records.count(self.origin, found, added), time)

    def _add(self, record: dict[str, Any], time: int) -> Stream:
        self.lines.append(json.dumps(record | {"time_ns": time}, separators=(",", ":")).encode() + b"\n")
        return self


def counts(folder: Path, chosen: Filter, *lines: bytes) -> tuple[dict[int | None, int], Report]:
    (folder / "x.jsonl").write_bytes(b"".join(lines))
    report = Report()
    read([str(folder)], report, chosen)
    return {row.line: row.count for row in report.violations()}, report


def test_only_what_was_recorded_since_counts(tmp_path: Path, violation: Make) -> None:
    old, both, late = violation(line=1, count=5), violation(line=2, count=3), violation(line=3)
    one = Stream(1).first(old, 10).first(both, 10).more(both, 7, 20).first(late, 30)
    other = Stream(2).first(both, 5).more(both, 2, 19)
    found, report = counts(tmp_path, Filter(20), *one.lines, *other.lines)
    assert found == {2: 7, 3: 1}
    assert report.inputs.processes == {one.origin.process}
    assert report.inputs.lost == 0
    (described, _) = report.violations()
    assert (described.target, described.owner) == ("acme.agents.registry", "@agents")


def test_status_is_that_of_the_chosen_time(tmp_path: Path, violation: Make) -> None:
    before = Stream(1).first(violation(status="new"), 10)
    after = Stream(2).first(violation(status="known"), 30)
    _, report = counts(tmp_path, Filter(20), *before.lines, *after.lines)
    assert [row.status for row in report.violations()] == ["known"]


def test_all_labels_must_be_equal(tmp_path: Path, violation: Make) -> None:
    streams = [
        Stream(1, release="a", region="eu").first(violation(line=1), 1).more(violation(line=1), 9, 2),
        Stream(2, release="b", region="eu").first(violation(line=1), 1).more(violation(line=1), 90, 2),
        Stream(3, release="a").first(violation(line=2), 1),
        Stream(4).first(violation(line=3), 1),
    ]
    lines = [line for stream in streams for line in stream.lines]
    assert counts(tmp_path, Filter(labels={"release": "a"}), *lines)[0] == {1: 10, 2: 1}
    assert counts(tmp_path, Filter(labels={"release": "a", "region": "eu"}), *lines)[0] == {1: 10}
    assert counts(tmp_path, Filter(labels={"release": "b"}), *lines)[0] == {1: 91}
    assert counts(tmp_path, Filter(labels={"release": "c"}), *lines)[0] == {}


def test_order_of_lines_changes_nothing(tmp_path: Path, violation: Make) -> None:
    streams = [
        Stream(1, release="a").first(violation(), 10).more(violation(), 9, 20),
        Stream(2, release="b").first(violation(), 10).more(violation(), 90, 20),
    ]
    lines = [line for stream in streams for line in stream.lines]
    chosen = {"since_ns": 15, "labels": {"release": "a"}}
    assert counts(tmp_path, Filter(**chosen), *lines)[0] == {276: 9}
    assert counts(tmp_path, Filter(**chosen), *reversed(lines))[0] == {276: 9}


def test_what_tells_no_time_and_no_labels_is_left_out(tmp_path: Path, violation: Make) -> None:
    record = records.violation(records.Origin(1), violation(), {})
    del record["time_ns"], record["labels"]
    line = json.dumps(record).encode()
    assert counts(tmp_path, Filter(1), line)[0] == {}
    assert counts(tmp_path, Filter(labels={"a": "b"}), line)[0] == {}
    assert counts(tmp_path, Filter(), line)[0] == {276: 1}
