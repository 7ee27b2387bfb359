"""The raw facts that the runtime stands on, proved on this interpreter without any code of ours.

The table says, for each spelling, who sets and reads ``spec._initializing`` of ``acme.old``: the event, the opcode at
which the first frame outside of importlib stands, ``*`` where importlib is in between, ``xN`` for N in a row. Until
3.12 a frame that called a Python function stands at the CACHE of its CALL.
"""

import sys
from itertools import groupby

import pytest

SPELLINGS = {
    "import a.b": "import acme.old",
    "import a.b as x": "import acme.old as x",
    "from a import b": "from acme import old",
    "from a.b import N": "from acme.old import N",
    "from a.b import *": "from acme.old import *",
    "from a.b import missing": "try:\n from acme.old import missing\nexcept ImportError: pass",
    "import_module": "import importlib\nimportlib.import_module('acme.old')",
    "import_module relative": "import importlib\nimportlib.import_module('.old','acme')",
    "__import__": "__import__('acme.old')",
    "__import__ fromlist": "__import__('acme.old', fromlist=['N'])",
    "hasattr missing": "import sys\nhasattr(sys.modules['acme.old'],'missing')",
    "hasattr present": "import sys\nhasattr(sys.modules['acme.old'],'N')",
    "getattr missing": "import sys\ntry: getattr(sys.modules['acme.old'],'missing')\nexcept AttributeError: pass",
    "getattr default": "import sys\ngetattr(sys.modules['acme.old'],'missing',None)",
    "a.b.missing": "import sys\nm=sys.modules['acme.old']\ntry: m.missing\nexcept AttributeError: pass",
    "a.b.N": "import sys\nm=sys.modules['acme.old']\nm.N",
    "unpickle": "import pickle\npickle.loads(b'cacme.old\\nN\\n.')",
    "find_spec": "import importlib.util\nimportlib.util.find_spec('acme.old')",
    "dir": "import sys\ndir(sys.modules['acme.old'])",
    "repr": "import sys\nrepr(sys.modules['acme.old'])",
    "reload": "import importlib,sys\nimportlib.reload(sys.modules['acme.old'])",
    "exec_module": "import importlib.util\ns=importlib.util.find_spec('acme.old')\nm=importlib.util.module_from_spec(s)\ns.loader.exec_module(m)",
    "lazy import": "lazy import acme.old\nx=acme.old.N",
    "lazy import as": "lazy import acme.old as z\nx=z.N",
    "lazy from a import b": "lazy from acme import old\nx=old.N",
    "lazy from a.b import N": "lazy from acme.old import N\nx=N",
    "lazy import unused": "lazy import acme.old",
    "lazy from in function": "lazy from acme.old import N\ndef f(): return N\nf()",
}

# spelling → version from which on it holds → (events of the first import, events of a cached one)
EVENTS: dict[str, dict[tuple[int, int], tuple[str | None, str | None]]] = {
    "import a.b": {
        (3, 11): ("read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
    },
    "import a.b as x": {
        (3, 11): ("read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
    },
    "from a import b": {
        (3, 11): ("read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*", "-"),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*", "-"),
    },
    "from a.b import N": {
        (3, 11): (
            "read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*, read IMPORT_NAME",
            "read IMPORT_NAME x2",
        ),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
    },
    "from a.b import *": {
        (3, 11): (
            "read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*, read IMPORT_NAME, read IMPORT_STAR",
            "read IMPORT_NAME x2, read IMPORT_STAR",
        ),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*", "read IMPORT_NAME"),
    },
    "from a.b import missing": {
        (3, 11): (
            "read IMPORT_NAME* x3, load IMPORT_NAME*, loaded IMPORT_NAME*, read IMPORT_NAME, read IMPORT_FROM x2",
            "read IMPORT_NAME x2, read IMPORT_FROM x2",
        ),
        (3, 12): ("load IMPORT_NAME*, loaded IMPORT_NAME*, read IMPORT_FROM", "read IMPORT_NAME, read IMPORT_FROM"),
    },
    "import_module": {
        (3, 11): ("read CACHE* x3, load CACHE*, loaded CACHE*", "read CACHE*"),
        (3, 12): ("load CACHE*, loaded CACHE*", "read CACHE*"),
        (3, 13): ("load CALL*, loaded CALL*", "read CALL*"),
    },
    "import_module relative": {
        (3, 11): ("read CACHE* x3, load CACHE*, loaded CACHE*", "read CACHE*"),
        (3, 12): ("load CACHE*, loaded CACHE*", "read CACHE*"),
        (3, 13): ("load CALL*, loaded CALL*", "read CALL*"),
    },
    "__import__": {
        (3, 11): ("read CALL* x3, load CALL*, loaded CALL*", "read CALL"),
        (3, 12): ("load CALL*, loaded CALL*", "read CALL"),
    },
    "__import__ fromlist": {
        (3, 11): ("read CALL* x3, load CALL*, loaded CALL*, read CALL", "read CALL x2"),
        (3, 12): ("load CALL*, loaded CALL*", "read CALL"),
        (3, 13): ("load CALL_KW*, loaded CALL_KW*", "read CALL_KW"),
    },
    "hasattr missing": {
        (3, 11): (None, "read CALL"),
        (3, 12): (None, "-"),
    },
    "hasattr present": {
        (3, 11): (None, "-"),
    },
    "getattr missing": {
        (3, 11): (None, "read CALL"),
    },
    "getattr default": {
        (3, 11): (None, "read CALL"),
        (3, 12): (None, "-"),
    },
    "a.b.missing": {
        (3, 11): (None, "read LOAD_ATTR"),
    },
    "a.b.N": {
        (3, 11): (None, "-"),
    },
    "unpickle": {
        (3, 11): ("read CALL* x3, load CALL*, loaded CALL*", "read CALL"),
        (3, 12): ("load CALL*, loaded CALL*", "read CALL"),
    },
    "find_spec": {
        (3, 11): ("-", "-"),
    },
    "dir": {
        (3, 11): (None, "-"),
    },
    "repr": {
        (3, 11): (None, "-"),
    },
    "reload": {
        (3, 11): (None, "-"),
    },
    "exec_module": {
        (3, 11): ("read CACHE* x3", "read CACHE* x3"),
        (3, 12): ("-", "-"),
    },
    "lazy import": {
        (3, 15): ("load LOAD_ATTR*, loaded LOAD_ATTR*, read LOAD_ATTR*, read LOAD_ATTR", "read LOAD_NAME x3"),
    },
    "lazy import as": {
        (3, 15): ("load LOAD_NAME*, loaded LOAD_NAME*, read LOAD_NAME*", "read LOAD_NAME x2"),
    },
    "lazy from a import b": {
        (3, 15): ("load LOAD_NAME*, loaded LOAD_NAME*, read LOAD_NAME* x2", "-"),
    },
    "lazy from a.b import N": {
        (3, 15): ("load LOAD_NAME*, loaded LOAD_NAME*, read LOAD_NAME*", "read IMPORT_FROM"),
    },
    "lazy import unused": {
        (3, 15): ("-", "-"),
    },
    "lazy from in function": {
        (3, 15): ("load LOAD_GLOBAL*, loaded LOAD_GLOBAL*, read LOAD_GLOBAL*", "read IMPORT_FROM"),
    },
}


POLICY_FREE = {"acme/__init__.py": "", "acme/old.py": "N = 1\n"}
HERE = sys.version_info[:2]
RAISES_ON_CACHED = HERE >= (3, 13)

PROGRAM = """
import lab, sys
sys.path.insert(0, {fixtures!r})
import tripwire, importlib, pickle
finder = tripwire.watch("acme.old")
import acme
answers = {{}}
for name, source in {spellings!r}.items():
    code = compile(source, "x.py", "exec")
    for state in ("first", "cached"):
        sys.modules.pop("acme.old", None)
        vars(acme).pop("old", None)
        if state == "cached":
            importlib.import_module("acme.old")
        elif "sys.modules" in source:
            answers.setdefault(name, []).append(None)
            continue
        tripwire.take()
        exec(code, {{"__name__": "user"}})
        answers.setdefault(name, []).append(tripwire.take())
lab.out(**{{name: events for name, events in answers.items()}})
"""


def compact(events):
    if events is None:
        return None
    texts = [f"{what} {opcode}{'*' if through else ''}" for what, opcode, through in events]
    runs = [(text, len(list(run))) for text, run in groupby(texts)]
    return ", ".join(text if times == 1 else f"{text} x{times}" for text, times in runs) or "-"


def known_here(name):
    return {version: events for version, events in EVENTS[name].items() if version <= HERE}


@pytest.fixture(scope="module")
def seen(lab_session, fixtures):
    spellings = {name: source for name, source in SPELLINGS.items() if known_here(name)}
    program = PROGRAM.format(fixtures=str(fixtures), spellings=spellings)
    answer = lab_session.run(POLICY_FREE | {"main.py": program})
    assert answer.error is None
    return answer.out


@pytest.mark.parametrize("name", [name for name in SPELLINGS if known_here(name)])
def test_each_spelling_sets_and_reads_the_flag_as_published(seen, name):
    versions = known_here(name)

    assert tuple(map(compact, seen[name])) == versions[max(versions)]


@pytest.fixture
def facts(lab, fixtures):
    def run(program, files=None):
        source = f"import lab, sys\nsys.path.insert(0, {str(fixtures)!r})\nimport tripwire, importlib\n" + program
        answer = lab.run(POLICY_FREE | (files or {}) | {"main.py": source})
        assert answer.error is None
        return answer.out

    return run


VETO_AT_THE_SETTER = """
finder = tripwire.watch("acme.old")
tripwire.Spec.veto = "set"
errors = [lab.run_file("importer.py")[0] for _ in range(2)]
import acme
lab.out(errors=errors, loaded="acme.old" in sys.modules, bound=hasattr(acme, "old"))
"""


@pytest.mark.parametrize(
    "source", ["import acme.old", "from acme import old", "from acme.old import N", "from acme.old import *"]
)
def test_an_error_in_the_setter_blocks_without_a_trace_and_ends_at_the_importer(facts, source):
    out = facts(VETO_AT_THE_SETTER, {"importer.py": f"#\n{source}\n"})

    assert [error["type"] for error in out["errors"]] == ["ImportError", "ImportError"]
    assert not out["loaded"]
    assert not out["bound"]
    for error in out["errors"]:
        frames = [frame for frame in error["frames"] if not frame[0].endswith("tripwire.py")]
        assert frames[-1][1:] == [2, "<module>"]


VETO_AT_THE_GETTER = """
finder = tripwire.watch("acme.old")
import acme.old
tripwire.Spec.veto = "read"
lab.out(statement=lab.run_file("importer.py")[0], call=lab.attempt(importlib.import_module, "acme.old"))
"""


@pytest.mark.parametrize("source", ["import acme.old", "import acme.old as x"])
def test_an_error_in_the_getter_leaves_a_statement_from_3_13_on_and_importlib_always(facts, source):
    out = facts(VETO_AT_THE_GETTER, {"importer.py": source + "\n"})

    assert (out["statement"] is not None) == RAISES_ON_CACHED
    assert out["call"]["type"] == "ImportError"


PATH_DESCRIPTOR = """
import acme.old, types
read = []
class Watched(types.ModuleType):
    @property
    def __path__(self):
        frame = sys._getframe(1)
        import opcode
        read.append(opcode.opname[frame.f_code.co_code[frame.f_lasti]])
        if veto: raise ImportError("vetoed")
        raise AttributeError("__path__")
acme.old.__class__ = Watched
veto = False
quiet = lab.run_file("importer.py")[0]
seen, veto = list(read), True
lab.out(quiet=quiet, seen=seen, error=lab.run_file("importer.py")[0])
"""


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("from acme.old import N", ["IMPORT_NAME"]),
        ("from acme.old import N as y", ["IMPORT_NAME"]),
        ("from acme.old import *", ["IMPORT_NAME"]),
        ("import acme.old", []),
        ("import acme.old as x", []),
    ],
)
def test_every_from_import_of_a_cached_module_reads_path_and_can_be_stopped_there(facts, source, seen):
    out = facts(PATH_DESCRIPTOR, {"importer.py": f"#\n#\n{source}\n"})

    assert out["quiet"] is None
    assert out["seen"] == seen
    if seen:
        assert out["error"]["text"] == "vetoed"
        frames = [frame for frame in out["error"]["frames"] if not frame[0].endswith("main.py")]
        assert frames[-1][1:] == [3, "<module>"]
    else:
        assert out["error"] is None


def test_a_module_class_with_a_descriptor_sees_names_taken_and_read_and_needs_a_setter(facts):
    out = facts(
        """
import acme.old, types
read = []
class Name:
    def __get__(self, module, owner=None):
        import opcode
        frame = sys._getframe(1)
        read.append(opcode.opname[frame.f_code.co_code[frame.f_lasti]])
        return vars(module)["N"]
    def __set__(self, module, value):
        vars(module)["N"] = value
class Watched(types.ModuleType):
    N = Name()
acme.old.__class__ = Watched
from acme.old import N
taken = list(read); read.clear()
acme.old.N
read_as = list(read); read.clear()
from acme.old import *
star = list(read)
acme.old.N = 5
lab.out(taken=taken, read=read_as, star=star, value=vars(acme.old)["N"])
"""
    )

    assert out["taken"] == ["IMPORT_FROM"]
    assert out["read"] == ["LOAD_ATTR"]
    assert out["star"] == ["IMPORT_STAR" if HERE < (3, 12) else "CALL_INTRINSIC_1"]
    assert out["value"] == 5


@pytest.mark.parametrize(
    "source",
    [
        "importlib.reload(acme.old)",
        "spec.loader.exec_module(acme.old)",
        "importlib.util.module_from_spec(spec)",
        "importlib.util.find_spec('acme.old')",
    ],
)
def test_reloads_and_loads_by_hand_never_set_the_flag(facts, source):
    out = facts(
        f"""
import importlib.util
finder = tripwire.watch("acme.old")
import acme.old
spec = acme.old.__spec__
tripwire.take()
{source}
lab.out(events=tripwire.take())
"""
    )

    assert [event for event in out["events"] if event[0].startswith("load")] == []


@pytest.mark.parametrize(
    ("init", "old"),
    [
        pytest.param("from . import old", "N = 1", id="a package imports its submodule"),
        pytest.param("import acme.old", "import acme", id="a submodule imports its parent"),
        pytest.param("import acme.old", "from acme import __name__", id="a submodule takes a name of its parent"),
    ],
)
def test_reads_while_loading_are_often_healthy(facts, init, old):
    out = facts(
        "finder = tripwire.watch('acme', 'acme.old')\nimport acme\nlab.out(events=tripwire.take(), n=len(finder.specs))",
        {"acme/__init__.py": init + "\n", "acme/old.py": old + "\n"},
    )

    assert out["n"] == 2  # and no error: such a read alone is no cycle


def test_an_extension_is_initialised_before_the_setter_runs(facts):
    out = facts(
        """
import importlib.machinery, _imp
created = []
class Loader:
    def create_module(self, spec): created.append(spec.__dict__.get("_initializing")); return None
    def exec_module(self, module): created.append("exec")
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "made":
            spec = importlib.machinery.ModuleSpec("made", Loader()); spec.__class__ = tripwire.Spec
            return spec
sys.meta_path.insert(0, Finder())
tripwire.Spec.veto = "set"
error = lab.attempt(importlib.import_module, "made")
lab.out(created=created, error=error["text"])
"""
    )

    assert out == {"created": [None], "error": "vetoed"}


SPECIALISED = """
import types
def read_often(**namespace):
    module, seen = types.ModuleType("m"), []
    class Name:
        def __get__(self, module, owner=None): seen.append(1); return 1
        def __set__(self, module, value): pass
    vars(module)["Old"] = 1
    module.__class__ = type("module", (types.ModuleType,), {"Old": Name(), **namespace})
    def f(): return module.Old
    for _ in range(100): f()
    return len(seen)
def missing(self, name): raise AttributeError(name)
lab.out(plain=read_often(), hooked=read_often(__getattr__=missing))
"""


def test_from_3_14_on_attribute_reads_of_a_module_bypass_descriptors_unless_its_class_has_a_getattr(facts):
    """LOAD_ATTR_MODULE is chosen for subclasses of ModuleType, too, as long as they have its ``tp_getattro``."""
    out = facts(SPECIALISED)

    assert (out["plain"] == 100) == (HERE < (3, 14))
    assert out["hooked"] == 100
