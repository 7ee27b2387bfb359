"""The line to write instead keeps the names that the statement binds."""

import dis

import pytest

from ssot_guard.policy.load import load_data
from ssot_guard.policy.model import ImportRules
from ssot_guard.watch.imports import bytecode
from ssot_guard.watch.imports.judge import Judge

POLICY = load_data({
    "packages": ["a"],
    "imports": [
        {"id": "m", "deprecated": "a.old", "canonical": "b.new", "names": {"moved": "c.other:thing"}},
        {"id": "alias", "deprecated": "a.bundled.**", "canonical": "bundle.**"},
        {"id": "n", "deprecated": "a.mod:Old", "canonical": "a.mod:New"},
        {"id": "gone", "deprecated": "a.gone"},
    ],
})  # fmt: skip

WRITE = [
    ("import a.old", "import b.new"),
    ("import a.old.sub as x", "import b.new.sub as x"),
    ("from a import old", "from b import new as old"),
    ("from a import old as x", "from b import new as x"),
    ("from a.old import N", "from b.new import N"),
    ("from a.old import N as M, O", "from b.new import N as M, O"),
    ("from a.old import *", "from b.new import *"),
    ("from a.old import moved", "from c.other import thing as moved"),
    ("from a.old import moved as m, N", "from c.other import thing as m; from b.new import N"),
    ("from a import bundled", "import bundle as bundled"),
    ("from a import bundled as x", "import bundle as x"),
    ("from a.mod import Old", "from a.mod import New as Old"),
    ("from a.mod import Old as Mine", "from a.mod import New as Mine"),
    ("from a.gone import x", None),
]


@pytest.mark.parametrize(("source", "write"), WRITE)
@pytest.mark.parametrize(
    "place", ["{}", "def f():\n    {}\n    return 1", "def f():\n    {}\n    return lambda: (a, x, N, M)"]
)
def test_the_line_to_write(source, write, place):
    if "*" in source and "def" in place:
        return
    code = compile(place.format(source), "x.py", "exec")
    if "def" in place:
        code = next(constant for constant in code.co_consts if hasattr(constant, "co_code"))
    offset = next(one.offset for one in dis.get_instructions(code) if one.opname == "IMPORT_NAME")
    statement = bytecode.statement_at(code, offset)
    aliases = bytecode.aliases_of(code, statement)
    judge = Judge(POLICY, ImportRules(POLICY.imports, "runtime"))
    (finding,) = judge.statement(statement.name, statement.names, aliases)

    assert finding.write == write
