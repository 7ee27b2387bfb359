"""Other people's programs, run once without and once with a guard in every process.

Environments, sdists and policy caches live in git-ignored folders below the repository root and are made on demand.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
CACHE = ROOT / ".venv"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
# The interpreter behind the test environment: a suite of CPython's own expects no other packages.
PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable

SITECUSTOMIZE = """
from ssot_guard import bootstrap

if bootstrap.start():
    import atexit, os

    def _tell():
        # Other people's tests change what a program stands on; what we say at the end must not fail for that.
        from ssot_guard import guard

        status = guard.status()
        line = f"{os.getpid()} {status['finder_position']} {status['internal_errors']} {status['first_errors']}\\n"
        with open(os.environ["CONFORMANCE_STATUS"], "a", encoding="utf-8") as stream:
            stream.write(line)

    atexit.register(_tell)
"""

PLUGIN = {
    "ssot_guard-0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ssot-guard\nVersion: 0\n",
    "ssot_guard-0.dist-info/entry_points.txt": "[pytest11]\nssot_guard = ssot_guard.pytest_plugin\n",
}


@dataclass
class Sightings:
    """What the guards of one run have written, over all its processes."""

    folder: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        lines = [line for file in sorted(self.folder.glob("sink/*.jsonl")) for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    @property
    def processes(self) -> int:
        return sum(record["record"] == "header" for record in self.records)

    @property
    def codes(self) -> Counter[str]:
        return Counter(record["code"] for record in self.records if record["record"] == "violation")

    @property
    def rules(self) -> set[str]:
        return {record["rule"] for record in self.records if record["record"] == "violation"}

    @property
    def internal_errors(self) -> list[str]:
        """Lines of processes whose guard stumbled."""
        file = self.folder / "status"
        return (
            [line for line in file.read_text("utf-8").splitlines() if not line.endswith(" {} {}")]
            if file.exists()
            else []
        )


@dataclass
class Kit:
    """Guarded and unguarded processes of one interpreter."""

    folder: Path
    python: str = PYTHON
    source: Path = SRC
    plain: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plain = self.plain or _plain_environment()

    def with_python(self, python: str | Path) -> Kit:
        return Kit(self.folder, str(python), self.source, self.plain)

    def sightings(self, label: str = "guarded") -> Sightings:
        return Sightings(self.folder / label)

    def guarded(self, policy: Path | str, label: str = "guarded") -> dict[str, str]:
        """The environment of a guarded process and all its children; ``policy`` is a file or a text."""
        place = self.folder / label
        (place / "site").mkdir(parents=True, exist_ok=True)
        (place / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE, "utf-8")
        return self._environment(policy, place) | {"CONFORMANCE_STATUS": str(place / "status")}

    def plugged(self, policy: Path | str, label: str = "guarded") -> dict[str, str]:
        """The environment of a pytest that loads the plugin by its entry point, as if the package was installed."""
        place = self.folder / label
        for name, text in PLUGIN.items():
            (place / "site" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "site" / name).write_text(text, "utf-8")
        return self._environment(policy, place)

    def _environment(self, policy: Path | str, place: Path) -> dict[str, str]:
        if isinstance(policy, str):
            text, policy = policy, place / "ssot-guard.toml"
            policy.write_text(textwrap.dedent(text), "utf-8")
        theirs = filter(None, (self.plain.get("PYTHONPATH"),))
        return self.plain | {
            "PYTHONPATH": os.pathsep.join((str(place / "site"), str(SRC), *theirs)),
            "SSOT_GUARD_POLICY": str(policy),
            "SSOT_GUARD_CACHE": str(self.folder / "cache"),
            "SSOT_GUARD_SINKS": f"jsonl:{place / 'sink'}",
        }

    def run(
        self, *arguments: str | Path, env: dict[str, str] | None = None, timeout: float = 120, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, *map(str, arguments)],
            env=self.plain if env is None else env,
            cwd=cwd or self.folder,
            timeout=timeout,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def both(
        self,
        *arguments: str | Path,
        policy: Path | str,
        timeout: float = 240,
        cwd: Path | None = None,
        plugin: bool = False,
    ) -> Pair:
        """Run twice at the same time; ``{junit}`` in the arguments is each run's own report file."""
        environments = {"plain": self.plain, "guarded": self.plugged(policy) if plugin else self.guarded(policy)}
        running = {}
        for label, env in environments.items():
            work = self.folder / label
            work.mkdir(exist_ok=True)
            command = [str(part).replace("{junit}", str(work / "junit.xml")) for part in arguments]
            with (work / "output").open("wb") as output:
                running[label] = subprocess.Popen(
                    [self.python, *command],
                    env=env | {"TMPDIR": str(_made(work / "tmp"))},
                    cwd=_copied(cwd, work / "tree") if cwd else _made(work / "cwd"),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                )
        deadline = monotonic() + timeout
        try:
            statuses = {label: process.wait(max(0.1, deadline - monotonic())) for label, process in running.items()}
        finally:
            for process in running.values():
                process.kill()
        return Pair(*(Run(self.folder / label, statuses[label]) for label in environments))


@dataclass
class Run:
    folder: Path
    status: int

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text("utf-8", "replace")

    @property
    def outcomes(self) -> Counter[tuple[str, str]]:
        """(test, outcome) → how often, from the JUnit report that pytest and ``python -m test`` write."""
        found: Counter[tuple[str, str]] = Counter()
        for case in ET.parse(self.folder / "junit.xml").getroot().iter("testcase"):  # noqa: S314 - written by our child
            kinds = sorted(child.tag for child in case if child.tag in {"skipped", "failure", "error"})
            state = [case.get("status") or "", case.get("result") or "", *kinds]
            found[f"{case.get('classname') or ''}.{case.get('name')}", " ".join(state).strip()] += 1
        return found


@dataclass
class Pair:
    plain: Run
    guarded: Run

    def assert_same_tests(self, *, at_least: int) -> None:
        """Test by test the same outcome, and the same exit status; ``at_least`` proves that tests were run at all."""
        plain, guarded = self.plain.outcomes, self.guarded.outcomes
        tail = self.guarded.output[-3000:]
        assert dict(guarded - plain) == {}, f"outcomes of the guarded run only:\n{tail}"
        assert dict(plain - guarded) == {}, f"outcomes of the unguarded run only:\n{tail}"
        assert self.plain.status == self.guarded.status, tail
        assert plain.total() >= at_least, self.plain.output[-3000:]


def _plain_environment() -> dict[str, str]:
    """The developer's environment without what steers Python or pytest."""
    steering = ("PYTHON", "PYTEST", "SSOT_GUARD", "COV")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _copied(tree: Path, target: Path) -> Path:
    shutil.copytree(tree, target, symlinks=True)
    return target


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One worker at a time makes an environment; a lock that a killed run left behind is broken after ten minutes."""
    CACHE.mkdir(exist_ok=True)
    lock = CACHE / f"{name}.lock"
    deadline = monotonic() + 600
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            if monotonic() > deadline:
                lock.rmdir()
            sleep(0.2)
    try:
        yield
    finally:
        lock.rmdir()


def _pip(python: Path | str, *arguments: str | Path) -> None:
    """Run pip; where there is no index a run by hand skips, and CI fails."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def environment(what: str, *requirements: str) -> Path:
    """The interpreter of ``.venv/conformance-<what>-<X.Y>`` with exactly these requirements installed."""
    folder = CACHE / f"conformance-{what}-{VERSION}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = folder / ".ready", "\n".join([str(folder), *requirements])
    with _alone(folder.name):
        if not stamp.exists() or stamp.read_text("utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([PYTHON, "-m", "venv", str(folder)], check=True, capture_output=True)
            _pip(python, "install", "-qq", "--prefer-binary", *requirements)
            stamp.write_text(wanted, "utf-8")
    return python


def sdist(requirement: str) -> Path:
    """The unpacked source distribution of ``name==version``."""
    name, _, version = requirement.partition("==")
    store = CACHE / "conformance-sdists"
    folder = store / f"{name}-{version}"
    with _alone(f"conformance-{name}"):
        if not folder.exists():
            _pip(sys.executable, "download", "-qq", "--no-deps", "--no-binary", name, "--dest", store, requirement)
            archive = next(store.glob(f"{name.replace('-', '[-_]')}-{version}.tar.gz"))
            with tarfile.open(archive) as packed:
                packed.extractall(store, filter="data")
    return folder


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


@pytest.fixture(scope="session")
def environments() -> Any:
    return environment


@pytest.fixture(scope="session")
def hooks() -> Path:
    """An interpreter with other people's import hooks."""
    wanted = ("gevent==26.9.0", "beartype==0.23.1", "typeguard==4.6.0", "wrapt==2.5.2")
    return environment("hooks", *wanted, f"pytest=={pytest.__version__}")


@pytest.fixture(scope="session")
def sdists() -> Any:
    return sdist


@pytest.fixture(scope="session")
def policies() -> Path:
    return Path(__file__).parent / "policies"
