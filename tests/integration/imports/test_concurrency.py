"""Threads, forks, children, sub-interpreters, and taking the guard in and out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ssot_guard

SOURCE = str(Path(ssot_guard.__file__).parents[1])
POLICY = {
    "packages": ["acme"],
    "imports": [{"id": "m", "deprecated": "acme.old.**"}, {"id": "n", "deprecated": "acme.mod:Old"}],
}
TREE = {
    "acme/__init__.py": "",
    "acme/old/__init__.py": "",
    "acme/mod.py": "class New: pass\nOld = New\n",
    "acme/good.py": "N = 1\n",
}
START = "import sys, lab\nlab.install()\n"

STORM = """
import importlib, importlib.util, threading, random
sys.setswitchinterval(1e-5)
MODULES, THREADS = {modules}, 16
failed = []
start = threading.Barrier(THREADS)
def work(number):
    order = list(range(MODULES)); random.Random(number).shuffle(order)
    code = compile("import importlib\\nfor name in names:\\n    importlib.import_module(name)\\n", f"t{{number}}.py", "exec")
    start.wait()
    try:
        exec(code, {{"names": [f"acme.old.m{{i}}" for i in order]}})
        for i in order[:50]:
            importlib.util.find_spec(f"acme.old.m{{i}}"); hasattr(sys.modules[f"acme.old.m{{i}}"], "zz")
            importlib.reload(importlib.import_module(f"acme.again{{i % 10}}"))
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
for t in threads: t.start()
for t in threads: t.join()
lab.out(failed=failed)
"""


def test_sixteen_threads_no_miss_no_duplicate_no_deadlock(lab):
    modules = 500
    files = {f"acme/old/m{number}.py": "N = 1\n" for number in range(modules)}
    files |= {f"acme/again{number}.py": "N = 1\n" for number in range(10)}
    answer = lab.run(TREE | files | {"main.py": START + STORM.format(modules=modules)}, POLICY, seconds=100)

    assert answer.error is None
    assert answer.out["failed"] == []
    assert answer.internal_errors == {}
    seen = [(row["path"], row["target"]) for row in answer.of("SSG101")]
    assert len(seen) == len(set(seen)), "a duplicate"
    assert set(seen) == {(f"t{thread}.py", f"acme.old.m{number}") for thread in range(16) for number in range(modules)}
    assert {row["count"] for row in answer.of("SSG101")} == {1}
    assert {row["target"] for row in answer.of("SSG114")} == {f"acme.again{number}" for number in range(10)}


def test_a_thread_that_waits_for_another_ones_load_is_counted(lab):
    source = """
import threading, time
def work(number):
    exec(compile("import acme.old.slow", f"t{number}.py", "exec"), {})
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
"""
    files = {"acme/old/slow.py": "import time\ntime.sleep(0.2)\n"}
    answer = lab.run(TREE | files | {"main.py": START + "import acme\n" + source}, POLICY)

    assert {row["path"] for row in answer.of("SSG101")} == {f"t{number}.py" for number in range(4)}


LOGGING_DEADLOCK = """
import logging, threading, time
lock_held, imported = threading.Event(), threading.Event()
class Handler(logging.Handler):
    def emit(self, record):
        if record.name == "app":
            lock_held.set()
            imported.wait(0.3)
            import acme.old.slow
handler = Handler()
logging.getLogger().addHandler(handler)
def a(): logging.getLogger("app").warning("x")
def b():
    lock_held.wait()
    import acme.old.slow
    imported.set()
threads = [threading.Thread(target=f, daemon=True) for f in (a, b)]
for t in threads: t.start()
for t in threads: t.join(10)
lab.out(stuck=[t.name for t in threads if t.is_alive()])
"""


@pytest.mark.parametrize("mode", ["observe", "warn"])
def test_a_logging_lock_and_an_import_lock_never_wait_for_each_other(lab, mode):
    files = {"acme/old/slow.py": "import time\ntime.sleep(0.1)\n"}
    answer = lab.run(TREE | files | {"main.py": START + LOGGING_DEADLOCK}, POLICY, mode=mode, seconds=40)

    assert answer.error is None
    assert answer.out["stuck"] == []


FORK = """
import logging, threading, os, time, warnings, json
warnings.simplefilter("ignore")
import acme.old, acme.mod
stop = threading.Event()
def storm(n):
    while not stop.is_set():
        exec(compile("import acme.old", f"s{n}.py", "exec"))
        logging.getLogger("x").debug("y")
        time.sleep(0)
threads = [threading.Thread(target=storm, args=(n,)) for n in range(4)]
for t in threads: t.start()
bad = []
for n in range(10):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        import signal
        signal.alarm(8)  # not faulthandler: its watchdog of before the fork would never answer
        before = len(lab.guard.violations())
        exec(compile("import acme.old\\nfrom acme.mod import Old", "child.py", "exec"))
        seen = sorted((v.code, v.count) for v in lab.guard.violations() if v.site.path == "child.py")
        os.write(w, json.dumps([before, seen]).encode())
        os._exit(0)
    os.close(w)
    data = os.read(r, 10000); os.close(r)
    os.waitpid(pid, 0)
    bad.append(data.decode())
stop.set()
for t in threads: t.join()
lab.out(children=sorted(set(bad)))
"""


def test_a_child_of_a_busy_process_starts_at_zero_and_is_guarded(lab):
    answer = lab.run(TREE | {"main.py": START + FORK}, POLICY, seconds=100)

    assert answer.error is None
    assert answer.out["children"] == ['[0, [["SSG101", 1], ["SSG102", 1]]]']


def environment(root, **more):
    variables = {"PYTHONPATH": os.pathsep.join([str(root), SOURCE]), "PATH": os.environ["PATH"]}
    return variables | {"SSOT_GUARD_POLICY": str(root / "ssot-guard.toml")} | more


TOML = 'packages = ["acme"]\n[[imports]]\nid = "m"\ndeprecated = "acme.old"\n'
SITE = "import ssot_guard.bootstrap\nssot_guard.bootstrap.start()\n"
PARENT = """
import multiprocessing, sys
def child(queue):
    import ssot_guard
    import acme.old
    queue.put([ssot_guard.active(), [(v.code, v.site.line) for v in ssot_guard.install().violations()]])
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.SimpleQueue()
    process = context.Process(target=child, args=(queue,))
    process.start(); print(queue.get()); process.join()
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_children_are_guarded_through_the_environment(lab, tmp_path, method):
    lab.tree(
        TREE | {"ssot-guard.toml": TOML, "sitecustomize.py": SITE, "parent.py": PARENT.removeprefix("\n")}, tmp_path
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "parent.py", method],
        cwd=tmp_path,
        env=environment(tmp_path, SSOT_GUARD_MODE="observe"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stdout.strip() == "[True, [('SSG101', 4)]]", done.stderr


@pytest.mark.parametrize(
    ("variables", "guarded"),
    [
        ({}, True),
        ({"SSOT_GUARD": "off"}, False),
        ({"SSOT_GUARD_POLICY": ""}, False),
        ({"SSOT_GUARD_POLICY": "/nowhere.toml"}, False),
        ({"SSOT_GUARD_MODE": "wrong"}, False),
        ({"SSOT_GUARD_MODE": "off"}, False),
    ],
)
def test_start_never_raises(lab, tmp_path, variables, guarded):
    lab.tree(TREE | {"ssot-guard.toml": TOML, "sitecustomize.py": SITE}, tmp_path)
    code = "import ssot_guard; print(ssot_guard.active())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout.strip()) == (0, str(guarded)), done.stderr
    assert bool(done.stderr) == (
        variables.get("SSOT_GUARD_POLICY") == "/nowhere.toml" or variables.get("SSOT_GUARD_MODE") == "wrong"
    )


@pytest.mark.parametrize(("mode", "status"), [("observe", 0), ("warn", 0), ("strict", 1)])
def test_a_deprecated_module_run_as_a_program(lab, tmp_path, mode, status):
    lab.tree(
        TREE
        | {
            "acme/old.py": "print('ran')\n",
            "ssot-guard.toml": TOML + 'canonical = "acme.new"\n',
            "sitecustomize.py": SITE,
        },
        tmp_path,
    )
    import shutil

    shutil.rmtree(tmp_path / "acme" / "old")
    variables = environment(tmp_path, SSOT_GUARD_MODE=mode, SSOT_GUARD_SINKS="jsonl:out.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "acme.old"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == status, done.stderr
    assert ("ran" in done.stdout) == (mode != "strict")
    assert "SSG101" in "".join(path.read_text() for path in tmp_path.glob("out.jsonl*"))


SUBINTERPRETER = """
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
one = interpreters.create()
script = '''
import sys
sys.path[:0] = %r
import ssot_guard
guard = ssot_guard.install(%r, mode="observe")
import acme.old
assert [v.code for v in guard.violations()] == ["SSG101"], guard.violations()
guard.uninstall()
''' % (sys.path, lab.case["policy"])
error = interpreters.run_string(one, script)
assert not error, error
interpreters.destroy(one)
import acme.old
lab.out(codes=lab.codes())
"""


def test_a_sub_interpreter_has_a_guard_of_its_own(lab):
    answer = lab.run(TREE | {"main.py": START + SUBINTERPRETER}, POLICY)

    assert answer.error is None
    assert answer.out["codes"] == ["SSG101"]


STATE = """
import importlib, importlib.machinery, types
import acme.old, acme.mod, acme.good
def state():
    names = [n for n in sys.modules if n.split(".")[0] == "acme"]
    return {
        "meta_path": [id(f) for f in sys.meta_path],
        "classes": sorted((n, id(type(sys.modules[n])), id(type(sys.modules[n].__spec__))) for n in names),
        "specs": sorted((n, sorted(vars(sys.modules[n].__spec__))) for n in names),
        "loaders": sorted((n, sorted(vars(sys.modules[n].__loader__))) for n in names),
        "import": id(__import__), "filter": id(getattr(sys, "get_lazy_imports_filter", lambda: None)()),
        "path_hooks": [id(h) for h in sys.path_hooks], "excepthook": id(sys.excepthook), "hooks": len(sys.path_importer_cache),
    }
class Other:
    def find_spec(self, name, path=None, target=None): return None
"""
ORDERS = {
    "at once": "lab.install(); lab.guard.uninstall()",
    "twice": "lab.install(); lab.guard.uninstall(); lab.guard.uninstall()",
    "again": "for _ in range(3): lab.install(); lab.guard.uninstall()",
    "nested": "a = lab.install(); b = lab.install(); assert a is b\nwith a: pass\na.uninstall()",
    "used": "lab.install()\nimport acme.old as x, acme.mod\nacme.mod.Old\nfrom acme.mod import Old\nfrom acme import old\nimport importlib\nimportlib.import_module('acme.old')\nlab.guard.check()\nlab.guard.uninstall()",
    "reloaded": "lab.install()\nimport importlib\nimportlib.reload(acme.good); importlib.reload(acme.mod); importlib.reload(acme.old)\nlab.guard.uninstall()",
}


@pytest.mark.parametrize("mode", ["observe", "strict"])
@pytest.mark.parametrize("name", ORDERS)
def test_after_uninstall_everything_is_as_before(lab, name, mode):
    source = (
        "import sys, lab\n"
        + STATE
        + "before = state()\ntry:\n  exec("
        + repr(ORDERS[name])
        + ")\nexcept ImportError: pass\nlab.guard.uninstall()\nafter = state()\nlab.out(changed=[k for k in before if before[k] != after[k]], detail=[x for x in zip(before['classes'], after['classes']) if x[0] != x[1]])\n"
    )
    answer = lab.run(TREE | {"main.py": source}, POLICY, mode=mode)

    changed = set(answer.out["changed"])
    if name == "reloaded":
        changed.discard("specs")  # a reload makes new ones

    assert answer.error is None
    assert changed == set(), answer.out["detail"]


def test_modules_loaded_under_the_guard_are_as_without_it_after_uninstall(lab):
    source = (
        START
        + "import acme.old, acme.mod, acme.good, types, importlib.machinery\nlab.guard.uninstall()\nlab.out(odd=[n for n, m in sys.modules.items() if n.startswith('acme') and (type(m) is not types.ModuleType or type(m.__spec__) is not importlib.machinery.ModuleSpec)])"
    )
    answer = lab.run(TREE | {"main.py": source}, POLICY)

    assert answer.error is None
    assert answer.out["odd"] == []


def test_hooks_that_came_in_between_survive(lab):
    source = (
        "import sys, lab\n"
        + STATE
        + "first, last = Other(), Other()\nlab.install()\nsys.meta_path.insert(0, first)\nsys.meta_path.append(last)\nlab.guard.uninstall()\nlab.out(kept=[f in sys.meta_path for f in (first, last)], ours=[type(f).__module__ for f in sys.meta_path if type(f).__module__.startswith('ssot')])"
    )
    answer = lab.run(TREE | {"main.py": source}, POLICY)

    assert answer.out == {"kept": [True, True], "ours": []}


def test_uninstall_while_an_import_is_in_flight(lab):
    files = {"acme/old/slow.py": "import lab\nlab.guard.uninstall()\nimport acme.good\nN = 1\n"}
    source = (
        START
        + "from acme.old.slow import N\nimport types\nm = sys.modules['acme.old.slow']\nlab.out(n=N, cls=type(m).__name__, spec=type(m.__spec__).__module__, plain=type(m) is types.ModuleType, init=m.__spec__._initializing)"
    )
    answer = lab.run(TREE | files | {"main.py": source}, POLICY)

    assert answer.error is None
    assert answer.out["n"] == 1
    assert answer.out["plain"]
    assert answer.out["init"] is False


@pytest.mark.parametrize("other", [{"packages": ["acme"]}, None])
def test_installing_twice(lab, other):
    source = (
        START
        + "import ssot_guard\n"
        + (
            f"error = lab.attempt(ssot_guard.install, {other!r})\n"
            if other
            else "assert ssot_guard.install() is lab.guard\nerror = None\n"
        )
        + "lab.out(error=error and error['type'])"
    )
    answer = lab.run(TREE | {"main.py": source}, POLICY)

    assert answer.error is None
    assert answer.out["error"] == ("RuntimeError" if other else None)


def test_a_host_that_takes_frames_away_for_a_while_is_guarded_all_the_same(lab):
    source = """
kept = sys._getframe, sys._current_frames
del sys._getframe, sys._current_frames
import acme.old
from acme.mod import Old
sys._getframe, sys._current_frames = kept
"""
    answer = lab.run(TREE | {"main.py": START + source}, POLICY)

    assert (answer.error, answer.internal_errors) == (None, {})
    assert [row["code"] for row in answer.violations] == ["SSG101", "SSG102"]


AT_ONCE = """
import threading, time
import ssot_guard.engine as engines
build, built = engines.Engine.__init__, []
def slowly(*facts):
    built.append(1)
    time.sleep(0.05)
    build(*facts)
engines.Engine.__init__ = slowly
start = threading.Barrier(8)
def work():
    start.wait()
    lab.guard.check()
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
import acme.old
lab.out(built=len(built), codes=lab.codes())
"""


def test_threads_that_wake_the_guard_at_once_build_one(lab):
    answer = lab.run(TREE | {"main.py": START + AT_ONCE}, POLICY)

    assert (answer.error, answer.internal_errors) == (None, {})
    assert answer.out == {"built": 1, "codes": ["SSG101"]}


BEHIND = """
import threading, time
from ssot_guard.watch.imports.arming import Arming
finish, inside = Arming.finish, threading.Event()
def slowly(self, spec):
    finish(self, spec)
    if spec.name == NAME:
        inside.set()
        time.sleep(0.3)
Arming.finish = slowly
failed, seen = [], []
def second():
    inside.wait(20)
    try:
        exec(compile(f"import {NAME}\\nseen.append({NAME}.N)", "second.py", "exec"), {"seen": seen})
    except Exception as error:
        failed.append(repr(error))
thread = threading.Thread(target=second)
thread.start()
exec(compile(f"import {NAME}", "first.py", "exec"), {})
thread.join()
lab.out(failed=failed, seen=seen)
"""


@pytest.mark.parametrize("name", ["acme.old.m", "acme.sub"])
def test_another_thread_gets_no_module_that_its_package_does_not_hold_yet(lab, name):
    """Importlib clears the flag, which is when we look, and binds the module to its package after that."""
    files = {"acme/old/m.py": "N = 1\n", "acme/sub.py": "N = 1\n", "main.py": f"{START}NAME = {name!r}\n{BEHIND}"}
    answer = lab.run(TREE | files, POLICY)

    assert answer.error is None
    assert answer.out == {"failed": [], "seen": [1]}
    assert answer.internal_errors == {}
    expected = [("first.py", name), ("second.py", name)] if name == "acme.old.m" else []
    assert sorted((row["path"], row["target"]) for row in answer.of("SSG101")) == expected
