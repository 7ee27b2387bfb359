"""What all commands have in common: help, exit statuses, missing parts."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


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
