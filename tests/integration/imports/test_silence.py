"""Looking at a module is not importing it: probes, documentation, collection and copying report nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ssot_guard

TREE = {
    "acme/__init__.py": "",
    "acme/old.py": '''
        """Doc.

        >>> 1 + 1
        2
        """
        class N:
            """A class."""
            def m(self): return 1
        def f(x: "N" = None) -> "N":
            """A function.

            >>> f() is None
            True
            """
            return x
        class OldName(N): pass
        VALUE = {"a": [1]}
        ''',
    "acme/mod.py": '''
        class New: """Doc."""
        Old = New
        def uses() -> "New": return Old
        ''',
    "acme/sub/__init__.py": "",
    "acme/sub/old2.py": "N = 1\n",
    "warmer.py": "import acme.old, acme.sub.old2\nfrom acme.mod import Old\n",
}
POLICY = {
    "packages": ["acme"],
    "imports": [
        {"id": "m", "deprecated": "acme.old", "allow": ["warmer"]},
        {"id": "s", "deprecated": "acme.sub.old2", "allow": ["warmer"]},
        {"id": "n", "deprecated": ["acme.mod:Old", "acme.mod:Gone"], "allow": ["warmer"]},
    ],
}
START = """
import sys, lab
lab.install()
import warmer
import acme, acme.mod, acme.sub
old = sys.modules["acme.old"]; mod = sys.modules["acme.mod"]
assert lab.codes() == [], lab.codes()
"""

LOOKS = {
    "hasattr": "hasattr(old, 'N'); hasattr(old, 'zz'); hasattr(mod, 'Old'); hasattr(mod, 'Gone'); hasattr(mod, 'zz')",
    "hasattr in a call": "print(hasattr(old, 'zz'), f'{hasattr(mod, \"Old\")}')",
    "hasattr by a function": "def f(m, n): return hasattr(m, n)\nf(old, 'zz'); f(mod, 'Old')",
    "getattr with a default": "getattr(old, 'zz', None); getattr(mod, 'Gone', None) if False else None",
    "operator.attrgetter": "import operator\ntry: operator.attrgetter('zz')(old)\nexcept AttributeError: pass",
    "map hasattr": "list(map(hasattr, [old, mod], ['zz', 'zz']))",
    "getattr any": "[getattr(old, name) for name in dir(old)]",
    "getattr missing": "try: getattr(old, 'zz')\nexcept AttributeError: pass",
    "attribute missing": "try: old.zz\nexcept AttributeError: pass",
    "attribute missing twice": "for _ in range(2):\n  try: old.zz.yy\n  except AttributeError: pass",
    "method missing": "try: old.zz()\nexcept AttributeError: pass",
    "attribute present": "old.N; old.VALUE; old.f()",
    "set and delete": "old.zz = 1\ndel old.zz",
    "doctest": "import doctest\nr = doctest.testmod(old); assert r.attempted == 2, r\ndoctest.testmod(mod)\ndoctest.testmod(acme)",
    "doctest finder": "import doctest\ndoctest.DocTestFinder().find(old); doctest.DocTestFinder().find(mod); doctest.DocTestFinder().find(acme)",
    "inspect.getmembers": "import inspect\nfor m in (acme, acme.sub, old, mod): inspect.getmembers(m)",
    "inspect.getmembers_static": "import inspect\nfor m in (acme, acme.sub, old, mod): inspect.getmembers_static(m)",
    "inspect.getmodule": "import inspect\ninspect.getmodule(old.N); inspect.getmodule(old.f.__code__); inspect.getmodule(lab.run_file)",
    "inspect.getsource": "import inspect\ninspect.getsource(old); inspect.getsource(old.N); inspect.getsource(old.f); inspect.getsource(mod)",
    "inspect.signature": "import inspect\ninspect.signature(old.f, eval_str=True); inspect.stack()",
    "pkgutil.walk_packages": "import pkgutil\nassert [m.name for m in pkgutil.walk_packages(acme.__path__, 'acme.')] == ['acme.mod', 'acme.old', 'acme.sub', 'acme.sub.old2']",
    "pkgutil.iter_modules": "import pkgutil\nlist(pkgutil.iter_modules(acme.__path__))",
    "pydoc": "import pydoc\nfor m in (acme, acme.sub, old, mod): pydoc.render_doc(m)",
    "pydoc by name": "import pydoc\npydoc.render_doc('acme.old'); pydoc.render_doc('acme.mod.New')",
    "help": "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()): help(old); help(acme)",
    "find_spec": "import importlib.util as u\nfor n in ('acme.old', 'acme.sub.old2', 'acme.zz', 'acme.sub.zz', 'acme.mod'): u.find_spec(n)",
    "find_spec of parents by hand": "import importlib.machinery as m\nfor n in ('acme.old', 'acme.zz'): m.PathFinder.find_spec(n, acme.__path__)",
    "find_spec through meta_path": "for f in sys.meta_path: f.find_spec('acme.old', acme.__path__, None); f.find_spec('acme.zz', acme.__path__, None)",
    "find_loader": "import importlib.util as u\nfor n in ('acme.old', 'acme.zz'): s = u.find_spec(n); s and s.loader",
    "copy": "import copy\ncopy.copy(old.N); copy.deepcopy(old.VALUE); copy.deepcopy(old.f); copy.copy(old.N())",
    "pickle": "import pickle\nfor v in (old.f, old.N, old.N()): pickle.dumps(v)",
    "dir": "dir(old); dir(mod); dir(acme); vars(old); list(vars(mod))",
    "repr": "repr(old); str(mod); f'{acme!r}'; repr(old.__spec__); repr(acme.old.__spec__) if False else None",
    "typing.get_type_hints": "import typing\ntyping.get_type_hints(old.f); typing.get_type_hints(old); typing.get_type_hints(mod.uses)",
    "isinstance and identity": "import types\nassert isinstance(old, types.ModuleType) and isinstance(mod, types.ModuleType)\nold == mod; hash(mod); old is mod",
    "sys.modules": "sys.modules['acme.old']; 'acme.old' in sys.modules; list(sys.modules.items()); sys.modules.copy()",
    "importlib.resources": "import importlib.resources as r\n[p.name for p in r.files('acme').iterdir()]; r.files(acme.sub)",
    "linecache and traceback": "import traceback, linecache\ntry: old.f(1, 2, 3)\nexcept TypeError: traceback.format_exc()\nlinecache.getlines(old.__file__)",
    "warnings": "import warnings\nwarnings.warn_explicit('x', UserWarning, 'f', 1, module='acme.old', registry={})\nlab.warned.clear()",
    "gc": "import gc\ngc.collect(); gc.get_referrers(old)",
    "weakref": "import weakref\nweakref.ref(old); weakref.ref(mod)",
    "unittest loader": "import unittest\nunittest.TestLoader().loadTestsFromModule(old); unittest.TestLoader().loadTestsFromModule(mod)",
    "mock autospec": "from unittest import mock\nmock.create_autospec(mod)",
    "ast and compile": "import ast, pathlib\nast.parse(pathlib.Path(old.__file__).read_text())",
    "code inside the module": "mod.uses(); exec('Old', vars(mod))",
    "spec attributes": "s = old.__spec__; s.parent; s.name; s.loader; s.origin; s.has_location; s.cached; s == s; repr(s); s.submodule_search_locations",
    "is_package": "old.__loader__.is_package('acme.old'); old.__loader__.get_source('acme.old'); old.__loader__.get_code('acme.old')",
    "importlib.metadata": "import importlib.metadata as m\nlist(m.distributions())",
}  # fmt: skip


@pytest.mark.parametrize("mode", ["observe", "strict"])
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_is_no_import(lab, name, mode):
    answer = lab.run(TREE | {"main.py": START + LOOKS[name]}, POLICY, mode=mode)

    assert answer.error is None
    assert answer.violations == []
    assert answer.warned == []
    assert answer.internal_errors == {}


NEEDS_NO_LOAD = ["find_spec", "find_spec of parents by hand", "find_spec through meta_path", "pkgutil.iter_modules"]


@pytest.mark.parametrize("name", NEEDS_NO_LOAD)
def test_a_probe_of_what_is_not_loaded_is_no_import(lab, name):
    start = "import sys, lab\nlab.install()\nimport acme, acme.sub\n"
    answer = lab.run(TREE | {"main.py": start + LOOKS[name]}, POLICY, mode="strict", modules=["acme"])

    assert answer.error is None
    assert answer.violations == []
    assert answer.modules == (["acme", "acme.sub"])


def test_a_probe_imports_parents_only_and_those_loads_are_judged(lab):
    main = "import lab, importlib.util\nlab.install()\nimportlib.util.find_spec('acme.dead.inner')\n"
    tree = {"acme/__init__.py": "", "acme/dead/__init__.py": "", "acme/dead/inner.py": "", "main.py": main}
    policy = {"packages": ["acme"], "imports": [{"deprecated": "acme.dead.inner"}]}

    assert lab.run(tree, policy, mode="strict").violations == []


CLOUDPICKLE = """
def g(): return old.VALUE, mod.New
import cloudpickle, pickle
data = cloudpickle.dumps(g)
assert lab.codes() == [], lab.codes()
assert pickle.loads(data)() == g()
"""


def test_cloudpickle_of_a_function_that_refers_to_watched_modules_works(lab):
    answer = lab.run(TREE | {"main.py": START + CLOUDPICKLE}, POLICY)

    assert answer.error is None


NO_COLUMNS = """
import sys
sys.path[:0] = [{source!r}, "."]
import ssot_guard
guard = ssot_guard.install({policy!r}, mode="observe")
import warmer, acme.mod
old, mod = sys.modules["acme.old"], sys.modules["acme.mod"]
{look}
violations = guard.violations()
assert not violations, violations
"""


@pytest.mark.parametrize(
    "name", ["hasattr", "getattr missing", "attribute missing", "method missing", "inspect.getmembers"]
)
def test_silence_needs_no_columns(lab, name):
    """``-X no_debug_ranges`` takes the columns out of code objects."""
    program = NO_COLUMNS.format(source=str(Path(ssot_guard.__file__).parents[1]), policy=POLICY, look=LOOKS[name])
    command = [sys.executable, "-X", "no_debug_ranges", "-c", program]
    done = subprocess.run(command, cwd=lab.tree(TREE), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


# Imports what it is asked for, as lazy packages do.
LAZY = """
def __getattr__(name):
    from importlib import import_module
    try:
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        raise AttributeError(name) from error
"""

PYTEST = """
import sys
sys.path.insert(0, {source!r})
import ssot_guard, json
guard = ssot_guard.install({policy!r}, mode="observe")
import pytest
status = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--doctest-modules", "--import-mode={mode}", "."])
print("RESULT", json.dumps([int(status), [[v.code, v.target, v.site.path, v.site.line] for v in guard.violations()]]))
"""


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_pytest_collection_is_silent_and_finds_the_same_tests(lab, tmp_path, mode):
    lab.tree(
        TREE
        | {
            "acme/lazy/__init__.py": LAZY,
            "acme/test_inside.py": "from acme import lazy, mod\ndef test_it(): assert mod\n",
            "conftest.py": "",
        },
        tmp_path,
    )
    (tmp_path / "acme" / "old.py").write_text("def test_me(): pass\n")
    source = str(Path(ssot_guard.__file__).parents[1])
    program = PYTEST.format(source=source, policy=POLICY, mode=mode)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    status, violations = json.loads(done.stdout.rpartition("RESULT")[2])

    assert status == 0, done.stdout
    assert violations == []
