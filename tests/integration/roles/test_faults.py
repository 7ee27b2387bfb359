"""An exception in any function that judges roles, one at a time: the application's result never changes."""

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/home.py": "from acme.base import BaseRegistry\nclass Registry(BaseRegistry):\n    def get(self, name, *, now=False): return name\n",
    "acme/base.py": "class BaseRegistry:\n    size: int = 0\n",
    "acme/api.py": "from acme.tools import ToolBox\n",
    "acme/tools.py": "class ToolBox: ...\n",
    "acme/second.py": "class OtherRegistry:\n    class InnerRegistry: ...\n    async def get(self): yield\n",
    "acme/retired.py": "class OldRegistry: ...\n",
    "acme/tie.py": "class ToolBoxRegistry: ...\n",
    "acme/skipped.py": "class SkippedRegistry: ...\n",
    "acme/sub.py": "import functools\nfrom acme.home import Registry\nclass SubRegistry(Registry):\n    @property\n    def path(self): ...\n    @classmethod\n    def make(cls): ...\n    @functools.wraps(print)\n    def get(self, name): ...\n",
    "acme/late.py": "def make():\n    class LateRegistry: ...\n    return LateRegistry\nkept = [make(), type('MadeRegistry', (), {})]\n",
    "acme/clock.py": "def now(): ...\nuser = object()\n",
    "acme/more.py": "from acme.clock import user as User\ndef now(): ...\n_user = object()\nuser = _user\n",
    "acme/listing.py": "from acme.home import Registry\ndef listing(): return {'a': Registry, 'b': ['x']}\n",
}
POLICY = {
    "packages": ["acme"],
    "roles": [
        {"id": "registry", "canonical": "acme.home:Registry", "match": ["*Registry"], "interface": "acme.home:Registry",
         "registered-in": "acme.listing:listing", "except": ["acme/skip*.py", "acme.nowhere:*Registry"],
         "retiring": [{"class": "acme.retired:OldRegistry", "until": "2999-01-01"}]},
        {"id": "tools", "canonical": "acme.api:ToolBox", "match": ["ToolBox*", "T*x"], "subclass-of": ["acme.tools:ToolBox"]},
        {"id": "now", "kind": "function", "canonical": "acme.clock:now", "match": ["now"]},
        {"id": "user", "kind": "value", "canonical": "acme.clock:user", "match": ["user"]},
    ],
}  # fmt: skip

PROGRAM = """
import importlib, json, lab, os, sys, types
from ssot_guard.watch.roles import watcher
modules = [m for name, m in list(sys.modules.items()) if name in WANTED]
EARLY = ["acme.base", "acme.tools", "acme.second", "acme.more"]
LATE = ["acme.home", "acme.api", "acme.retired", "acme.tie", "acme.skipped", "acme.sub", "acme.late", "acme.clock", "acme.listing"]

def application():
    answer = []
    for name in [*EARLY, *LATE, *EARLY]:
        error = lab.attempt(importlib.import_module, name)
        answer.append([name, error and error["type"]])
    if lab.guard is not None:
        answer.append(["check", lab.attempt(lab.guard.check)])
        answer.append(["internal", lab.guard.status().get("first_errors")])
        answer.append(["uninstall", lab.attempt(lab.guard.uninstall)])
    answer.append(["home", sys.modules["acme.home"].Registry().get(1)])
    return answer

def functions():
    for module in modules:
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if isinstance(value, types.FunctionType):
                yield module, name, value
            elif isinstance(value, type):
                for member, inner in list(vars(value).items()):
                    if isinstance(inner, types.FunctionType):
                        yield value, member, inner

def patch(owner, name, value):
    def broken(*args, **kwargs):
        hit.append(1)
        raise RuntimeError("injected")
    if isinstance(owner, types.ModuleType):
        for module in modules:
            for key, present in list(vars(module).items()):
                if present is value:
                    setattr(module, key, broken)
    else:
        setattr(owner, name, broken)

def child(prepare):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        global hit
        hit = []
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        try:
            told = prepare()
            answer = application()
        except BaseException as error:
            answer, told = [["THE APPLICATION DIED", repr(error)]], []
        with open(write, "w") as stream:
            json.dump([answer, len(hit), told and sorted(told)], stream)
        os._exit(0)
    os.close(write)
    with open(read) as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else [[["THE PROCESS DIED", None]], 0, []]

def noting():
    seen = set()
    lab.install()
    sys.setprofile(lambda frame, event, _: event == "call" and seen.add((frame.f_code.co_filename, frame.f_code.co_firstlineno)))
    return seen

plain = child(lambda: None)[0]
noted = child(noting)
alive = set(map(tuple, noted[2]))
internal = [errors for step, errors in noted[0] if step == "internal"]
worse, reached = {}, 0
for owner, name, value in functions():
    if (value.__code__.co_filename, value.__code__.co_firstlineno) not in alive:
        continue
    def prepare():
        lab.install()
        patch(owner, name, value)
    answer, hits, _ = child(prepare)
    reached += bool(hits)
    expected = dict(plain)
    bad = [[step, now] for step, now in answer if step != "internal" and now not in (expected.get(step), "SsotViolationError")]
    if bad or answer[-1] != plain[-1]:
        worse[owner.__name__ + "." + name] = bad
lab.out(worse=worse, reached=reached, plain=plain, internal=internal)
"""
MINE = """
    classes patterns interfaces.conforming interfaces.interface interfaces.signatures interfaces.traits roles.blueprint
    roles.claiming roles.competing roles.definitions roles.homes roles.living roles.membership roles.registered
    roles.role roles.singles roles.standing roles.watcher source.origin source.outline source.place
"""


def test_a_fault_of_ours_changes_nothing(lab):
    wanted = {f"ssot_guard.watch.{name}" for name in MINE.split()}
    answer = lab.run(TREE | {"main.py": f"WANTED = {wanted!r}\n{PROGRAM}"}, POLICY, mode="strict", seconds=120)
    assert answer.error is None
    assert answer.out["internal"] == [{}]  # with all in order
    assert answer.out["plain"][-1] == ["home", 1]
    assert answer.out["worse"] == {}
    assert answer.out["reached"] > 100


BUILT = {
    "acme/__init__.py": "",
    "acme/engine.py": """
        import copy
        class Engine:
            def __init__(self, size=1):
                self.size = size
        class Fast(Engine):
            def __new__(cls, *args):
                return super().__new__(cls)
        class Bare:
            __slots__ = ()
        class Plain: ...
        class Wrong(Engine):
            def __init__(self):
                raise ValueError("wrong")
        PLAIN = [Plain()]
        def create(size=1):
            return Engine(size)
        async def later():
            return Engine(2)
        def each():
            yield Engine(3)
        class Maker:
            @classmethod
            def make(cls): return Engine(4)
            @staticmethod
            def other(): return Fast()
        """,
}
COUNTING = {
    "packages": ["acme"],
    "roles": [
        {"id": "engine", "canonical": "acme.engine:Engine", "instances": {"max": 2}, "construct-budget": {"seconds": 1e-9},
         "factory": ["acme.engine:create", "acme.engine:later", "acme.engine:each", "acme.engine:Maker.make"]},
        {"id": "bare", "canonical": "acme.engine:Bare", "instances": {"max": 1, "per": "thread"}},
        {"id": "plain", "canonical": "acme.engine:Plain", "instances": {"max": 1, "per": "tenant"}, "isolated": True},
    ],
}  # fmt: skip
BUILDING = """
def application():
    import asyncio, copy, pickle, threading
    import acme.engine as it
    answer = []
    def step(name, function):
        made = []
        error = lab.attempt(lambda: made.append(function()))
        answer.append([name, error["type"] if error else type(made[0]).__name__])
    step("factory", lambda: it.create(5))
    step("generator", lambda: next(it.each()))
    step("coroutine", lambda: asyncio.run(it.later()))
    step("class method", it.Maker.make)
    step("static method", it.Maker.other)
    step("wrong", it.Wrong)
    step("past", lambda: it.Engine(size=7))
    kept = []
    step("many", lambda: kept.extend(it.create() for _ in range(4)))
    step("bare", it.Bare)
    step("plain", it.Plain)
    step("copy", lambda: kept.append(copy.copy(it.PLAIN[0])))
    step("pickle", lambda: kept.append(pickle.loads(pickle.dumps(it.PLAIN[0]))))
    threads = [threading.Thread(target=step, args=(f"thread {number}", it.create)) for number in range(2)]
    for thread in threads: thread.start(), thread.join()
    if lab.guard is not None:
        answer.append(["check", lab.attempt(lab.guard.check)])
        answer.append(["census", lab.attempt(lab.guard.census)])
        answer.append(["internal", lab.guard.status().get("first_errors")])
        answer.append(["uninstall", lab.attempt(lab.guard.uninstall)])
    answer.append(["home", it.Engine(3).size])
    return answer

"""
MINE_TOO = """
    builder beside cases census collector constructors entrance factories factory follows inherited instances kinds memory
    population restored scopes shared template verdicts watcher windows
"""


# What stands in the application's way itself, a few lines each: nobody is left to contain what they raise.
BORDER = """
    Construction.detach Window.__init__ _Awaited.__await__ _Awaited.__init__ constructors._abandon
    constructors._appear constructors._passes factory._call factory._close factory._each factory._leave factory._open
"""


@pytest.mark.parametrize("mode", ["observe", "strict"])
def test_a_fault_in_what_watches_construction_changes_nothing(lab, mode):
    wanted = {f"ssot_guard.watch.construction.{name}" for name in MINE_TOO.split()}
    before, _, rest = PROGRAM.partition("def application():")
    program = before + BUILDING + rest[rest.index("def functions") :]
    program = program.replace("from ssot_guard.watch.roles import watcher", "import " + ", ".join(sorted(wanted)))
    files = {"main.py": f"WANTED = {wanted!r}\n{program}"}
    answer = lab.run(BUILT | files, COUNTING, mode=mode, seconds=120)
    assert answer.error is None
    assert answer.out["internal"] == [{}]  # with all in order
    assert answer.out["plain"][-1] == ["home", 3]
    assert {name.rpartition("construction.")[2] for name in answer.out["worse"]} <= set(BORDER.split())
    assert answer.out["reached"] > 80
