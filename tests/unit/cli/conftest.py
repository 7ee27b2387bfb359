import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ssot_guard

pytest.importorskip("click")
pytest.importorskip("rich")

Run = Callable[..., subprocess.CompletedProcess[str]]

POLICY = """\
packages = ["acme"]
source-roots = ["src"]

[[imports]]
id = "registry"
deprecated = "acme.old"
canonical = "acme.new"
tags = ["wave1"]

[profiles.test]
mode = "observe"
"""
FILES = {
    "ssot-guard.toml": POLICY,
    ".git/HEAD": "",
    "src/acme/__init__.py": "",
    "src/acme/new.py": "class Registry: ...\n",
    "src/acme/old.py": "from acme.new import Registry\n",
    "src/acme/main.py": "import sys\nfrom acme.old import Registry\nprint(sys.argv[1:])\n",
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application with one deprecated import, and a policy that says so."""
    for name, content in FILES.items():
        file = tmp_path / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return tmp_path / "app"


@pytest.fixture
def environ(app: Path) -> dict[str, str]:
    """An environment that knows the application and ourselves, and nothing of the session that runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SSOT_", "PYTEST_", "NO_COLOR"))}
    package = str(Path(ssot_guard.__file__).parents[1])
    return kept | {"PYTHONPATH": os.pathsep.join([package, str(app / "src")]), "TMPDIR": str(app.parent)}


@pytest.fixture
def ssot(app: Path, environ: dict[str, str]) -> Run:
    """The command, as a real process in the application's folder."""

    def run(*args: str, env: dict[str, str] | None = None, **changes: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ssot_guard", *args]
        options: dict[str, Any] = {"cwd": app, "capture_output": True, "text": True, "timeout": 120} | changes
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, env=environ | (env or {}), check=False, **options
        )
        return done

    return run


@pytest.fixture
def spool(app: Path, environ: dict[str, str]) -> Callable[[], None]:
    """Writes real JSON lines of a real process into ``spool``, once for each call."""
    code = "from ssot_guard import bootstrap; bootstrap.start(); import acme.main"
    own = {"SSOT_GUARD_POLICY": str(app / "ssot-guard.toml"), "SSOT_GUARD_SINKS": f"jsonl:{app / 'spool'}"}

    def write() -> None:
        command = [sys.executable, "-W", "ignore", "-c", code]
        subprocess.run(command, env=environ | own, check=True, capture_output=True)

    return write
