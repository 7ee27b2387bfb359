"""The service in a process of its own, guarded or not, on a free port of the loopback interface."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults import Place, place

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds until it serves or has ended
_SERVING = re.compile(r"Uvicorn running on (http://[\d.:]+)")


def clean() -> dict[str, str]:
    """The environment without anybody's own guard, warnings, test options or colours."""
    unwanted = ("SSOT_GUARD", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTEST", "FORCE_COLOR", "HELPDESK", "COV_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return environ | {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "COLUMNS": "120"}


class Server:
    """A context manager. ``address`` is None where it ended before it served; afterwards there are its remains."""

    def __init__(self, folder: Path, profile: str | None = None, name: str = "", **environ: str) -> None:
        self.address: str | None = None
        self.status: int | None = None
        self.violations: list[dict[str, Any]] = []
        name = name or profile or "plain"
        self._report, self._log = folder / f"{name}.json", folder / f"{name}.log"
        self.records = folder / "records" / name
        self._command = [sys.executable, "-m", "uvicorn", "asgi:app", "--host", "127.0.0.1", "--port", "0"]
        self._command.append("--no-access-log")
        self._environ = clean() | environ
        if profile is not None:
            guard = ["-m", "ssot_guard", "run", "--quiet", "--policy", str(HERE / "ssot-guard.toml")]
            guard += ["--profile", profile, "--report", str(self._report)]
            self._command[1:1] = guard
            self._environ["SSOT_GUARD_SINKS"] = f"jsonl:{self.records}"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=HERE, env=self._environ, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None and self.address is None:
            time.sleep(0.05)
            serving = _SERVING.search(self.log)
            self.address = serving and serving[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it as a cluster does."""
        self._process.terminate()
        try:
            self.status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.status = self._process.wait()
        if self._report.exists():
            self.violations = json.loads(self._report.read_text(encoding="utf-8"))["violations"]

    @property
    def places(self) -> list[Place]:
        """Where it broke the policy, by place."""
        return sorted(place(found) for found in self.violations)

    @property
    def places_in_order(self) -> list[Place]:
        """The same in order of first sight."""
        lines = [line for file in self.records.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
        found = [one for one in map(json.loads, lines) if one["record"] == "violation"]
        return [place(one | {"path": one["file"]}) for one in sorted(found, key=lambda one: one["time_ns"])]

    def health(self) -> dict[str, Any]:
        """What its health page says."""
        if self.address is None:
            return {}
        with urllib.request.urlopen(f"{self.address}/health", timeout=PATIENCE) as page:  # noqa: S310 - our own server
            said: dict[str, Any] = json.load(page)
        return said

    @property
    def log(self) -> str:
        """What it printed so far, with paths as seen from this folder."""
        return self._log.read_text(encoding="utf-8", errors="replace").replace(str(HERE) + os.sep, "")
