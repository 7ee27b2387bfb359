"""Trees of shapes, each in a file of its own, in one process: what is marked must be found, and nothing else."""

import importlib.util
import re
import textwrap
from pathlib import Path

import pytest

_imports = importlib.util.spec_from_file_location("roles_lab", Path(__file__).parents[1] / "imports" / "conftest.py")
_lab = importlib.util.module_from_spec(_imports)
_imports.loader.exec_module(_lab)
lab_session, lab = _lab.lab_session, _lab.lab

MARK = "# <-"


def file_of(description):
    """The module's file for one shape."""
    return "acme/" + re.sub(r"\W+", "_", description).strip("_") + ".py"


def marked(source):
    lines = textwrap.dedent(source).removeprefix("\n").splitlines()
    return [number for number, line in enumerate(lines, 1) if line.rstrip().endswith(MARK)]


class Shapes:
    """A table of shapes (description → source) and what a process found in them."""

    def __init__(self, table, answer):
        self._table = table
        self.answer = answer

    def found(self, description, code):
        file = file_of(description)
        return [row for row in self.answer.of(code) if row["file"] == file]

    def lines(self, description, code):
        return sorted(row["line"] for row in self.found(description, code))

    def expected(self, description):
        return marked(self._table[description])

    def everywhere(self, code):
        """(file, line) of everything that was found."""
        return sorted((row["file"], row["line"]) for row in self.answer.of(code))

    def all_expected(self):
        return sorted((file_of(one), line) for one, source in self._table.items() for line in marked(source))


@pytest.fixture(scope="session")
def shapes(lab_session):
    """Load every shape under a policy, ``before`` and ``after`` it other modules; then a look at the whole process."""

    def run(table, tree, policy, *, before=(), after=(), **case):
        names = [file_of(one).removesuffix(".py").replace("/", ".") for one in table]
        lines = ["import importlib, sys", "import lab", "guard = lab.install()"]
        lines += [f"importlib.import_module({name!r})" for name in [*before, *names, *after]]
        lines += ["guard.check()", "again = guard.check()", "lab.out(again=[str(one) for one in again])"]
        lines += ["lab.out(census=guard.census(), unknown=guard.status()['unknown'], modules=list(sys.modules))"]
        files = {file_of(one): source for one, source in table.items()}
        answer = lab_session.run(tree | files | {"main.py": "\n".join(lines)}, policy, **case)
        assert answer.error is None, answer.stderr
        assert answer.internal_errors == {}
        return Shapes(table, answer)

    return run


# -- what is built ---------------------------------------------------------------------------------------------------


def said(source):
    """(line, code) of the lines of a module that end with ``# <- SSG202``."""
    lines = textwrap.dedent(source).removeprefix("\n").splitlines()
    return sorted((number, code) for number, line in enumerate(lines, 1) for code in re.findall(r"# <- (SSG\d+)", line))


@pytest.fixture(scope="session")
def built(lab_session):
    """Each shape a module with a class ``Registry`` and a function ``use``, and a role of its own; all in one process.

    What ``use`` returns is kept alive; then the whole process is looked at. Tells for each shape what was found.
    """

    def run(table, *, mode="observe", tree=(), before="", after="", **keys):
        slugs = {description: re.sub(r"\W+", "_", description).strip("_") for description in table}
        rule = {"instances": {"max": 1}} | keys
        roles = []
        files = {"acme/__init__.py": ""} | dict(tree)
        for description, (source, more) in table.items():
            name = slugs[description]
            files[f"acme/{name}.py"] = source
            home = {"id": name, "canonical": f"acme.{name}:Registry", "match": [f"acme.{name}:*Registry"]}
            roles.append({key: value for key, value in (home | rule | more).items() if value is not None})
        policy = {"packages": ["acme"], "roles": roles}
        files["main.py"] = MAIN.replace("BEFORE", before).replace("AFTER", after)
        answer = lab_session.run(files, policy, mode=mode, names=list(slugs.values()), server=PRELOADED)
        assert answer.error is None, (answer.error, answer.stderr)
        assert answer.internal_errors == {}
        assert answer.out["errors"] == {}
        return Found(answer, slugs, {description: said(source) for description, (source, _) in table.items()})

    return run


PRELOADED = ("asyncio", "attrs", "concurrent.futures.thread", "pydantic", "unittest.mock")
MAIN = """
import gc, importlib, sys, traceback
gc.freeze()  # a collection is cheap
import lab
guard = lab.install()
kept, errors = {}, {}
BEFORE
for name in lab.case["names"]:
    try:
        kept[name] = importlib.import_module(f"acme.{name}").use()
    except BaseException as error:
        errors[name] = traceback.format_exc()
AFTER
early = len(lab.rows())
guard.check()
lab.out(errors=errors, early=early, census=guard.census(), again=len(guard.check()), unknown=guard.status()["unknown"])
"""


class Found:
    """What was found of each shape."""

    def __init__(self, answer, slugs, expected):
        self.answer = answer
        self.expected = expected
        self._slugs = slugs
        self.census = {description: answer.out["census"].get(slug) for description, slug in slugs.items()}

    def rows(self, description, *codes):
        rows = [row for row in self.answer.violations if row["rule"] == self._slugs[description]]
        return [row for row in rows if not codes or row["code"] in codes]

    def said(self, description, *codes):
        """(line, code) of what was found; the line is None where nobody saw it."""
        return sorted((row["line"], row["code"]) for row in self.rows(description, *codes))

    def unknown(self, description, code):
        return self.answer.out["unknown"].get(f"{code} {self._slugs[description]}", 0)
