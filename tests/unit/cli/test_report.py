"""`ssot-guard report`: records in, one report out."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_report_merges_processes(ssot: Run, spool: Callable[[], None]) -> None:
    spool()
    spool()
    done = ssot("report", "spool")
    assert done.stdout.startswith("SSG101 registry  src/acme/main.py:2\n")
    assert "1 violation (1 new) of 1 rule in 1 file, 2 executions in 2 processes" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    "args", [["--format", "json"], ["--output", "out.json"], ["--format=json", "--output=out.json"]]
)
def test_report_in_json(args: list[str], ssot: Run, app: Path, spool: Callable[[], None]) -> None:
    spool()
    done = ssot("report", *args, "--policy", "ssot-guard.toml", "spool")
    document = json.loads(done.stdout or (app / "out.json").read_text())
    assert document["rules"] == [{"id": "registry", "matched": 1}]


FOREIGN = "INFO: hello\nINFO: bye\n"
DAMAGED = '{"schema":1,"record":"viol\n'
NOTHING = "nothing here was written by a guarded process: {}; a process without violations writes nothing"
UNSEEN = [
    ("a folder without files", "empty", None, [NOTHING], 0),
    ("an empty file", "a.jsonl", "", [NOTHING], 0),
    ("another program's file", "a.log", FOREIGN, [NOTHING, "2 lines are not ours and were skipped"], 2),
    (
        "a damaged file", "a.jsonl", DAMAGED,
        [NOTHING, "not read: {}: 1 damaged line was skipped"], 2,
    ),
    ("a binary file", "a.bin", "\0\1\2", [NOTHING, "1 line is not ours and was skipped"], 2),
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
@pytest.mark.parametrize(
    ("name", "content", "said", "status"), [case[1:] for case in UNSEEN], ids=[case[0] for case in UNSEEN]
)
def test_report_that_read_no_record_of_a_guarded_process_says_so(
    name: str, content: str | None, said: list[str], status: int, form: str, ssot: Run, app: Path
) -> None:
    if content is None:
        (app / name).mkdir()
    else:
        (app / name).write_text(content)
    done = ssot("report", name, "--format", form)
    assert done.returncode == status
    assert "no violations" not in done.stdout
    expected = [line.format(name) for line in said]
    if form == "text":
        assert done.stdout.splitlines() == expected
    elif form == "markdown":
        assert done.stdout.splitlines()[2:] == [f"**{expected[0]}**", *(["", f"- `{expected[1]}`"] if status else [])]
    else:
        assert json.loads(done.stdout)["inputs"]["notes"] == expected[:1]


def test_gate_that_read_nothing_says_so_on_the_terminal_when_its_report_goes_to_a_file(ssot: Run, app: Path) -> None:
    (app / "a.log").write_text(FOREIGN)
    done = ssot("report", "a.log", "--output", "out.json")
    assert done.stderr == f"ssot-guard: {NOTHING.format('a.log')}\n"
    assert done.returncode == 2


def test_log_of_a_process_without_violations_is_clean_on_standard_input(ssot: Run) -> None:
    done = ssot("report", "-", input=FOREIGN)
    assert done.stdout.startswith(NOTHING.format("-"))
    assert done.returncode == 0


@pytest.mark.parametrize("more", [[], ["--triage"], ["spool"]], ids=str)
def test_finished_report_is_no_input(more: list[str], ssot: Run, app: Path, spool: Callable[[], None]) -> None:
    """It was skipped line by line, as somebody else's log."""
    spool()
    assert ssot("report", "spool", "--output", "out.json").returncode == 1
    done = ssot("report", "out.json", *more)
    assert (done.stdout, done.returncode) == ("", 2)
    assert "out.json is a finished report, which names too little to be merged" in done.stderr
    assert "pytest --ssot-report=out.jsonl" in done.stderr


def test_damage_beside_good_records_is_told_and_fails_nothing_of_its_own(
    ssot: Run, app: Path, spool: Callable[[], None]
) -> None:
    spool()
    (app / "spool" / "a.jsonl").write_text(FOREIGN + DAMAGED)
    for form in ("text", "markdown"):
        done = ssot("report", "spool", "--format", form)
        assert done.returncode == 1
        assert "a.jsonl: 1 damaged line was skipped" in done.stdout
        assert "2 lines are not ours and were skipped" in done.stdout
        assert "nothing here" not in done.stdout


def test_records_that_a_filter_leaves_out_were_read(ssot: Run, spool: Callable[[], None]) -> None:
    spool()
    done = ssot("report", "spool", "--label", "release=none")
    assert (done.stdout, done.returncode) == ("no violations\n", 0)


UNKNOWN = [
    ("registri", "--select registri matches nothing in these records: did you mean registry?"),
    ("tag:wave2", "--select tag:wave2 matches nothing in these records: did you mean tag:wave1?"),
    ("owner:@nope", "--select owner:@nope matches nothing in these records"),
    ("registry+tag:wave9", "--select tag:wave9 matches nothing in these records: did you mean tag:wave1?"),
]


@pytest.mark.parametrize(("selector", "note"), UNKNOWN, ids=str)
def test_selector_that_names_nothing_is_told(selector: str, note: str, ssot: Run, spool: Callable[[], None]) -> None:
    spool()
    done = ssot("report", "spool", "--select", selector)
    assert done.stdout.splitlines()[1:] == [note]
    assert done.returncode == 0
    assert f"- `{note}`" in ssot("report", "spool", "--select", selector, "--format", "markdown").stdout


@pytest.mark.parametrize("selector", ["SSG104", "verdict:same", "cycles", "idle", "registry"])
def test_selector_that_means_something_gets_no_note(
    selector: str, ssot: Run, app: Path, spool: Callable[[], None]
) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write('[[imports]]\nid = "idle"\ndeprecated = "acme.idle"\n')
    spool()
    assert "matches nothing" not in ssot("report", "spool", "--policy", "ssot-guard.toml", "--select", selector).stdout


def test_report_reads_standard_input(ssot: Run, app: Path, spool: Callable[[], None]) -> None:
    spool()
    lines = next((app / "spool").iterdir()).read_text()
    assert "SSG101" in ssot("report", "-", input="INFO: hello\n" + lines).stdout


def test_report_selects(ssot: Run, spool: Callable[[], None]) -> None:
    spool()
    assert ssot("report", "spool", "--select", "tag:wave2").returncode == 0
    assert ssot("report", "spool", "--select", "tag:wave1").returncode == 1


@pytest.mark.parametrize(
    ("args", "env", "expected"),
    [([], {}, False), (["--color", "always"], {}, True), (["--color", "always"], {"NO_COLOR": "1"}, True)],
)
def test_colours_only_where_asked_for(
    args: list[str], env: dict[str, str], expected: object, ssot: Run, spool: Callable[[], None]
) -> None:
    spool()
    assert ("\x1b[" in ssot("report", *args, "spool", env=env).stdout) == expected


@pytest.mark.skipif(os.name != "posix", reason="pty is POSIX only")
@pytest.mark.parametrize(("env", "expected"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_on_a_terminal(env: dict[str, str], expected: object, ssot: Run, spool: Callable[[], None]) -> None:
    spool()
    ours, theirs = os.openpty()
    ssot("report", "spool", env={"TERM": "xterm"} | env, capture_output=False, stdout=theirs, stderr=subprocess.DEVNULL)
    assert (b"\x1b[" in os.read(ours, 65536)) == expected
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("args", [["missing.jsonl"], [], ["--format", "pdf", "."], ["--output", "no/such/x.json", "."]])
def test_report_usage_errors(args: list[str], ssot: Run) -> None:
    done = ssot("report", *args)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ssot-guard report")


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
def test_reader_that_leaves_early_is_no_internal_error(app: Path, environ: dict[str, str]) -> None:
    command = f"{sys.executable} -m ssot_guard explain; echo $? >&2"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        ["sh", "-c", command], env=environ, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.stderr == "141\n"
