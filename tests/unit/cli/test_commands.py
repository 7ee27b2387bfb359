"""report, check-policy, explain, doctor: what they print, and how they end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.cli.examples import EXAMPLES
from ssot_guard.cli.pages import page

Run = Callable[..., subprocess.CompletedProcess[str]]
DOCS = Path(__file__).parents[3] / "docs" / "codes"


def spool(app: Path, environ: dict[str, str]) -> None:
    """Real JSON lines of a real process."""
    code = "from ssot_guard import bootstrap; bootstrap.start(); import acme.main"
    own = {"SSOT_GUARD_POLICY": str(app / "ssot-guard.toml"), "SSOT_GUARD_SINKS": f"jsonl:{app / 'spool'}"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=environ | own, check=True, capture_output=True)


# -- report ---------------------------------------------------------------------------------------------------------


def test_report_merges_processes(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    spool(app, environ)
    done = ssot("report", "spool")
    assert done.stdout.startswith("SSG101 registry  src/acme/main.py:2\n")
    assert "1 violation (1 new) of 1 rule in 1 file, 2 executions in 2 processes" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    "args", [["--format", "json"], ["--output", "out.json"], ["--format=json", "--output=out.json"]]
)
def test_report_in_json(args: list[str], ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    done = ssot("report", *args, "--policy", "ssot-guard.toml", "spool")
    document = json.loads(done.stdout or (app / "out.json").read_text())
    assert document["rules"] == [{"id": "registry", "matched": 1}]


def test_report_of_nothing_is_clean(ssot: Run, app: Path) -> None:
    (app / "empty.jsonl").touch()
    done = ssot("report", "empty.jsonl")
    assert (done.stdout, done.returncode) == ("no violations\n", 0)


def test_report_reads_standard_input(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    lines = next((app / "spool").iterdir()).read_text()
    assert "SSG101" in ssot("report", "-", input="INFO: hello\n" + lines).stdout


def test_report_selects(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    assert ssot("report", "spool", "--select", "tag:wave2").returncode == 0
    assert ssot("report", "spool", "--select", "tag:wave1").returncode == 1


@pytest.mark.parametrize(
    ("args", "env", "expected"),
    [([], {}, False), (["--color", "always"], {}, True), (["--color", "always"], {"NO_COLOR": "1"}, True)],
)
def test_colours_only_where_asked_for(
    args: list[str], env: dict[str, str], expected: object, ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    spool(app, environ)
    assert ("\x1b[" in ssot("report", *args, "spool", env=env).stdout) == expected


@pytest.mark.skipif(os.name != "posix", reason="pty is POSIX only")
@pytest.mark.parametrize(("env", "expected"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_on_a_terminal(
    env: dict[str, str], expected: object, ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    spool(app, environ)
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


# -- check-policy ---------------------------------------------------------------------------------------------------


def test_valid_policy_is_summarised(ssot: Run, app: Path) -> None:
    done = ssot("check-policy")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [
        f"{app / 'ssot-guard.toml'}: no problems",
        "  packages  acme",
        "  imports   1 rules for 1 deprecated paths, 0 contested",
    ]
    assert ssot("check-policy", "-q").stdout == ""


def test_every_problem_is_printed(ssot: Run, app: Path) -> None:
    (app / "ssot-guard.toml").write_text('packages = 7\nmodus = "warn"\n')
    done = ssot("check-policy")
    assert done.returncode == 2
    assert "ssot-guard.toml:1: packages" in done.stderr
    assert "ssot-guard.toml:2: modus" in done.stderr


def test_overdue_contest_is_a_problem(ssot: Run, app: Path) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write(
            '[[imports]]\nid = "c"\ndeprecated = "acme.x:A"\n'
            'contested = ["acme.x:A", "acme.y:A"]\ndecide-by = 2020-01-01\n'
        )
    done = ssot("check-policy")
    assert done.returncode == 2
    assert "was to be decided by 2020-01-01" in done.stderr


def test_names_are_imported_on_request_in_a_process_of_its_own(ssot: Run, app: Path) -> None:
    (app / "src/acme/kills.py").write_text("import os; os._exit(0)")
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write(
            '[[imports]]\nid = "a"\ndeprecated = "acme.a"\ncanonical = "acme.missing"\n'
            '[[roles]]\nid = "r"\ncanonical = "acme.new:Registry"\nmatch = ["*Registry"]\nfactory = ["acme.new:make"]\n'
            '[tenant]\ncurrent = ["acme.kills:var"]\n'
        )
    assert ssot("check-policy").returncode == 0
    done = ssot("check-policy", "--import")
    assert done.returncode == 2
    assert done.stdout == ""
    problems = [line.partition("ssot-guard.toml: ")[2] for line in done.stderr.splitlines()]
    assert problems == [
        "imports[1].canonical: acme.missing cannot be imported: ModuleNotFoundError: No module named 'acme.missing'",
        "roles[0].factory: acme.new:make cannot be imported: AttributeError: module 'acme.new' has no attribute 'make'",
        "tenant.current: acme.kills:var cannot be imported: the process ended, or hung, while importing it",
    ]


def test_no_policy_is_a_usage_error(ssot: Run, tmp_path: Path) -> None:
    done = ssot("check-policy", cwd=tmp_path)
    assert done.returncode == 2
    assert "no policy found" in done.stderr


# -- explain --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CATALOGUE)
def test_documentation_page_says_what_the_catalogue_says(code: str) -> None:
    assert (DOCS / f"{code}.md").read_text(encoding="utf-8") == page(CATALOGUE[code]), (
        "run: python -m ssot_guard.cli.pages docs/codes"
    )


def test_every_code_has_its_example_and_its_page_and_no_more() -> None:
    assert EXAMPLES.keys() == CATALOGUE.keys()
    assert {file.stem for file in DOCS.glob("SSG*.md")} == set(CATALOGUE)


@pytest.mark.parametrize("code", [code for code in EXAMPLES if EXAMPLES[code].language == "python"])
def test_examples_are_python(code: str) -> None:
    for snippet in EXAMPLES[code][:2]:
        lines = "".join(f"    {line}\n" for line in snippet.splitlines())
        compile(f"async def example():\n{lines.replace('global ', 'nonlocal_ = 0; global ')}", code, "exec")


@pytest.mark.parametrize("word", ["SSG101", "ssg101", "deprecated-module"])
def test_code_is_explained(word: str, ssot: Run) -> None:
    assert ssot("explain", word).stdout == page(CATALOGUE["SSG101"])


def test_explanation_has_colours_on_request(ssot: Run) -> None:
    assert "\x1b[" in ssot("explain", "SSG101", "--color", "always").stdout


def test_without_a_code_all_are_listed(ssot: Run) -> None:
    assert len(ssot("explain").stdout.splitlines()) == len(CATALOGUE)


def test_unknown_code_gets_a_hint(ssot: Run) -> None:
    done = ssot("explain", "deprecated-modul")
    assert done.returncode == 2
    assert "did you mean deprecated-module?" in done.stderr


# -- doctor ---------------------------------------------------------------------------------------------------------


def doctor(ssot: Run, *args: str, **env: str) -> tuple[str, int]:
    done = ssot("doctor", "--format", "json", *args, env=env)
    facts = json.loads(done.stdout)
    assert facts["exit_status"] == done.returncode
    return facts["verdict"], done.returncode


def test_inert_without_a_policy(ssot: Run, app: Path) -> None:
    (app / "ssot-guard.toml").unlink()
    assert doctor(ssot) == ("inert: no policy found", 0)


def test_inert_without_the_variable(ssot: Run, app: Path) -> None:
    verdict, status = doctor(ssot)
    assert verdict.startswith("inert: SSOT_GUARD_POLICY is not set")
    assert str(app / "ssot-guard.toml") in verdict
    assert status == 0


def test_switched_off(ssot: Run, app: Path) -> None:
    assert doctor(ssot, SSOT_GUARD="off")[0].startswith("off:")


def test_variable_without_a_hook_is_not_guarded(ssot: Run, app: Path) -> None:
    verdict, status = doctor(ssot, SSOT_GUARD_POLICY=str(app / "ssot-guard.toml"))
    assert verdict.startswith("NOT guarded: SSOT_GUARD_POLICY is set, but no start-up hook")
    assert status == 1


def test_broken_policy_is_not_guarded(ssot: Run, app: Path) -> None:
    (app / "ssot-guard.toml").write_text("packages = 7")
    verdict, status = doctor(ssot, "--policy", "ssot-guard.toml")
    assert verdict.startswith("NOT guarded: ssot-guard: NOT guarding this process")
    assert status == 2


def test_guarded_environment(ssot: Run, app: Path) -> None:
    (app / "src/sitecustomize.py").write_text("import ssot_guard.bootstrap; ssot_guard.bootstrap.start()")
    assert doctor(ssot, "--policy", "ssot-guard.toml") == ("guarded", 0)
    text = ssot("doctor", env={"SSOT_GUARD_POLICY": str(app / "ssot-guard.toml")}).stdout
    assert text.startswith("guarded\n")
    assert "  mode             warn\n" in text


# -- the command itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[], ["run"], ["report"], ["check-policy"], ["explain"], ["doctor"]], ids=str)
def test_help_teaches_with_examples(command: list[str], ssot: Run) -> None:
    done = ssot(*command, "--help")
    assert done.returncode == 0
    assert "ssot-guard " + (command[0] if command else "run") in done.stdout.partition("\n")[2]


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_click_or_rich_the_install_line_is_printed(missing: str, environ: dict[str, str]) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom ssot_guard.cli import main\nsys.exit(main(['explain']))"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert 'pip install "ssot-guard[cli]"' in done.stderr
    assert done.returncode == 2


def test_internal_error_says_so(environ: dict[str, str]) -> None:
    code = (
        "import sys, ssot_guard.cli.pages as pages\n"
        "import ssot_guard.cli.explain as explain\n"
        "explain.page = lambda entry: 1 / 0\n"
        "from ssot_guard.cli import main\n"
        "sys.exit(main(['explain', 'SSG101']))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "internal error" in done.stderr


def test_unknown_command_is_a_usage_error(ssot: Run) -> None:
    assert ssot("explode").returncode == 2
