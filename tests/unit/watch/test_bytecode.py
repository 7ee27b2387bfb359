"""Statements and handlers are decoded from code objects alone, on every supported Python."""

import contextlib
import dis
import os
import sys
from pathlib import Path
from types import CodeType

import pytest

from ssot_guard.watch.imports import bytecode, handlers

MANY_NAMES = "\n".join(
    f"name_{number} = 'text {number}'" for number in range(600)
)  # EXTENDED_ARG for names and constants
MANY_JUMPS = "\n".join(f"    x_{number} = {number} + len('')" for number in range(600))

# Of each: source, name, level and names.
STATEMENTS = [
    ("import a", "a", 0, None),
    ("import a.b", "a.b", 0, None),
    ("import a.b as x", "a.b", 0, None),
    ("import a.b.c.d as x", "a.b.c.d", 0, None),
    ("from a import b", "a", 0, ("b",)),
    ("from a import b as x, c", "a", 0, ("b", "c")),
    ("from a.b import (\n    c,\n    d as e,\n)", "a.b", 0, ("c", "d")),
    ("from . import a", "", 1, ("a",)),
    ("from .. import a", "", 2, ("a",)),
    ("from ...q.r import a", "q.r", 3, ("a",)),
    ("from a import *", "a", 0, ("*",)),
    ("from .a import *", "a", 1, ("*",)),
    ("from " + "." * 300 + "a import b", "a", 300, ("b",)),
    (MANY_NAMES + "\nimport a.b", "a.b", 0, None),
    (MANY_NAMES + "\nfrom ..a import b, c", "a", 2, ("b", "c")),
    ("if __name__:\n    import a.b", "a.b", 0, None),
    ("try:\n    from a import b\nexcept ImportError:\n    b = None", "a", 0, ("b",)),
]  # fmt: skip


def code_in(source: str, *, function: bool) -> CodeType:
    if not function:
        return compile(source, "x.py", "exec")
    body = "\n".join("    " + line for line in source.split("\n"))
    module = compile(f"def f():\n{body}\n", "x.py", "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def offsets(code: CodeType, *names: str) -> list[int]:
    return [one.offset for one in dis.get_instructions(code) if one.opname in names]


@pytest.mark.parametrize("function", [False, True], ids=["module", "function"])
@pytest.mark.parametrize(("source", "name", "level", "names"), STATEMENTS, ids=[row[0][-40:] for row in STATEMENTS])
def test_a_statement_is_read_back_from_each_of_its_instructions(source, name, level, names, function):
    if function and names == ("*",):
        return  # a syntax error
    code = code_in(source, function=function)
    (head,) = offsets(code, "IMPORT_NAME")
    parts = [head]
    if names and names != ("*",):
        parts += offsets(code, "IMPORT_FROM")
        assert [bytecode.bound_at(code, part) for part in parts[1:]] == list(names)
    elif names:
        star = offsets(code, "IMPORT_STAR") or [
            one.offset for one in dis.get_instructions(code) if one.opname == "CALL_INTRINSIC_1" and one.arg == 2
        ]
        parts += star
        assert len(parts) == 2
    for part in parts:
        assert bytecode.kind_at(code, part) == bytecode.STATEMENT
        statement = bytecode.statement_at(code, part)
        assert (statement.name, statement.level, statement.names, statement.offset) == (name, level, names, head)


@pytest.mark.parametrize(
    ("source", "span"),
    [
        ("import a.b", (1, 1, 1, 11)),
        ("x = 1; import a.b as y", (1, 8, 1, 23)),
        ("if 1:\n    from a import (\n        b,\n        c)", (2, 5, 4, 11)),
        ("from a import b", (1, 1, 1, 16)),
    ],
)
def test_the_span_is_the_whole_statement_from_column_one(source, span):
    code = compile(source, "x.py", "exec")

    assert bytecode.position(code, offsets(code, "IMPORT_NAME")[0]) == span


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x.y", bytecode.ATTRIBUTE),
        ("x.y()", bytecode.ATTRIBUTE),
        ("f('x')", bytecode.CALL),
        ("f(k='x')", bytecode.CALL),
        ("f(*a, **k)", bytecode.CALL),
    ],
)
def test_the_kinds_of_instructions(source, kind):
    code = compile(source, "x.py", "exec")
    kinds = {bytecode.kind_at(code, one.offset) for one in dis.get_instructions(code)}

    assert kind in kinds
    assert bytecode.STATEMENT not in kinds
    assert bytecode.kind_at(code, -1) == bytecode.OTHER


# (source, callee, first string literal among the arguments)
CALLS = [
    ("__import__('zz')", "__import__", "zz"),
    ("importlib.import_module('yy')", "import_module", "yy"),
    ("importlib.import_module('.yy', package='p')", "import_module", ".yy"),
    ("importlib.import_module('.yy', 'p')", "import_module", ".yy"),
    ("getattr(mod, 'k')", "getattr", "k"),
    ("getattr(mod, 'k', None)", "getattr", "k"),
    ("hasattr(mod, 'k')", "hasattr", "k"),
    ("import_module(name)", "import_module", None),
    ("a.b.c.load('q')", "load", "q"),
    ("x = f(g(1), importlib.import_module('uu', package='pp'))", "import_module", "uu"),
    ("__import__('zz', globals(), locals(), ['n'], 0)", "__import__", "zz"),
    ("__import__('zz', fromlist=['n'])", "__import__", "zz"),
    ("importlib.import_module(\n    'yy'\n)", "import_module", "yy"),
    ("x = importlib.import_module('yy').name", "import_module", "yy"),
    ("importlib.import_module(f'{a}.yy')", "import_module", None),
    ("importlib.import_module('a.' + name)", "import_module", None),
    ("importlib.import_module(names['yy'])", "import_module", None),
]


@pytest.mark.parametrize(("source", "callee", "literal"), CALLS)
def test_a_call_tells_callee_and_literal(source, callee, literal):
    code = compile(source, "x.py", "exec")
    calls = [
        bytecode.call_at(code, one.offset)
        for one in dis.get_instructions(code)
        if one.opname.startswith("CALL") and one.opname != "CALL_INTRINSIC_1"
    ]

    assert (callee, literal) in calls


class Own(ImportError):
    """An error class of an application."""


NAMED = (ValueError, ImportError)
HARMLESS = (ValueError, KeyError)
SCOPE = {
    "contextlib": contextlib, "suppress": contextlib.suppress, "os": os, "Own": Own, "NAMED": NAMED, "HARMLESS": HARMLESS,
    "Mine": type("Mine", (Exception,), {}), "open": open, "closing": contextlib.closing,
}  # fmt: skip
GROUPS = "try:\n import q\nexcept* {}: pass"

# (source with one `import q`, whether a handler would catch an ImportError there)
HANDLERS = [
    ("import q", False),
    ("try:\n import q\nexcept ImportError: pass", True),
    ("try:\n import q\nexcept ImportError as e: print(e)", True),
    ("try:\n import q\nexcept ImportError as e: raise RuntimeError from e", True),
    ("try:\n import q\nexcept ModuleNotFoundError: pass", False),
    ("try:\n import q\nexcept Exception: pass", True),
    ("try:\n import q\nexcept BaseException: pass", True),
    ("try:\n import q\nexcept RuntimeError: pass", True),  # our error is one
    ("try:\n import q\nexcept: pass", True),
    ("try:\n import q\nexcept ValueError: pass", False),
    ("try:\n import q\nexcept ValueError: pass\nexcept ImportError: pass", True),
    ("try:\n import q\nexcept ValueError: pass\nexcept KeyError: pass", False),
    ("try:\n import q\nexcept ValueError: pass\nexcept: pass", True),
    ("try:\n import q\nexcept (ValueError, ImportError): pass", True),
    ("try:\n import q\nexcept (ValueError, KeyError): pass", False),
    ("try:\n import q\nexcept (ValueError, KeyError) as e: pass\nexcept (OSError, ImportError): pass", True),
    ("try:\n import q\nexcept NAMED: pass", True),
    ("try:\n import q\nexcept HARMLESS: pass", False),
    ("try:\n import q\nexcept (ValueError, NAMED): pass", True),
    ("try:\n import q\nexcept Own: pass", False),
    ("try:\n import q\nexcept Mine: pass", False),
    ("try:\n import q\nexcept unknown.X: pass", True),  # cannot be told: assume the worst
    ("try:\n import q\nexcept unknown: pass", True),
    ("try:\n import q\nexcept find(): pass", True),
    ("try:\n import q\nexcept table['x']: pass", True),
    ("try:\n import q\nexcept os.error: pass", False),
    ("try:\n import q\nexcept ValueError:\n  with open('x') as f: f.read()\n  raise\nexcept Exception as e: print(e)", True),
    ("try:\n import q\nfinally: print(1)", False),
    ("try:\n try:\n  import q\n finally: print(1)\nexcept ImportError: pass", True),
    ("try:\n try:\n  import q\n except ValueError: pass\nexcept ImportError: pass", True),
    ("try:\n try:\n  import q\n except ValueError: pass\n finally: print(1)\nexcept KeyError: pass", False),
    ("try:\n try:\n  try:\n   import q\n  except KeyError: pass\n  finally: print(2)\n finally: print(1)\nexcept ImportError: pass", True),
    ("with contextlib.suppress(ImportError):\n import q", True),
    ("with suppress(ImportError):\n import q", True),
    ("with suppress(Exception):\n import q", True),
    ("with suppress(ValueError, ImportError):\n import q", True),
    ("with contextlib.suppress(KeyError):\n import q", False),
    ("with open('x'):\n import q", False),
    ("with open('x') as a, open('y') as b:\n import q", False),
    ("with open('x') as a, suppress(ImportError):\n import q", True),
    ("with suppress(ImportError):\n  with open('x') as a:\n    import q", True),
    ("try:\n with open('x'):\n  import q\nexcept ImportError: pass", True),
    ("try:\n with open('x'):\n  import q\nexcept KeyError: pass", False),
    ("with open('x'):\n try:\n  import q\n except ImportError: pass", True),
    ("try: pass\nexcept ImportError:\n import q", False),
    ("try: pass\nexcept ImportError:\n try:\n  import q\n except ImportError: pass", True),
    ("try:\n try: f()\n except ImportError:\n  import q\nexcept ImportError: pass", True),
    ("try: pass\nexcept ImportError: pass\nelse:\n import q", False),
    ("try: pass\nexcept ImportError: pass\nfinally:\n import q", False),
    ("try:\n try: pass\n finally:\n  import q\nexcept ImportError: pass", True),
    ("for i in x:\n try:\n  import q\n  break\n except ImportError: continue", True),
    ("for i in x:\n try:\n  import q\n except KeyError: continue", False),
    ("while x:\n try:\n  import q\n except ImportError:\n  break", True),
    ("try:\n for i in x:\n  if i:\n   import q\nexcept ImportError: pass", True),
    ("try:\n pass\nexcept ImportError: pass\nimport q", False),
    ("import q\ntry:\n pass\nexcept ImportError: pass", False),
    (GROUPS.format("ImportError"), True),
    (GROUPS.format("ValueError"), False),
    (GROUPS.format("(ValueError, ImportError)"), True),
    (MANY_NAMES + "\ntry:\n import q\nexcept ImportError: pass", True),
    (MANY_NAMES + "\ntry:\n import q\nexcept ValueError: pass", False),
    (MANY_NAMES + "\ntry:\n import q\nexcept (ValueError, KeyError): pass\nexcept ImportError: pass", True),
    ("try:\n    import q\n" + MANY_JUMPS + "\nexcept ValueError:\n" + MANY_JUMPS + "\nexcept ImportError:\n    pass", True),
    ("try:\n    import q\nexcept ValueError:\n" + MANY_JUMPS + "\nexcept KeyError:\n" + MANY_JUMPS, False),
    ("try:\n    import q\nexcept ValueError:\n" + MANY_JUMPS + "\nexcept ImportError:\n" + MANY_JUMPS, True),
]  # fmt: skip


class Blocked(RuntimeError, ImportError):
    """Of the shape of DeprecatedImportError."""


@pytest.mark.parametrize("function", [False, True], ids=["module", "function"])
@pytest.mark.parametrize(("source", "caught"), HANDLERS, ids=[row[0][-60:].replace("\n", "|") for row in HANDLERS])
def test_whether_a_handler_would_catch_a_block(source, caught, function):
    code = code_in(source, function=function)
    found = offsets(code, "IMPORT_NAME")  # the body of a `finally` is there twice

    assert {handlers.catches(code, offset, Blocked, SCOPE) for offset in found} == {caught}


ASYNC = [
    ("async def f():\n try:\n  import q\n except ImportError: pass", True),
    ("async def f():\n async with a:\n  import q", False),
    ("async def f():\n try:\n  async with a:\n   import q\n except ImportError: pass", True),
    ("async def f():\n try:\n  async for x in a:\n   import q\n except ImportError: pass", True),
    ("async def f():\n async for x in a:\n  import q", False),
    ("def f():\n try:\n  yield 1\n  import q\n except ImportError: pass", True),
    ("def f():\n yield 1\n import q", False),
    ("async def f():\n await g()\n import q", False),
    ("async def f():\n try:\n  await g()\n  import q\n except KeyError: pass", False),
    ("async def f():\n yield 1\n import q", False),
]


@pytest.mark.parametrize(("source", "caught"), ASYNC)
def test_generators_and_coroutines_have_hidden_handlers_that_catch_nothing(source, caught):
    module = compile(source, "x.py", "exec")
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    (offset,) = offsets(code, "IMPORT_NAME")

    assert handlers.catches(code, offset, Blocked, SCOPE) is caught


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("[__import__('q') for x in y]", False),
        ("try:\n [__import__('q') for x in y]\nexcept ImportError: pass", True),
        ("{x: __import__('q') for x in y if x}", False),
    ],
)
def test_comprehensions_clean_up_and_catch_nothing(source, caught):
    code = compile(source, "x.py", "exec")
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]  # 3.11: a function of its own

    def at_calls(code):
        return [handlers.catches(code, offset, Blocked, SCOPE) for offset in offsets(code, "CALL")]

    assert any(answer for one in [code, *inner] for answer in at_calls(one)) is caught


@pytest.mark.parametrize(
    "name", ["ssot_guard.watch.imports.bytecode", "dis", "typing", "inspect", "asyncio.base_events", "logging"]
)
def test_every_instruction_of_real_modules_decodes(name):
    import importlib

    module = importlib.import_module(name)
    pending = [compile(Path(module.__file__).read_text(encoding="utf-8"), module.__file__, "exec")]
    while pending:
        code = pending.pop()
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        wanted = {one.offset: one.argval for one in dis.get_instructions(code) if one.opname == "IMPORT_NAME"}
        for offset in range(0, len(code.co_code), 2):
            kind = bytecode.kind_at(code, offset)
            assert kind in {"statement", "attribute", "call", "lazy", "other"}
            if kind == bytecode.CALL:
                bytecode.call_at(code, offset)
            handlers.catches(code, offset, Blocked, SCOPE)
            if offset in wanted:
                assert bytecode.statement_at(code, offset).name == wanted[offset]


@pytest.mark.skipif(sys.version_info < (3, 15), reason="PEP 810")
@pytest.mark.parametrize(
    ("source", "name", "level", "names"),
    [
        ("lazy import a.b", "a.b", 0, None),
        ("lazy import a.b as x", "a.b", 0, None),
        ("lazy from a import b", "a", 0, ("b",)),
        ("lazy from ..a import b, c", "a", 2, ("b", "c")),
    ],
)
def test_lazy_statements_decode_like_eager_ones(source, name, level, names):
    code = compile(source, "x.py", "exec")
    statement = bytecode.statement_at(code, offsets(code, "IMPORT_NAME")[0])

    assert (statement.name, statement.level, statement.names) == (name, level, names)
