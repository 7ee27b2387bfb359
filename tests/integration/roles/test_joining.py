"""Who is told of the classes of a role: each neighbour, once for each class, and never of a class that was refused."""

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/home.py": "from dataclasses import dataclass\nclass Base: ...\nclass BaseRegistry(Base): ...\n@dataclass(slots=True)\nclass Registry(BaseRegistry):\n    size: int = 0\n",
    "acme/sub.py": "from acme.home import Registry\nclass Special(Registry): ...\nclass Other: ...\nAlias = Special\n",
    "acme/second.py": "class OldRegistry: ...\nclass Plain: ...\n",
    "acme/late.py": "def make():\n    class LateRegistry: ...\n    return LateRegistry\nkept = [make(), make()]\n",
    "acme/api.py": "from acme.tools import Box\n",
    "acme/tools.py": "class Box: ...\nclass SmallBox(Box): ...\n",
    "lib.py": "class Engine: ...\nclass Turbo(Engine): ...\n",
    "acme/motor.py": "import lib\nclass Motor(lib.Engine): ...\n",
}
ROLES = [
    {"id": "registry", "canonical": "acme.home:Registry", "match": ["*Registry"], "instances": {"max": 1}},
    {"id": "box", "canonical": "acme.api:Box", "isolated": True},
    {"id": "engine", "canonical": "lib:Engine", "factory": ["lib:make"]},
    {"id": "contested", "contested": ["acme.second:Plain", "acme.sub:Other"], "construct-budget": {"seconds": 1}},
]
POLICY = {"packages": ["acme"], "roles": ROLES}
START = """
import importlib, lab
from ssot_guard.watch.construction.watcher import Construction
from ssot_guard.watch.tenants.ownership import Ownership
told = {"construction": [], "ownership": []}
before = Construction.joined, Ownership.joined
def construction(self, rule, cls):
    told["construction"].append(f"{rule.id} {cls.__qualname__}")
    FAULT
    before[0](self, rule, cls)
def ownership(self, rule, cls):
    told["ownership"].append(f"{rule.id} {cls.__qualname__}")
    before[1](self, rule, cls)
Construction.joined, Ownership.joined = construction, ownership
lab.install()
def load(*names):
    for name in names:
        try:
            importlib.import_module(name)
        except RuntimeError:
            pass
"""
END = "\nlab.guard.check()\nlab.guard.check()\nlab.out(census=lab.guard.census(), **told)\nlab.guard.uninstall()\n"
EVERYONE = [
    "box Box", "box SmallBox", "contested Other", "contested Plain", "engine Engine", "engine Motor",
    "registry BaseRegistry", "registry OldRegistry", "registry Registry", "registry Special",
    "registry make.<locals>.LateRegistry", "registry make.<locals>.LateRegistry",
]  # fmt: skip


def run(lab, program, fault="pass", mode="observe"):
    answer = lab.run(TREE | {"main.py": START.replace("FAULT", fault) + program + END}, POLICY, mode=mode)
    assert answer.error is None, answer.stderr
    return answer


@pytest.mark.parametrize(
    "order",
    [
        ["acme.home", "acme.sub", "acme.second", "acme.late", "acme.api", "acme.motor"],
        ["acme.tools", "acme.motor", "acme.late", "acme.second", "acme.sub", "acme.api", "acme.home"],
    ],
)
def test_each_class_of_each_role_joins_once_in_any_order(lab, order):
    answer = run(lab, f"load(*{order!r})")
    assert sorted(answer.out["construction"]) == sorted(answer.out["ownership"]) == EVERYONE
    assert {rule: counts["classes"] for rule, counts in answer.out["census"].items()} == {
        "registry": 6, "box": 2, "engine": 2, "contested": 2,
    }  # fmt: skip
    assert answer.internal_errors == {}


def test_those_that_were_loaded_before_join_too(lab):
    before = "lab.guard.uninstall()\nload('acme.sub', 'acme.second', 'acme.late', 'acme.api', 'acme.motor')\n"
    answer = run(lab, before + "told['construction'].clear(), told['ownership'].clear()\nlab.install()\n")
    assert sorted(answer.out["construction"]) == EVERYONE


def test_what_was_refused_joins_nothing(lab):
    answer = run(lab, "def f():\n    import acme.second\nlab.attempt(f)\nload('acme.home')", mode="strict")
    assert sorted(answer.out["construction"]) == ["registry BaseRegistry", "registry Registry"]


def test_a_neighbour_that_fails_is_contained_and_the_others_go_on(lab):
    answer = run(lab, "load('acme.home', 'acme.sub', 'acme.api')", "raise RuntimeError('planted')")
    assert "box SmallBox" in answer.out["ownership"]
    assert "planted" in answer.internal_errors["construction"]
    assert "roles" not in answer.internal_errors


def test_a_role_without_such_keys_loads_neither(lab):
    files = {"main.py": "import lab, sys\nfor name in list(sys.modules):\n    if name.endswith(('.construction', '.ownership')): del sys.modules[name]\nlab.install()\nimport acme.home\nlab.out(loaded=[name for name in sys.modules if name.endswith(('.construction', '.ownership'))])\n"}  # fmt: skip
    policy = POLICY | {"roles": [{"id": "registry", "canonical": "acme.home:Registry"}]}
    assert lab.run(TREE | files, policy).out["loaded"] == []


AGAIN = """
import gc, importlib, sys, weakref
guard = lab.install()
kept = []
for _ in range(5):
    sys.modules.pop("acme.plugin", None)
    import acme.plugin
    kept.append((weakref.ref(acme.plugin.Engine), weakref.ref(acme.plugin.engine), weakref.ref(acme.plugin)))
    acme.plugin.make()
    acme.plugin.Engine().use()
gc.collect()
alive = [[one() is not None for one in some] for some in kept]
guard.check()
lab.out(alive=alive, census=guard.census())
"""


def test_what_a_module_was_before_it_was_imported_again_goes(lab):
    plugin = "class Engine:\n    def use(self): return CACHE\nCACHE = bytearray(100)\nengine = Engine()\ndef make(): return Engine()\n"
    policy = {
        "packages": ["acme"],
        "modules": {"re-executions": "off"},
        "roles": [
            {"id": "engine", "canonical": "acme.plugin:Engine", "instances": {"max": 1}, "isolated": True,
             "factory": ["acme.plugin:make"], "released-by": ["acme.plugin:make"]},
        ],
    }  # fmt: skip
    answer = lab.run({"acme/__init__.py": "", "acme/plugin.py": plugin, "main.py": f"import lab\n{AGAIN}"}, policy)
    assert (answer.error, answer.internal_errors) == (None, {})
    assert answer.out["alive"] == [[False] * 3] * 4 + [[True] * 3]
    assert answer.out["census"]["engine"]["live"] == 1
    assert {row["code"] for row in answer.violations} == {"SSG203", "SSG202"}
