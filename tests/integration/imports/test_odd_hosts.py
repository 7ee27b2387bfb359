"""Hosts that do odd things, none of them forbidden: they are guarded, and never felt the guard."""

import pytest

POLICY = {
    "packages": ["acme"],
    "imports": [
        {"id": "m", "deprecated": "acme.old", "canonical": "acme.new"},
        {"id": "n", "deprecated": "acme.cfg:OLD"},
    ],
}
TREE = {"acme/__init__.py": "", "acme/old.py": "class X: pass\n", "acme/new.py": "class X: pass\n"}
START = "import sys, lab\nlab.install()\n"


@pytest.fixture
def run(lab):
    def run(source, files=(), mode="observe", start=START):
        return lab.run(TREE | dict(files) | {"main.py": start + source}, POLICY, mode=mode)

    return run


def healthy(answer, *codes):
    assert (answer.error, answer.internal_errors) == (None, {})
    assert [row["code"] for row in answer.violations] == list(codes)


CAPTURED = """
import logging, threading, time
class Handler(logging.Handler):
    def emit(self, record):
        time.sleep(0.3)
        import acme.slow
logging.getLogger().addHandler(Handler())
logging.captureWarnings(True)
threads = [
    threading.Thread(target=lambda: __import__("acme.slow"), daemon=True),
    threading.Thread(target=lambda: logging.getLogger("app").error("x"), daemon=True),
]
for t in threads: t.start()
for t in threads: t.join(5)
lab.out(stuck=[t.name for t in threads if t.is_alive()])
"""


def test_captured_warnings_never_make_a_log_handler_wait_for_an_import(run):
    answer = run(CAPTURED, {"acme/slow.py": "import time\ntime.sleep(0.15)\nimport acme.old\n"}, mode="warn")

    assert answer.out["stuck"] == []
    healthy(answer, "SSG101")


def test_captured_warnings_that_are_errors_stay_errors(run):
    source = "import logging, warnings\nlogging.captureWarnings(True)\nwarnings.simplefilter('error')\nlab.out(kind=lab.attempt(exec, 'import acme.old')['type'])"
    answer = run(source, mode="warn")

    assert answer.out["kind"] == "SsotWarning"


@pytest.mark.parametrize(
    "show", ["sys.stderr.close()", "import warnings\nwarnings.showwarning = lambda *a, **k: 1 / 0"]
)
def test_a_host_that_cannot_show_warnings_is_watched_on(run, show):
    source = f"{show}\nfor n in range(7): exec(compile('import acme.old', f'f{{n}}.py', 'exec'))\nlab.out(off=lab.guard.status()['switched_off'])"
    answer = run(source, mode="warn")

    healthy(answer, *["SSG101"] * 7)
    assert [row["count"] for row in answer.violations] == [1] * 7
    assert answer.out["off"] == []


LAZY = """
class Lazy:
    @property
    def __class__(self): raise RuntimeError("woken")
settings = Lazy()
"""


def test_comparing_twins_wakes_no_lazy_object(run):
    healthy(run("import acme.old, acme.new", {"acme/old.py": LAZY, "acme/new.py": LAZY}), "SSG101", "SSG104")


STORES = """
import sys, types
OLD, SETTINGS = 1, {}
class Config(types.ModuleType):
    def __setattr__(self, name, value): SETTINGS[name] = value
sys.modules[__name__].__class__ = Config
"""
REFUSES = STORES.replace("SETTINGS[name] = value", "raise AttributeError(name)")


@pytest.mark.parametrize("module", [STORES, REFUSES], ids=["stores", "refuses"])
def test_a_module_with_a_setattr_of_its_own_is_watched_and_never_asked(run, module):
    source = "import acme.cfg\nacme.cfg.OLD\nlab.guard.check()\nlab.guard.uninstall()\nlab.out(settings=acme.cfg.SETTINGS, cls=type(acme.cfg).__module__)"
    answer = run(source, {"acme/cfg.py": module})

    healthy(answer, "SSG102", "SSG901")
    assert answer.out == {"settings": {}, "cls": "acme.cfg"}


INTERRUPTED = """
import acme
find_spec = type(sys.meta_path[0]).find_spec.__code__
lines = sorted({line for _, _, line in find_spec.co_lines() if line})
missed = []
for at in lines:
    def tracer(frame, event, argument):
        if frame.f_code is find_spec:
            if event == "line" and frame.f_lineno == at:
                sys.settrace(None)
                raise KeyboardInterrupt
            return tracer
    sys.settrace(tracer)
    try: import acme.old
    except KeyboardInterrupt: pass
    sys.settrace(None)
    sys.modules.pop("acme.old", None)
    before = sum(v.count for v in lab.guard.violations())
    import acme.old
    if sum(v.count for v in lab.guard.violations()) == before: missed.append(at)
    del sys.modules["acme.old"]
lab.out(missed=missed, lines=len(lines))
"""


def test_an_interrupt_at_any_line_of_the_finder_leaves_nothing_unwatched(run):
    answer = run(INTERRUPTED)

    assert answer.error is None
    assert answer.out["lines"] > 15
    assert answer.out["missed"] == []


def test_generated_code_in_a_process_without_a_working_directory(run):
    source = "import os, tempfile\nhome = os.getcwd()\nd = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)\nfor n in range(6): exec(compile('import acme.old', f'g{n}.py', 'exec'))\nos.chdir(home)"

    healthy(run(source), *["SSG101"] * 6)


def test_a_namespace_without_a_proper_name(run):
    source = "for n in range(6): exec(compile('import acme.old', f'g{n}.py', 'exec'), {'__name__': ['m']})"

    healthy(run(source), *["SSG101"] * 6)


def test_strict_goes_on_to_block_when_the_ledger_is_full(run):
    source = """
for n in range(10_000): exec(compile("try: import acme.nowhere\\nexcept ImportError: pass", f"t{n}.py", "exec"))
lab.out(blocked=lab.attempt(exec, "import acme.old")["type"], full=len(lab.guard.violations()), unrecorded=lab.guard.status()["unrecorded"])
"""
    answer = run(source, mode="strict")

    assert answer.error is None
    assert answer.out == {"blocked": "DeprecatedImportError", "full": 10_000, "unrecorded": {"m": 1}}


def test_one_module_with_an_odd_spec_does_not_end_the_look_for_double_imports(run):
    source = "import types\nodd = types.ModuleType('aaa'); odd.__spec__ = types.SimpleNamespace(); odd.__file__ = '/x/odd.py'\nsys.modules['aaa'] = odd\nsys.path.append('acme')\nimport acme.new, new\nlab.guard.check()"

    healthy(run(source), "SSG113")


def test_pieces_of_generated_code_are_told_apart(run):
    files = {
        "acme/a.py": "exec('import acme.old')\n",
        "acme/b.py": "exec('import acme.old as x')\nexec('import acme.old')\n",
    }
    answer = run("import acme.a, acme.b", files)

    assert sorted((row["module"], row["count"]) for row in answer.violations) == [("acme.a", 1), ("acme.b", 2)]


def test_suppress_by_another_name_keeps_strict_from_waking_a_stub(run):
    source = "from contextlib import suppress as quietly\nX = 'stub'\nwith quietly(ImportError):\n    from acme.old import X\nlab.out(stub=X == 'stub', how=[v.action for v in lab.guard.violations()])"
    answer = run(source, mode="strict")

    assert answer.out == {"stub": False, "how": ["warned"]}


def test_a_module_that_is_replaced_by_its_successor_stays_deprecated(run, marked):
    source = "import acme.old, acme.new  # <-\nsys.modules['acme.old'] = acme.new\nlab.guard.check()\ndef f():\n    import acme.old  # <-\n    from acme.old import X  # <-\nf()"
    answer = run(source)

    assert answer.error is None
    assert [row["line"] for row in answer.of("SSG101")] == marked(START + source)


BLOCKING = """
import asyncio, builtins, importlib, io, os
sink = os.path.join(os.path.dirname(__file__), "records.jsonl")
policy = {
    "packages": ["acme"],
    "baseline": "known.toml",
    "imports": [{"id": "m", "deprecated": "acme.old"}],
    "roles": [{"id": "engine", "canonical": "acme.engine:Engine", "match": ["*Engine"], "instances": {"max": 1}}],
    "events": [{"id": "run", "emitter": ["acme.ws:emit"], "event": "event", "run": "run", "sequence": "start end"}],
}
os.environ["SSOT_GUARD_SINKS"] = f"jsonl:{sink}"
guard = lab.install(policy)
import acme.ws, acme.engine
refused = []
class Refused(Exception): ...
def refusing(name, function):
    def call(*args, **kwargs):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return function(*args, **kwargs)
        refused.append(name)
        raise Refused(f"{name} blocks the event loop")
    return call
for module in (os, os.path, io, builtins):
    for name in ("abspath", "exists", "isdir", "isfile", "lstat", "open", "read", "readlink", "realpath", "scandir", "stat", "write"):
        if callable(getattr(module, name, None)):
            setattr(module, name, refusing(name, getattr(module, name)))
def statement():
    import acme.old
async def main():
    acme.ws.emit("end", "7")
    acme.engine.Engine(), acme.engine.Engine()
    acme.engine.make()
    guard.check()
    try:
        open(__file__)
    except Refused:
        lab.out(refuses=True)
import acme.old
asyncio.run(main())
lab.out(refused=len(refused) > 3, written=[line for line in io.open(sink)])
"""


def test_a_host_that_refuses_whatever_blocks_its_event_loop(lab):
    files = {
        "acme/ws.py": "def emit(event, run): ...\n",
        "acme/engine.py": "class Engine: ...\nKEPT = [Engine()]\ndef make():\n    class LocalEngine: ...\n    KEPT.append(LocalEngine)\n",
    }
    answer = lab.run(TREE | files | {"main.py": f"import lab\n{BLOCKING}"}, {})
    assert answer.error is None, answer.stderr
    assert answer.internal_errors == {}
    assert answer.out["refuses"]
    assert answer.out["refused"]
    assert {row["code"] for row in answer.violations} >= {"SSG101", "SSG201", "SSG202", "SSG401"}
    assert len(answer.out["written"]) > 4
