"""Runs inside one measured process: ``worker.py TASK …`` prints one JSON line of quantities.

Its ``sitecustomize`` has hooked into imports already, or not. Loops are timed in the process's own CPU time, the best
of several: what another process takes from the caches makes a loop slower, never faster.
"""

# Imports are what is measured here, and this file must not import anything dear for its own annotations.
# ruff: noqa: ANN001, ANN201, ANN202, ANN205, ARG004, F401, I001, PTH123, S102, SLF001

import gc
import json
import sys
from importlib import _bootstrap, import_module
from importlib.machinery import ModuleSpec
from itertools import repeat
from time import process_time

LOOPS, BEST_OF = 20_000, 7
IMPORTERS = {}


def importer(function):
    IMPORTERS[function.__name__] = function
    return function


def empty(loop):
    for _ in loop:
        pass


@importer
def ungoverned__import_m(loop):
    for _ in loop:
        import json


@importer
def ungoverned__from_m_import_x(loop):
    for _ in loop:
        from json import dumps


@importer
def ungoverned__import_module(loop):
    for _ in loop:
        import_module("json")


@importer
def governed__import_m(loop):
    for _ in loop:
        import app.live


@importer
def governed__from_m_import_x(loop):
    for _ in loop:
        from app.live import VALUE


@importer
def governed__import_module(loop):
    for _ in loop:
        import_module("app.live")


@importer
def deprecated__import_m(loop):
    for _ in loop:
        import legacy


@importer
def deprecated__import_a_m(loop):
    for _ in loop:
        import app.old


@importer
def deprecated__from_m_import_x(loop):
    for _ in loop:
        from legacy import VALUE


@importer
def deprecated__import_module(loop):
    for _ in loop:
        import_module("legacy")


def best(function, loops=LOOPS, repeats=BEST_OF):
    """Seconds for one turn, the best of several runs."""
    least = float("inf")
    for _ in range(repeats):
        began = process_time()
        function(repeat(None, loops))
        least = min(least, (process_time() - began) / loops)
    return least


def cached():
    """A cached import, in steady state: after 1,000 turns."""
    turn = best(empty)
    results = {}
    for name, function in IMPORTERS.items():
        function(repeat(None, 1000))
        results[name] = best(function) - turn
    return results


def cached_young():
    """The first 200 cached imports of a governed module; one run each, so it is the mean over many modules."""
    total = 0
    for number in range(50):
        name = f"app.part_{number:04}"
        scope = {}
        exec(f"def run(loop):\n    for _ in loop:\n        from {name} import VALUE\nimport {name}", scope)
        began = process_time()
        scope["run"](repeat(None, 200))
        total += process_time() - began
    return {"young": total / 50 / 200}


def finder():
    """What stands in front of the last finder when a name is looked for, and nobody wants it."""

    class Last:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return spec

    spec = ModuleSpec("other.name", None)
    usual = ("BuiltinImporter", "FrozenImporter", "PathFinder")
    hooks = [one for one in sys.meta_path if getattr(one, "__name__", "") not in usual]
    before = sys.meta_path[:]
    sys.meta_path[:] = [*hooks, Last]

    def look(loop):
        find = _bootstrap._find_spec
        for _ in loop:
            find("other.name", None)

    try:
        return {"finder": best(look), "hooks": float(len(hooks))}
    finally:
        sys.meta_path[:] = before


def load_others():
    """The first import of small modules that nobody governs, again and again."""
    import other

    names = [f"other.part_{number:04}" for number in range(300)]

    def load(_loop):
        for name in names:
            sys.modules.pop(name, None)
            import_module(name)

    load(None)
    return {"load_others": best(load, len(names), 5)}


def load_parts():
    """The first import of small governed modules: once in a process."""
    import app
    import app.new  # the parts that watch are loaded with the first governed name

    names = [f"app.part_{number:04}" for number in range(1000)]
    gc.disable()
    began = process_time()
    for name in names:
        import_module(name)
    return {"load_parts": (process_time() - began) / len(names)}


def first_sights():
    """Statements that break a rule for the first time."""
    import sites

    import legacy

    functions = [getattr(sites, f"site_{number}") for number in range(500)]
    took = []
    for function in functions:
        began = process_time()
        function()
        took.append(process_time() - began)
    return {"very_first": float(took[0]), "first_sight": sum(took[50:]) / len(took[50:])}


def million():
    """A million repeats: time, memory, log lines, count."""
    import logging
    import resource

    lines = []
    handler = logging.Handler()
    handler.emit = lines.append
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    import app
    import legacy

    deprecated__from_m_import_x(repeat(None, 10_000))
    turn = best(empty)
    gc.collect()
    memory = resident()
    began = process_time()
    deprecated__from_m_import_x(repeat(None, 1_000_000))
    took = (process_time() - began) / 1_000_000 - turn
    guard = sys.modules.get("ssot_guard.guard")
    results = {
        "turn": took,
        "memory": float(resident() - memory),
        "lines": float(len(lines)),
        "peak": float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),
    }
    if guard is not None:
        results["count"] = float(
            next(
                one.count
                for one in guard._active.violations()
                if one.site.scope == deprecated__from_m_import_x.__name__
            )
        )
    return results


def traced():
    """The same in tracemalloc's eyes, with fewer repeats: it makes everything slow."""
    import tracemalloc

    import legacy

    deprecated__from_m_import_x(repeat(None, 10_000))
    tracemalloc.start()
    deprecated__from_m_import_x(repeat(None, 1_000))
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    deprecated__from_m_import_x(repeat(None, 100_000))
    gc.collect()
    return {"traced": float(tracemalloc.get_traced_memory()[0] - before)}


def resident():
    """Resident bytes."""
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096


if __name__ == "__main__":
    answer = {}
    for task in sys.argv[1:]:
        answer |= globals()[task]()
    print(json.dumps(answer))
