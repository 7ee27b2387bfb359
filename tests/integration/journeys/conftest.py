"""Programs with journeys, in processes of their own: the process of the tests has a guard already."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import ssot_guard

SOURCE = Path(ssot_guard.__file__).parents[1]
BEGIN = """
import asyncio, contextlib, functools, gc, json, os, sys, threading, time
import ssot_guard
from ssot_guard import journey
"""
# Each row of a table under a guard of its own, in one process.
TABLE = """
def rows(table, policy):
    answers = {}
    for name, program in table.items():
        guard = ssot_guard.install(policy, mode="observe")
        code = compile(program, "row.py", "exec")
        told = {}
        try:
            exec(code, {**globals(), "__name__": "acme.row", "guard": guard, "told": told})
        except BaseException as error:
            told["error"] = f"{type(error).__name__}: {error}"
        census = guard.census()
        found = [[one.code, one.rule, one.message, one.site.path, one.site.line, one.count, dict(one.details)]
                 for one in guard.violations() if one.code == "SSG501"]
        faults = guard.status().get("first_errors", {})
        guard.uninstall()
        answers[name] = {"census": census, "told": told, "found": found, "faults": faults}
    return answers
"""


class Programs:
    """Runs programs; what they print at last is their answer."""

    def __init__(self, root):
        self.root = root

    def run(self, program, files=(), environ=None):
        for name, content in dict(files).items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        main = self.root / "main.py"
        main.write_text(BEGIN + textwrap.dedent(program))
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", str(main)],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.errors = done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def table(self, rows, policy):
        """Row → census, what it told, violations."""
        rows = {name: textwrap.dedent(row) for name, row in rows.items()}
        return self.run(f"{TABLE}\nprint(json.dumps(rows({rows!r}, {policy!r})))")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return Programs(tmp_path_factory.mktemp("programs"))
