"""SSG204: two constructions of the only instance that overlap in time, in threads and in tasks."""

import pytest

THREADS = """
import threading

def run(*functions):
    results, errors = [], []

    def work(function):
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results, errors
"""
CLASS = """
barrier = threading.Barrier(2)

class Registry:
    def __init__(self):
        barrier.wait(20)
"""
PLAIN = """
class Registry:
    pass
"""


def factory(name):
    return {"factory": [f"acme.{name}:create"]}


CAUGHT = {
    "two threads in the constructor": (THREADS + CLASS + """
def use():
    return run(lambda: Registry(), lambda: Registry())  # <- SSG204
""", {}),
    "two places": (THREADS + CLASS + """
def one():
    return Registry()  # <- SSG204

def other():
    return Registry()

def use():
    return run(one, other)
""", {}),
    "check then create": (THREADS + CLASS + """
_only = None

def create():
    global _only
    if _only is None:
        _only = Registry()  # <- SSG204
    return _only

def use():
    return run(create, create)
""", {}),
    "check then create behind a factory": (THREADS + PLAIN + """
barrier = threading.Barrier(2)
_only = None
lock = threading.Lock()

def create():
    global _only
    if _only is None:
        barrier.wait(20)
        with lock:
            _only = Registry()  # <- SSG204
    return _only

def use():
    return run(create, create)
""", factory("check_then_create_behind_a_factory")),
    "a singleton by allocation without a lock": (THREADS + """
barrier = threading.Barrier(2)

class Registry:
    _only = None

    def __new__(cls):
        if cls._only is None:
            barrier.wait(20)
            cls._only = super().__new__(cls)
        return cls._only

def use():
    return run(lambda: Registry(), lambda: Registry())  # <- SSG204
""", {}),
    "a singleton by a metaclass without a lock": (THREADS + """
barrier = threading.Barrier(2)

class Meta(type):
    made = {}

    def __call__(cls):
        if cls not in cls.made:
            barrier.wait(20)
            cls.made[cls] = super().__call__()
        return cls.made[cls]

class Registry(metaclass=Meta):
    def __init__(self):
        barrier.wait(20)

def use():
    return run(lambda: Registry(), lambda: Registry())  # <- SSG204
""", {}),
    "two tasks in a factory": ("""
import asyncio

class Registry:
    pass

_only = None

async def create():
    global _only
    if _only is None:
        await asyncio.sleep(0)
        _only = Registry()  # <- SSG204
    return _only

async def main():
    return await asyncio.gather(create(), create())

def use():
    return asyncio.run(main())
""", factory("two_tasks_in_a_factory")),
    "one task after the other inside of its factory": ("""
import asyncio

class Registry:
    pass

async def create(seconds):
    made = Registry()  # <- SSG204
    await asyncio.sleep(seconds)
    return made

async def main():
    return await asyncio.gather(create(0.05), create(0))

def use():
    return asyncio.run(main())
""", factory("one_task_after_the_other_inside_of_its_factory")),
    "a task and somebody who does not ask the factory": ("""
import asyncio

class Registry:
    pass

async def create():
    made = Registry()  # <- SSG204
    await asyncio.sleep(0.02)
    return made

async def other():
    await asyncio.sleep(0)
    return Registry()  # <- SSG203

async def main():
    return await asyncio.gather(create(), other())

def use():
    return asyncio.run(main())
""", factory("a_task_and_somebody_who_does_not_ask_the_factory")),
    "two classes of a role": (THREADS + CLASS + """
class OldRegistry:
    def __init__(self):
        barrier.wait(20)

def use():
    return run(lambda: Registry(), lambda: OldRegistry())  # <- SSG204
""", {}),
    "two threads for one tenant": (THREADS + CLASS + """
import ssot_guard

def work():
    with ssot_guard.tenant("alice"):
        return Registry()  # <- SSG204

def use():
    return run(work, work)
""", {"instances": {"max": 1, "per": "tenant"}}),
    "an async context manager": ("""
import asyncio, contextlib

class Registry:
    pass

kept = []

@contextlib.asynccontextmanager
async def create():
    await asyncio.sleep(0)
    kept.append(Registry())  # <- SSG204
    yield kept[-1]

async def work():
    async with create() as made:
        return made

async def main():
    return await asyncio.gather(work(), work())

def use():
    return asyncio.run(main())
""", factory("an_async_context_manager")),
}  # fmt: skip

SILENT = {
    "one thread after the other": (THREADS + PLAIN + """
def use():
    return run(lambda: Registry()), run(lambda: Registry())
""", {}),
    "a lock and a second look": (THREADS + PLAIN + """
_only, lock = None, threading.Lock()

def create():
    global _only
    if _only is None:
        with lock:
            if _only is None:
                _only = Registry()
    return _only

def use():
    return run(*[create] * 8)
""", factory("a_lock_and_a_second_look")),
    "a singleton by allocation with a lock": (THREADS + """
import time

class Registry:
    _only, lock = None, threading.Lock()

    def __new__(cls):
        with cls.lock:
            if cls._only is None:
                time.sleep(0.01)
                cls._only = super().__new__(cls)
        return cls._only

def use():
    return run(*[Registry] * 8)
""", {}),
    "the first call of a singleton's constructor and the next": (THREADS + """
class Registry:
    _only = None

    def __new__(cls):
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __init__(self):
        self.built = True

def use():
    first = Registry()
    return first, run(*[Registry] * 8)
""", {}),
    "nested": (PLAIN.replace("pass", "def __init__(self, inner=True):\n        self.inner = Registry(False) if inner else None") + """
def use():
    return Registry()
""", {}),
    "nested in a factory": (PLAIN + """
def create(inner=True):
    made = Registry()
    made.inner = create(False) if inner else None
    return made

def use():
    return create()
""", factory("nested_in_a_factory")),
    "two by one call of an async factory": ("""
import asyncio

class Registry:
    pass

async def build():
    await asyncio.sleep(0)
    return Registry()

async def create():
    return await asyncio.gather(build(), build())

def use():
    return asyncio.run(create())
""", factory("two_by_one_call_of_an_async_factory")),
    "in two threads that may have one each": (THREADS + CLASS + """
def use():
    return run(Registry, Registry)
""", {"instances": {"max": 1, "per": "thread"}}),
    "in two tasks that may have one each": ("""
import asyncio

class Registry:
    pass

async def create():
    await asyncio.sleep(0)
    return Registry()

async def main():
    return await asyncio.gather(create(), create())

def use():
    return asyncio.run(main())
""", factory("in_two_tasks_that_may_have_one_each") | {"instances": {"max": 1, "per": "task"}}),
    "for two tenants": (THREADS + CLASS + """
import ssot_guard

def work(name):
    with ssot_guard.tenant(name):
        return Registry()

def use():
    return run(lambda: work("alice"), lambda: work("bob"))
""", {"instances": {"max": 1, "per": "tenant"}}),
    "two that may live": (THREADS + CLASS + """
def use():
    return run(Registry, Registry)
""", {"instances": {"max": 2}}),
    "one of the two fails": (THREADS + """
barrier = threading.Barrier(2)

class Registry:
    def __init__(self, fails=False):
        barrier.wait(20)
        if fails:
            raise ValueError

def use():
    return run(lambda: Registry(), lambda: Registry(True))
""", {}),
    "the body of a context manager": (PLAIN + """
import contextlib

@contextlib.contextmanager
def create():
    yield Registry()

def use():
    with create():
        with create():
            pass
""", factory("the_body_of_a_context_manager")),
    "a factory that does not build while another does": ("""
import asyncio

class Registry:
    pass

async def create(builds):
    await asyncio.sleep(0)
    made = Registry() if builds else None
    await asyncio.sleep(0)
    return made

async def main():
    return await asyncio.gather(create(True), create(False), create(False))

def use():
    return asyncio.run(main())
""", factory("a_factory_that_does_not_build_while_another_does")),
}  # fmt: skip


@pytest.fixture(scope="module")
def caught(built):
    return built(CAUGHT)


@pytest.fixture(scope="module")
def silent(built):
    return built(SILENT)


@pytest.mark.parametrize("description", CAUGHT)
def test_a_race_is_reported_once_for_its_two_places(caught, description):
    expected = [row for row in caught.expected[description] if row[1] == "SSG204"]

    assert caught.said(description, "SSG204") == expected
    assert caught.rows(description, "SSG202"), "both of them live"


@pytest.mark.parametrize("description", SILENT)
def test_what_does_not_overlap_is_no_race(silent, description):
    assert silent.said(description, "SSG204") == []


def test_the_message_names_both_places(caught):
    (row,) = caught.rows("two places", "SSG204")
    (again,) = caught.rows("two threads in the constructor", "SSG204")

    assert row["message"] == (
        "two constructions of Registry overlapped in time: at acme/two_places.py:26 and at acme/two_places.py:29"
    )
    assert row["details"] == {
        "places": ["acme/two_places.py:26", "acme/two_places.py:29"], "scope": "process"
    }  # fmt: skip
    assert again["message"] == (
        "two constructions of Registry overlapped in time: twice at acme/two_threads_in_the_constructor.py:26"
    )


def test_whoever_is_faster_the_same_is_reported(built):
    table = {"two places": CAUGHT["two places"]}
    found = [built(table, after=f"# {number}").rows("two places", "SSG204")[0] for number in range(5)]

    assert len({row["fingerprint"] for row in found}) == 1
    assert len({row["message"] for row in found}) == 1


def test_strict_refuses_the_second_and_still_tells_of_the_race(built):
    source = """
import threading

inside, refused = threading.Event(), threading.Event()

class Registry:
    def __init__(self):
        inside.set()
        assert refused.wait(20)

def use():
    kept = []
    thread = threading.Thread(target=lambda: kept.append(Registry()))  # <- SSG204
    thread.start()
    inside.wait(20)
    try:
        Registry()  # <- SSG202
    except RuntimeError as error:
        refused.set()
        kept.append(error)
    thread.join(20)
    return kept
"""
    found = built({"refused": (source, {})}, mode="strict")

    assert found.said("refused") == found.expected["refused"]
    assert found.census["refused"]["live"] == found.census["refused"]["created"] == 1
