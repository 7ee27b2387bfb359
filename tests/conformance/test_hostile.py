"""Experts of the import system who try to make the guard miss, lie, or disturb its host.

Every program runs twice, in a process of its own, unguarded and guarded: what it prints must be the same to the byte.
What the guard must have seen is said with each program, as (code, target) → executions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Kit

PRELUDE = """
import os, sys
sys.path[:0] = [os.environ["CONFORMANCE_TREE"], os.environ["CONFORMANCE_SRC"]]
_guard = None

def guard():
    global _guard
    if os.environ.get("CONFORMANCE_GUARDED"):
        import ssot_guard
        _guard = ssot_guard.install(os.environ["CONFORMANCE_POLICY"], mode=os.environ["CONFORMANCE_GUARDED"])

def tell():
    if _guard is not None:
        import json
        seen = [(v.code, v.target, v.count) for v in _guard.violations()]
        status = _guard.status()
        with open(os.environ["CONFORMANCE_SEEN"], "w") as stream:
            json.dump({"seen": seen, "errors": status["internal_errors"], "first": status["first_errors"]}, stream)

def attempt(action, *arguments):
    try:
        result = action(*arguments)
        print("->", type(result).__name__)
    except BaseException as error:
        print(type(error).__name__, str(error)[:90])
"""

TREE = {
    "acme/__init__.py": "",
    "acme/old.py": "class Thing: pass\nX = 1\n",
    "acme/names.py": "Old = 1\nNew = 2\n",
    "acme/other.py": "",
    "acme/classes/__init__.py": "class Service:\n    def run(self): return 1\n",
}

POLICY = """
packages = ["acme"]

[[imports]]
id = "module"
deprecated = ["acme.old", "acme.weird.**"]

[[imports]]
id = "name"
deprecated = "acme.names:Old"
"""


class Attack(NamedTuple):
    why: str
    program: str
    seen: dict[tuple[str, str], int]
    tree: dict[str, str] = {}  # noqa: RUF012 - never changed


ANYTHING: dict[tuple[str, str], int] = {}  # by identity: the program itself has looked
OLD, NAME = ("SSG101", "acme.old"), ("SSG102", "acme.names:Old")
BOTH = {OLD: 1, NAME: 1}
USE = """
import acme.old
from acme.names import Old
"""

ATTACKS = {
    "modules-that-are-none": Attack(
        "CPython halts such an import itself",
        "sys.modules['acme.none'] = None\nguard()\nattempt(__import__, 'acme.none')\n" + USE,
        BOTH,
    ),
    "sys-modules-with-keys-that-are-no-strings": Attack(
        "adopting what is loaded must not end at the first stranger",
        "sys.modules[7] = sys\nguard()" + USE,
        BOTH,
    ),
    "modules-whose-dict-raises": Attack(
        "an object in sys.modules may do anything when it is looked at",
        """
        import acme.names
        class Evil:
            @property
            def __dict__(self): raise ZeroDivisionError
            @property
            def __class__(self): raise ZeroDivisionError
            def __getattr__(self, name): raise ZeroDivisionError(name)
        saved = sys.modules.pop("acme.names")
        sys.modules["acme.old.evil"] = Evil()
        sys.modules["acme.names"] = saved
        guard()
        import acme.old
        from acme.names import Old
        """,
        {OLD: 1, NAME: 1, ("SSG101", "acme.old.evil"): 1},
    ),
    "specs-of-every-kind": Attack(
        "__spec__ is an ordinary attribute",
        """
        import types
        for index, spec in enumerate(["text", types.SimpleNamespace(), None, 42, object]):
            module = types.ModuleType(f"acme.weird.m{index}")
            module.__spec__ = spec
            sys.modules[module.__name__] = module
        guard()
        for index in range(5):
            attempt(__import__, f"acme.weird.m{index}")
        import acme.old
        """,
        {OLD: 1},
    ),
    "module-classes-that-refuse": Attack(
        "a ModuleType subclass with a metaclass, with slots, with a __getattribute__ that raises",
        """
        import types
        class Meta(type):
            def __call__(cls, *_): raise ZeroDivisionError("call")
            def __setattr__(cls, *_): raise ZeroDivisionError("set")
        class Closed(types.ModuleType, metaclass=Meta):
            def __getattribute__(self, name): raise ZeroDivisionError(name)
        class Slots(types.ModuleType):
            __slots__ = ("a",)
        closed = types.ModuleType.__new__(Closed)
        types.ModuleType.__init__(closed, "acme.names2")
        sys.modules["acme.old.closed"] = closed
        sys.modules["acme.old.slots"] = Slots("acme.old.slots")
        guard()
        attempt(__import__, "acme.old")
        from acme.names import Old
        """,
        {OLD: 1, NAME: 1, ("SSG101", "acme.old.closed"): 1, ("SSG101", "acme.old.slots"): 1},
    ),
    "bodies-that-replace-or-remove-themselves": Attack(
        "the end of a load finds anything in sys.modules",
        """
        guard()
        for round in range(2):
            for name in ("gone", "replaced", "number", "none", "leaves", "recursive"):
                attempt(__import__, f"acme.weird.{name}")
        import acme.old
        """,
        {OLD: 1},
        {
            "acme/weird/__init__.py": "",
            "acme/weird/gone.py": "import sys; del sys.modules[__name__]",
            "acme/weird/replaced.py": "import sys, types; sys.modules[__name__] = types.ModuleType('x')",
            "acme/weird/number.py": "import sys; sys.modules[__name__] = 42",
            "acme/weird/none.py": "import sys; sys.modules[__name__] = None",
            "acme/weird/leaves.py": "raise SystemExit(3)",
            "acme/weird/recursive.py": "def f(): f()\nf()",
        },
    ),
    "sys-modules-replaced": Attack(
        "tests and plug-in systems put another dictionary in its place",
        """
        guard()
        class Other(dict): pass
        saved, sys.modules = sys.modules, Other(sys.modules)
        import acme.old
        sys.modules = saved
        from acme.names import Old
        """,
        BOTH,
    ),
    "finders-that-raise": Attack(
        "an import error of somebody else's finder arrives with somebody else's frames only",
        """
        import traceback
        class Finder:
            error = None
            def find_spec(self, name, path=None, target=None):
                if name == "acme.boom": raise self.error
        sys.meta_path.append(Finder())
        guard()
        def statement(): import acme.boom
        for error in (ImportError, ModuleNotFoundError):
            Finder.error = error("x")
            try: statement()
            except BaseException as caught: traceback.print_exception(caught, file=sys.stdout)
        """,
        {},
    ),
    "finders-that-are-none-and-return-nonsense": Attack(
        "sys.meta_path is everybody's",
        """
        import types
        class Finder:
            def find_spec(self, name, path=None, target=None):
                answers = {"acme.number": 42, "acme.text": "spec", "acme.space": types.SimpleNamespace(name=name)}
                return answers.get(name)
        guard()
        sys.meta_path[1:1] = [Finder()]
        if sys.version_info >= (3, 12): sys.meta_path[1:1] = [None, object()]  # 3.11 asks them for find_module
        for name in ("number", "text", "space", "nothing"):
            attempt(__import__, f"acme.{name}")
        import acme.old
        """,
        {OLD: 1, ("SSG111", "acme.nothing"): 1},
    ),
    "meta-path-is-a-tuple": Attack(
        "and may be frozen after we came",
        "guard()\nsys.meta_path = tuple(sys.meta_path)" + USE + "if _guard: _guard.uninstall()",
        BOTH,
    ),
    "imports-in-finalisers-callbacks-and-signals": Attack(
        "they run between any two instructions, of the guard's, too",
        """
        import gc, signal, weakref
        import acme
        guard()
        class Finalised:
            def __del__(self): import acme.old
        class Referred: pass
        def callback(_): from acme.names import Old
        one = Referred(); kept = weakref.ref(one, callback); del one
        Finalised()
        def handler(*_): from acme.names import Old
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, handler); os.kill(os.getpid(), signal.SIGUSR1)
        else: handler()
        gc.collect()
        """,
        {OLD: 1, NAME: 2},
    ),
    "imports-at-exit-and-while-the-interpreter-ends": Attack(
        "atexit, threads started there, and __del__ of what lives to the very end",
        """
        import atexit, builtins, threading
        class Last:
            def __del__(self): attempt(__import__, "acme.other")
        builtins.last = Last()
        sys.last = Last()
        def late():
            import acme.old
            def work(): from acme.names import Old
            thread = threading.Thread(target=work)
            try: thread.start(); thread.join()
            except RuntimeError: work()
            tell()
        guard()
        atexit.register(late)
        """,
        BOTH,
    ),
    "code-without-places": Attack(
        "line tables, exception tables, file names and names can be stripped or wrong",
        """
        import acme.old, acme.names
        guard()
        code = compile("import acme.old\\nfrom acme.names import Old\\n__import__('acme.old')\\n", "", "exec")
        changes = (
            {"co_linetable": b""}, {"co_linetable": b"\\xff" * 7}, {"co_exceptiontable": b"\\xff\\xff"},
            {"co_name": "_find_spec"}, {"co_name": "_find_and_load"}, {"co_name": "", "co_qualname": ""},
        )
        for change in changes:
            attempt(exec, code.replace(**change), {})
        """,
        {OLD: 12 + 1, NAME: 6},
    ),
    "namespaces-that-lie": Attack(
        "__name__, __package__, __spec__, __builtins__ and the warning registry are the importer's own",
        """
        import acme.old, acme.names
        guard()
        code = compile("import acme.old\\nfrom acme.names import Old\\n", "x.py", "exec")
        class Text(str): pass
        for scope in (
            {"__name__": 7}, {"__name__": None}, {"__name__": Text("t")}, {"__package__": 7}, {"__spec__": 7},
            {"__name__": "importlib.x"}, {"__name__": "ssot_guard.x"}, {"__name__": "runpy"}, {"__name__": "\\udcff"},
            {"__builtins__": {"__import__": lambda *a: __import__(*a)}}, {"__warningregistry__": 7},
        ):
            attempt(exec, code, scope)
        """,
        {OLD: 11 + 1, NAME: 11},
    ),
    "names-that-no-file-can-have": Attack(
        "surrogates, control characters, empty parts",
        r"""
        import importlib, importlib.util
        guard()
        for name in ("acme.\udcff", "acme.\x1b[31m", "acme. ", "acme..x", "acme.", "acme.old\0", "acme.a\nb", "acme."):
            for action in (__import__, importlib.import_module, importlib.util.find_spec):
                try: action(name)
                except (ImportError, ValueError) as error: print(type(error).__name__)
        import acme.old
        """,
        {OLD: 1},
    ),
    "probes-by-dotted-path": Attack(
        "mock.patch and pkgutil.resolve_name try a class as a module and expect to fail: nobody's mistake",
        """
        guard()
        import pkgutil
        from unittest import mock
        with mock.patch("acme.classes.Service.run", return_value=3):
            from acme.classes import Service
            print(Service().run())
        print(pkgutil.resolve_name("acme.classes.Service.run").__name__)
        print(pkgutil.resolve_name("acme.classes:Service").__name__)
        """,
        {},
    ),
    "modules-that-load-lazily": Attack(
        "importlib.util.LazyLoader switches the module's class before and after the load",
        """
        import importlib.util
        guard()
        def lazily(name):
            spec = importlib.util.find_spec(name)
            spec.loader = loader = importlib.util.LazyLoader(spec.loader)
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            loader.exec_module(module)
            return module
        module = lazily("acme.names")
        print(type(module).__name__, module.New, type(module).__name__, type(module.__spec__.loader).__name__)
        from acme.names import Old
        print(Old)
        """,
        {NAME: 1},
    ),
    "tasks-and-context-variables": Attack(
        "every task is an execution of the same statement",
        """
        import asyncio, acme
        guard()
        async def task():
            import acme.old
            await asyncio.sleep(0)
            from acme.names import Old
        async def main(): await asyncio.gather(*(task() for _ in range(10)))
        asyncio.run(main())
        """,
        {OLD: 10, NAME: 10},
    ),
    "under-trace-and-profile-functions": Attack(
        "debuggers and coverage change the instructions that run",
        """
        import acme
        guard()
        def trace(frame, event, argument): return trace
        sys.settrace(trace); sys.setprofile(lambda *_: None)
        def use():
            import acme.old
            from acme.names import Old
        for _ in range(4): use()
        sys.settrace(None); sys.setprofile(None)
        if hasattr(sys, "monitoring"):
            m, e = sys.monitoring, sys.monitoring.events
            m.use_tool_id(3, "attack")
            for event in (e.LINE, e.INSTRUCTION, e.CALL): m.register_callback(3, event, lambda *_: None)
            m.set_events(3, e.LINE | e.INSTRUCTION | e.CALL)
        for _ in range(4): use()
        """,
        {OLD: 8, NAME: 8},
    ),
    "forks-while-threads-import": Attack(
        "a child of a process whose other threads were inside the guard",
        """
        import signal, threading, warnings, acme.old, acme.names
        if not hasattr(os, "fork"): sys.exit(tell())
        warnings.simplefilter("ignore")
        guard()
        stop = []
        def work():
            while not stop:
                __import__("acme.old")
                from acme.names import New
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        failed = 0
        for _ in range(20):
            child = os.fork()
            if not child:
                signal.alarm(10)
                from acme.names import Old
                seen = _guard is None or [v.count for v in _guard.violations() if v.code == "SSG102"] == [1]
                os._exit(0 if seen else 3)
            failed += os.waitpid(child, 0)[1] != 0
        stop.append(1)
        for thread in threads: thread.join()
        print("failed", failed)
        """,
        ANYTHING,
    ),
    "collector-frozen-and-memory-traced": Attack(
        "gc.freeze hides objects from the collector, tracemalloc wraps every allocation",
        "import gc, tracemalloc\ngc.freeze()\ntracemalloc.start()\nguard()" + USE + "gc.unfreeze()",
        BOTH,
    ),
    "caches-invalidated-while-importing": Attack(
        "importlib.invalidate_caches calls every finder",
        "import importlib\nguard()\nimportlib.invalidate_caches()" + USE + "importlib.invalidate_caches()",
        BOTH,
    ),
    "one-call-many-targets": Attack(
        "a plug-in loader imports all its modules with one call: each target is a truth of its own",
        """
        import importlib
        guard()
        for name in ("acme.weird.a", "acme.weird.b"):
            importlib.import_module(name)
        """,
        {("SSG101", "acme.weird.a"): 1, ("SSG101", "acme.weird.b"): 1},
        {"acme/weird/__init__.py": "", "acme/weird/a.py": "", "acme/weird/b.py": ""},
    ),
}


def _run(kit: Kit, attack: Attack, mode: str) -> tuple[str, dict[str, object]]:
    tree, seen = kit.folder / "tree", kit.folder / "seen.json"
    for name, text in (TREE | attack.tree).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, "utf-8")
    (kit.folder / "policy.toml").write_text(POLICY, "utf-8")
    program = kit.folder / "program.py"
    program.write_text(PRELUDE + textwrap.dedent(attack.program) + "\ntell()\n", "utf-8")
    env = kit.plain | {
        "CONFORMANCE_TREE": str(tree),
        "CONFORMANCE_SRC": str(kit.source),
        "CONFORMANCE_POLICY": str(kit.folder / "policy.toml"),
        "CONFORMANCE_SEEN": str(seen),
        "CONFORMANCE_GUARDED": mode,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [kit.python, str(program)], env=env, capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    found = json.loads(seen.read_text("utf-8")) if seen.exists() else {"seen": [], "errors": {}}
    return f"{done.stdout}\n{done.stderr}\nexit status {done.returncode}", found


@pytest.mark.parametrize("name", ATTACKS)
def test_the_host_notices_nothing_and_the_guard_everything(name: str, kit: Kit) -> None:
    attack = ATTACKS[name]
    plain, _ = _run(kit, attack, "")
    guarded, found = _run(kit, attack, "observe")
    assert guarded == plain, attack.why
    assert found["errors"] == {}, found
    if attack.seen is ANYTHING:
        return
    seen: dict[tuple[str, str], int] = {}
    for code, target, count in found["seen"]:  # type: ignore[attr-defined]
        if not target.startswith("acme.weird.") or (code, target) in attack.seen:
            seen[code, target] = seen.get((code, target), 0) + count
    health = {"SSG111", "SSG114"}
    assert {key: count for key, count in seen.items() if key[0] not in health or key in attack.seen} == attack.seen
    if name == "probes-by-dotted-path":
        assert seen == {}


@pytest.mark.parametrize("depth_of", ["import acme.old", "from acme.names import Old", "import acme.other"])
def test_near_the_recursion_limit_the_guard_gives_way(depth_of: str, kit: Kit) -> None:
    # Frames of our own are unavoidable, a property's getter is one. More than a few would change programs that work.
    attack = Attack("", DEPTH.replace("STATEMENT", depth_of), {})
    plain, _ = _run(kit, attack, "")
    guarded, _ = _run(kit, attack, "observe")
    assert _margin(guarded) - _margin(plain) <= 4, (plain, guarded)


DEPTH = """
import acme.old, acme.names, acme.other
guard()
def use():
    STATEMENT
def dive(depth):
    return dive(depth - 1) if depth else use()
def works(depth):
    try: dive(depth)
    except RecursionError: return False
    return True
for depth in range(sys.getrecursionlimit(), 0, -1):
    if works(depth):
        break
print("margin", sys.getrecursionlimit() - depth)
"""


def _margin(output: str) -> int:
    return int(output.partition("margin")[2].split()[0])


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_displaced_guard_says_so(kit: Kit) -> None:
    attack = Attack(
        "", "guard()\nsys.meta_path = sys.meta_path[1:] if _guard else sys.meta_path\nimport acme.old\n", {}
    )
    _, found = _run(kit, attack, "observe")
    assert found["seen"] == [], "a finder that was thrown out sees no first import"
    program = "import ssot_guard; print(ssot_guard.active())"
    attack = Attack("", f"guard()\nsys.meta_path = sys.meta_path[1:]\n{program}\n", {})
    assert _run(kit, attack, "observe")[0].startswith("False")
