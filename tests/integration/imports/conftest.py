"""The laboratory: small programs in real, forked processes."""

import json
import subprocess
import sys
import textwrap
from itertools import count
from pathlib import Path

import pytest

import ssot_guard

SERVER = Path(__file__).parents[2] / "fixtures" / "imports" / "lab.py"
SOURCE = Path(ssot_guard.__file__).parents[1]
MARK = "# <-"


class Answer(dict):
    """What a program left behind, with the questions that tests ask."""

    def __getattr__(self, name):
        return self[name]

    def of(self, *codes):
        """Violations of these codes, without those that were loaded before the guard."""
        return [row for row in self["violations"] if row["code"] in codes and not row["details"].get("loaded")]

    @property
    def lines(self):
        """What was seen: sorted (code, file, line, count), without what was loaded before the guard."""
        rows = [row for row in self["violations"] if not row["details"].get("loaded")]
        return sorted([row["code"], Path(row["path"] or "?").name, row["line"], row["count"]] for row in rows)


class Lab:
    """Writes trees and runs programs in them."""

    def __init__(self, root):
        self.root = root
        self._servers = {}
        self._numbers = count()

    def _server(self, preload):
        server = self._servers.get(preload)
        if server is None or server.poll() is not None:
            command = [sys.executable, str(SERVER), *preload]
            environment = {"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
            server = self._servers[preload] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
        return server

    def tree(self, files, root=None):
        """Write a tree of text (dedented) or bytes; returns its folder."""
        root = root or self.root / f"tree{next(self._numbers)}"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(textwrap.dedent(content).removeprefix("\n"))
        root.mkdir(parents=True, exist_ok=True)
        return root

    def run(self, files, policy=None, *, mode="observe", root=None, server=(), **case):
        """Run ``main.py`` of a tree under a policy; fails the test when the process died."""
        root = self.tree(files, root)
        result = root / f"result{next(self._numbers)}.json"
        case |= {"root": str(root), "result": str(result), "policy": policy, "mode": mode}
        process = self._server(server)
        process.stdin.write(json.dumps(case) + "\n")
        process.stdin.flush()
        status = json.loads(process.stdout.readline())["status"]
        if not result.exists():
            pytest.fail(f"the program died with status {status}:\n{(root / 'err.txt').read_text()}")
        answer = Answer(json.loads(result.read_text()))
        answer["root"] = root
        answer["stdout"] = (root / "out.txt").read_text()
        answer["stderr"] = (root / "err.txt").read_text()
        return answer

    def close(self):
        for server in self._servers.values():
            server.stdin.close()
            server.wait(10)
            server.stdout.close()


@pytest.fixture(scope="session")
def lab_session(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture
def lab(lab_session):
    return lab_session


@pytest.fixture
def marked():
    """Line numbers (from 1) of the lines that end with ``# <-``."""

    def find(text):
        lines = textwrap.dedent(text).removeprefix("\n").splitlines()
        return [number for number, line in enumerate(lines, 1) if line.rstrip().endswith(MARK)]

    return find


@pytest.fixture(scope="session")
def fixtures():
    return SERVER.parent
