"""The stage: many small programs with an emitter, played in one process that has no other guard."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import ssot_guard

STAGE = Path(__file__).parents[2] / "fixtures" / "events" / "stage.py"
SOURCE = Path(ssot_guard.__file__).parents[1]
CONTEXT = "from contextvars import ContextVar\nuser = ContextVar('user')\n"


class Answer(dict):
    """What became of one program; attributes are its keys."""

    def __getattr__(self, name):
        return self[name]

    def of(self, code):
        return sorted((row["target"], row["line"], row["count"]) for row in self.violations if row["code"] == code)


class Stage:
    """Plays tables: name → case. A case is a program and what differs from the table's defaults.

    Programs are written with ``async`` and ``await``; without these words they are played once more ("sync").
    """

    def play(self, table, environ=None, **defaults):
        cases = {
            (name, way): self._case(f"{name}|{way}", way, {**defaults, **case})
            for name, case in table.items()
            for way in ("async", "sync")
            if case.get("only", way) == way
        }
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", str(STAGE)],
            input=json.dumps(list(cases.values())),
            env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin", **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        answers = json.loads(done.stdout.splitlines()[-1])
        return {key: Answer(answers[case["name"]], marked=marked(case["program"])) for key, case in cases.items()}

    def _case(self, name, way, case):
        def spelled(text):
            text = textwrap.dedent(text)
            if way == "sync":
                text = text.replace("asyncio.run(main())", "main()").replace("async ", "").replace("await ", "")
            return text

        files = {"acme/__init__.py": "", "acme/context.py": CONTEXT, **case.get("files", {}), "acme/ws.py": case["ws"]}
        policy: Any = {"packages": ["acme"], "events": [case["rule"] | case.get("differs", {})]}
        if "second" in case:
            policy["events"].append(policy["events"][0] | case["second"])
        if "tenants" in case:
            policy["tenant"] = {"current": case["tenants"]}
        return {
            "name": name,
            "program": spelled(case["program"]),
            "late": spelled(case.get("late", "")),
            "files": {path: spelled(text) for path, text in files.items()},
            "policy": policy,
            "mode": case.get("mode", "observe"),
        }


def marked(text):
    """Numbers of the lines that end with ``# <-``."""
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# <-")]


@pytest.fixture(scope="session")
def stage():
    return Stage()
