"""``ssot-guard baseline``: what it writes, what it leaves alone, and how it ends."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ssot_guard.baseline import Baseline, Key

Run = Callable[..., subprocess.CompletedProcess[str]]


def key(file: str, scope: str = "", rule: str = "registry") -> Key:
    return Key("SSG101", rule, file, "acme.old", scope)


def write_run(app: Path, *sites: tuple[Key, int], status: str = "new", column: int = 1) -> str:
    """The JSON lines of a guarded run that saw these sites (key, line)."""
    lines = [{"schema": 1, "record": "header", "process": "1.1"}]
    for found, line in sites:
        fields = dict(zip(("code", "rule", "file", "target", "scope"), found, strict=True))
        start = {"schema": 1, "record": "violation", "process": "1.1", "count": 1, "added": 1}
        lines.append(
            {**start, **fields, "fingerprint": str(hash(found)), "line": line, "column": column, "status": status}
        )
    path = app / "run.jsonl"
    with path.open("a") as stream:
        stream.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return "run.jsonl"


def entries(app: Path) -> dict[Key, int]:
    return Baseline.load(app / "ssot-baseline.json").entries


def given(app: Path, *keys: Key, **counts: int) -> None:
    Baseline("", dict.fromkeys(keys, 1) | {key(f"src/acme/{name}.py"): n for name, n in counts.items()}).write(
        app / "ssot-baseline.json"
    )


def test_it_is_written_from_a_real_run_and_then_nothing_is_new(ssot: Run, app: Path) -> None:
    env = {"SSOT_GUARD_SINKS": "jsonl:spool"}
    program = ["run", "-q", "--mode", "strict", "-m", "acme.main"]
    assert ssot(*program, env=env).returncode == 1
    done = ssot("baseline", "--from", "spool")
    assert (done.stdout, done.returncode) == ("ssot-baseline.json: 1 added, 0 removed; 1 known in 1 file\n", 0)
    assert entries(app) == {key("src/acme/main.py"): 1}
    assert ssot(*program, env=env).returncode == 0
    assert ssot("baseline", "--from", "spool", "--locked").returncode == 0


def test_several_runs_and_executions_are_the_same_sites(ssot: Run, app: Path) -> None:
    for _ in range(3):
        write_run(app, (key("src/acme/main.py"), 3), (key("src/acme/main.py"), 9))
    (app / "more").mkdir()
    (app / "run.jsonl").rename(app / "more" / "1.jsonl")
    write_run(app, (key("src/acme/main.py"), 3))
    ssot("baseline", "--from", "more", "--from", "run.jsonl")
    assert entries(app) == {key("src/acme/main.py"): 2}


def test_two_sites_on_one_line_are_two(ssot: Run, app: Path) -> None:
    for column in (1, 20):
        write_run(app, (key("src/acme/main.py"), 3), column=column)
    ssot("baseline", "--from", "run.jsonl")
    assert entries(app) == {key("src/acme/main.py"): 2}


@pytest.mark.parametrize("status", ["contested", "suppressed"])
def test_what_is_contested_or_suppressed_is_not_written(status: str, ssot: Run, app: Path) -> None:
    write_run(app, (key("src/acme/main.py"), 3), status=status)
    ssot("baseline", "--from", "run.jsonl")
    assert entries(app) == {}


def test_what_speaks_of_policy_and_baseline_is_not_written(ssot: Run, app: Path) -> None:
    write_run(app, *((Key(code, "registry", "", "registry"), 1) for code in ("SSG901", "SSG902", "SSG903")))
    ssot("baseline", "--from", "run.jsonl")
    assert entries(app) == {}


MAIN, F, G = key("src/acme/main.py"), key("src/acme/main.py", "f"), key("src/acme/main.py", "g")
NEW, THERE, GONE = key("src/acme/new.py"), key("src/acme/old.py"), key("src/acme/gone.py", "h")


@pytest.mark.parametrize(
    ("args", "after"),
    [
        ([], {MAIN: 2, F: 1, G: 1, NEW: 1, THERE: 1, GONE: 1}),
        (["--prune"], {MAIN: 1, F: 1, G: 1, THERE: 1}),
        (["--prune", "--add", "registry"], {MAIN: 1, F: 1, G: 1, NEW: 1, THERE: 1}),
        (["--prune", "--add", "SSG101"], {MAIN: 1, F: 1, G: 1, NEW: 1, THERE: 1}),
        (["--prune", "--complete"], {MAIN: 1, F: 1}),
        (["--add", "tag:wave1"], {MAIN: 2, F: 1, G: 1, THERE: 1, GONE: 1}),
        (["--add", "SSG102"], {MAIN: 2, F: 1, G: 1, THERE: 1, GONE: 1}),
    ],
)
def test_what_a_run_changes(args: list[str], after: dict[Key, int], ssot: Run, app: Path) -> None:
    given(app, F, G, THERE, GONE, main=2)  # `new.py` is new; of `main.py` the module and `f` ran, `g` did not
    write_run(app, (MAIN, 3), (F, 5), (NEW, 7))
    done = ssot("baseline", "--from", "run.jsonl", *args)
    assert done.returncode == 0, done
    assert entries(app) == after


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["--locked"], 1, ["new    SSG101 registry  src/acme/new.py:7  acme.old", "stale  SSG101 registry  src/acme/main.py  acme.old"]),
        (["--locked=new-only"], 1, ["new    SSG101 registry  src/acme/new.py:7  acme.old"]),
        (["--locked", "-q"], 1, ["new    SSG101 registry  src/acme/new.py:7  acme.old"]),
    ],
)  # fmt: skip
def test_locked_writes_nothing_and_says_what_it_would(
    args: list[str], status: int, said: list[str], ssot: Run, app: Path
) -> None:
    given(app, main=2)
    before = (app / "ssot-baseline.json").read_bytes()
    write_run(app, (MAIN, 3), (NEW, 7))
    done = ssot("baseline", "--from", "run.jsonl", *args)
    assert (done.returncode, (app / "ssot-baseline.json").read_bytes()) == (status, before)
    assert set(said) <= set(done.stdout.splitlines())


def test_locked_new_only_lets_stale_entries_pass(ssot: Run, app: Path) -> None:
    given(app, main=2)
    write_run(app, (MAIN, 3))
    assert [ssot("baseline", "--from", "run.jsonl", flag).returncode for flag in ("--locked", "--locked=new-only")] == [
        1,
        0,
    ]


def test_locked_without_a_baseline_says_that_there_is_none(ssot: Run, app: Path) -> None:
    write_run(app, (MAIN, 3))
    done = ssot("baseline", "--from", "run.jsonl", "--locked")
    assert done.returncode == 1
    assert "there is no ssot-baseline.json yet; write it: ssot-guard baseline --from ..." in done.stdout


def test_the_entries_of_a_renamed_file_move_along(ssot: Run, app: Path) -> None:
    given(app, gone=2)
    write_run(app, (key("src/acme/main.py"), 3), (key("src/acme/main.py"), 4))
    done = ssot("baseline", "--from", "run.jsonl", "-v")
    assert done.stdout == (
        "moved    src/acme/gone.py -> src/acme/main.py\nssot-baseline.json: 0 added, 0 removed, 1 renamed; 2 known in 1 file\n"
    )
    assert entries(app) == {key("src/acme/main.py"): 2}


def test_tidy_removes_the_lines_of_files_without_entries(ssot: Run, app: Path) -> None:
    given(app, main=1, gone=1)
    write_run(app, (MAIN, 3))
    ssot("baseline", "--from", "run.jsonl", "--prune")
    assert '"src/acme/gone.py"' in (app / "ssot-baseline.json").read_text()
    assert ssot("baseline", "--tidy").returncode == 0
    assert '"src/acme/gone.py"' not in (app / "ssot-baseline.json").read_text()
    assert entries(app) == {MAIN: 1}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "--from"),
        (["--prune"], "the audit, which will write a baseline without running anything, does not exist yet"),
        (["--from", "none.jsonl"], "does not exist"),
        (["--from", "src"], "no guarded run wrote to src"),
        (["--from", "empty.jsonl", "--prune", "--complete"], "no guarded run wrote to empty.jsonl"),
        (["--from", "run.jsonl", "--add", "regstry"], "there is no rule 'regstry'; did you mean `registry`?"),
        (["--from", "run.jsonl", "--add", "SSG999"], "SSG999 is no code"),
        (["--from", "run.jsonl", "--complete"], "--prune or --locked"),
        (["--from", "run.jsonl", "--policy", "none.toml"], "there is no such file"),
    ],
)
def test_usage_errors_leave_the_file_alone(args: list[str], said: str, ssot: Run, app: Path) -> None:
    given(app, main=1)
    before = (app / "ssot-baseline.json").read_bytes()
    (app / "empty.jsonl").touch()
    write_run(app, (NEW, 3))
    done = ssot("baseline", *args)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert (app / "ssot-baseline.json").read_bytes() == before


def test_a_damaged_baseline_is_named_and_left_alone(ssot: Run, app: Path) -> None:
    (app / "ssot-baseline.json").write_text("<<<<<<< HEAD\n")
    write_run(app, (NEW, 3))
    done = ssot("baseline", "--from", "run.jsonl")
    assert done.returncode == 2
    assert "ssot-baseline.json:1: is in the middle of a merge" in done.stderr
    assert (app / "ssot-baseline.json").read_text() == "<<<<<<< HEAD\n"


def test_damaged_lines_are_said(ssot: Run, app: Path) -> None:
    write_run(app, (NEW, 3))
    with (app / "run.jsonl").open("a") as stream:
        stream.write('{"schema":1,"record":"violat\n')
    done = ssot("baseline", "--from", "run.jsonl")
    assert (done.stderr, entries(app)) == ("run.jsonl: 1 damaged line was skipped\n", {NEW: 1})


def test_names_cannot_move_the_cursor(ssot: Run, app: Path) -> None:
    write_run(app, (key("src/\x1b[2J.py"), 3))
    assert "\x1b" not in ssot("baseline", "--from", "run.jsonl", "-v").stdout


@pytest.mark.parametrize(("ours", "status"), [('{"version": 1, "known": [null]}', 0), ("{", 2)])
def test_merge_ends_as_git_expects(ours: str, status: int, ssot: Run, app: Path) -> None:
    given(app, main=1)
    (app / "ours").write_text(ours)
    (app / "base").touch()
    done = ssot("baseline", "merge", "base", "ours", "ssot-baseline.json")
    assert done.returncode == status
    if status:
        assert (app / "ours").read_text() == ours
    else:
        assert Baseline.load(app / "ours").entries == {MAIN: 1}
