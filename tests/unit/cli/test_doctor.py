"""`ssot-guard doctor`: is this interpreter guarded?"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


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
