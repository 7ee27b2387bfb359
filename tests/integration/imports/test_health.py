"""SSG104 and SSG111 - SSG115: what goes wrong while governed modules load."""

import sys

import pytest

START = "import lab, sys\nlab.install()\n"
OLD = {"id": "r", "deprecated": "acme.old", "canonical": "acme.new"}


@pytest.fixture
def run(lab):
    def run(source, files, *rules, mode="observe", **policy):
        tree = {"acme/__init__.py": ""} | files
        return lab.run(
            tree | {"main.py": START + source}, {"packages": ["acme"], "imports": list(rules)} | policy, mode=mode
        )

    return run


def seen(answer, code):
    return sorted((row["target"], (row["path"] or "?").rpartition("/")[2], row["line"]) for row in answer.of(code))


# -- SSG104: two truths ---------------------------------------------------------------------------------------------

COPY = "class A: pass\ndef f(): pass\nX = 1\n_private = 1\n"
DIVERGED = [("acme.old:A", "old.py", 1), ("acme.old:f", "old.py", 2)]


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (COPY, DIVERGED),
        ("from acme.new import *\n", []),
        ("from acme.new import A, f\n", []),
        ("X = 1\nfrom acme.new import f as A\n", [("acme.old:A", "old.py", 2)]),
        ("from acme.new import A\nA = int\nfrom acme.new import f\n", [("acme.old:A", "old.py", 2)]),
        ("def keep(f): return f\n@keep\ndef f(): pass\nfrom acme.new import A\n", [("acme.old:f", "old.py", 3)]),
        ("from acme.other import *\n", [("acme.old:A", "old.py", None)]),
        ("from acme.new import A\nclass f: pass\n", [("acme.old:f", "old.py", 2)]),
        (
            "try:\n    from acme.nowhere import A\nexcept ImportError:\n    class A: pass\n",
            [("acme.old:A", "old.py", 4)],
        ),
        ("class Extra: pass\nfrom acme.new import A\n", []),
        ("import os, sys\nfrom typing import Any\n", []),
        ("import sys, acme.new\nsys.modules[__name__] = acme.new\n", []),
    ],
)
@pytest.mark.parametrize("order", ["import acme.old, acme.new", "import acme.new, acme.old"])
def test_a_copy_an_alias_that_lies_and_a_stub_are_two_truths_in_any_order(run, old, expected, order):
    answer = run(order, {"acme/old.py": old, "acme/new.py": COPY, "acme/other.py": "class A: pass\n"}, OLD)

    assert answer.error is None
    assert seen(answer, "SSG104") == expected


@pytest.mark.parametrize("source", ["import acme.old", "import acme.new", "import acme.old, acme.other"])
def test_nothing_is_compared_before_both_are_loaded_and_nothing_is_imported_for_it(run, source):
    answer = run(
        source + "\nlab.out(n=[m for m in ('acme.old', 'acme.new') if m in sys.modules])",
        {"acme/old.py": COPY, "acme/new.py": COPY, "acme/other.py": ""},
        OLD,
    )

    assert answer.of("SSG104") == []
    assert len(answer.out["n"]) == 1


def test_two_truths_loaded_before_the_guard_are_found_by_check(run, lab):
    tree = {"acme/__init__.py": "", "acme/old.py": COPY, "acme/new.py": COPY}
    main = "import acme.old, acme.new\nimport lab\nlab.install()\nlab.guard.check()\n"
    answer = lab.run(tree | {"main.py": main}, {"packages": ["acme"], "imports": [OLD]})

    assert seen(answer, "SSG104") == DIVERGED


def test_a_name_rule_whose_alias_lies(run):
    rule = {"id": "n", "deprecated": "acme.mod:Old", "canonical": "acme.mod:New"}
    answer = run("import acme.mod\nlab.guard.check()", {"acme/mod.py": "class New: pass\nclass Old: pass\n"}, rule)

    assert {row["target"] for row in answer.of("SSG104")} == {"acme.mod:Old"}


# -- SSG111: failed imports -----------------------------------------------------------------------------------------

FAILING = {
    "a missing module": ("import acme.zz", "acme.zz", False),
    "a missing module, swallowed": ("try: import acme.zz\nexcept ImportError: pass", "acme.zz", True),
    "from a missing module": ("from acme.zz import N", "acme.zz", False),
    "a missing submodule of a module": ("import acme.mod.zz", "acme.mod.zz", False),
    "a missing name": ("from acme.mod import zz", "acme.mod:zz", False),
    "a missing name, swallowed": ("try: from acme.mod import zz\nexcept ImportError: pass", "acme.mod:zz", True),
    "a missing name of a package": ("from acme import zz", "acme:zz", False),
    "a missing name of a package, swallowed": ("try: from acme import zz\nexcept ImportError: pass", "acme:zz", True),
    "import_module": ("import importlib\nimportlib.import_module('acme.zz')", "acme.zz", False),
    "import_module, swallowed": ("import importlib\ntry: importlib.import_module('acme.zz')\nexcept ImportError: pass", "acme.zz", True),
    "suppressed": ("import contextlib\nwith contextlib.suppress(ImportError): import acme.zz", "acme.zz", True),
    "a module that raises": ("try: import acme.bad\nexcept ValueError: pass", "acme.bad", None),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("inside", [True, False], ids=["in a module", "in the program"])
def test_a_failed_import_is_one_violation_at_its_statement(run, name, inside):
    source, target, swallowed = FAILING[name]
    files = {"acme/mod.py": "N = 1\n", "acme/bad.py": "raise ValueError('no')\n", "acme/user.py": source + "\n"}
    main = (
        "try:\n  import acme.user\nexcept ImportError: pass\n"
        if inside
        else "lab.run_file('acme/user.py', module='user')\n"
    )
    rows = run(main, files).of("SSG111")
    mine = [row for row in rows if row["path"].endswith("user.py")]

    assert [row["target"] for row in mine] == [target]
    assert len(rows) == 1
    assert "import" in source.split("\n")[mine[0]["line"] - 1]
    if swallowed is not None:
        assert mine[0]["details"]["swallowed"] is swallowed


HEALTHY = {
    "hasattr": "import acme\nhasattr(acme, 'zz')",
    "find_spec": "import importlib.util\nimportlib.util.find_spec('acme.zz')",
    "present": "import acme.mod\nfrom acme.mod import N\nfrom acme import mod",
    "others": "try: import nowhere_at_all\nexcept ImportError: pass\ntry: from os import zz\nexcept ImportError: pass",
    "a blocked one": "import acme.old",
    "a blocked one, by name": "from acme.old import N",
    "a blocked one, below": "import acme.importer",
}


@pytest.mark.parametrize("name", HEALTHY)
def test_probes_and_blocks_are_no_failed_imports(run, name):
    files = {"acme/mod.py": "N = 1\n", "acme/old.py": "N = 1\n", "acme/importer.py": "from acme.old import N\n"}

    assert run(HEALTHY[name], files, OLD, mode="strict").of("SSG111") == []


def test_health_is_off_where_the_policy_says_so(run):
    modules = {"failed-imports": "off", "cycles": "off", "double-imports": "off", "re-executions": "off"}
    source = "import importlib, acme.mod\nimportlib.reload(acme.mod)\ntry: import acme.zz\nexcept ImportError: pass"

    assert run(source, {"acme/mod.py": ""}, modules=modules).violations == []


# -- SSG112: cycles -------------------------------------------------------------------------------------------------

CYCLES = {
    "a missing name": ({"a": "from acme.b import B\nA = 1", "b": "from acme.a import A\nB = 1"}, 1),
    "a missing attribute": ({"a": "import acme.b\nA = 1", "b": "import acme.a\nacme.a.A"}, 1),
    "a ring of three": (
        {"a": "from acme.b import X\nX = 1", "b": "from acme.c import X", "c": "from acme.a import X"},
        1,
    ),
    "a stale name": ({"a": "A = 1\nimport acme.b\nA = 2", "b": "from acme.a import A"}, 1),
    "used later": ({"a": "import acme.b\nA = 1", "b": "import acme.a\ndef f(): return acme.a.A"}, 0),
    "taken after it was bound": ({"a": "A = 1\nimport acme.b", "b": "from acme.a import A"}, 0),
    "modules only": ({"a": "from acme import b", "b": "from acme import a"}, 0),
    "in functions": ({"a": "def f():\n  from acme.b import B\nA = 1", "b": "from acme.a import A\nB = 1"}, 0),
    "a package and its part": (
        {"a/__init__": "from . import part\nX = 1", "a/part": "import acme.a\nfrom acme import a"},
        0,
    ),
    "a package and its part's name": (
        {"a/__init__": "X = 1\nfrom .part import P", "a/part": "from . import X\nP = 1"},
        0,
    ),
    "no cycle": ({"a": "from acme.b import B", "b": "B = 1"}, 0),
}


@pytest.mark.parametrize("name", CYCLES)
@pytest.mark.parametrize("first", ["a", "b"])
def test_a_cycle_is_reported_once_and_only_when_something_was_missing_or_stale(run, name, first):
    modules, expected = CYCLES[name]
    files = {f"acme/{path}.py": text + "\n" for path, text in modules.items()}
    if first == "b" and "b" not in modules:
        return
    if first == "b" and ("stale" in name or "attribute" in name):
        return  # entered from there, nothing is missing
    answer = run(f"try: import acme.{first}\nexcept (ImportError, AttributeError): pass", files)

    assert len(answer.of("SSG112")) == expected, answer.violations
    if expected and "three" not in name:
        assert answer.of("SSG112")[0]["target"] == "acme.a -> acme.b -> acme.a"
        assert answer.of("SSG112")[0]["count"] == 1


# -- SSG113 and SSG114: twice ---------------------------------------------------------------------------------------

TWICE = "sys.path.append('acme')\n"


def test_one_file_under_two_names_is_found_by_check(run):
    source = TWICE + "import acme.mod\nimport mod\nlab.guard.check()\nlab.guard.check()"
    answer = run(source, {"acme/mod.py": "class A: pass\n"})

    assert [(row["code"], row["count"]) for row in answer.violations] == [("SSG113", 1)]
    assert {answer.violations[0]["target"], answer.violations[0]["canonical"]} == {"mod", "acme.mod"}


def test_two_governed_names_of_one_file_are_seen_at_the_import(run):
    source = TWICE + "import acme.mod\nimport mod\n"
    answer = run(source, {"acme/mod.py": "class A: pass\n"}, packages=["acme", "mod"])

    assert seen(answer, "SSG113") == [("mod", "main.py", 5)]


def test_the_program_imported_again_under_its_module_name(run, lab):
    tree = {
        "acme/__init__.py": "",
        "acme/app.py": "import lab\nif __name__ == '__main__':\n    lab.install()\n    import acme.app\n    lab.guard.check()\n",
    }
    answer = lab.run(tree, {"packages": ["acme"]}, main="acme/app.py")

    assert [row["code"] for row in answer.violations] == ["SSG113"]


RELOADS = {
    "reload": "import importlib\nimportlib.reload(acme.mod)  # <-",
    "sys.modules": "del sys.modules['acme.mod']\nimport acme.mod  # <-",
    "sys.modules, from": "del sys.modules['acme.mod']\nfrom acme.mod import N  # <-",
    "a fresh module by hand": "import importlib.util as u\ns = u.find_spec('acme.mod')\nm = u.module_from_spec(s)\ns.loader.exec_module(m)  # <-",
    "by hand, in one expression": "import importlib.util as u\ns = u.find_spec('acme.mod')\ns.loader.exec_module(u.module_from_spec(s))  # <-",
}


@pytest.mark.parametrize("name", RELOADS)
def test_a_second_execution_is_seen(run, marked, name):
    source = "import acme.mod\n" + RELOADS[name]
    rows = run(source, {"acme/mod.py": "N = 1\n"}).of("SSG114")

    assert [row["target"] for row in rows] == ["acme.mod"]
    assert rows[0]["path"].endswith("main.py")
    if "hand" not in name:
        assert rows[0]["line"] == marked(START + source)[0]


@pytest.mark.parametrize("name", RELOADS)
def test_a_second_execution_of_a_module_loaded_before_the_guard_is_seen(lab, name):
    tree = {"acme/__init__.py": "", "acme/mod.py": "N = 1\n", "main.py": "import acme.mod\n" + START + RELOADS[name]}
    answer = lab.run(tree, {"packages": ["acme"]})

    assert [row["code"] for row in answer.violations] == ["SSG114"]


@pytest.mark.parametrize(
    "source",
    [
        "acme.mod.__spec__.loader.exec_module(acme.mod)",
        "import types\nacme.mod.__loader__.exec_module(types.ModuleType('acme.mod'))",
    ],
)
def test_a_loader_that_is_called_past_importlib_is_a_known_blind_spot(run, source):
    answer = run("import acme.mod\n" + source, {"acme/mod.py": "N = 1\n"})

    assert (answer.error, answer.violations) == (None, [])


def test_a_failed_first_execution_is_no_first_execution(run):
    files = {
        "acme/mod.py": "import builtins\nif not hasattr(builtins, 'again'):\n    builtins.again = 1\n    raise ImportError('once')\n"
    }
    answer = run("try: import acme.mod\nexcept ImportError: pass\nimport acme.mod\n", files)

    assert answer.of("SSG114") == []


def test_the_import_budget_counts_a_modules_own_time_only(run):
    files = {
        "acme/slow.py": "import time\ntime.sleep(0.2)\n",
        "acme/outer.py": "import acme.slow\n",
        "acme/quick.py": "",
    }
    answer = run("import acme.outer, acme.quick", files, modules={"import-budget": {"seconds": 0.1}})

    assert seen(answer, "SSG115") == [("acme.slow", "outer.py", 1)]
    assert 0.2 <= answer.violations[0]["details"]["seconds"] < 5


# -- other ways to load ---------------------------------------------------------------------------------------------

BY_HAND = {
    "two statements": "m = u.module_from_spec(s)\ns.loader.exec_module(m)  # <-",
    "one expression": "s.loader.exec_module(u.module_from_spec(s))  # <-",
    "the method first": "execute = s.loader.exec_module\nm = u.module_from_spec(s)\nexecute(m)  # <-",
}


@pytest.mark.parametrize("mode", ["observe", "strict"])
@pytest.mark.parametrize("spelling", BY_HAND)
def test_a_deprecated_module_executed_by_hand_is_seen_and_blocked(run, marked, spelling, mode):
    source = f"import importlib.util as u\ns = u.find_spec('acme.old')\n{BY_HAND[spelling]}\nlab.out(ran=1)"
    answer = run(source, {"acme/old.py": "import builtins\nbuiltins.ran = 1\n"}, OLD, mode=mode)

    assert [(row["code"], row["path"].rpartition("/")[2]) for row in answer.violations] == [("SSG101", "main.py")]
    assert [row["line"] for row in answer.violations] == marked(START + source)
    assert (answer.error is not None) == (mode == "strict")


def test_a_code_look_up_on_a_module_made_by_hand_is_no_execution(run):
    source = "import importlib.util as u\ns = u.find_spec('acme.old')\nm = u.module_from_spec(s)\ns.loader.get_code('acme.old'), s.loader.get_source('acme.old'), s.loader.get_filename()"
    answer = run(source, {"acme/old.py": "N = 1\n"}, OLD, mode="strict")

    assert (answer.error, answer.violations) == (None, [])


LAZY_LOADER = """
import importlib.util as u
spec = u.find_spec("acme.old")
loader = u.LazyLoader(spec.loader)
spec.loader = loader
module = u.module_from_spec(spec)
sys.modules["acme.old"] = module
loader.exec_module(module)
lab.out(before=lab.codes())
module.N
"""


def test_a_lazy_loader_reports_when_it_loads(run):
    answer = run(LAZY_LOADER, {"acme/old.py": "N = 1\n"}, OLD)

    assert answer.error is None
    assert [row["code"] for row in answer.violations] == ["SSG101"]


def test_a_reload_of_a_deprecated_module_counts(run, marked):
    source = "import importlib\nimport acme.old  # <-\nimportlib.reload(acme.old)  # <-\n"
    answer = run(source, {"acme/old.py": "N = 1\n"}, OLD)

    assert sorted(row["line"] for row in answer.of("SSG101")) == marked(START + source)


LEGACY = """
import importlib.machinery, types
class Loader:
    def load_module(self, name):
        m = sys.modules.setdefault(name, types.ModuleType(name)); m.__loader__ = self; m.N = 1; return m
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "acme.old": return importlib.machinery.ModuleSpec(name, Loader())
sys.meta_path.insert({place}, Finder())
import warnings
warnings.simplefilter("ignore")
def f():
    import acme.old
for _ in range(2): f()
"""


@pytest.mark.parametrize("place", [0, "len(sys.meta_path)"])
def test_loaders_of_the_old_kind(run, place):
    if sys.version_info >= (3, 15):
        return  # gone
    answer = run(LEGACY.format(place=place), {}, OLD)

    assert answer.error is None
    assert [(row["code"], row["count"]) for row in answer.violations] == [("SSG101", seen_behind(place))]


def seen_behind(place):
    """Of two imports: a finder in front of ours gives the module out unasked, so only the parent's load is seen."""
    return 1 if place == 0 else 2


EDITABLE = """
import importlib.util, importlib.machinery, os
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "acme.old": return importlib.util.spec_from_file_location(name, os.path.abspath("elsewhere.py"))
    @classmethod
    def invalidate_caches(cls): pass
sys.meta_path.insert({place}, Finder)
def f():
    from acme.old import N
    return N
assert lab.attempt(f) is None or lab.guard.mode == "strict"
lab.attempt(f)
"""


@pytest.mark.parametrize("mode", ["observe", "strict"])
@pytest.mark.parametrize("place", [0, 1, "len(sys.meta_path)"])
def test_finders_of_editable_installs_before_and_after_ours(run, place, mode):
    source = EDITABLE.format(place=place) + "lab.out(position=lab.guard.status()['finder_position'])\n"
    answer = run(source, {"elsewhere.py": "N = 1\n"}, OLD, mode=mode)

    assert answer.error is None
    expected = 2 if mode == "strict" else seen_behind(place)  # what is blocked at the parent is tried again
    assert [(row["code"], row["count"]) for row in answer.violations] == [("SSG101", expected)]
    assert (answer.out["position"] == 0) == (place != 0), "doctor tells that somebody stands in front"


def test_wrapt_hooks_live_beside_us(run):
    source = """
import wrapt
told = []
wrapt.register_post_import_hook(lambda m: told.append(m.__name__), "acme.old")
import acme.old
import acme.old
lab.out(told=told)
"""
    answer = run(source, {"acme/old.py": "N = 1\n"}, OLD)

    assert answer.out["told"] == ["acme.old"]
    assert sorted(row["line"] for row in answer.violations) == [7, 8]


@pytest.mark.parametrize(
    "source",
    [
        "import runpy\nrunpy.run_module('acme.old')  # <-",
        "import runpy\nrunpy.run_module('acme.old', run_name='__main__', alter_sys=True)  # <-",
    ],
)
def test_run_module_is_a_dynamic_import(run, marked, source):
    answer = run(source, {"acme/old.py": "N = 1\n"}, OLD)

    assert [(row["kind"], row["line"]) for row in answer.of("SSG101")] == [("dynamic", marked(START + source)[0])]
