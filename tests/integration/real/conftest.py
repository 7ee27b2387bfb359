"""Real libraries at work, each in an environment of its own under `.venv/`, made once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = ROOT / "examples"

# `langchain==0.2.17` wants Python below 3.13: on newer ones these tests do not exist.
collect_ignore = ["test_langchain.py"] if sys.version_info >= (3, 13) else []


class Application:
    """A program of `fixtures/` or `examples/` with the libraries that its `requirements.txt` names."""

    def __init__(self, name: str) -> None:
        self.folder = next(folder for folder in (FIXTURES / name, EXAMPLES / name) if folder.is_dir())
        self.environment = ROOT / ".venv" / f"real-{name}-{sys.version_info[0]}.{sys.version_info[1]}"
        self.python = self.environment / ("Scripts" if os.name == "nt" else "bin") / "python"

    def prepare(self) -> None:
        """Make the environment, unless it is there and made from the same requirements; other workers wait."""
        self.environment.parent.mkdir(exist_ok=True)
        stamp = self.environment / f".ready-{self._digest()}"
        with _Lock(self.environment.with_suffix(self.environment.suffix + ".lock")):
            if stamp.exists():
                return
            _checked([sys.executable, "-m", "venv", "--clear", str(self.environment)])
            requirements = str(self.folder / "requirements.txt")
            pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            _checked([*pip, "--only-binary", ":all:", "--requirement", requirements])
            _checked([*pip, "--editable", f"{ROOT}[cli]"])
            stamp.touch()

    def _digest(self) -> str:
        """What the environment is made from; it works at one place only."""
        known = [str(ROOT).encode(), *((path).read_bytes() for path in (self._requirements, ROOT / "pyproject.toml"))]
        return hashlib.sha256(b"\0".join(known)).hexdigest()[:12]

    @property
    def _requirements(self) -> Path:
        return self.folder / "requirements.txt"

    def run(self, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python in the program's folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SSOT_GUARD"))}
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=self.folder,
            env=kept | {"PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "0"} | environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def guarded(self, mode: str, report: Path, *program: object) -> subprocess.CompletedProcess[str]:
        """`ssot-guard run` with the policy of the program's folder; the report goes to a file."""
        report.unlink(missing_ok=True)
        return self.run("-m", "ssot_guard", "run", "--quiet", "--mode", mode, "--report", report, *program)


class _Lock:
    """One worker at a time; the system lets go of it when a process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def application() -> Callable[[str], Application]:
    """An application by the name of its folder, ready to run."""

    def ready(name: str) -> Application:
        found = Application(name)
        found.prepare()
        return found

    return ready


@pytest.fixture
def violations(tmp_path: Path) -> Callable[[Path], list[dict[str, Any]]]:
    """The violations of a JSON report."""

    def read(report: Path) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["violations"]
        return found

    return read
