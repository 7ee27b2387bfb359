"""The JSONL sink: what is written, where, by which process; and that nothing is lost or torn."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.sinks import Context, SinkSpecError, build
from ssot_guard.sinks.jsonl import JsonlSink
from ssot_guard.violation import Violation

Make = Callable[..., Violation]
Read = Callable[[Path], list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[str]]
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


def test_header_comes_first_and_tells_who_writes(tmp_path: Path, violation: Make, context: Context, read: Read) -> None:
    sink = JsonlSink(str(tmp_path), context)
    sink.publish(violation())
    header = read(next(tmp_path.iterdir()))[0]
    assert header["record"] == "header"
    assert header["schema"] == 1
    assert header["tool"] == "ssot-guard"
    assert header["pid"] == os.getpid()
    assert header["policy"] == "/srv/ssot-guard.toml"
    assert header["policy_digest"] == "d1635"
    assert (header["mode"], header["profile"], header["labels"]) == ("warn", "canary", {"release": "4f2c"})
    assert header["process"] == f"{os.getpid()}.{header['started_ns']}"
    assert {"version", "python", "argv0"} <= header.keys()


def test_violation_is_written_whole(tmp_path: Path, violation: Make, context: Context, read: Read) -> None:
    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    sink.publish(violation(end_line=277, test="tests/x.py::t", details={"verdict": "same"}))
    record = read(tmp_path / "run.jsonl")[1]
    assert record["record"] == "violation"
    assert record["kind"] == "import"
    assert (record["path"], record["file"], record["line"], record["end_line"]) == (
        "/srv/acme/bridge.py", "src/acme/bridge.py", 276, 277,
    )  # fmt: skip
    assert record["tags"] == ["wave1"]
    assert record["labels"] == {"release": "4f2c"}
    assert record["details"] == {"verdict": "same"}
    others = (
        "code rule column end_column scope target canonical owner message fingerprint status count mode action module "
        "test tenant time_ns pid process"
    )
    missing = set(others.split()) - record.keys()
    assert not missing


def test_repeats_are_short_and_add_up_to_the_final_count(
    tmp_path: Path, violation: Make, context: Context, read: Read
) -> None:
    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    for count in (1, 10, 100):
        sink.publish(violation(count=count), repeat=count > 1)
    sink.close([violation(count=123), violation(line=9, count=4)])
    sink.close([violation(count=123)])
    records = read(tmp_path / "run.jsonl")[1:]
    assert [record["record"] for record in records] == ["violation", "count", "count", "count", "violation"]
    assert [record["count"] for record in records] == [1, 10, 100, 123, 4]
    assert [record["added"] for record in records] == [1, 9, 90, 23, 4]
    assert "message" not in records[1]


def test_nothing_is_opened_before_the_first_record(tmp_path: Path, context: Context) -> None:
    sink = JsonlSink(str(tmp_path / "new"), context)
    sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("run.jsonl", "run.jsonl"),
        ("new/run.jsonl", "new/run.jsonl"),
        ("there", "there/ssot-guard.*.jsonl"),
        ("new/folder", "new/folder/ssot-guard.*.jsonl"),
        ("folder.jsonl", "folder.jsonl/ssot-guard.*.jsonl"),
        ("file", "file"),
    ],
)
def test_where_it_is_written(
    target: str, expected: str, tmp_path: Path, violation: Make, context: Context, read: Read
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").touch()
    sink = JsonlSink(str(tmp_path / target), context)
    sink.publish(violation())
    assert len(read(next(tmp_path.glob(expected)))) == 2
    assert sink.dropped == 0


def test_relative_path_means_the_folder_at_construction(
    tmp_path: Path, violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    sink = JsonlSink("run.jsonl", context)
    monkeypatch.chdir(tmp_path / "elsewhere")
    sink.publish(violation())
    assert (tmp_path / "run.jsonl").exists()


@pytest.mark.parametrize("spec", ["jsonl", "jsonl:", "log:x", "warnings:x", "loki", ""])
def test_unknown_specification_names_the_known_ones(spec: str, context: Context) -> None:
    with pytest.raises(SinkSpecError, match='write "log"'):
        build(spec, context)


def test_specifications_build_their_sinks(context: Context) -> None:
    names = [getattr(build(spec, context), "name", None) for spec in ("log", "jsonl:-", "jsonl:/x", "warnings")]
    assert names == ["log", "jsonl", "jsonl", None]


def test_same_violation_is_the_same_bytes_behind_its_code(tmp_path: Path, violation: Make, context: Context) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        JsonlSink(str(tmp_path / name), context).publish(violation(count=len(name)))
    tails = {
        (tmp_path / name).read_bytes().splitlines()[1].partition(b',"code":')[2] for name in ("a.jsonl", "b.jsonl")
    }
    assert len(tails) == 1


# -- processes, threads, imports ------------------------------------------------------------------------------------


@posix
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork with threads: the test's point
def test_forked_child_writes_a_file_of_its_own(tmp_path: Path, read: Read, run: Run) -> None:
    code = (
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "sink.publish(make())\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        sink.publish(make()); sink.close([make(count=5)]); os._exit(0)\n"
        "for _ in range(2): os.wait()\n"
        "sink.publish(make(2)); sink.close([make(), make(2)])\n"
    )
    assert run(code, str(tmp_path)).returncode == 0
    files = {path: read(path) for path in tmp_path.iterdir()}
    assert len(files) == 3
    for path, records in files.items():
        assert {record["pid"] for record in records} == {int(path.name.split(".")[1])}
        assert records[0]["record"] == "header"
    assert sorted(sum(record.get("added", 0) for record in records) for records in files.values()) == [2, 5, 5]


def test_killed_process_has_lost_nothing_that_was_published(tmp_path: Path, read: Read, run: Run) -> None:
    code = (
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "for number in range(100): sink.publish(make(number))\n"
        "os._exit(9)\n"
    )
    run(code, str(tmp_path / "run.jsonl"))
    assert len(read(tmp_path / "run.jsonl")) == 101


@pytest.mark.parametrize("target", ["folder", "one.jsonl"])
@pytest.mark.parametrize(("processes", "each"), [(16, int(os.environ.get("SSOT_TEST_RECORDS", "500")))])
def test_many_processes_lose_nothing_and_tear_nothing(
    target: str, processes: int, each: int, tmp_path: Path, read: Read, run: Run
) -> None:
    code = (
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "base = int(sys.argv[2])\n"
        "for number in range(int(sys.argv[3])): sink.publish(make(base + number))\n"
        "sink.close(); sys.exit(sink.dropped)\n"
    )
    results: list[int] = []

    def one(number: int) -> None:
        results.append(run(code, str(tmp_path / target), str(number * each), str(each)).returncode)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = [path for path in tmp_path.rglob("*.jsonl") if path.is_file()]
    records = [record for path in files for record in read(path)]
    assert results == [0] * processes
    assert sorted(record["line"] for record in records if record["record"] == "violation") == list(
        range(processes * each)
    )
    assert sum(record["record"] == "header" for record in records) == processes


def test_many_threads_lose_nothing(tmp_path: Path, violation: Make, context: Context, read: Read) -> None:
    sink = JsonlSink(str(tmp_path / "run.jsonl"), context)
    start = threading.Barrier(8)

    def one(number: int) -> None:
        start.wait()
        for line in range(200):
            sink.publish(violation(line=number * 200 + line))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = read(tmp_path / "run.jsonl")
    assert records[0]["record"] == "header"
    assert {record["line"] for record in records if record["record"] == "violation"} == set(range(1600))
    assert sink.dropped == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_publishing_imports_nothing(tmp_path: Path, run: Run) -> None:
    code = (
        "sink = build('jsonl:' + sys.argv[1], Context())\n"
        "import builtins; builtins.__import__ = None; before = set(sys.modules)\n"
        "sink.publish(make()); sink.publish(make(count=10), repeat=True); sink.close([make(count=12)])\n"
        "os._exit(0 if not sink.dropped and set(sys.modules) == before else 3)\n"
    )
    assert run(code, str(tmp_path)).returncode == 0


def test_building_the_sink_costs_no_large_import() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from ssot_guard.sinks import Context, build\n"
        "build('jsonl:-', Context())\n"
        "late = {'json', 're', 'orjson', 'logging', 'threading', 'typing', 'enum', 'dataclasses', 'signal'}\n"
        "sys.exit(','.join(late & set(sys.modules)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
