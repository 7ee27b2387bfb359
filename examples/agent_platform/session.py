"""The service's test session under the pytest plugin: what it must show, and what it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import faults
from server import HERE, clean

if TYPE_CHECKING:
    from pathlib import Path

# In tests these appear in the summary and fail nothing.
QUIET = {"SSG112", "SSG113", "SSG114", "SSG115"}
REACHES = re.compile(r"# reaches: ([\w, ]+)")
_TEST = re.compile(r"^def (test_\w+)\(.*", re.MULTILINE)
_SUMMARY = re.compile(r"FAILED |failures: |\d+ new violations|=+ \d+ failed")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Expected(NamedTuple):
    """Failing results, ``ssot::file`` for files and ids for tests; and every fault that the tests meet."""

    files: list[str]
    tests: list[str]
    places: list[faults.Place]


class Done(NamedTuple):
    """A session that was run with the plugin (and, for its status, without)."""

    status: int
    status_without: int
    files: list[str]
    tests: list[str]
    places: list[faults.Place]
    summary: str


def expected() -> Expected:
    """From the labels of the faults, and from the comments `# reaches: <function>` of the tests."""
    planted = faults.planted(faults.PACKAGE, "tests")
    failing = [fault for fault in planted if fault.status == "new" and fault.code not in QUIET]
    files = {f"ssot::{fault.path}" for fault in failing if not fault.scope}
    scopes = {fault.scope for fault in failing if fault.scope}
    tests, met = set(), {""}
    for path in sorted((HERE / "tests").glob("test_*.py")):
        for test in _TEST.finditer(path.read_text(encoding="utf-8")):
            reached = REACHES.search(test[0])
            scopes_met = {test[1], *(reached[1].split(", ") if reached else ())}
            met |= scopes_met
            if scopes & scopes_met:
                tests.add(f"tests/{path.name}::{test[1]}")
    places = faults.places(fault for fault in planted if fault.scope in met)
    return Expected(sorted(files), sorted(tests), places)


def run(folder: Path, records: str) -> Done:
    """Run it twice, and read the short summary and the report."""
    report = folder / "tests.json"
    guarded = _pytest(f"--ssot-report={report}", SSOT_GUARD_SINKS=f"jsonl:{records}")
    without = _pytest(SSOT_GUARD="off")
    failed = _FAILED.findall(guarded.stdout)
    found = json.loads(report.read_text(encoding="utf-8"))["violations"] if report.exists() else []
    return Done(
        guarded.returncode,
        without.returncode,
        sorted(name for name in failed if name.startswith("ssot::")),
        sorted(name for name in failed if not name.startswith("ssot::")),
        sorted(map(faults.place, found)),
        "\n".join(line for line in guarded.stdout.splitlines() if _SUMMARY.match(line)),
    )


def _pytest(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=HERE, env=clean() | environ, capture_output=True, text=True, check=False)
