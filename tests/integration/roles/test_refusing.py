"""SSG201 in ``strict``: the module with the second home fails to import; what cannot be refused is recorded."""

import json
import os
from pathlib import Path

import pytest

from ssot_guard.baseline import Baseline, Key

TREE = {
    "acme/__init__.py": "",
    "acme/home.py": "class AgentRegistry:\n    pass\n",
    "acme/second.py": """
        import acme.home

        class Other:
            pass

        class AgentRegistry:
            pass

        class MoreAgentRegistry:
            pass
        """,
    "acme/user.py": "x = 1\nfrom acme.second import AgentRegistry\n",
    "acme/package/__init__.py": "from acme.package import inner\nclass AgentRegistry: ...\n",
    "acme/package/inner.py": "",
}
RULE = {"id": "registry", "canonical": "acme.home:AgentRegistry", "match": ["*AgentRegistry"]}
POLICY = {"packages": ["acme"], "roles": [RULE]}
START = "import importlib, json, lab, sys, traceback\nlab.install()\n"


@pytest.fixture
def run(lab):
    def run(source, files=(), mode="strict", rule=(), **policy):
        policy = POLICY | {"roles": [RULE | dict(rule)]} | policy
        answer = lab.run(TREE | dict(files) | {"main.py": START + source}, policy, mode=mode)
        assert answer.internal_errors == {}
        return answer

    return run


def seen(answer, *fields):
    return [tuple(row[field] for field in fields) for row in answer.of("SSG201")]


TRACE = """
def trace(function):
    try:
        function()
    except BaseException as error:
        steps = traceback.extract_tb(error.__traceback__)[1:]
        return [type(error).__name__, [[step.filename.rpartition("/")[2], step.lineno] for step in steps]]
def f():
    {}
lab.out(trace=trace(f))
"""
HERE = ["main.py", 11]


@pytest.mark.parametrize(
    ("statement", "steps"),
    [
        ("import acme.second", [HERE]),
        ("from acme.second import AgentRegistry", [HERE]),
        ("from acme import second", [HERE]),
        ("__import__('acme.second')", [HERE]),
        ("import acme.user", [HERE, ["user.py", 2]]),
        ("import acme.package", [HERE]),
    ],
)
def test_the_traceback_ends_at_the_line_of_the_importer(run, statement, steps):
    assert run(TRACE.format(statement)).out["trace"] == ["SsotViolationError", steps]


def test_nobody_gets_what_was_refused(run):
    source = """
for _ in range(2):
    lab.attempt(lambda: importlib.import_module("acme.second"))
import acme.home
lab.out(left=[name for name in sys.modules if name.startswith("acme")], attribute=hasattr(acme, "second"))
acme.home.AgentRegistry()
lab.guard.check()
"""
    answer = run(source)
    assert answer.out == {"left": ["acme", "acme.home"], "attribute": False}
    assert seen(answer, "line", "count", "action") == [(6, 2, "blocked"), (9, 2, "blocked")]
    assert answer.of("SSG111", "SSG114") == []  # neither a failure of the application nor a second execution


def test_the_error_names_both_homes_with_their_places(run):
    error = run("import acme.second\n").error
    assert error["text"] == (
        "SSG201 registry: acme.second:AgentRegistry (acme/second.py:6) is a second home of the role registry "
        "beside acme.home:AgentRegistry (acme/home.py:1): use or extend that one"
    )


SWALLOWS = [
    ("except ImportError", False),
    ("except (ImportError, AttributeError)", False),
    ("except RuntimeError", True),
    ("except Exception", True),
    ("except", True),
]


@pytest.mark.parametrize(("clause", "swallows"), SWALLOWS)
def test_where_a_try_would_swallow_it_strict_only_warns(run, clause, swallows):
    source = f"def f():\n    try:\n        import acme.second\n    {clause}:\n        lab.out(fallback=True)\nlab.out(error=lab.attempt(f))\n"
    answer = run(source)
    assert ("fallback" in answer.out, answer.out["error"] is None) == (False, swallows)
    assert seen(answer, "mode") == [("warn" if swallows else "strict",)] * 2


UNREFUSABLE = {
    "was loaded before the guard": "",
    "a reload": "import acme.home\nlab.guard.uninstall()\nimport acme.second\nlab.install()\nimportlib.reload(acme.second)\n",
    "executed by hand": (
        "from importlib.util import find_spec, module_from_spec\nspec = find_spec('acme.second')\n"
        "module = sys.modules['acme.second'] = module_from_spec(spec)\nspec.loader.exec_module(module)\n"
    ),
}


@pytest.mark.parametrize("case", UNREFUSABLE)
def test_what_cannot_be_refused_is_recorded(run, lab, case):
    source = UNREFUSABLE[case] + "lab.guard.check()\nlab.out(there='acme.second' in sys.modules)\n"
    if not UNREFUSABLE[case]:
        source = "import acme.second, lab, sys\nlab.install()\n" + source
        answer = lab.run(TREE | {"main.py": source}, POLICY, mode="strict")
    else:
        answer = run(source)
    assert (answer.error, answer.out["there"]) == (None, True)
    assert sorted(seen(answer, "line", "mode")) == [(6, "warn"), (9, "warn")]


def test_a_class_that_only_a_look_finds_is_recorded(run):
    files = {"acme/maker.py": "def make():\n    return type('AgentRegistry', (), {})\nkept = [make()]\n"}
    answer = run("import acme.maker\nlab.out(new=[str(one.site.line) for one in lab.guard.check()])\n", files)
    assert (answer.error, answer.out["new"]) == (None, ["2"])
    assert seen(answer, "action", "scope", "target") == [("warned", "make", "acme.maker:AgentRegistry")]


# -- what is known is never raised -----------------------------------------------------------------------------------

KNOWN = Baseline("", {Key("SSG201", "registry", "acme/one.py", "acme.one:AgentRegistry"): 1}).dump()
FUTURE = {"retiring": [{"class": "acme.one:AgentRegistry", "until": "2999-01-01", "owner": "@agents"}]}
PAST = {"retiring": [{"class": "acme.one:AgentRegistry", "until": "2020-01-01"}]}
CONTESTED = {"canonical": None, "contested": ["acme.home:AgentRegistry", "acme.one:AgentRegistry"]}


@pytest.mark.parametrize(
    ("rule", "files", "comment", "status", "mode"),
    [
        ({}, {"ssot-baseline.json": KNOWN}, "", "known", "warn"),
        (FUTURE, {}, "", "known", "warn"),
        (PAST, {}, "", "new", "warn"),
        (CONTESTED, {}, "", "contested", "observe"),
        ({}, {}, "  # ssot: ignore[SSG201] tools, not agents", "suppressed", "warn"),
    ],
)
def test_what_is_known_is_never_raised(run, rule, files, comment, status, mode):
    files = {"acme/one.py": f"class AgentRegistry:{comment}\n    pass\n"} | files
    rule = {key: value for key, value in (RULE | rule).items() if value is not None}
    answer = run("import acme.one\n", files, roles=[rule])
    assert answer.error is None
    rows = [row for row in answer.of("SSG201") if row["module"] == "acme.one"]
    assert [(row["status"], row["mode"]) for row in rows] == [(status, mode)]


def test_a_class_on_its_way_out_says_until_when(run):
    files = {"acme/one.py": "class AgentRegistry: ...\n"}
    (row,) = run("import acme.one\n", files, rule=FUTURE).of("SSG201")
    assert row["details"]["retiring"] == "until 2999-01-01, by @agents"


def test_a_contest_counts_every_candidate_and_what_joins_two(run):
    files = {
        "acme/one.py": "class AgentRegistry: ...\n",
        "acme/third.py": "class AgentRegistry: ...\nclass Below(AgentRegistry): ...\n",
        "acme/fine.py": "from acme.one import AgentRegistry\nclass SubAgentRegistry(AgentRegistry): ...\n",
        "acme/both.py": "import acme.home, acme.one\nclass Both(acme.home.AgentRegistry, acme.one.AgentRegistry): ...\n",
    }
    rule = {key: value for key, value in (RULE | CONTESTED).items() if value is not None}
    answer = run("import acme.both, acme.third, acme.fine\n", files, roles=[rule])
    assert sorted(seen(answer, "target", "status")) == [
        ("acme.both:Both", "contested"),
        ("acme.home:AgentRegistry", "contested"),
        ("acme.one:AgentRegistry", "contested"),
        ("acme.third:AgentRegistry", "contested"),
        ("acme.third:Below", "contested"),
    ]


# -- the home itself is never refused --------------------------------------------------------------------------------

HOMES = {
    "a base that loads first": {
        "acme/agents/__init__.py": "",
        "acme/agents/base.py": "class BaseAgentRegistry: ...\n",
        "acme/agents/home.py": "from .base import BaseAgentRegistry\nclass AgentRegistry(BaseAgentRegistry): ...\n",
    },
    "a base of a base, by module": {
        "acme/agents/__init__.py": "",
        "acme/agents/root.py": "class RootAgentRegistry: ...\n",
        "acme/agents/base.py": "from acme.agents import root\nclass Middle(root.RootAgentRegistry): ...\n",
        "acme/agents/home.py": "import acme.agents.base\nclass AgentRegistry(acme.agents.base.Middle): ...\n",
    },
    "a public name for a private module": {
        "acme/agents/__init__.py": "",
        "acme/agents/home.py": "from .inside._real import AgentRegistry\n",
        "acme/agents/inside/__init__.py": "",
        "acme/agents/inside/_real.py": "class AgentRegistry: ...\n",
    },
    "a public name by star": {
        "acme/agents/__init__.py": "",
        "acme/agents/home.py": "from .inside._real import *\n",
        "acme/agents/inside/__init__.py": "",
        "acme/agents/inside/_real.py": "class AgentRegistry: ...\nclass SubAgentRegistry(AgentRegistry): ...\n",
    },
    "a public name by getattr": {
        "acme/agents/__init__.py": "",
        "acme/agents/home.py": (
            "def __getattr__(name):\n    from acme.agents.inside import _real\n    return getattr(_real, name)\n"
        ),
        "acme/agents/inside/__init__.py": "",
        "acme/agents/inside/_real.py": "class AgentRegistry: ...\n",
    },
    "a base made by a call": {
        "acme/agents/__init__.py": "",
        "acme/agents/base.py": "class BaseAgentRegistry: ...\ndef pick(): return BaseAgentRegistry\n",
        "acme/agents/home.py": "from .base import pick\nclass AgentRegistry(pick()): ...\n",
    },
    "one file under two names": {
        "acme/agents/__init__.py": "",
        "acme/agents/home.py": "class AgentRegistry: ...\n",
    },
    "a guarded import of a fast home": {
        "acme/agents/__init__.py": "",
        "acme/agents/fast.py": "class AgentRegistry: ...\n",
        "acme/agents/home.py": (
            "try:\n    from acme.agents.fast import AgentRegistry\nexcept ImportError:\n    class AgentRegistry: ...\n"
        ),
    },
}


@pytest.mark.parametrize(
    "first", ["", "import acme.agents.base\n", "import acme.agents.inside._real\n", "import acme.agents.fast\n"]
)
@pytest.mark.parametrize("shape", HOMES)
def test_the_home_and_what_it_is_made_of_are_never_refused(run, shape, first):
    files = HOMES[shape]
    if first and first.split()[1].replace(".", "/") + ".py" not in files:
        return
    source = first
    if "two names" in shape:
        source = "import os\nos.symlink('agents', 'acme/linked')\nimport acme.linked.home\n"
    source += "import acme.agents.home\nlab.guard.check()\n"
    answer = run(source, files, rule={"canonical": "acme.agents.home:AgentRegistry"})
    assert (answer.error, answer.of("SSG201")) == (None, [])


def test_a_reloaded_home_is_no_competitor_and_its_old_subclasses_are_fine(run):
    files = {
        "acme/sub.py": "from acme.home import AgentRegistry\nclass SubAgentRegistry(AgentRegistry): ...\n",
        "acme/late.py": "import acme.sub\nclass LateAgentRegistry(acme.sub.AgentRegistry): ...\n",
    }
    source = "import acme.sub\nimportlib.reload(acme.home)\nlab.guard.check()\nimport acme.late\nlab.guard.check()\n"
    answer = run(source, files)
    assert (answer.error, answer.of("SSG201")) == (None, [])


def test_a_home_that_is_nowhere_refuses_nobody(run):
    answer = run("import acme.home\n", rule={"canonical": "acme.homes:AgentRegistry"})
    (row,) = answer.of("SSG201")
    assert (answer.error, row["mode"]) == (None, "warn")
    assert row["details"]["not-blocked"] == "the home acme.homes:AgentRegistry was not found"
    assert "acme.homes:AgentRegistry (not loaded, and not found)" in row["message"]


def test_a_home_that_is_not_loaded_is_still_the_home(run):
    answer = run("import acme.one\n", {"acme/one.py": "class AgentRegistry: ...\n"})
    assert answer.error["type"] == "SsotViolationError"
    assert "acme.home:AgentRegistry (acme/home.py:1)" in answer.error["text"]


def test_what_only_the_loaded_home_can_tell_is_told_once_it_is_loaded(run):
    files = HOMES["a base made by a call"] | {"acme/one.py": "class AgentRegistry: ...\n"}
    source = "import acme.one\nlab.out(before=lab.codes())\nimport acme.agents.home\n"
    answer = run(source, files, rule={"canonical": "acme.agents.home:AgentRegistry"})
    assert (answer.error, answer.out["before"]) == (None, [])
    assert seen(answer, "target", "mode") == [("acme.one:AgentRegistry", "warn")]


def test_a_home_that_never_shows_itself_is_said_once(run):
    files = HOMES["a public name by getattr"]
    source = "import acme.agents.inside._real\nlab.guard.check()\nlab.guard.check()\nlab.out(unknown=lab.guard.status()['unknown'])\n"
    answer = run(source, files, rule={"canonical": "acme.agents.home:AgentRegistry"})
    assert (answer.of("SSG201"), answer.out["unknown"]) == ([], {"SSG201 registry": 2})
    assert answer.stderr == (
        "ssot-guard: role registry: acme.agents.home:AgentRegistry is not there yet, and its source does not tell\n"
    )


def test_a_role_without_any_member_is_a_dead_rule(run):
    roles = [RULE, {"id": "dead", "canonical": "acme.nowhere:Other", "match": ["*Nobody"]}]
    answer = run(
        "import acme.home\nlab.guard.check()\nlab.guard.uninstall()\nlab.out(codes=lab.codes())\n", roles=roles
    )
    assert answer.of("SSG901")[0]["target"] == "dead"
    assert answer.out["codes"] == ["SSG901"]


def test_the_module_of_the_home_itself_is_never_refused(run):
    files = {"acme/home.py": "class AgentRegistry: ...\nclass OldAgentRegistry: ...\n"}
    (row,) = run("import acme.home\n", files).of("SSG201")
    assert (row["line"], row["mode"]) == (2, "warn")
    assert row["details"]["not-blocked"] == "its module is the home's own"


ZIPPED = """
import py_compile, shutil, zipfile
with zipfile.ZipFile("app.zip", "w") as archive:
    for name in ("acme/__init__.py", "acme/home.py", "acme/second.py"):
        archive.write(name)
sys.path[:0] = ["app.zip"]
"""
COMPILED = """
import py_compile
for name in ("acme/home", "acme/second"):
    py_compile.compile(name + ".py", name + ".pyc")
    os.remove(name + ".py")
"""


@pytest.mark.parametrize(("prepare", "column"), [(ZIPPED, 1), ("import os\n" + COMPILED, None)])
def test_in_an_archive_and_without_source_the_line_is_known_too(run, prepare, column):
    answer = run(prepare + "import acme.second\n")
    assert seen(answer, "line", "column", "mode") == [(6, column, "strict"), (9, column, "strict")]
    assert answer.error["type"] == "SsotViolationError"


# -- around it -------------------------------------------------------------------------------------------------------


def test_two_roles_that_claim_one_class_alike_are_said_once_and_crash_nothing(run):
    roles = [
        RULE | {"id": "one", "match": ["*Registry"]},
        {"id": "two", "canonical": "acme.home:Other", "match": ["Registry*"]},
    ]
    files = {"acme/one.py": "class RegistryRegistry: ...\nclass RegistryOfRegistry: ...\n"}
    answer = run("import acme.one\nlab.out(unknown=lab.guard.status()['unknown'])\n", files, roles=roles)
    assert (answer.error, answer.of("SSG201")) == (None, [])
    assert answer.stderr == (
        "ssot-guard: policy: acme.one:RegistryRegistry matches `*Registry` (role one) and `Registry*` (role two) "
        "alike; make one longer, or list it under `except`\n"
    )
    assert answer.out["unknown"] == {"SSG201 one": 2, "SSG201 two": 2}


def test_a_warning_stands_at_the_line_of_the_class(run):
    answer = run("import acme.second\n", mode="warn")
    places = [(category, Path(file).name, line) for category, _, file, line in answer.warned]
    assert places == [("SsotWarning", "second.py", 6), ("SsotWarning", "second.py", 9)]


def test_the_baseline_key_has_the_scope_and_no_line(run):
    files = {
        "acme/one.py": "class Outer:\n    class AgentRegistry: ...\ndef f():\n    class AgentRegistry: ...\n    return AgentRegistry\nmade = f()\n"
    }
    answer = run("import acme.one\nlab.guard.check()\n", files, mode="observe")
    assert sorted(seen(answer, "file", "target", "scope")) == [
        ("acme/one.py", "acme.one:Outer.AgentRegistry", "Outer"),
        ("acme/one.py", "acme.one:f.AgentRegistry", "f"),
    ]


def test_a_package_that_installs_the_guard_itself_is_counted_once(lab):
    package = "import lab\nclass AgentRegistry: ...\ndef make(): ...\nlab.install()\nclass LateAgentRegistry: ...\n"
    roles = [RULE, {"id": "make", "kind": "function", "canonical": "acme.home:make", "match": ["make"]}]
    files = {"acme/__init__.py": package, "main.py": "import acme, lab\nlab.guard.check()\n"}
    answer = lab.run(TREE | files, POLICY | {"roles": roles}, mode="observe")
    assert sorted(seen(answer, "line", "count")) == [(2, 1), (3, 1), (5, 1)]


def test_a_look_in_a_forked_child_tells_nothing_again(run):
    source = (
        "import os, acme.second\npid = os.fork()\nif not pid:\n"
        "    os._exit(len([one for one in lab.guard.check() if one.code == 'SSG201']))\n"
        "lab.out(status=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    if hasattr(os, "fork"):
        assert run(source, mode="observe").out["status"] == 0


def test_reading_the_source_warns_of_nothing(run):
    files = {"acme/one.py": "text = '\\d'\nclass AgentRegistry: ...\n"}
    source = (
        "import warnings\nwarnings.simplefilter('error', SyntaxWarning)\nwarnings.simplefilter('error', DeprecationWarning)\n"
        "before = list(warnings.filters)\nsys.dont_write_bytecode = True\n"
        "import importlib.util\nspec = importlib.util.find_spec('acme.one')\n"
        "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    import acme.one\n"
        "lab.guard.check()\nlab.out(same=before == warnings.filters)\n"
    )
    answer = run(source, files, mode="observe")
    assert (seen(answer, "line"), answer.out["same"]) == ([(2,)], True)


def test_everything_that_is_recorded_is_plain_data(run):
    for row in run("import acme.second\n", mode="observe").of("SSG201"):
        assert json.loads(json.dumps(row["details"])) == row["details"]
        assert (row["kind"], row["canonical"], row["column"]) == ("class", "acme.home:AgentRegistry", 1)
