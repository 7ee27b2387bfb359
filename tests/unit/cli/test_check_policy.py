"""`ssot-guard check-policy`: every problem, and what a good policy holds."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


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


def test_the_message_about_a_damaged_baseline_helps(ssot: Run, app: Path, spool: Callable[[], None]) -> None:
    spool()
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


def test_parameters_that_emitters_do_not_have_are_told_on_request(ssot: Run, app: Path) -> None:
    (app / "src/acme/ws.py").write_text("def emit(event, run_id): ...\ndef send(*args): ...\n")
    with (app / "ssot-guard.toml").open("a") as policy:
        policy.write(
            '[[events]]\nid = "e"\nemitter = ["acme.ws:emit", "acme.ws:send"]\nevent = "kind.name"\nrun = "run"\n'
            'tenant = "event.user"\nsequence = "a b"\n'
        )
    assert ssot("check-policy").returncode == 0
    done = ssot("check-policy", "--import")
    assert done.returncode == 2
    problems = [line.partition("ssot-guard.toml: ")[2] for line in done.stderr.splitlines()]
    assert problems == [
        "events[0].event: acme.ws:emit has no parameter 'kind'; it has: event, run_id",
        "events[0].run: acme.ws:emit has no parameter 'run'; it has: event, run_id",
    ]


def test_no_policy_is_a_usage_error(ssot: Run, tmp_path: Path) -> None:
    done = ssot("check-policy", cwd=tmp_path)
    assert done.returncode == 2
    assert "no policy found" in done.stderr
