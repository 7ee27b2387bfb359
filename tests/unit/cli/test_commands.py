"""report, check-policy, explain, doctor: what they print, and how they end."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.cli.examples import EXAMPLES
from ssot_guard.cli.pages import index, page
from ssot_guard.policy.fields import MODULES

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


def test_damage_beside_good_records_is_told_and_fails_nothing_of_its_own(
    ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    spool(app, environ)
    (app / "spool" / "a.jsonl").write_text(FOREIGN + DAMAGED)
    for form in ("text", "markdown"):
        done = ssot("report", "spool", "--format", form)
        assert done.returncode == 1
        assert "a.jsonl: 1 damaged line was skipped" in done.stdout
        assert "2 lines are not ours and were skipped" in done.stdout
        assert "nothing here" not in done.stdout


def test_records_that_a_filter_leaves_out_were_read(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    done = ssot("report", "spool", "--label", "release=none")
    assert (done.stdout, done.returncode) == ("no violations\n", 0)


UNKNOWN = [
    ("registri", "--select registri matches nothing in these records: did you mean registry?"),
    ("tag:wave2", "--select tag:wave2 matches nothing in these records: did you mean tag:wave1?"),
    ("owner:@nope", "--select owner:@nope matches nothing in these records"),
    ("registry+tag:wave9", "--select tag:wave9 matches nothing in these records: did you mean tag:wave1?"),
]


@pytest.mark.parametrize(("selector", "note"), UNKNOWN, ids=str)
def test_selector_that_names_nothing_is_told(
    selector: str, note: str, ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    spool(app, environ)
    done = ssot("report", "spool", "--select", selector)
    assert done.stdout.splitlines()[1:] == [note]
    assert done.returncode == 0
    assert f"- `{note}`" in ssot("report", "spool", "--select", selector, "--format", "markdown").stdout


@pytest.mark.parametrize("selector", ["SSG104", "verdict:same", "cycles", "idle", "registry"])
def test_selector_that_means_something_gets_no_note(
    selector: str, ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write('[[imports]]\nid = "idle"\ndeprecated = "acme.idle"\n')
    spool(app, environ)
    assert "matches nothing" not in ssot("report", "spool", "--policy", "ssot-guard.toml", "--select", selector).stdout


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
        "  imports   1 rule for 1 deprecated path, 0 contested",
    ]
    assert ssot("check-policy", "-q").stdout == ""


def test_rules_are_counted_in_words_that_fit(ssot: Run, app: Path) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write('[[imports]]\ndeprecated = ["acme.p", "acme.q"]\ndue = 2090-01-01\n')
    shown = ssot("check-policy").stdout
    assert "  imports   2 rules for 3 deprecated paths, 0 contested\n" in shown
    assert "  due       1 rule, the next on 2090-01-01\n" in shown


@pytest.mark.parametrize(("sides", "told"), [("", True), ('sides = ["audit"]', False), ('sides = ["runtime"]', False)])
def test_a_rule_that_watches_nothing_in_a_process_is_told(sides: str, told: object, ssot: Run, app: Path) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write(f'[[imports]]\nid = "j"\ndeprecated = "json"\n{sides}\n')
    for _ in range(2):  # parsed, then out of the cache
        done = ssot("check-policy")
        assert done.returncode == 0
        line = (
            "  note      rule `j` is about code outside `packages`: the audit's only; "
            'add sides = ["runtime", "audit"] to watch it\n'
        )
        assert (line in done.stdout) == told
        assert ("note" in done.stdout) == told


def test_a_damaged_baseline_is_a_problem_beside_the_others(ssot: Run, app: Path) -> None:
    (app / "ssot-baseline.json").write_text('{"version": 1,\n')
    done = ssot("check-policy")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{app / 'ssot-baseline.json'}:2: is no JSON")
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write(
            '[[imports]]\ndeprecated = "acme.x:A"\ncontested = ["acme.x:A", "acme.y:A"]\ndecide-by = 2020-01-01\n'
        )
    assert len(ssot("check-policy").stderr.splitlines()) == 2


def test_the_message_about_a_damaged_baseline_helps(ssot: Run, app: Path, environ: dict[str, str]) -> None:
    spool(app, environ)
    damaged = app / "ssot-baseline.json"
    damaged.write_text("{")
    refused = ssot("baseline", "--from", "spool")
    assert refused.returncode == 2
    assert (
        "restore it from version control, or remove it and write it anew (ssot-guard baseline --from ...)"
        in refused.stderr
    )
    damaged.unlink()
    assert ssot("baseline", "--from", "spool").returncode == 0
    assert ssot("check-policy").returncode == 0


def test_an_empty_policy_is_told_what_to_write(ssot: Run, app: Path) -> None:
    (app / "ssot-guard.toml").write_text("\n")
    done = ssot("check-policy")
    assert done.returncode == 2
    assert 'is empty; begin with the packages that it governs: packages = ["acme"]' in done.stderr


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


def test_index_of_the_pages_says_what_the_catalogue_says() -> None:
    assert (DOCS / "index.md").read_text(encoding="utf-8") == index(), "run: python -m ssot_guard.cli.pages docs/codes"
    assert [line[3:9] for line in index().splitlines() if line.startswith("| [")] == list(CATALOGUE)


def test_every_code_has_its_example_and_its_page_and_no_more() -> None:
    assert EXAMPLES.keys() == CATALOGUE.keys()
    assert {file.stem for file in DOCS.glob("SSG*.md")} == set(CATALOGUE)


@pytest.mark.parametrize("code", [code for code in EXAMPLES if EXAMPLES[code].language == "python"])
def test_examples_are_python(code: str) -> None:
    for snippet in EXAMPLES[code][:2]:
        lines = "".join(f"    {line}\n" for line in snippet.splitlines())
        compile(f"async def example():\n{lines.replace('global ', 'nonlocal_ = 0; global ')}", code, "exec")


HEALTH = {
    "failed-imports": "SSG111",
    "cycles": "SSG112",
    "double-imports": "SSG113",
    "re-executions": "SSG114",
    "import-budget": "SSG115",
}


@pytest.mark.parametrize(("rule", "code"), HEALTH.items())
def test_rule_that_reports_print_without_a_policy_naming_it_is_explained(rule: str, code: str, ssot: Run) -> None:
    assert ssot("explain", rule).stdout == page(CATALOGUE[code])


def test_every_health_key_of_the_policy_has_its_code() -> None:
    keys = set(MODULES.schema()["properties"])
    assert {entry.rule for entry in CATALOGUE.values() if entry.rule} == keys == set(HEALTH)


LATER = {"SSG103", "SSG105", "SSG903"}


@pytest.mark.parametrize("code", CATALOGUE)
def test_page_of_what_this_version_does_not_look_for_says_so(code: str) -> None:
    later = code in LATER or code[3] in "2345"
    assert ("does not look for it yet" in page(CATALOGUE[code])) == later


def test_list_of_codes_marks_those_that_come_later(ssot: Run) -> None:
    lines = {line[:6]: line for line in ssot("explain").stdout.splitlines()}
    assert lines["SSG201"].endswith("(not yet)")
    assert "(not yet)" not in lines["SSG101"]


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


HOOK = "import ssot_guard.bootstrap; ssot_guard.bootstrap.start()"


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
    assert verdict.startswith(f"NOT guarded: {app / 'ssot-guard.toml'}:1: packages: must be a list")
    assert status == 2


@pytest.mark.parametrize("hook", [True, False])
def test_an_error_is_told_once(hook: object, ssot: Run, app: Path) -> None:
    (app / "ssot-guard.toml").write_text("packages = 7")
    if hook:
        (app / "src/sitecustomize.py").write_text(HOOK)
    assert ssot("doctor", "--policy", "ssot-guard.toml").stdout.count("must be a list") == 1


def test_what_a_hook_would_bring_is_not_what_is(ssot: Run, app: Path) -> None:
    done = ssot("doctor", env={"SSOT_GUARD_POLICY": str(app / "ssot-guard.toml")})
    now, _, then = done.stdout.partition("with a start-up hook:\n")
    assert "  active           False\n" in now
    assert "active           True" not in done.stdout
    assert "  mode             warn\n" in then
    facts = json.loads(ssot("doctor", "--policy", "ssot-guard.toml", "--format", "json").stdout)
    assert (facts["guarded"], facts["status"], facts["with_hook"]["mode"]) == (False, {"active": False}, "warn")


def test_commands_that_doctor_recommends_exist(ssot: Run, app: Path) -> None:
    shown = ssot("doctor", "--policy", "ssot-guard.toml").stdout
    assert "import ssot_guard.bootstrap; ssot_guard.bootstrap.start()" in shown
    assert "ssot-guard enable" not in shown


def test_mode_off_is_no_failure(ssot: Run, app: Path) -> None:
    verdict, status = doctor(ssot, "--policy", "ssot-guard.toml", SSOT_GUARD_MODE="off")
    assert (verdict, status) == ("off: the mode is off, nothing is installed", 0)


@pytest.mark.parametrize("hook", [True, False])
def test_a_damaged_baseline_is_told_by_doctor(hook: object, ssot: Run, app: Path) -> None:
    (app / "ssot-baseline.json").write_text('{"version": 1,\n')
    if hook:
        (app / "src/sitecustomize.py").write_text(HOOK)
    done = ssot("doctor", "--policy", "ssot-guard.toml")
    line = f"  baseline         cannot be read: {app / 'ssot-baseline.json'}:2: is no JSON"
    assert line in done.stdout
    assert done.stdout.startswith("guarded, but its baseline cannot be read: `strict` only warns\n") == hook
    assert done.returncode == 2
    assert doctor(ssot, "--policy", "ssot-guard.toml", SSOT_GUARD="off")[1] == 0


SWITCHES = 'block-from = "ready"\nmax-blocks = { count = 1, seconds = 60 }\nkill-file = "off"\n'


@pytest.mark.parametrize(
    ("profile", "shown"),
    [
        ("", []),
        (
            'kill-file = "{app}/src/acme/main.py"\n',
            ["kill file        {app}/src/acme/main.py", "kill file exists True"],
        ),
        (
            SWITCHES,
            [
                "ready            False",
                "breaker          closed",
                "kill file        {app}/off",
                "kill file exists False",
            ],
        ),
    ],
    ids=["none", "kill file", "all"],
)
def test_switches_of_the_profile_are_shown(profile: str, shown: list[str], ssot: Run, app: Path) -> None:
    (app / "src/sitecustomize.py").write_text(HOOK)
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write("[profiles.canary]\n" + profile.replace("{app}", str(app)))
    lines = ssot("doctor", "--policy", "ssot-guard.toml", "--profile", "canary").stdout.splitlines()
    found = [line.strip() for line in lines if line.strip().startswith(("kill file", "breaker", "ready "))]
    assert found == [line.replace("{app}", str(app)) for line in shown]


def test_a_process_tells_that_its_breaker_is_open_and_it_is_ready(
    ssot: Run, app: Path, environ: dict[str, str]
) -> None:
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write("[profiles.canary]\nmode = 'strict'\n" + SWITCHES)
    code = (
        "import sys, ssot_guard, ssot_guard.guard as guard\n"
        "ssot_guard.install('ssot-guard.toml', profile='canary')\nssot_guard.ready()\n"
        "sys.excepthook = lambda *_: print(guard.status()['ready'], guard.status()['breaker'])\n"
        "import acme.main\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=app, capture_output=True, text=True, check=False
    )
    assert done.stdout == "True open\n", done.stderr


def test_guarded_environment(ssot: Run, app: Path) -> None:
    (app / "src/sitecustomize.py").write_text(HOOK)
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


@pytest.mark.parametrize("command", [[], ["run"], ["report"]], ids=str)
def test_help_lists_every_exit_status(command: list[str], ssot: Run) -> None:
    said = ssot(*command, "--help").stdout
    assert re.search(r"[Ee]xit status\b[^-]* 3 ", said)


def test_unknown_command_is_a_usage_error(ssot: Run) -> None:
    assert ssot("explode").returncode == 2
