"""Strict: the object too many is refused before its constructor runs. And what happens around constructions."""

from typing import Any

import pytest

POLICY: dict[str, Any] = {
    "packages": ["acme"],
    "roles": [{"id": "registry", "canonical": "acme.home:Registry", "instances": {"max": 1}, "match": ["*Registry"]}],
}
START = """
import gc, lab; gc.freeze()  # a collection is cheap
guard = lab.install()
import acme.home
from acme.home import *
kept = []

def build(*args):
    kept.append(Registry(*args))

"""


@pytest.fixture
def run(lab):
    def run(home, program, policy=POLICY, *, mode="strict", start=START, **case):
        files = {"acme/__init__.py": "", "acme/home.py": home, "main.py": start + program}
        answer = lab.run(files, policy, mode=mode, **case)
        assert answer.error is None, (answer.error, answer.stderr)
        assert answer.internal_errors == {}
        return answer

    return run


BODIES = {
    "constructor": """
        RAN = []
        class Registry:
            def __init__(self):
                RAN.append(1)
    """,
    "constructor of a subclass": """
        RAN = []
        class Base:
            pass
        class Registry(Base):
            def __init__(self):
                RAN.append(1)
                super().__init__()
    """,
    "constructor behind its own allocation": """
        RAN = []
        class Registry:
            def __new__(cls):
                return super().__new__(cls)
            def __init__(self):
                RAN.append(1)
    """,
    "dataclass": """
        import dataclasses
        RAN = []
        @dataclasses.dataclass
        class Registry:
            def __post_init__(self):
                RAN.append(1)
    """,
    "pydantic": """
        import pydantic
        RAN = []
        class Registry(pydantic.BaseModel):
            def model_post_init(self, context):
                RAN.append(1)
    """,
    "attrs": """
        import attrs
        RAN = []
        @attrs.define
        class Registry:
            def __attrs_post_init__(self):
                RAN.append(1)
    """,
    "inherited constructor": """
        RAN = []
        class Made:
            def __init__(self):
                RAN.append(1)
        class Registry(Made):
            pass
    """,
    "metaclass": """
        RAN = []
        class Meta(type):
            def __call__(cls):
                return super().__call__()
        class Registry(metaclass=Meta):
            def __init__(self):
                RAN.append(1)
    """,
}


@pytest.mark.parametrize("kind", BODIES)
def test_the_second_is_refused_before_its_constructor_runs(run, kind):
    answer = run(
        BODIES[kind],
        "lab.out(errors=[lab.attempt(build) for _ in range(3)], ran=len(acme.home.RAN), kept=len(kept))\n"
        "lab.out(census=guard.census()['registry'])\n",
        server=("attrs", "pydantic"),
    )
    first, *errors = answer.out["errors"]

    assert first is None
    assert [error["type"] for error in errors] == ["SsotViolationError"] * 2
    assert errors[0]["text"] == (
        "SSG202 registry: builds a second Registry at main.py:8; 1 may live per process; the first was built at main.py:8"
    )
    assert (answer.out["ran"], answer.out["kept"]) == (1, 1)
    assert (answer.out["census"]["live"], answer.out["census"]["created"]) == (1, 1)
    assert [(row["line"], row["count"], row["action"]) for row in answer.violations] == [(8, 2, "blocked")]


def test_the_error_is_raised_at_the_line_that_builds(run):
    answer = run(BODIES["constructor"], "build()\nlab.out(error=lab.attempt(build))\n")
    frames = [frame for frame in answer.out["error"]["frames"] if "ssot-guard" not in frame[0]]

    assert frames[-1][1:] == [8, "build"]


def test_the_next_one_is_welcome_when_the_first_is_gone(run):
    answer = run(BODIES["constructor"], "build()\nkept.clear()\nbuild()\nlab.out(ran=len(acme.home.RAN))\n")

    assert answer.out["ran"] == 2
    assert answer.violations == []


def test_what_is_refused_leaves_nothing_behind(run):
    program = """
build()
errors = []
for _ in range(5):
    try:
        Registry()
    except RuntimeError as error:
        errors.append(error)  # holds the frame, and so the object
kept.clear()
build()
lab.out(census=guard.census()["registry"])
"""
    answer = run(BODIES["constructor"], program)

    assert answer.out["census"] == {"classes": 1, "live": 1, "created": 2, "max": 1, "per": "process"}


def test_a_singleton_that_gives_out_the_same_object_is_never_refused(run):
    home = """
class Registry:
    _only = None
    def __new__(cls, *args):
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only
    def __init__(self, *args):
        self.args = args
"""
    answer = run(home, "build(1)\nbuild(2)\nlab.out(same=kept[0] is kept[1], args=kept[0].args)\n")

    assert answer.out == {"same": True, "args": [2]}
    assert answer.violations == []


def test_restoring_past_an_allocation_of_its_own_is_refused_too(run):
    home = """
class Registry:
    def __new__(cls):
        return super().__new__(cls)
"""
    program = (
        "import copy, pickle\nbuild()\ntext = pickle.dumps(kept[0])\n"
        "lab.out(errors=[lab.attempt(copy.copy, kept[0]), lab.attempt(pickle.loads, text)])"
    )
    answer = run(home, program)

    assert [error and error["type"] for error in answer.out["errors"]] == ["SsotViolationError"] * 2


def test_what_only_its_user_knows_is_refused_once_it_is_built(run):
    home = """
class Registry:
    def __init__(self, user):
        self.user = user
"""
    role = POLICY["roles"][0] | {"instances": {"max": 1, "per": "tenant"}, "isolated": True, "tenant-from": "self.user"}
    program = "lab.out(errors=[lab.attempt(build, user) for user in ('alice', 'bob', 'alice')], kept=len(kept))"
    answer = run(home, program, {"packages": ["acme"], "roles": [role]})

    assert [error and error["type"] for error in answer.out["errors"]] == [None, None, "SsotViolationError"]
    assert answer.out["kept"] == 2


@pytest.mark.parametrize("mode", ["observe", "warn"])
def test_elsewhere_nothing_changes(run, mode):
    answer = run(
        BODIES["constructor"], "build()\nbuild()\nlab.out(ran=len(acme.home.RAN), kept=len(kept))\n", mode=mode
    )

    assert answer.out == {"ran": 2, "kept": 2}
    assert [row["action"] for row in answer.violations] == [{"observe": "recorded", "warn": "warned"}[mode]]
    assert [warned[0::2] for warned in answer.warned] == (
        [["SsotWarning", answer.violations[0]["path"]]] if mode == "warn" else []
    )


def test_in_strict_two_threads_at_once_leave_exactly_one(run):
    home = """
import time
class Registry:
    def __init__(self):
        time.sleep(0.01)
"""
    program = """
import sys, threading
sys.setswitchinterval(1e-6)
rounds = []
for _ in range(60):
    errors = []
    barrier = threading.Barrier(4)
    def work():
        barrier.wait()
        errors.append(lab.attempt(build))
    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    rounds.append((sum(error is None for error in errors), len(kept)))
    kept.clear()
lab.out(rounds=rounds, census=guard.census()["registry"])
"""
    answer = run(home, program)

    assert answer.out["rounds"] == [[1, 1]] * 60
    assert answer.out["census"]["created"] == 60


def test_sixteen_threads_are_counted_exactly(run):
    home = """
class Registry:
    def __init__(self, fails=False):
        if fails:
            raise ValueError
"""
    program = """
import copy, sys, threading
sys.setswitchinterval(1e-6)
def work():
    mine = []
    for number in range(400):
        try:
            made = Registry(number % 4 == 0)
        except ValueError:
            continue
        if number % 2:
            mine.append(made)
    kept.append(mine)
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
del threads
lab.out(census=guard.census()["registry"], kept=sum(map(len, kept)))
"""
    role = POLICY["roles"][0] | {"instances": {"max": 100_000}}
    answer = run(home, program, {"packages": ["acme"], "roles": [role]})

    assert answer.out["kept"] == 16 * 200
    assert (answer.out["census"]["live"], answer.out["census"]["created"]) == (16 * 200, 16 * 300)
    assert answer.violations == []


def test_a_forked_child_starts_at_zero(run):
    program = """
import os
build()
def counts():
    return guard.census()["registry"]
reader, writer = os.pipe()
if not os.fork():
    found = [counts()["live"], lab.attempt(build) is None, counts()["live"], lab.attempt(build) is None, counts()["created"]]
    os.write(writer, repr(found).encode())
    os._exit(0)
os.wait()
lab.out(child=os.read(reader, 1000).decode(), parent=counts()["live"])
"""
    answer = run(BODIES["constructor"], program)

    assert answer.out == {"child": "[0, True, 1, False, 1]", "parent": 1}


def test_a_fork_inside_of_a_constructor(run):
    home = """
import os
class Registry:
    def __init__(self):
        self.child = os.fork()
"""
    program = """
import os
reader, writer = os.pipe()
build()
if not kept[0].child:
    os.write(writer, repr(guard.census()["registry"]["live"]).encode())
    os._exit(0)
os.wait()
lab.out(child=os.read(reader, 1000).decode(), parent=guard.census()["registry"]["live"])
"""
    answer = run(home, program)

    assert answer.out == {"child": "0", "parent": 1}


def test_detaching_while_something_is_built(run):
    home = """
class Registry:
    def __init__(self, then=None):
        if then is not None:
            then()
        self.built = True
"""
    program = """
before = vars(Registry)["__init__"]
build(guard.uninstall)
after = vars(Registry)["__init__"]
build()
build()
lab.out(
    built=[one.built for one in kept], restored=after is not before and after.__code__.co_filename.endswith("home.py"),
    codes=lab.codes(), stale=lab.attempt(before, Registry.__new__(Registry)),
)
"""
    answer = run(home, program)

    assert answer.out == {"built": [True] * 3, "restored": True, "codes": [], "stale": None}


def test_installing_again_counts_anew(run):
    program = """
build()
guard.uninstall()
guard = lab.install()
lab.out(errors=[lab.attempt(build) is None, lab.attempt(build) is None])
"""
    answer = run(BODIES["constructor"], program)

    assert answer.out["errors"] == [True, False]


def test_what_others_put_over_ours_stays(run):
    program = """
ours = Registry.__init__
def theirs(self):
    ours(self)
Registry.__init__ = theirs
build()
guard.uninstall()
build()
lab.out(stays=vars(Registry)["__init__"] is theirs, ran=len(acme.home.RAN), codes=lab.codes())
"""
    answer = run(BODIES["constructor"], program, mode="observe")

    assert answer.out == {"stays": True, "ran": 2, "codes": []}


def test_counts_in_tests_are_per_test(run):
    program = """
part, = (part for part in guard.engine().parts.parts if part.name == "roles")
table = part._neighbours.construction.table
epoch = None
table.epoch = lambda: epoch
found = []
def test(name):
    global epoch
    epoch = name
    before = len(guard.violations())
    build()
    build()
    epoch = None
    found.append(len(guard.violations()) - before)
test("one")
test("two")
module = Registry()
test("three")
lab.out(found=found, counts=[violation.count for violation in guard.violations()])
"""
    answer = run(BODIES["constructor"], program, mode="observe")

    # The second of each test, and after a module's own instance the first, too: four times at one line.
    assert answer.out == {"found": [1, 0, 0], "counts": [4]}


def test_what_hangs_in_a_garbage_cycle_is_not_alive(run):
    home = """
class Registry:
    def __init__(self):
        self.me = self
"""
    program = """
import gc
lab.out(errors=[lab.attempt(Registry) for _ in range(30)])
gc.disable()
lab.out(blind=[lab.attempt(Registry) is None for _ in range(2)])
gc.enable()
gc.collect()
build()
lab.out(real=lab.attempt(build)["type"])
"""
    answer = run(home, program)

    assert answer.out["errors"] == [None] * 30
    assert answer.out["blind"] == [False, False]  # nobody will ever collect it
    assert answer.out["real"] == "SsotViolationError"
    assert answer.violations[0]["details"]["collector"].startswith("off")


def test_a_resurrected_object_is_found_again(run):
    home = """
saved = []
class Registry:
    def __del__(self):
        saved.append(self)
"""
    program = """
import gc
made = Registry()
made.me = made
del made
gc.collect()
one, = acme.home.saved
del one.me
guard.check()
lab.out(live=guard.census()["registry"]["live"], second=lab.attempt(build) is not None)
"""
    answer = run(home, program)

    assert answer.out == {"live": 1, "second": True}


def test_its_own_errors_are_contained(run):
    program = """
from ssot_guard.watch.construction import cases, entrance, kinds, population, verdicts
def broken(*args, **kwargs):
    raise ZeroDivisionError
places = [
    (entrance, "Instance"), (entrance, "get_ident"), (population.Population, "enter"), (population.Population, "end"),
    (kinds.Kinds, "of"), (cases.Cases, "entered"), (cases.Cases, "left"), (verdicts.Verdicts, "crowded"),
]
found = []
kept.append(Registry())
table = next(part for part in guard.engine().parts.parts if part.name == "roles")._neighbours.construction.table
for owner, name in places:
    original = getattr(owner, name)
    setattr(owner, name, broken)
    Fresh = type("FreshRegistry", (Registry,), {"__module__": "acme.home"})
    before = sum(guard.engine().faults.counts.values())
    results = [lab.attempt(build), lab.attempt(Fresh)]
    setattr(owner, name, original)
    found.append([*results, sum(guard.engine().faults.counts.values()) > before])
    guard.engine().faults.switched_off.clear()
    table.is_on = True
lab.out(found=found)
guard.engine().faults.first.clear()
"""
    role = POLICY["roles"][0] | {"construct-budget": {"seconds": 5}}
    answer = run(BODIES["constructor"], program, {"packages": ["acme"], "roles": [role]}, mode="observe")

    assert answer.out["found"] == [[None, None, True]] * 8


def test_classes_made_in_functions_are_not_kept_alive(run):
    home = """
class Registry:
    def __init__(self):
        self.built = True

def make():
    class LocalRegistry(Registry):
        def __init__(self):
            super().__init__()
    return LocalRegistry
"""
    program = """
import gc, weakref
references = []
for _ in range(10):
    cls = acme.home.make()
    cls()
    guard.check()
    references.append(weakref.ref(cls))
del cls
gc.collect()
lab.out(alive=sum(reference() is not None for reference in references))
"""
    answer = run(home, program, mode="observe")

    assert answer.out == {"alive": 0}


def test_where_another_collection_would_be_too_dear_the_next_check_decides(run):
    home = """
class Registry:
    def __init__(self, cycle=False):
        self.me = self if cycle else None
"""
    program = """
import gc
from ssot_guard.watch.construction import collector
gc.freeze()
collector._FREE = collector._SHARE = 0
collector._SHARE = 1e9
part, = (part for part in guard.engine().parts.parts if part.name == "roles")
part._neighbours.construction._shared.collector._spent = 1.0
def old(*args):
    made = Registry(*args)
    gc.collect()  # it is not young any more
    return made
for _ in range(3):
    old(True)
    Registry(True)
first = old()
seen = [len(guard.violations())]
second = Registry()
seen.append(len(guard.violations()))
unknown = guard.status()["unknown"]
guard.check()
lab.out(seen=seen, unknown=unknown, lines=[[row["line"], row["details"]["seen"]] for row in lab.rows()])
"""
    answer = run(home, program, mode="observe")

    assert answer.out["seen"] == [0, 0]
    assert answer.out["unknown"]["SSG202 registry"] >= 1
    assert answer.out["lines"] == [[27, "late"]]


def test_a_warning_that_the_host_makes_an_error_keeps_the_object_from_being_handed_out(run):
    program = """
import warnings
import ssot_guard
warnings.simplefilter("error", ssot_guard.SsotWarning)
build()
lab.out(error=lab.attempt(build)["type"], kept=len(kept), census=guard.census()["registry"]["created"])
"""
    answer = run(BODIES["constructor"], program, mode="warn")

    assert answer.out == {"error": "SsotWarning", "kept": 1, "census": 1}


def test_scopes_that_nobody_comes_back_to_are_forgotten(run):
    home = """
class Registry:
    def __init__(self, user=None):
        self.user = user

class Task(Registry): ...
class Thread(Registry): ...
class Tenant(Registry): ...
class Isolated(Registry): ...
class Told(Registry): ...
"""
    program = """
import asyncio, threading
import ssot_guard
async def one():
    Task()
async def many():
    for _ in range(60):
        await asyncio.gather(*(one() for _ in range(100)))
asyncio.run(many())
for _ in range(1500):
    thread = threading.Thread(target=Thread)
    thread.start()
    thread.join()
for number in range(6000):
    with ssot_guard.tenant(f"user {number}"):
        Tenant()
        Isolated()
    Told(f"user {number}")
part, = (part for part in guard.engine().parts.parts if part.name == "roles")
construction = part._neighbours.construction
sizes = {
    name: max(len(one.instances), len(getattr(one.scopes, "_known", ())), len(getattr(one.scopes, "_tasks", ())))
    for name, one in construction._populations.items()
}
lab.out(sizes=sizes, live=len(construction.table.live), census={name: one["created"] for name, one in guard.census().items()})
"""
    kinds: dict[str, Any] = {
        "Task": {"instances": {"max": 1, "per": "task"}},
        "Thread": {"instances": {"max": 1, "per": "thread"}},
        "Tenant": {"instances": {"max": 1, "per": "tenant"}},
        "Isolated": {"instances": {"max": 1, "per": "tenant"}, "isolated": True},
        "Told": {"instances": {"max": 1, "per": "tenant"}, "tenant-from": "self.user"},
    }
    roles = [{"id": name, "canonical": f"acme.home:{name}", **more} for name, more in kinds.items()]
    answer = run(home, program, {"packages": ["acme"], "roles": roles}, mode="observe")

    assert max(answer.out["sizes"].values()) <= 2100
    assert answer.out["live"] == 0
    assert answer.out["census"] == {"Task": 6000, "Thread": 1500, "Tenant": 6000, "Isolated": 6000, "Told": 6000}
    assert answer.violations == []
