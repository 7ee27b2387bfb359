"""The JSONL sink where it cannot write: full disk, closed pipe, stolen descriptor. Counted, and never felt."""

import errno
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.sinks import Context, append, jsonl
from ssot_guard.sinks.jsonl import JsonlSink
from ssot_guard.violation import Violation

Make = Callable[..., Violation]
Read = Callable[[Path], list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[str]]
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full_disk_is_counted_and_not_asked_again_for_every_record(
    violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = JsonlSink("/dev/full", context)
    opened: list[str] = []

    def counted(path: str) -> int:
        opened.append(path)
        return append.open_append(path)

    monkeypatch.setattr(jsonl, "open_append", counted)
    for line in range(1000):
        sink.publish(violation(line=line))
    assert sink.dropped == 1000
    assert len(opened) == 1
    sink.close([violation(line=line) for line in range(1000)])
    assert sink.dropped == 2000


def test_what_failed_is_sent_again_whole(
    tmp_path: Path, violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    now = 0.0
    monkeypatch.setattr(jsonl, "monotonic", lambda: now)
    (tmp_path / "parent").touch()  # a file: root may write anywhere, but not below this
    sink = JsonlSink(str(tmp_path / "parent" / "logs"), context)
    sink.publish(violation())
    sink.publish(violation(line=9))
    assert sink.dropped == 2
    (tmp_path / "parent").unlink()
    now = 0.9
    sink.publish(violation(count=10), repeat=True)
    assert sink.dropped == 3
    now = 1.1
    sink.publish(violation(count=100), repeat=True)
    sink.close([violation(count=100), violation(line=9)])
    records = read(next((tmp_path / "parent" / "logs").iterdir()))
    assert [(record["record"], record.get("line"), record.get("added")) for record in records] == [
        ("header", None, None), ("violation", 276, 100), ("violation", 9, 1),
    ]  # fmt: skip
    assert sink.dropped == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EAGAIN, errno.EPIPE, errno.EIO, errno.EBADF, errno.EFBIG])
def test_failing_write_never_reaches_the_host(
    number: int, tmp_path: Path, violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    def fail(fd: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    sink.publish(violation())
    with monkeypatch.context() as patch:
        patch.setattr("ssot_guard.sinks.append.os.write", fail)
        sink.publish(violation(line=2))
    assert sink.dropped == 1
    sink.close([violation(), violation(line=2)])
    assert [record["line"] for record in read(tmp_path / "run.jsonl") if record["record"] == "violation"] == [276, 2]


def test_line_after_a_short_write_starts_on_a_line_of_its_own(
    tmp_path: Path, violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.write, iter(range(10))

    def short(fd: int, data: bytes) -> int:
        if next(calls):
            raise OSError(errno.ENOSPC, "full")
        return real(fd, data[:30])

    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    sink.publish(violation())
    with monkeypatch.context() as patch:
        patch.setattr("ssot_guard.sinks.append.os.write", short)
        sink.publish(violation(line=2))
    sink.close([violation(), violation(line=2)])
    lines = (tmp_path / "run.jsonl").read_bytes().splitlines()
    assert len(lines[2]) == 30
    assert json.loads(lines[3])["line"] == 2


def test_hostile_fields_are_counted_at_most(tmp_path: Path, violation: Make, context: Context, read: Read) -> None:
    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    sink.publish(violation(details={"x": object(), 1: {2: b"\xff"}}, path="/a\udc80.py", message="\ud800"))
    sink.publish(violation(line=2, details=7))
    assert sink.dropped == 1
    assert read(tmp_path / "run.jsonl")[1]["path"] == "/a\\udc80.py"


@posix
def test_descriptor_that_the_host_closed_and_reused_is_left_alone(
    tmp_path: Path, violation: Make, context: Context, read: Read
) -> None:
    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    sink.publish(violation())
    ours = next(iter(sink._streams.values())).handle["fd"][0]
    os.close(ours)  # as a daemon does with all numbers
    with (tmp_path / "database").open("wb") as theirs:
        assert theirs.fileno() == ours
        sink.publish(violation(line=2))
        sink.close()
        theirs.write(b"untouched")
    assert (tmp_path / "database").read_bytes() == b"untouched"
    assert [record.get("line") for record in read(tmp_path / "run.jsonl")] == [None, 276, None, 2]
    assert sink.dropped == 0


@posix
@pytest.mark.parametrize("action", ["signal.SIG_DFL", "signal.SIG_IGN", "lambda *args: os._exit(9)"])
def test_closed_pipe_is_not_felt_whatever_the_host_does_with_sigpipe(action: str, run: Run) -> None:
    code = (
        f"signal.signal(signal.SIGPIPE, {action})\n"
        "read, write = os.pipe(); os.dup2(write, 1); os.close(write); os.close(read)\n"
        "sink = build('jsonl:-', Context())\n"
        "for number in range(5): sink.publish(make(number))\n"
        "time.sleep(0)\n"
        "os._exit(0 if sink.dropped == 5 and not signal.sigpending() else 3)\n"
    )
    assert run(code).returncode == 0


@posix
def test_full_pipe_that_does_not_block_is_counted(run: Run) -> None:
    code = (
        "read, write = os.pipe(); os.dup2(write, 1); os.set_blocking(1, False)\n"
        "sink = build('jsonl:-', Context())\n"
        "for number in range(1000): sink.publish(make(number))\n"
        "os._exit(0 if 0 < sink.dropped < 1000 else 3)\n"
    )
    assert run(code).returncode == 0


def test_standard_output_gets_whole_lines(run: Run) -> None:
    done = run("sink = build('jsonl:-', Context()); sink.publish(make()); sink.close([make(count=3)])")
    assert [json.loads(line)["record"] for line in done.stdout.splitlines()] == ["header", "violation", "count"]


def test_closed_standard_output_is_counted(run: Run) -> None:
    done = run("os.close(1); sink = build('jsonl:-', Context()); sink.publish(make()); os._exit(sink.dropped)")
    assert done.returncode == 1


UNWRITABLE = [
    ("folder", "parent/found", "Not a directory"),
    ("file", "parent/found.jsonl", "File exists ({parent})"),
    pytest.param(
        "full", "/dev/full", "No space left on device",
        marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full"),
    ),
]  # fmt: skip


@posix
@pytest.mark.parametrize(("kind", "target", "reason"), UNWRITABLE)
def test_what_cannot_be_written_is_said_once_with_path_and_reason(
    kind: str, target: str, reason: str, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "parent").touch()
    place = tmp_path / target
    code = (
        "import time\nfrom ssot_guard.sinks import jsonl\n"
        "clock = iter(range(0, 10**6, 1000)); jsonl.monotonic = lambda: next(clock)\n"
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "for number in range(3): sink.publish(make(number))\n"
        "sink.internal_error('imports', 'RuntimeError: x')\n"
        "sink.close([make()]); os._exit(sink.dropped)\n"
    )
    done = run(code, str(place))
    assert done.returncode == 5, kind
    (line,) = done.stderr.splitlines()
    assert line == (
        f"ssot-guard: sink jsonl: cannot write {place}: {reason.format(parent=tmp_path / 'parent')}; "
        "tried again with the next violation, and at the end"
    )


@posix
def test_each_forked_process_says_it_for_itself(tmp_path: Path, run: Run) -> None:
    (tmp_path / "parent").touch()
    code = (
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "sink.publish(make())\n"
        "child = os.fork()\n"
        "sink.publish(make(2))\n"
        "child or os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    assert run(code, str(tmp_path / "parent" / "found")).stderr.count("cannot write") == 2


@pytest.mark.parametrize(
    "broken", ["None", "open(os.devnull)", "type('E', (), {'write': lambda self, text: 1 / 0})()", "object()"]
)
def test_a_broken_standard_error_is_not_felt(broken: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "parent").touch()
    code = (
        f"sys.stderr = {broken}\n"
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "sink.publish(make()); sink.internal_error('imports', 'x'); os._exit(sink.dropped)\n"
    )
    assert run(code, str(tmp_path / "parent" / "found")).returncode == 2


def test_nothing_is_said_where_all_is_written(tmp_path: Path, run: Run) -> None:
    code = "sink = build('jsonl:' + sys.argv[1], Context()); sink.publish(make()); sink.close([make()])\n"
    assert run(code, str(tmp_path / "found")).stderr == ""
