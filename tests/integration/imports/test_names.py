"""Deprecated names and submodules: taken, read, patched, replaced, served lazily, pickled."""

import sys

import pytest

POLICY = {
    "packages": ["acme"],
    "imports": [
        {"id": "n", "deprecated": "acme.mod:Old", "canonical": "acme.mod:New"},
        {"id": "gone", "deprecated": "acme.mod:Gone"},
        {"id": "m", "deprecated": "acme.old", "canonical": "acme.new"},
    ],
}
TREE = {
    "acme/__init__.py": "",
    "acme/new.py": "class N: pass\n",
    "acme/old.py": "from acme.new import N\n",
    "acme/mod.py": "class New: pass\nOld = New\nother = 1\ndef inside(): return Old\n",
}
ALL = "import sys, lab\nlab.install()\nimport acme, acme.mod\nmod = acme.mod\n"


def run(lab, source, *, mode="observe", policy=POLICY, **files):
    tree = TREE | {name.replace("__", "/") + ".py": text for name, text in files.items()}
    return lab.run(tree | {"main.py": ALL + source}, policy, mode=mode)


# (source with marked lines, [(code, kind, count), …] in the order of the marks)
USES = {
    "from-import": ("from acme.mod import Old  # <-", [("SSG102", "name", 1)]),
    "from-import as": ("from acme.mod import Old as X  # <-", [("SSG102", "name", 1)]),
    "from-import among others": ("from acme.mod import New, Old, other  # <-", [("SSG102", "name", 1)]),
    "from-import twice": ("for _ in range(2):\n  from acme.mod import Old  # <-", [("SSG102", "name", 2)]),
    "from-import of two deprecated names": (
        "try: from acme.mod import Old, Gone  # <-\nexcept ImportError: pass",
        [("SSG102", "name", 1)] * 2,
    ),
    "attribute": ("mod.Old  # <-", [("SSG102", "attribute", 1)]),
    "attribute in a loop": ("for _ in range(5): mod.Old  # <-", [("SSG102", "attribute", 5)]),
    "attribute of a chain": ("acme.mod.Old  # <-", [("SSG102", "attribute", 1)]),
    "attribute called": ("acme.mod.Old()  # <-", [("SSG102", "attribute", 1)]),
    "attribute in a function": ("def f(): return mod.Old  # <-\nf(); f()", [("SSG102", "attribute", 2)]),
    "two reads": ("mod.Old  # <-\nmod.Old  # <-", [("SSG102", "attribute", 1)] * 2),
    "getattr with a literal": ("getattr(mod, 'Old')  # <-", [("SSG102", "attribute", 1)]),
    "star": ("from acme.mod import *  # <-", [("SSG102", "name", 1)]),
    "removed name, swallowed": ("try:\n  from acme.mod import Gone  # <-\nexcept ImportError: pass", [("SSG102", "name", 1)]),
    "removed name, read": ("try:\n  mod.Gone  # <-\nexcept AttributeError: pass", [("SSG102", "attribute", 1)]),
    "own use": ("mod.inside()", []),
    "set": ("mod.Old = 5", []),
    "other names": ("mod.New; mod.other; from acme.mod import New, other", []),
    "submodule from its parent": ("from acme import old  # <-", [("SSG101", "import", 1)]),
    "submodule from its parent twice": ("for _ in range(2):\n  from acme import old  # <-", [("SSG101", "import", 2)]),
    "uses of a proper import are not reported again": ("import acme.old  # <-\nacme.old.N\nacme.old", [("SSG101", "import", 1)]),
    "a method of a class": ("mod.Old.mro()  # <-", [("SSG102", "attribute", 1)]),
    "augmented": ("x = [mod.Old for _ in 'ab']  # <-", [("SSG102", "attribute", 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_each_use_of_a_name_is_one_violation_counted_by_execution(lab, marked, name):
    source, expected = USES[name]
    answer = run(lab, source)
    lines = marked(ALL + source)
    if len(lines) == 1:
        lines *= len(expected)

    assert answer.error is None
    seen = sorted((row["line"], row["code"], row["kind"], row["count"]) for row in answer.violations)
    assert seen == sorted((line, *row) for line, row in zip(lines, expected, strict=True))
    assert all(row["path"].endswith("main.py") for row in answer.violations)
    assert answer.internal_errors == {}


BLOCKED = [name for name, (_, expected) in USES.items() if expected and "swallowed" not in name and "read" not in name]


@pytest.mark.parametrize("name", BLOCKED)
def test_strict_blocks_each_use_at_its_line(lab, marked, name):
    source, _ = USES[name]
    answer = run(lab, source, mode="strict")
    if "from-import of two" in name:
        return  # its handler would catch: it warns instead

    assert answer.error is not None
    assert answer.error["type"] == "DeprecatedImportError"
    assert answer.error["frames"][-1][1] in marked(ALL + source)
    assert all(row["action"] == "blocked" for row in answer.violations)


def test_an_attribute_of_a_loaded_deprecated_submodule_that_somebody_else_imported(lab, marked):
    source = "import helper\nacme.old.N  # <-\n"
    answer = run(lab, source, helper="import acme.old\n")

    assert answer.lines == sorted([["SSG101", "helper.py", 1, 1], ["SSG101", "main.py", marked(ALL + source)[0], 1]])
    assert {row["kind"] for row in answer.violations} == {"import", "attribute"}


# Nothing of this may break, and nothing leaves a trace on the module. Allowed extra violations: none in `main.py`'s reads.
WORKS = {
    "mock.patch a watched name": """
        from unittest import mock
        before = vars(mod)["Old"]
        with mock.patch("acme.mod.Old") as patched:
            assert vars(mod)["Old"] is patched
            assert mod.inside() is patched
        assert vars(mod)["Old"] is before
        """,
    "mock.patch.object": """
        from unittest import mock
        before = vars(mod)["Old"]
        with mock.patch.object(mod, "Old", 5): assert mod.inside() == 5
        assert vars(mod)["Old"] is before
        """,
    "mock.patch a submodule": """
        from unittest import mock
        import helper
        before = vars(acme)["old"]
        with mock.patch("acme.old", 5): assert vars(acme)["old"] == 5
        assert vars(acme)["old"] is before
        with mock.patch.dict(sys.modules, {"acme.old": mock.Mock()}): pass
        assert sys.modules["acme.old"] is before
        """,
    "mock.patch a name of a deprecated module": """
        from unittest import mock
        import helper
        with mock.patch("acme.old.N", 5): assert vars(sys.modules["acme.old"])["N"] == 5
        """,
    "mock.patch a removed name": """
        from unittest import mock
        with mock.patch("acme.mod.Gone", 5, create=True): assert vars(mod)["Gone"] == 5
        assert "Gone" not in vars(mod)
        """,
    "set, read, delete": """
        mod.Old = 5
        assert vars(mod)["Old"] == 5 and mod.inside() == 5
        del mod.Old
        assert "Old" not in vars(mod)
        try: del mod.Old
        except AttributeError as e: assert "Old" in str(e)
        else: raise AssertionError
        """,
    "missing names have Python's own message": """
        try: mod.Gone
        except AttributeError as e: text = str(e); assert e.name == "Gone" and e.obj is mod
        assert text == "module 'acme.mod' has no attribute 'Gone'", text
        try: from acme.mod import Gone
        except ImportError as e: assert "cannot import name 'Gone' from 'acme.mod'" in str(e), e
        """,
    "pickle of what it defines": """
        import pickle
        assert pickle.loads(pickle.dumps(mod.inside)) is mod.inside
        assert pickle.loads(pickle.dumps(mod.New)) is mod.New
        """,
    "copy of the module fails or works as before": """
        import copy
        try: copy.deepcopy(mod)
        except TypeError: pass
        """,
    "dir and vars": """
        assert "Old" in dir(mod) and "Gone" not in dir(mod) and "__path__" not in dir(mod), dir(mod)
        assert [n for n in vars(mod) if not n.startswith("__")] == ["New", "Old", "other", "inside"]
        """,
    "type looks the same": """
        import types
        assert isinstance(mod, types.ModuleType)
        assert type(mod).__name__ == "module" and type(mod).__module__ == "builtins", type(mod)
        assert repr(mod).startswith("<module 'acme.mod' from ")
        """,
    "reload": """
        import importlib
        importlib.reload(mod)
        assert "Old" in vars(mod)
        """,
    "monkeypatching sys.modules": """
        sys.modules["acme.mod"] = 5
        import acme.mod as again
        sys.modules["acme.mod"] = mod
        """,
}


@pytest.mark.parametrize("mode", ["observe", "warn"])
@pytest.mark.parametrize("name", WORKS)
def test_a_watched_module_works_as_before(lab, name, mode):
    import textwrap

    source = textwrap.dedent(WORKS[name])
    free = run(lab, source.replace("guard", "guard"), mode="off", helper="import acme.old\n")
    answer = run(lab, source, mode=mode, helper="import acme.old\n")

    assert free.error is None
    assert answer.error is None, answer.error
    assert answer.internal_errors == {}


LAZY_MODULE = """
def __getattr__(name):
    if name == "Old":
        import acme.old
        return acme.old.N
    if name == "Served":
        return _load("acme.old").N
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
def _load(name):
    import importlib
    return importlib.import_module(name)
"""


@pytest.mark.parametrize(
    ("source", "line_of"),
    [
        ("from acme.lazy import Served  # <-", "mark"),
        ("import acme.lazy\nacme.lazy.Served  # <-", "mark"),
        ("import acme.lazy\ndef f():\n    return acme.lazy.Served  # <-\nf(); f()", "mark"),
        ("import acme.lazy\ngetattr(acme.lazy, 'Served')  # <-", "mark"),
        ("from acme.lazy import Old  # <-", "mark"),
    ],
)
def test_a_lazy_getattr_acts_for_its_reader(lab, marked, source, line_of):
    answer = run(lab, source, acme__lazy=LAZY_MODULE)
    rows = answer.of("SSG101")

    assert answer.error is None
    assert [(row["path"].rpartition("/")[2], row["line"]) for row in rows] == [("main.py", marked(ALL + source)[0])]
    assert rows[0]["count"] == (2 if "f(); f()" in source else 1)
    assert "lazy.py:" in rows[0]["details"]["through"]


def test_an_import_helper_of_another_distribution_acts_for_its_caller(lab, marked):
    source = "import importtools\nimporttools.load('acme.old')  # <-\n"
    helper = "import importlib\ndef load(path):\n    return importlib.import_module(path)\n"
    answer = run(lab, source, importtools=helper)

    assert answer.lines == [["SSG101", "main.py", marked(ALL + source)[0], 1]]
    assert "importtools.py:3" in answer.violations[0]["details"]["through"]


def test_a_framework_that_calls_the_importing_function_is_not_to_blame(lab, marked):
    handler = (
        "import importlib\ndef handle():\n    name = 'acme.' + 'old'\n    return importlib.import_module(name)  # <-\n"
    )
    framework = "def serve(handler):\n    return handler()\n"
    answer = run(
        lab, "import framework, handlers\nframework.serve(handlers.handle)\n", handlers=handler, framework=framework
    )

    assert answer.lines == [["SSG101", "handlers.py", 4, 1]]


def test_a_lazily_served_deprecated_name_is_seen_and_served(lab, marked):
    source = "from acme.pep import Legacy  # <-\nimport acme.pep\nacme.pep.Legacy  # <-\n"
    policy = POLICY | {"imports": [{"id": "p", "deprecated": "acme.pep:Legacy"}]}
    pep = "def __getattr__(name):\n    if name == 'Legacy': return 42\n    raise AttributeError(name)\n"
    answer = run(lab, source + "lab.out(v=Legacy)", policy=policy, acme__pep=pep)

    assert answer.error is None
    assert answer.out["v"] == 42
    first, second = marked(ALL + source)
    assert answer.lines == [["SSG102", "main.py", first, 1], ["SSG102", "main.py", second, 1]]


REPLACED = """
import sys, types
class Module(types.ModuleType):
    @property
    def live(self): return "live"
    Old = 5
sys.modules[__name__] = Module(__name__)
sys.modules[__name__].__dict__.update(Legacy=1)
"""


def test_a_module_that_replaces_itself_is_watched_and_keeps_its_class(lab, marked):
    source = "from acme.rep import Legacy  # <-\nimport acme.rep\nassert acme.rep.live == 'live' and acme.rep.Old == 5\nassert isinstance(acme.rep, type(acme.rep).__mro__[-3])\n"
    policy = POLICY | {"imports": [{"id": "p", "deprecated": "acme.rep:Legacy"}]}
    answer = run(lab, source, policy=policy, acme__rep=REPLACED)

    assert answer.error is None
    assert answer.lines == [["SSG102", "main.py", marked(ALL + source)[0], 1]]


def test_an_object_that_is_no_module_is_left_alone_and_named(lab):
    source = "import acme.obj\nlab.out(not_modules=lab.guard.status()['not_modules'], kind=type(acme.obj).__name__)\n"
    policy = POLICY | {"imports": [{"id": "p", "deprecated": "acme.obj:Legacy"}]}
    obj = "import sys\nclass Thing:\n    Legacy = 1\nsys.modules[__name__] = Thing()\n"
    answer = run(lab, source, policy=policy, acme__obj=obj)

    assert answer.error is None
    assert answer.out == {"not_modules": ["acme.obj"], "kind": "Thing"}


ALIAS = "import sys, urllib4.core\nsys.modules['acme.packages.urllib4'] = urllib4\nsys.modules['acme.packages.urllib4.core'] = urllib4.core\n"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("import urllib4\nimport urllib4.core\nfrom urllib4 import core\nfrom urllib4.core import N\n", 0),
        ("import acme.packages.urllib4  # <-", 1),
        ("from acme.packages import urllib4  # <-", 1),
        ("from acme.packages.urllib4 import core  # <-", 1),
        ("from acme.packages.urllib4.core import N  # <-", 1),
        ("import importlib\nimportlib.import_module('acme.packages.urllib4.core')  # <-", 1),
        ("__import__('acme.packages.urllib4')  # <-", 1),
        ("__import__('urllib4')\nimport importlib\nimportlib.import_module('urllib4.core')\n", 0),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_of_two_names_of_one_module_only_the_deprecated_spelling_counts(lab, marked, source, count, times):
    policy = {"packages": ["acme"], "imports": [{"id": "v", "deprecated": "acme.packages.urllib4"}]}
    files = {
        "urllib4/__init__.py": "",
        "urllib4/core.py": "N = 1\n",
        "acme/__init__.py": "",
        "acme/packages/__init__.py": ALIAS,
    }
    start = "import lab\nlab.install()\nimport acme.packages\n"
    files["site.py"] = source
    program = start + f"errors = lab.run_file('site.py', times={times})\nassert not any(errors), errors\n"
    answer = lab.run(files | {"main.py": program}, policy)
    rows = [row for row in answer.violations if row["path"].endswith("site.py")]

    assert answer.error is None
    assert [(row["line"], row["count"]) for row in rows] == [(line, times) for line in marked(source)][:count]


def test_two_lazy_statements_of_one_module_are_told_apart(lab, marked):
    if sys.version_info < (3, 15):
        return
    source = "lazy from acme.old import M  # <-\nlazy from acme.old import N  # <-\nlab.out(n=N.__name__)\n"
    answer = run(lab, source, acme__old="class N: pass\nM = 1\n")
    _, second = marked(ALL + source)

    assert answer.error is None
    assert answer.lines == [["SSG101", "main.py", second, 1]]


CLOUD = """
import acme.old as o
def g(): return o.N, mod.New
import cloudpickle, pickle
assert pickle.loads(cloudpickle.dumps(g))() == g()
"""


def test_cloudpickle_of_a_main_function_takes_watched_modules_by_name(lab):

    assert run(lab, CLOUD).error is None


def test_strict_blocks_every_read_of_an_attribute_not_only_the_first(lab):
    source = "def f(): return mod.Old\nlab.out(blocked=sum(lab.attempt(f) is not None for _ in range(100)))\n"
    answer = run(lab, source, mode="strict")

    assert answer.out["blocked"] == 100
    assert [row["count"] for row in answer.violations] == [100]
