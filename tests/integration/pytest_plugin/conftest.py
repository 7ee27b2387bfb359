"""Whole sessions of pytest in processes of their own, and what they said."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import ssot_guard

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pytest_plugin"
SOURCE = Path(ssot_guard.__file__).parents[1]
# Hundreds of sessions: what depends on other plugins more than on the Python runs on the oldest and the newest one.
if (3, 11) < sys.version_info[:2] < (3, 15):
    collect_ignore = ["test_other_plugins.py", "test_same_everywhere.py", "test_reports.py", "test_inert.py"]

POLICY = """
packages = ["acme"]
source-roots = ["src"]
[[imports]]
id = "old"
deprecated = "acme.old"
canonical = "acme.new"
"""
ACME = {
    "src/acme/__init__.py": "",
    "src/acme/old.py": "value = 1\n",
    "src/acme/new.py": "value = 1\n",
    "src/acme/lazy.py": "def use():\n    import acme.old\n    return acme.old.value\n",
}


class Session:
    """One finished session."""

    def __init__(self, done, records, report):
        self.status = done.returncode
        self.text = done.stdout + done.stderr
        self.records = records
        self.report = report

    @property
    def failed(self):
        """Node ids of failed results, as often as they failed, sorted."""
        return sorted(record["id"] for record in self.records if record["outcome"] == "failed")

    @property
    def fingerprints(self):
        return {row["fingerprint"] for row in self.report["violations"]}

    @property
    def sites(self):
        """What was found, as (code, path, line), sorted."""
        return sorted((row["code"], row["path"], row["line"]) for row in self.report["violations"])

    @property
    def imports(self):
        """The deprecated imports among them, as (path, line)."""
        return [(path, line) for code, path, line in self.sites if code == "SSG101"]

    @property
    def summary(self):
        """Our section at the end."""
        lines = self.text.splitlines()
        starts = [number for number, line in enumerate(lines) if line.strip("=") == " ssot-guard "]
        assert len(starts) == 1, self.text
        rest = lines[starts[0] + 1 :]
        end = next((number for number, line in enumerate(rest) if line.startswith(("==", "!!"))), len(rest))
        return rest[:end]

    def of(self, name, outcome=None):
        """The reports of one test, by the end of its id; with the given outcome only."""
        return [one for one in self.records if one["id"].endswith(name) and outcome in (None, one["outcome"])]

    def __repr__(self):
        return f"exit status {self.status}\n{self.text}"


class Project:
    """A tree with tests in it."""

    def __init__(self, root):
        self.root = root
        self.sessions = 0

    def write(self, files):
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))

    def run(
        self,
        *arguments,
        plugins=("ssot_guard.pytest_plugin",),
        environ=None,
        autoload=False,
        cwd=None,
        report=True,
        starter=None,
    ):
        """A session with exactly these plugins, in a process of its own."""
        self.sessions += 1
        records, report_file = self.root / f"records{self.sessions}.jsonl", self.root / f"report{self.sessions}.json"
        loaded = [part for name in (*plugins, "recorder") for part in ("-p", name)]
        if report and "ssot_guard" in " ".join(plugins):
            loaded += ["--ssot-report", str(report_file)]
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, [self.root / "src", self.root, SOURCE, FIXTURES])),
            "RECORDER": str(records),
            "COLUMNS": "160",
            "PYTEST_DEBUG_TEMPROOT": str(self.root.parent),
        }
        if not autoload:
            variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command = [sys.executable, *([starter] if starter else ["-m", "pytest"]), *loaded, *arguments]
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=variables | (environ or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        lines = records.read_text().splitlines() if records.exists() else []
        found = json.loads(report_file.read_text()) if report_file.exists() else None
        return Session(done, [json.loads(line) for line in lines], found)


@pytest.fixture(scope="session")
def projects(tmp_path_factory):
    """``projects(files)``: a project with a policy, a package ``acme`` and these files; or a copy of a fixture's tree.

    A policy that begins with ``+`` is added to the one that is there anyway.
    """

    def make(files=(), tree=None):
        made = Project(tmp_path_factory.mktemp("session") / "project")
        if tree is not None:
            shutil.copytree(FIXTURES / tree, made.root)
            return made
        made.write({"ssot-guard.toml": POLICY, "pytest.ini": "[pytest]\n", **ACME})
        for name, content in dict(files).items():
            made.write({name: POLICY + content[1:] if content.startswith("+") else content})
        return made

    return make
