"""Every spelling × state × kind of module: exactly one violation, at the exact place, as often as executed."""

import _imp
import importlib.machinery
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

TIMES = 3
READ_CAN_RAISE = sys.version_info >= (3, 13)
LAZY = sys.version_info >= (3, 15)

# name → (source, is a statement, needs a package). The marked line is the site. {m} module, {p} package, {l} leaf, {n} name
SPELLINGS = {
    "import": ("import {m}  # <-", True, False),
    "import-among-others": ("import os, {m}  # <-", True, False),
    "import-as": ("import {m} as x  # <-", True, False),
    "from-package": ("from {p} import {l}  # <-", True, False),
    "from-package-as": ("from {p} import {l} as x  # <-", True, False),
    "from-module": ("from {m} import {n}  # <-", True, False),
    "from-module-lines": ("from {m} import (  # <-\n    {n},\n    __name__ as y,\n)", True, False),
    "from-relative": ("from .{l} import {n}  # <-", True, True),
    "relative-submodule": ("from . import {l}  # <-", True, True),
    "star": ("from {m} import *  # <-", True, False),
    "import-module": ("import importlib\nimportlib.import_module('{m}')  # <-", False, False),
    "import-module-name": ("from importlib import import_module as load\nname = '{m}'\nload(name)  # <-", False, False),
    "import-module-relative": ("import importlib\nimportlib.import_module('.{l}', '{p}')  # <-", False, False),
    "dunder-import": ("__import__('{m}')  # <-", False, False),
    "dunder-import-fromlist": ("__import__('{m}', globals(), locals(), ['{n}'], 0)  # <-", False, False),
    "dunder-import-relative": ("__import__('{l}', globals(), locals(), ['{n}'], 1)  # <-", False, True),
    "in-a-function": ("def f():\n    x = 1\n    import {m}  # <-\nf()", True, False),
    "in-a-method": ("class C:\n    def f(self):\n        from {p} import {l}  # <-\nC().f()", True, False),
    "in-a-lambda": ("f = lambda: __import__('{m}')  # <-\nf()", False, False),
    "in-a-class-body": ("class C:\n    from {m} import {n}  # <-", True, False),
    "in-a-comprehension": ("[__import__(name) for name in ['{m}']]  # <-", False, False),
    "in-a-generator": ("def f():\n    from {m} import {n}  # <-\n    yield\nlist(f())", True, False),
    "in-a-coroutine": ("async def f():\n    import {m}  # <-\ntry: f().send(None)\nexcept StopIteration: pass", True, False),
    "under-a-condition": ("if True:\n  if __name__:\n    import {m}  # <-", True, False),
}  # fmt: skip
SPELLINGS_LAZY = {
    "lazy-import": ("lazy import {m}  # <-\n{m}.__name__", True, False),
    "lazy-import-as": ("lazy import {m} as x  # <-\nx.__name__", True, False),
    "lazy-from-package": ("lazy from {p} import {l}  # <-\n{l}.__name__", True, False),
    "lazy-from-module": ("lazy from {m} import {n}  # <-\n{n}", True, False),
    "lazy-from-relative": ("lazy from .{l} import {n}  # <-\n{n}", True, True),
    "lazy-used-in-a-function": ("lazy from {m} import {n}  # <-\ndef f():\n    return {n}\nf()", True, False),
}
if LAZY:
    SPELLINGS |= SPELLINGS_LAZY

STATES = ("first", "cached", "preloaded")


def plain_tree(root):
    (root / "acme").mkdir(parents=True)
    (root / "acme" / "__init__.py").touch()
    (root / "acme" / "old.py").write_text("N = object()\nM = 1\n")


def extension(root, *candidates):
    """A copy of an extension module of the standard library, below a package of ours."""
    folder = Path(sysconfig.get_config_var("DESTSHARED") or "")
    if not folder.is_dir():
        folder = Path(sysconfig.get_path("stdlib")) / "lib-dynload"
    for name, attribute in candidates:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            if (folder / f"{name}{suffix}").exists():
                (root / "acme").mkdir(parents=True)
                (root / "acme" / "__init__.py").touch()
                shutil.copy(folder / f"{name}{suffix}", root / "acme")
                return ("acme", name, attribute)
    raise FileNotFoundError(f"none of {candidates} in {folder}")


def make_regular(root):
    plain_tree(root)


def make_package(root):
    plain_tree(root)
    (root / "acme" / "old.py").unlink()
    (root / "acme" / "old").mkdir()
    (root / "acme" / "old" / "__init__.py").write_text("from acme.old.inner import N\n")
    (root / "acme" / "old" / "inner.py").write_text("N = object()\n")


def make_namespace(root):
    plain_tree(root)
    (root / "acme" / "__init__.py").unlink()


def make_namespace_target(root):
    plain_tree(root)
    (root / "acme" / "old.py").unlink()
    (root / "acme" / "old").mkdir()
    (root / "acme" / "old" / "N.py").touch()


def make_top_level(root):
    root.mkdir(parents=True)
    (root / "old.py").write_text("N = object()\n")
    return ("", "old", "N")


def make_zip(root):
    plain_tree(root / "inner")
    with zipfile.ZipFile(root / "app.zip", "w") as archive:
        for file in sorted((root / "inner").rglob("*.py")):
            archive.write(file, file.relative_to(root / "inner"))
    shutil.rmtree(root / "inner")


def make_sourceless(root):
    import py_compile

    plain_tree(root)
    py_compile.compile(str(root / "acme" / "old.py"), str(root / "acme" / "old.pyc"), doraise=True)
    (root / "acme" / "old.py").unlink()


def make_extension(root):
    return extension(
        root, ("_queue", "SimpleQueue"), ("_json", "make_scanner"), ("_bisect", "insort"), ("_heapq", "heappop")
    )


def make_extension_single_phase(root):
    return extension(root, ("_testsinglephase", "sum"), ("_testbuffer", "ndarray"))


def make_frozen(root):
    assert _imp.is_frozen("__phello__.spam")
    root.mkdir(parents=True)
    return ("__phello__", "spam", "main")


def make_rewritten(root):
    plain_tree(root)


REWRITE = """
from _pytest.assertion import install_importhook
from _pytest.config import get_config
install_importhook(get_config([])).mark_rewrite("acme")
"""

KINDS = {
    "regular": make_regular,
    "package": make_package,
    "top-level": make_top_level,
    "namespace": make_namespace,
    "namespace-target": make_namespace_target,
    "zip": make_zip,
    "extension": make_extension,
    "extension-single-phase": make_extension_single_phase,
    "frozen": make_frozen,
    "sourceless": make_sourceless,
    "rewritten": make_rewritten,
}

PROGRAM = """
import lab
import sys
guard = lab.install()
if {state!r} == "cached":
    import warmer
errors = {{}}
for file, package, module in {sites!r}:
    errors[file] = lab.run_file(file, package=package, module=module, times={times})
old = {target!r}
parent = sys.modules.get({parent!r})
lab.out(
    errors=errors,
    loaded=old in sys.modules,
    bound=parent is not None and {leaf!r} in vars(parent),
)
"""
IN_THREAD = "import threading\ndef f():\n    import {m}  # <-\nt = threading.Thread(target=f)\nt.start()\nt.join()"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """A tree for each kind of module, made once."""
    made = {}

    def get(kind):
        if kind not in made:
            root = tmp_path_factory.mktemp(kind) / "tree"
            package, leaf, name = KINDS[kind](root) or ("acme", "old", "N")
            made[kind] = (root, package, leaf, name)
        return made[kind]

    return get


@pytest.fixture(scope="module")
def execute(lab_session, kinds):  # noqa: PLR0915 - one process for many sources
    """Run one source (of ``relative`` imports: inside the package) and look at what it left behind."""
    together = {}

    def programs(kind, state, sources, mode):
        root, package, leaf, name = kinds(kind)
        target = f"{package}.{leaf}" if package else leaf
        files = {"warmer.py": f"import {target}\n"}
        sites = []
        for number, (source, relative) in enumerate(sources):
            file = f"site{number}.py"
            files[file] = source.format(m=target, p=package, l=leaf, n=name) + "\n"
            sites.append(
                (file, package if relative else "", f"{package}.importer{number}" if relative else f"importer{number}")
            )
        files["main.py"] = PROGRAM.format(
            state=state, sites=sites, target=target, parent=package, leaf=leaf, times=TIMES
        )
        preload = REWRITE if kind == "rewritten" else ""
        if state == "preloaded":
            preload += f"import {target}\n"
        answer = lab_session.run(
            files,
            {"packages": [package or target], "imports": [{"id": "r", "deprecated": target, "allow": ["warmer"]}]},
            mode=mode,
            root=root,
            preload=preload,
            path=[".", "app.zip"],
            server=("_pytest.assertion", "_pytest.config") if kind == "rewritten" else (),
        )
        assert answer.error is None
        assert answer.internal_errors == {}
        return answer

    def view(answer, number, source):
        """The part of an answer that belongs to one of its sites; what belongs to none belongs to each."""
        sites = [str(answer.root / f"site{other}.py") for other in range(len(answer.out["errors"]))]
        site = sites.pop(number)
        line = next(i for i, text in enumerate(source.splitlines(), 1) if "# <-" in text)
        mine = [row for row in answer.violations if row["path"] not in sites]
        errors = answer.out["errors"][f"site{number}.py"]
        return type(answer)(answer | {"site": site, "line": line, "violations": mine, "errors": errors})

    def run(kind, state, source, mode, *, relative=False):
        listed = [(text, inside) for text, _, inside in SPELLINGS.values()]
        if state == "first" or (source, relative) not in listed:
            return view(programs(kind, state, [(source, relative)], mode), 0, source)
        # Cached imports leave nothing that another one could stumble over: one process does for all of them.
        fitting = [spelling for spelling in SPELLINGS if fits(kind, spelling)]
        if (kind, state, mode) not in together:
            sources = [SPELLINGS[spelling][::2] for spelling in fitting]
            together[kind, state, mode] = programs(kind, state, sources, mode)
        number = [SPELLINGS[spelling][::2] for spelling in fitting].index((source, relative))
        return view(together[kind, state, mode], number, source)

    return run


def fits(kind, spelling):
    """A module at the top level has no package to take it from."""
    source, _, relative = SPELLINGS[spelling]
    return kind != "top-level" or not (relative or "{p}" in source)


CASES = [
    pytest.param(kind, state, spelling, id=f"{kind}-{state}-{spelling}")
    for kind in KINDS
    for state in STATES
    for spelling in SPELLINGS
    if fits(kind, spelling)
]


def check_one(answer, *, times=TIMES):
    preloaded = [row for row in answer.violations if row["details"].get("loaded")]
    assert len({row["target"] for row in preloaded}) == len(preloaded)
    assert all(row["path"] is None and row["line"] is None for row in preloaded)
    rows = answer.of("SSG101")
    assert [(row["path"], row["line"], row["count"]) for row in rows] == [(answer.site, answer.line, times)]
    assert len(answer.violations) == len(rows) + len(preloaded), "something else was reported, too"
    return rows[0]


@pytest.mark.parametrize(("kind", "state", "spelling"), CASES)
def test_each_spelling_is_one_violation_counted_by_execution(execute, kind, state, spelling):
    source, _, relative = SPELLINGS[spelling]
    answer = execute(kind, state, source, "observe", relative=relative)

    assert answer.errors == [None] * TIMES
    assert check_one(answer)["action"] == "recorded"


@pytest.mark.parametrize(("kind", "state", "spelling"), CASES)
def test_strict_blocks_each_spelling_without_a_trace_or_says_that_it_did_not(execute, kind, state, spelling):
    source, statement, relative = SPELLINGS[spelling]
    answer = execute(kind, state, source, "strict", relative=relative)
    errors = answer.errors

    row = check_one(answer)
    assert (row["action"] == "blocked") == all(errors) == any(errors), "what it says is not what it did"
    bare = spelling.startswith(("import", "in-a", "dunder-import")) or spelling == "under-a-condition"
    may_pass = state != "first" and not READ_CAN_RAISE and bare
    assert all(errors) or may_pass
    for error in filter(None, errors):
        assert error["type"] == "DeprecatedImportError"
        assert "ModuleNotFoundError" not in error["bases"]
        assert error["text"] == errors[0]["text"]
        if statement and not spelling.startswith("lazy"):
            assert error["frames"][-1][:2] == [answer.site, answer.line]
        else:
            assert [answer.site, answer.line] in [frame[:2] for frame in error["frames"]] or spelling.startswith("lazy")
    if state == "first":
        assert not answer.out["loaded"]
        assert not answer.out["bound"]


@pytest.mark.parametrize("mode", ["observe", "strict"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_import_in_a_thread_is_seen_like_any_other(execute, kind, state, mode):
    answer = execute(kind, state, IN_THREAD, mode)

    row = check_one(answer)
    if mode == "strict" and state == "first":
        assert row["action"] == "blocked"
        assert "DeprecatedImportError" in answer.stderr
        assert not answer.out["loaded"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["regular", "package", "extension", "zip"])
def test_code_from_a_string_is_its_own_file(execute, kind, state):
    answer = execute(kind, state, "exec('x = 1\\nimport {m}')  # <-", "observe")

    rows = answer.of("SSG101")
    assert [(row["path"], row["line"]) for row in rows] == [("<string>", 2)]
    assert sum(row["count"] for row in rows) == TIMES


@pytest.mark.parametrize("state", STATES)
def test_spans_are_those_of_the_statement(execute, state):
    source = "if 1:\n    from {m} import (  # <-\n        {n},\n        M,\n    )"
    row = check_one(execute("regular", state, source, "observe"))

    assert (row["line"], row["column"], row["end_line"], row["end_column"]) == (2, 5, 5, 6)
    assert row["module"] == "importer0"
    assert row["scope"] == ""
