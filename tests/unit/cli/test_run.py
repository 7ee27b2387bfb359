"""``ssot-guard run``: the program does not notice, its children are guarded too, and the end tells what was found."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


def test_program_runs_and_the_report_follows_on_stderr(ssot: Run) -> None:
    done = ssot("run", "src/acme/main.py", "a", "-v", "--mode", "x")
    assert done.stdout == "['a', '-v', '--mode', 'x']\n"
    assert done.returncode == 0
    assert "SSG101 registry  src/acme/main.py:2\n" in done.stderr
    assert "  write    from acme.new import Registry\n" in done.stderr
    assert "1 violation (1 new) of 1 rule in 1 file" in done.stderr


CODE = "import sys; from acme.old import Registry; print(sys.argv)"


@pytest.mark.parametrize("program", [["-c", CODE], [f"-c{CODE}"], ["--", "-c", CODE]], ids=range(3))
def test_code_on_the_command_line_is_guarded_and_takes_its_own_options(program: list[str], ssot: Run) -> None:
    done = ssot("run", "--mode", "observe", *program, "-v", "--mode", "x")
    assert done.stdout == "['-c', '-v', '--mode', 'x']\n"
    assert done.stderr.startswith("SSG101 registry  <string>:1\n")


@pytest.mark.parametrize("program", [["-m", "acme.main"], ["-macme.main"], ["--", "-m", "acme.main"]])
def test_module_is_run_like_python_runs_it(program: list[str], ssot: Run) -> None:
    done = ssot("run", *program, "-q", "--report", "x")
    assert done.stdout == "['-q', '--report', 'x']\n"
    assert "SSG101" in done.stderr


FACTS = """\
import json, os, sys
print(json.dumps([sys.argv, sys.path, __name__, __file__, __spec__ and __spec__.name, sorted(sys.flags),
                  "sitecustomize" in sys.modules and getattr(sys.modules["sitecustomize"], "__file__", None)]))
"""


@pytest.mark.parametrize("program", [["src/acme/facts.py", "a"], ["-m", "acme.facts", "a"]])
def test_program_sees_what_it_sees_without_us(
    program: list[str], ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    (app / "src/acme/facts.py").write_text(FACTS)
    (app / "src/sitecustomize.py").touch()
    bare = subprocess.run([sys.executable, *program], cwd=app, env=environ, capture_output=True, text=True, check=True)
    guarded = ssot("run", *program)
    assert json.loads(guarded.stdout) == json.loads(bare.stdout)


def test_child_processes_are_guarded_and_merged(ssot: Run, app: Path) -> None:
    (app / "parent.py").write_text(
        "import subprocess, sys\nfor _ in range(3): subprocess.run([sys.executable, '-m', 'acme.main'], check=True)\n"
    )
    done = ssot("run", "parent.py")
    assert "3 executions in 3 processes" in done.stderr


@posix
def test_forked_children_are_guarded(ssot: Run, app: Path) -> None:
    (app / "parent.py").write_text("import os\nif os.fork(): os.wait()\nelse: import acme.main; os._exit(0)\n")
    assert "1 execution in 1 process" in ssot("run", "parent.py").stderr


@pytest.mark.parametrize("mode", ["observe", "warn", "strict", "off"])
def test_only_strict_turns_violations_into_a_failure(mode: str, ssot: Run, app: Path) -> None:
    policy = app / "ssot-guard.toml"
    policy.write_text(policy.read_text().replace("tags =", "block-in-try = true\ntags ="))
    (app / "swallows.py").write_text("try:\n    import acme.main\nexcept RuntimeError: pass\n")
    status = {"observe": 0, "warn": 0, "strict": 1, "off": 3}
    assert ssot("run", "--mode", mode, "swallows.py").returncode == status[mode]


def test_status_of_the_program_is_kept(ssot: Run, app: Path) -> None:
    (app / "fails.py").write_text("import acme.main, sys; sys.exit(42)")
    assert ssot("run", "fails.py").returncode == 42


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV"])
def test_death_by_signal_is_passed_on(name: str, ssot: Run, app: Path) -> None:
    (app / "dies.py").write_text(
        f"import acme.main, os, signal, sys; sys.stdout.flush(); os.kill(os.getpid(), signal.{name})"
    )
    done = ssot("run", "dies.py")
    assert done.returncode == -getattr(signal, name)
    assert "SSG101" in done.stderr


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT"])
def test_signals_reach_the_program(name: str, app: Path, environ: dict[str, str]) -> None:
    (app / "waits.py").write_text(
        f"import signal, sys, time\n"
        f"signal.signal(signal.{name}, lambda *args: sys.exit(7))\n"
        f"print('ready', flush=True)\n"
        # Short naps: a signal between two instructions is handled after the sleep that has just begun.
        f"for _ in range(600): time.sleep(0.1)\n"
    )
    command = [sys.executable, "-m", "ssot_guard", "run", "waits.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=app, env=environ, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 7
        assert time.monotonic() - started < 30


def test_standard_input_belongs_to_the_program(ssot: Run, app: Path) -> None:
    (app / "echo.py").write_text("print(input())")
    assert ssot("run", "echo.py", input="hello\n").stdout == "hello\n"


def test_hidden_sitecustomize_runs_as_itself(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    (app / "site").mkdir()
    (app / "site/sitecustomize.py").write_text("print('theirs', __name__, __file__.endswith('site/sitecustomize.py'))")
    (app / "who.py").write_text("import sitecustomize; print(sitecustomize.__file__)")
    paths = os.pathsep.join([environ["PYTHONPATH"], str(app / "site")])
    done = ssot("run", "who.py", env={"PYTHONPATH": paths})
    # Twice: the command itself is a Python that starts in this environment.
    assert done.stdout == "theirs sitecustomize True\n" * 2 + f"{app / 'site/sitecustomize.py'}\n"


def test_hidden_sitecustomize_that_fails_is_reported_as_always(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    (app / "site").mkdir()
    (app / "site/sitecustomize.py").write_text("raise RuntimeError('theirs')")
    done = ssot(
        "run", "-m", "acme.main", env={"PYTHONPATH": os.pathsep.join([environ["PYTHONPATH"], str(app / "site")])}
    )
    assert "RuntimeError: theirs" in done.stderr
    assert "SSG101" in done.stderr
    assert done.returncode == 0


def test_report_file_takes_its_format_from_its_suffix(ssot: Run, app: Path) -> None:
    done = ssot("run", "-q", "--report", "out.json", "-m", "acme.main")
    assert json.loads((app / "out.json").read_text())["summary"]["violations"] == 1
    assert "SSG101 registry  " not in done.stderr


def test_quiet_prints_no_report(ssot: Run) -> None:
    assert ssot("run", "-q", "--mode", "observe", "-m", "acme.main").stderr == ""


def test_selection_limits_report_and_status(ssot: Run) -> None:
    done = ssot("run", "--select", "SSG201", "-m", "acme.main")
    assert "no violations" in done.stderr


def test_profile_reaches_the_program(ssot: Run) -> None:
    assert "SsotWarning" not in ssot("run", "--profile", "test", "-m", "acme.main").stderr
    assert "SsotWarning" in ssot("run", "-m", "acme.main").stderr


def test_program_that_was_not_guarded_is_no_success(ssot: Run, app: Path) -> None:
    done = ssot("run", "-m", "acme.main", env={"PYTHONNOUSERSITE": "1", "SSOT_GUARD_MODE": "off"})
    assert done.returncode == 3
    assert "NOT guarded" in done.stderr


def test_switched_off_by_the_environment_is_respected(ssot: Run) -> None:
    done = ssot("run", "-m", "acme.main", env={"SSOT_GUARD": "off"})
    assert done.returncode == 0
    assert "no violations" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run"], "Missing argument"),
        (["run", "-m"], "-m needs a module"),
        (["run", "-c"], "-c needs code"),
        (["run", "missing.py"], "there is no script 'missing.py'"),
        (["run", "--mode", "loud", "src/acme/main.py"], "Invalid value for '--mode'"),
        (["run", "--profile", "tset", "src/acme/main.py"], "test"),
        (["run", "--policy", "none.toml", "src/acme/main.py"], "there is no such file"),
        (["run", "--report", "x.pdf", "src/acme/main.py"], "choose one of"),
        (["run", "--select", "SSG110", "src/acme/main.py"], "did you mean"),
    ],
    ids=str,
)
def test_mistakes_are_told_before_anything_runs(args: list[str], message: str, ssot: Run) -> None:
    done = ssot(*args)
    assert message in done.stderr
    assert done.returncode == 2
    assert done.stdout == ""


@pytest.mark.parametrize("mode", ["observe", "strict"])
def test_a_damaged_baseline_is_told_before_anything_runs(mode: str, ssot: Run, app: Path) -> None:
    (app / "ssot-baseline.json").write_text('{"version": 1,\n')
    done = ssot("run", "--mode", mode, "-m", "acme.main")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{app / 'ssot-baseline.json'}:2: is no JSON")
    assert ssot("run", "-m", "acme.main", env={"SSOT_GUARD": "off"}).returncode == 0


def test_nothing_stays_behind(ssot: Run, app: Path) -> None:
    ssot("run", "-m", "acme.main")
    assert not list(app.parent.glob("ssot-guard-*"))


def test_what_only_a_look_at_the_whole_process_finds_is_looked_for_at_its_end(ssot: Run, app: Path) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write('[[roles]]\nid = "r"\ncanonical = "acme.new:Kept"\ninstances = { max = 1 }\n')
    (app / "src/acme/new.py").write_text("class Kept: ...\n")
    (app / "copies.py").write_text("import copy\nfrom acme.new import Kept\none = Kept()\ntwo = copy.copy(one)\n")
    done = ssot("run", "copies.py")
    assert done.returncode == 0, done.stderr
    assert "a second Kept came past its constructor" in done.stderr
