"""An exception in any of our functions, one at a time: the application's result never changes."""

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/good.py": "N = 1\ndef f(): pass\n",
    "acme/old.py": "N = 1\n",
    "acme/new.py": "N = 1\ndef f(): pass\n",
    "acme/dead/__init__.py": "",
    "acme/dead/part.py": "P = 1\n",
    "acme/mod.py": "class New: pass\nOld = New\n",
    "acme/broken.py": "raise ValueError('broken')\n",
    "acme/ring_a.py": "from acme.ring_b import B\nA = 1\n",
    "acme/ring_b.py": "from acme.ring_a import A\nB = 1\n",
    "acme/hand.py": "N = 1\n",
    "acme/replaced.py": "import sys, types\nm = types.ModuleType(__name__)\nm.N = 5\nsys.modules[__name__] = m\n",
    "acme/lazy.py": "def __getattr__(name):\n    if name == 'Served':\n        from acme.old import N\n        return N\n    raise AttributeError(name)\n",
    "acme/many/__init__.py": "",
    **{f"acme/many/m{number}.py": "N = 1\n" for number in range(4)},
}
POLICY = {
    "packages": ["acme"],
    "exclude": ["excluded/**"],
    "owners": {"**": "@all"},
    "overrides": [{"paths": ["nowhere/**"], "max-mode": "observe"}],
    "modules": {"import-budget": {"seconds": 0.000001}},
    "imports": [
        {"id": "m", "deprecated": "acme.old", "canonical": "acme.new", "allow": ["acme.compat", "compat/**"]},
        {"id": "d", "deprecated": "acme.dead.**"},
        {"id": "n", "deprecated": ["acme.mod:Old", "acme.mod:Gone"]},
        {"id": "many", "deprecated": "acme.many.*"},
    ],
}

PROGRAM = """
import lab, sys, os, json, types, pkgutil, importlib, warnings
sys.path.insert(0, {fixtures!r})
import application
import ssot_guard
from ssot_guard import guard as guards
warnings.simplefilter("ignore")
ROOMS = ("ledger", "files", "switches", "names", "violation", "guard", "engine", "policy.model", "policy.modes", "policy.globs", "watch.", "sinks.", "publisher", "accepted", "ignores", "baseline")
# The outermost boundaries: CPython itself calls them.
BOUNDARIES = {{"_read", "write_flag", "_parent", "report_execution", "find_spec", "__get__", "__set__", "__delete__", "_echoes", "_getattr", "lazy_filter", "install", "uninstall", "start", "active", "unseen"}}
OPTIONAL = ("otel", "prom")

modules = [m for name, m in list(sys.modules.items()) if name.startswith("ssot_guard.")]

def functions():
    for module in modules:
        room = module.__name__.removeprefix("ssot_guard.")
        if not room.startswith(ROOMS) or any(part in room for part in OPTIONAL):
            continue
        for name, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                yield module, name, value
            elif isinstance(value, type) and value.__module__ == module.__name__:
                for member, inner in list(vars(value).items()):
                    if isinstance(inner, (types.FunctionType, staticmethod, classmethod, property)):
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
    elif isinstance(value, property):
        setattr(owner, name, property(broken))
    else:
        setattr(owner, name, staticmethod(broken) if isinstance(value, (staticmethod, classmethod)) else broken)

def run_one(target):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        global hit
        hit = []
        try:
            import signal
            signal.alarm(8)  # not faulthandler: its watchdog of before the fork would never answer
            if target is not None:
                lab.install()
                patch(*target)
            answer = application.main()
        except BaseException as error:
            answer = [["THE APPLICATION DIED", type(error).__name__ + ": " + str(error)]]
        with open(write, "w") as stream:
            json.dump([answer, len(hit)], stream)
        os._exit(0)
    os.close(write)
    with open(read) as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else [[["THE PROCESS DIED", ""]], 0]

def reached_functions():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        import threading
        seen = set()
        def note(frame, event, argument):
            if event == "call": seen.add((frame.f_code.co_filename, frame.f_code.co_firstlineno, frame.f_code.co_name))
        lab.install()
        sys.setprofile(note); threading.setprofile(note)
        application.main()
        sys.setprofile(None)
        with open(write, "w") as stream: json.dump(sorted(seen), stream)
        os._exit(0)
    os.close(write)
    with open(read) as stream: return set(map(tuple, json.load(stream)))

def place(value):
    inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
    code = getattr(inner, "__code__", None)  # an itemgetter has none, and cannot be reached
    return code and (code.co_filename, code.co_firstlineno, code.co_name)

import gc
gc.freeze()
import ssot_guard.guard
alive = reached_functions()
plain, _ = run_one(None)
worse, reached, total = {{}}, 0, 0
for owner, name, value in functions():
    if name in BOUNDARIES or place(value) not in alive:
        continue
    answer, hits = run_one((owner, name, value))
    total += 1
    reached += bool(hits)
    before = dict(map(tuple, plain))
    changed = [[step, before.get(step), now] for step, now in answer
               if now != before.get(step) and not ({strict} and "SSG10" in now or {strict} and "DeprecatedImportError" in now)]
    if changed or (len(answer) != len(plain)):
        label = getattr(owner, "__qualname__", owner.__name__)
        print(label, name, changed[:1], file=sys.stderr, flush=True)
        worse[(owner.__module__ + "." if isinstance(owner, type) else "") + label + "." + name] = changed[:2] or "died"
lab.guard = None
lab.out(worse=worse, reached=reached, total=total, plain=plain)
"""


@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_a_bug_in_any_function_of_ours_never_changes_the_application(lab, fixtures, mode):
    program = PROGRAM.format(fixtures=str(fixtures), strict=mode == "strict")
    answer = lab.run(TREE | {"main.py": program}, POLICY, mode=mode, seconds=200)

    assert answer.error is None
    assert answer.out["reached"] > 60, "the application no longer reaches our functions"
    assert answer.out["worse"] == {}


def test_unguarded_and_guarded_the_application_does_the_same(lab, fixtures):
    program = f"import lab, sys\nsys.path.insert(0, {str(fixtures)!r})\nlab.install()\nimport application\nlab.out(steps=application.main())\n"
    plain = lab.run(TREE | {"main.py": program}, POLICY, mode="off")

    for mode in ("observe", "warn"):
        answer = lab.run({}, POLICY, mode=mode, root=plain.root)
        assert answer.out["steps"] == plain.out["steps"]
        assert answer.internal_errors == {}


FIVE = """
import sys, lab, warnings
warnings.simplefilter("ignore")
lab.install()
import ssot_guard.watch.imports.judge as judge
def broken(*args): raise RuntimeError("injected")
judge.Judge.statement = judge.Judge.call = broken
for number in range(20):
    exec(compile("import acme.old", f"f{number}.py", "exec"))
status = lab.guard.status()
lab.guard.uninstall()
lab.out(errors=sum(status["internal_errors"].values()), first=list(status["first_errors"].values()), off=list(status.get("switched_off", [])))
"""
LOGGED = """
import logging, os
os.environ["SSOT_GUARD_SINKS"] = "{sinks}"
logging.basicConfig(format="%(levelname)s %(name)s %(message)s")

"""


def test_after_five_internal_errors_in_a_minute_the_part_switches_itself_off_visibly(lab):
    out = lab.run(TREE | {"main.py": FIVE}, POLICY).out

    assert out["errors"] == 5
    assert "injected" in out["first"][0]
    assert out["off"]


@pytest.mark.parametrize("sinks", ["log", "jsonl:out.jsonl", "warnings"])
def test_an_internal_error_is_shown_once_through_every_sink(lab, sinks):
    answer = lab.run(TREE | {"main.py": LOGGED.format(sinks=sinks) + FIVE}, POLICY)
    written = (answer.root / "out.jsonl").read_text() if sinks.startswith("jsonl") else answer.stderr
    shown = [line for line in written.splitlines() if "internal_error" in line]

    assert answer.error is None
    assert len(shown) == 2
    assert "imports" in shown[0]
    assert "RuntimeError: injected at" in shown[0]
    assert "main.py:" in shown[0]
    assert "NOT watched" in shown[1]


MILLION = """
import sys, lab, logging, time, warnings
records = []
class Handler(logging.Handler):
    def emit(self, record): records.append(record)
logging.getLogger("ssot_guard").addHandler(Handler())
logging.getLogger("ssot_guard").setLevel("INFO")
lab.install()
import acme.old
code = compile("for _ in range(250_000):\\n    import acme.old", "repeated.py", "exec")
exec(code)
import tracemalloc
tracemalloc.start()
before = tracemalloc.get_traced_memory()[0]
for _ in range(1): exec(code)
grown = tracemalloc.get_traced_memory()[0] - before
tracemalloc.stop()
exec(code); exec(code)
lab.guard.check()
time.sleep(0.2)
(row,) = [r for r in lab.rows() if r["path"] == "repeated.py"]
lab.out(count=row["count"], grown=grown, records=len([r for r in records if "repeated" in r.getMessage()]))
"""


def test_a_million_repeats_are_counted_exactly_and_cost_no_memory_and_no_log(lab):
    out = lab.run(TREE | {"main.py": MILLION}, POLICY).out

    assert out["count"] == 1_000_000
    assert out["grown"] < 20_000
    assert 1 <= out["records"] <= 5


REENTRANT = {
    "finaliser": """
class Bomb:
    def __init__(self): self.me = self
    def __del__(self): exec(compile("import acme.old", "bomb.py", "exec"))
gc.set_threshold(1)
for number in range(50):
    Bomb()
    exec(compile("import acme.old", f"f{number}.py", "exec"))
gc.set_threshold(700)
gc.collect()
""",
    "collector callback": """
busy = []
def callback(phase, info):
    if not busy:
        busy.append(1)
        exec(compile("import acme.old", "bomb.py", "exec"))
        busy.clear()
gc.callbacks.append(callback)
gc.set_threshold(1)
for number in range(50):
    exec(compile("import acme.old", f"f{number}.py", "exec"))
gc.callbacks.clear()
gc.set_threshold(700)
""",
    "signal handler": """
import signal, time
signal.signal(signal.SIGALRM, lambda *_: exec(compile("import acme.old", "bomb.py", "exec")))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
number = 0
end = time.monotonic() + 0.5
while number < 50 or time.monotonic() < end:
    exec(compile("import acme.old", f"f{number % 50}.py", "exec"))
    number += 1
signal.setitimer(signal.ITIMER_REAL, 0)
""",
}


@pytest.mark.parametrize("mode", ["observe", "warn"])
@pytest.mark.parametrize("name", REENTRANT)
def test_imports_while_we_record_are_recorded_too(lab, name, mode):
    source = "import sys, lab, gc, warnings\nwarnings.simplefilter('ignore')\nlab.install()\n" + REENTRANT[name]
    answer = lab.run(TREE | {"main.py": source}, POLICY, mode=mode)
    files = {row["path"] for row in answer.of("SSG101")}

    assert answer.error is None
    assert files == {"bomb.py", *(f"f{number}.py" for number in range(50))}
    assert answer.internal_errors == {}
