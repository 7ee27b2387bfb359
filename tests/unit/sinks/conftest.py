import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.sinks import Context
from ssot_guard.violation import Site, Violation


@pytest.fixture
def violation() -> Callable[..., Violation]:
    """A violation with chosen fields; those of its site by name too."""

    def make(**changes: Any) -> Violation:
        site: dict[str, Any] = {
            "path": "/srv/acme/bridge.py",
            "line": 276,
            "column": 1,
            "module": "acme.bridge",
            "scope": "",
        }
        site |= {key: changes.pop(key) for key in list(changes) if key in Site.__slots__}
        fields: dict[str, Any] = {
            "code": "SSG101",
            "rule": "registry",
            "message": "imports acme.agents.registry",
            "target": "acme.agents.registry",
            "canonical": "acme.agents.supervisor.agent_registry",
            "mode": "warn",
            "action": "warned",
            "fingerprint": "00112233445566aa",
            "file": "src/acme/bridge.py",
            "tags": ("wave1",),
        }
        return Violation(site=Site(**site), **fields | changes)

    return make


@pytest.fixture
def context() -> Context:
    return Context("/srv/ssot-guard.toml", "d1635", "warn", "canary", {"release": "4f2c"})


@pytest.fixture
def read() -> Callable[[Path], list[dict[str, Any]]]:
    """The records of a JSONL file; fails on a torn line."""
    return lambda path: [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Code in a process of its own, with `build`, `Context` and `make(number, count)` at hand."""
    prelude = (
        "import os, sys, signal, time\n"
        "from ssot_guard.sinks import Context, build\n"
        "from ssot_guard.violation import Site, Violation\n"
        "def make(number=1, count=1):\n"
        "    return Violation('SSG101', 'registry', 'm' * 200, Site('/a.py', number), 'a.old', count=count,\n"
        "                     fingerprint=f'{number:016x}')\n"
    )

    def process(code: str, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", prelude + code, *args]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)

    return process
