"""What a program sees of its modules is the same with and without us: loaders, specs, sources, data, tracebacks."""

from __future__ import annotations

import difflib
import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Kit

POLICY = """
packages = ["acme", "space", "zipped", "_heapq", "_json", "faulthandler", "_testcapi", "__hello__", "__phello__"]

[[imports]]
id = "all"
deprecated = ["acme.old", "acme.compiled", "acme.lazy", "acme.legacy", "space.part", "zipped.inside", "_json", "_heapq",
    "faulthandler", "__phello__.spam", "__hello__"]

[[imports]]
id = "names"
deprecated = ["acme.healthy:Old", "zipped:VALUE", "acme:VERSION", "__hello__:main"]
"""

START = """
import importlib, importlib.resources, importlib.util, inspect, os, pickle, pkgutil, py_compile, sys, types, zipfile
import importlib.abc
tree = os.environ["TREE"]
sys.path[:0] = [tree, os.path.join(tree, "packed.zip"), os.environ["SRC"]]
if os.environ["GUARDED"]:
    import ssot_guard
    guard = ssot_guard.install(os.environ["POLICY"], mode="observe")

class Legacy:
    @staticmethod
    def load_module(name):
        module = sys.modules.setdefault(name, types.ModuleType(name))
        module.value = 1
        return module
class LegacyFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "acme.legacy": return importlib.util.spec_from_loader(name, Legacy)
if sys.version_info < (3, 15): sys.meta_path.append(LegacyFinder)  # support for `load_module` ended there

def lazily(name):
    spec = importlib.util.find_spec(name)
    spec.loader = loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
"""

LOOK = """
import warnings; warnings.simplefilter("ignore")
def look(title, action):
    try: result = action()
    except BaseException as error: result = f"{type(error).__name__}: {error}"
    print(" ", title, "=", result)

def loader_name(loader):
    return loader.__name__ if isinstance(loader, type) else type(loader).__name__

for name in ("acme", "acme.healthy", "acme.old", "acme.compiled", "acme.legacy", "acme.lazy", "space", "space.part",
        "zipped", "zipped.inside", "_json", "_heapq", "faulthandler", "__hello__", "__phello__", "__phello__.spam"):
    print(name)
    try: module = lazily(name) if name == "acme.lazy" else importlib.import_module(name)
    except ImportError as error:
        print("  absent", error)
        continue
    spec = module.__spec__
    for when in ("fresh", "used"):
        look("module", lambda: repr(module))
        look("class of the module", lambda: (type(module).__name__, type(module).__module__))
        look("__loader__", lambda: loader_name(module.__loader__))
        look("__spec__.loader", lambda: loader_name(spec.loader))
        own = {} if isinstance(spec.loader, type) else getattr(spec.loader, "__dict__", {})
        look("loader's own attributes", lambda: sorted(own))
        look("repr(spec)", lambda: repr(spec))
        look("repr(type(spec))", lambda: repr(type(spec)))
        look("is a ModuleSpec", lambda: isinstance(spec, importlib.machinery.ModuleSpec))
        look("names in the spec", lambda: sorted(vars(spec)))
        look("spec == find_spec", lambda: spec == importlib.util.find_spec(name))
        look("parent, origin, cached", lambda: (spec.parent, spec.origin, spec.cached, spec.has_location))
        look("unpickled", lambda: repr(pickle.loads(pickle.dumps(spec))))
        look("source", lambda: inspect.getsource(module))
        look("file", lambda: inspect.getsourcefile(module))
        files = lambda: {entry.name for entry in importlib.resources.files(module).iterdir()} - {"__pycache__"}
        look("resources", lambda: sorted(files()))
        look("data", lambda: pkgutil.get_data(name, "data.txt"))
        below = lambda: pkgutil.iter_modules(getattr(module, "__path__", []))
        look("submodules", lambda: sorted(found.name for found in below()))
        look("dir", lambda: sorted(dir(module)))
        look("vars", lambda: sorted(vars(module)))
        look("members", lambda: [key for key, _ in inspect.getmembers(module)])
        importlib.import_module(name)
"""

FILES = {
    "acme/__init__.py": "VERSION = 1\n",
    "acme/data.txt": "data",
    "acme/old.py": "class Thing:\n    value = 1\n",
    "acme/healthy.py": "Old = 1\nNew = 2\n",
    "acme/lazy.py": "value = 1\n",
    "space/part.py": "value = 1\n",
    "space/data.txt": "data",
    "compiled.py": "def function():\n    return 1\n",
    "zipped/__init__.py": "VALUE = 1\n",
    "zipped/inside.py": "value = 1\n",
    "zipped/data.txt": "data",
    "acme/broken.py": "def fail(): raise ValueError('broken')\nfail()\n",
    "acme/outer.py": "from acme import inner\n",
    "acme/inner.py": "import acme.broken\n",
    "acme/lacks.py": "from acme.healthy import Missing\n",
    "acme/absent.py": "import acme.nowhere\n",
    "acme/syntax.py": "x = = 1\n",
    "acme/cycle_a.py": "from acme.cycle_b import b\na = 1\n",
    "acme/cycle_b.py": "from acme.cycle_a import a\nb = 1\n",
    "acme/flips.py": "import sys\nif getattr(sys, 'flip', False): raise KeyError('now')\nsys.flip = True\n",
}
MAKE = """
import os, py_compile, zipfile
os.chdir(os.environ["TREE"])
py_compile.compile("compiled.py", "acme/compiled.pyc", dfile="compiled.py", doraise=True)
with zipfile.ZipFile("packed.zip", "w") as packed:
    for name in ("__init__.py", "inside.py", "data.txt"): packed.write(f"zipped/{name}")
for name in os.listdir("zipped"): os.remove(f"zipped/{name}")
os.rmdir("zipped")
os.remove("compiled.py")
"""

TRACES = """
import traceback
def statement(name): exec(compile(f"import {name}", "user.py", "exec"), {})
def take(name):
    parent, _, leaf = name.rpartition(".")
    exec(compile(f"from {parent} import {leaf}", "user.py", "exec"), {})
def star(name): exec(compile(f"from {name} import *", "user.py", "exec"), {})
def reload(name):
    importlib.reload(importlib.import_module(name))
def by_hand(name):
    spec = importlib.util.find_spec(name)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
for name in ("broken", "outer", "lacks", "absent", "syntax", "cycle_a", "nowhere", "old.sub", "flips"):
    for action in (statement, take, star, importlib.import_module, __import__, reload, by_hand):
        sys.flip = False
        print("#", name, action.__name__)
        try: action(f"acme.{name}")
        except BaseException as error:
            traceback.print_exception(error, file=sys.stdout)
            print(sorted(key for key in vars(error)), error.args, getattr(error, "name", 0), getattr(error, "path", 0))
        print(sorted(key for key in sys.modules if key.startswith("acme")))
        for key in list(sys.modules):
            if key.startswith("acme."): del sys.modules[key]
"""
RULE_ON_BROKEN_MODULES = """
[[imports]]
id = "broken"
deprecated = ["acme.broken", "acme.inner", "acme.cycle_b", "acme.flips", "acme.nowhere"]
"""


def _both(kit: Kit, program: str, policy: str) -> tuple[str, str]:
    tree = kit.folder / "tree"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, "utf-8")
    (kit.folder / "policy.toml").write_text(policy, "utf-8")
    env = kit.plain | {"TREE": str(tree), "SRC": str(kit.source), "POLICY": str(kit.folder / "policy.toml")}
    assert kit.run("-c", MAKE, env=env).stderr == ""
    # Once in vain: then both find compiled files.
    outputs = [kit.run("-c", program, env=env | {"GUARDED": guarded}) for guarded in ("", "", "yes")]
    assert [done.returncode for done in outputs] == [0, 0, 0], outputs[0].stderr + outputs[-1].stderr
    said = [re.sub(r"0x[0-9a-f]+", "0x…", done.stdout.partition("@@")[0] + done.stderr) for done in outputs]
    assert "@@ {} " in outputs[2].stdout, outputs[2].stdout[-300:]
    return said[1], said[2]


def _difference(plain: str, guarded: str) -> str:
    return "\n".join(
        difflib.unified_diff(plain.splitlines(), guarded.splitlines(), "plain", "guarded", lineterm="", n=2)
    )


@pytest.fixture
def report() -> str:
    return "\nif os.environ['GUARDED']: print('@@', guard.status()['internal_errors'], len(guard.violations()))\n"


def test_modules_and_their_specs_look_the_same(kit: Kit, report: str) -> None:
    plain, guarded = _both(kit, START + LOOK + report, POLICY)
    assert plain.count("repr(spec)") >= 2 * (13 if sys.platform == "linux" else 10)
    assert _difference(plain, guarded) == ""


def test_tracebacks_are_frame_for_frame_the_same(kit: Kit, report: str) -> None:
    plain, guarded = _both(kit, START + TRACES + report, POLICY + RULE_ON_BROKEN_MODULES)
    assert plain.count("Traceback") > 40
    assert _difference(plain, guarded) == ""
