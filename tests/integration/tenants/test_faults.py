"""An exception in any function that judges owners, one at a time: the application's result never changes."""

TREE = {
    "acme/engine.py": """
        import functools
        class Tool:
            names = []
            def __init__(self): self.cache = {"a": [1]}
        class Base:
            def inherited(self): return "inherited"
        class Engine(Base):
            history = []
            def __init__(self, tool=None): self.tool, self.owner = tool or Tool(), None
            def ask(self, question, *, more=1): return [question, more, self.helper()]
            def helper(self): return "helper"
            @property
            def name(self): return "name"
            async def think(self): return "thought"
            def parts(self): yield "part"
            @functools.lru_cache
            def cached(self): return "cached"
            def __call__(self): return "called"
        class OwnedEngine(Engine):
            def __init__(self, owner): self.owner = owner
        early = Engine()
    """,
    "acme/pool.py": """
        class Pool:
            def release(self, engine): return "released"
            async def arelease(self, engine): return "released later"
    """,
    "acme/state.py": "",
}
PROGRAM = """
import asyncio, importlib, json, lab, os, sys, types
from ssot_guard.watch.tenants import current
modules = [m for name, m in list(sys.modules.items()) if name.startswith("ssot_guard.watch.tenants.")]
# What the application itself calls, and where everything is caught.
BOUNDARIES = {"tenant", "_Scope", "_leave", "judge", "_begin", "_end"}

def application():
    answer = []
    def step(name, function, *arguments):
        error = []
        try:
            result = function(*arguments)
        except BaseException as caught:
            result = type(caught).__name__
        answer.append([name, result])
    module, pool = importlib.import_module("acme.engine"), importlib.import_module("acme.pool").Pool()
    user = importlib.import_module("acme.context").user
    shared = module.Tool()
    def build(name, *arguments):
        user.set(name)
        return (module.OwnedEngine if name == "owned" else module.Engine)(*arguments)
    def use(which, engine):
        step(which + " ask", lambda: engine.ask("q", more=2))
        step(which + " name", lambda: engine.name)
        step(which + " think", lambda: engine.think().close())
        step(which + " parts", lambda: list(engine.parts()))
        step(which + " cached", lambda: engine.cached())
        step(which + " call", lambda: engine())
        step(which + " inherited", lambda: engine.inherited())
    engines = []
    for name, arguments in (("alice", (shared,)), ("bob", (shared,)), ("owned", ("carol",)), (None, ()), ("", ())):
        step(f"build {name}", lambda: engines.append(build(name, *arguments)))
    module.Engine.history.append("x"); module.Tool.names.append({})
    for number, engine in enumerate(engines):
        for name in ("alice", None, object()):
            user.set(name)
            use(f"{number} {name if isinstance(name, (str, type(None))) else ''}", engine)
    with importlib.import_module("ssot_guard").tenant("alice"):
        use("declared", engines[0])
        step("release", lambda: pool.release(engines[0]))
        step("release later", lambda: asyncio.run(pool.arelease(engine=engines[1])))
    user.set("dora")
    use("released", engines[0])
    if lab.guard is not None:
        step("check", lambda: bool(lab.guard.check()) and None)
        step("uninstall", lab.guard.uninstall)
        answer[-2:] = [[name, None if result in ([], False, True) else result] for name, result in answer[-2:]]
    use("end", engines[0])
    return answer

def functions():
    for module in modules:
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != module.__name__ or name in BOUNDARIES:
                continue
            if isinstance(value, types.FunctionType):
                yield module, name, value
            elif isinstance(value, type):
                for member, inner in list(vars(value).items()):
                    if isinstance(inner, types.FunctionType) and member not in BOUNDARIES:
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
            answer, told = [["THE APPLICATION DIED", repr(error)]], None
        with open(write, "w") as stream:
            json.dump([answer, len(hit), sorted(told or ())], stream)
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

plain = dict(child(lambda: None)[0])
alive = set(map(tuple, child(noting)[2]))
worse, reached = {}, 0
for owner, name, value in functions():
    if (value.__code__.co_filename, value.__code__.co_firstlineno) not in alive:
        continue
    def prepare():
        lab.install()
        patch(owner, name, value)
    answer, hits, _ = child(prepare)
    reached += bool(hits)
    bad = [[step, now] for step, now in answer if now not in (plain.get(step), "SsotViolationError")]
    if bad or len(answer) < len(plain):
        worse[owner.__name__ + "." + name] = bad
lab.out(worse=worse, reached=reached, plain=plain)
"""


def test_a_fault_of_ours_changes_nothing(lab, policy):
    role = policy.data["roles"][0] | {
        "tenant-from": "self.owner",
        "released-by": ["acme.pool:Pool.release", "acme.pool:Pool.arelease"],
        "share": ["acme.state"],
    }
    data = policy.data | {"roles": [role]}
    answer = lab.run(policy.tree | TREE | {"main.py": PROGRAM}, data, mode="strict", seconds=200)

    assert answer.error is None
    assert answer.out["plain"]["end ask"] == ["q", 2, "helper"]
    assert answer.out["worse"] == {}
    assert answer.out["reached"] > 80
