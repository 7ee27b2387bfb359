"""Tables of small programs, each in a module of its own, in one process: what is marked must be found, nothing else."""

import importlib.util
import re
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

_imports = importlib.util.spec_from_file_location("tenants_lab", Path(__file__).parents[1] / "imports" / "conftest.py")
_lab = importlib.util.module_from_spec(_imports)
_imports.loader.exec_module(_lab)
lab_session, lab = _lab.lab_session, _lab.lab

MARK = "# <-"
HEAD = "from acme.context import user; import ssot_guard\n"
POLICY = {
    "packages": ["acme"],
    "roles": [{"id": "engine", "match": ["*Engine"], "isolated": True}],
    "tenant": {"current": ["acme.context:user"]},
}
TREE = {
    "acme/__init__.py": "",
    "acme/context.py": """
        from contextvars import ContextVar
        user = ContextVar("user")
    """,
    "acme/engine.py": """
        class Engine:
            def __init__(self):
                self.log = []
            def ask(self, question="?"):
                return question
            async def think(self, question="?"):
                return question
            @property
            def name(self):
                return "engine"
    """,
}
START = """
import asyncio, contextvars, importlib, lab
guard = lab.install()
failed = {}
def run(name):
    try:
        module = importlib.import_module(name)
        contextvars.Context().run(module.main)
    except BaseException as error:
        failed[name] = lab.attempt(lambda: (_ for _ in ()).throw(error))
for name in %r:
    run(name)
lab.out(failed=failed, unknown=guard.status()["unknown"])
"""
CHECK = """
guard.check()
lab.out(again=[str(row) for row in guard.check()])
"""


def file_of(description):
    """The module's file for one program."""
    return "acme/" + re.sub(r"\W+", "_", description).strip("_") + ".py"


class Programs:
    """A table (description → source) and what a process found in it."""

    def __init__(self, table, answer):
        self._table = table
        self.answer = answer

    def found(self, code):
        return sorted({(row["file"], row["line"]) for row in self.answer.of(code)})

    def marked(self):
        rows = []
        for description, source in self._table.items():
            lines = source.splitlines()
            rows += [
                (file_of(description), number) for number, line in enumerate(lines, 1) if line.rstrip().endswith(MARK)
            ]
        return sorted(rows)

    def of(self, description, code):
        return [row for row in self.answer.of(code) if row["file"] == file_of(description)]

    def lines(self, description, code):
        return sorted({row["line"] for row in self.of(description, code)})

    def expected(self, description):
        return [line for file, line in self.marked() if file == file_of(description)]


@pytest.fixture(scope="session")
def programs(lab_session):
    """Run ``main()`` of every program, each in a context of its own; none may fail, and nothing of ours either."""

    def run(table, policy=POLICY, *, tree=None, check=False, **case):
        """``tree``: more files. ``check``: look at the whole process at the end, twice."""
        table = {one: HEAD + textwrap.dedent(source).removeprefix("\n") for one, source in table.items()}
        names = [file_of(one).removesuffix(".py").replace("/", ".") for one in table]
        files = {file_of(one): source for one, source in table.items()}
        main = START % names + (CHECK if check else "")
        answer = lab_session.run(TREE | (tree or {}) | files | {"main.py": main}, policy, **case)
        assert answer.error is None, answer.stderr
        assert answer.out["failed"] == {}
        assert answer.internal_errors == {}
        return Programs(table, answer)

    return run


@pytest.fixture
def policy():
    return SimpleNamespace(data=POLICY, tree=TREE)
