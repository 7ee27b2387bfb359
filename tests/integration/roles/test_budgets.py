"""SSG206: building one took too long, or too much memory."""

import pytest

SLOW = {"instances": None, "construct-budget": {"seconds": 0.1}}
HEAVY = {"instances": None, "construct-budget": {"bytes": "64 KiB"}}
CAUGHT = {
    "a slow constructor": ("""
import time

class Registry:  # <- SSG206
    def __init__(self):
        time.sleep(0.15)

def use():
    return Registry(), Registry()
""", SLOW),
    "a slow allocation": ("""
import time

class Registry:  # <- SSG206
    def __new__(cls):
        time.sleep(0.15)
        return super().__new__(cls)

def use():
    return Registry()
""", SLOW),
    "a slow base": ("""
import time

class Made:
    def __init__(self):
        time.sleep(0.15)

class Registry(Made):  # <- SSG206
    pass

def use():
    return Registry()
""", SLOW),
    "a slow subclass": ("""
import time

class Registry:
    def __init__(self):
        pass

class SlowRegistry(Registry):  # <- SSG206
    def __init__(self):
        super().__init__()
        time.sleep(0.15)

def use():
    return Registry(), SlowRegistry()
""", SLOW),
    "after the constructor of a dataclass": ("""
import dataclasses, time

@dataclasses.dataclass
class Registry:  # <- SSG206
    names: list

    def __post_init__(self):
        time.sleep(0.15)

def use():
    return Registry([])
""", SLOW),
    "slots": ("""
import time

class Registry:  # <- SSG206
    __slots__ = ()

    def __init__(self):
        time.sleep(0.15)

def use():
    return Registry()
""", SLOW),
    "pydantic": ("""
import pydantic, time

class Registry(pydantic.BaseModel):  # <- SSG206
    name: str

    def model_post_init(self, context):
        time.sleep(0.15)

def use():
    return Registry(name="a")
""", SLOW),
    "attrs": ("""
import attrs, time

@attrs.define
class Registry:  # <- SSG206
    name: str = attrs.field(converter=lambda name: time.sleep(0.15))

def use():
    return Registry("a")
""", SLOW),
    "behind a metaclass": ("""
import time

class Meta(type):
    def __call__(cls):
        return super().__call__()

class Registry(metaclass=Meta):  # <- SSG206
    def __init__(self):
        time.sleep(0.15)

def use():
    return Registry()
""", SLOW),
    "one inside of another": ("""
import time

class Registry:  # <- SSG206
    def __init__(self):
        self.inner = InnerRegistry()

class InnerRegistry:  # <- SSG206
    def __init__(self):
        time.sleep(0.15)

def use():
    return Registry()
""", SLOW),
    "a heavy constructor": ("""
class Registry:  # <- SSG206
    def __init__(self):
        self.cache = bytes(1 << 20)

def use():
    return Registry()
""", HEAVY),
    "a heavy allocation": ("""
class Registry:  # <- SSG206
    def __init__(self):
        self.cache = [[] for _ in range(10_000)]

def use():
    return Registry()
""", HEAVY),
}  # fmt: skip
SILENT = {
    "a fast constructor": ("""
class Registry:
    def __init__(self):
        self.built = True

def use():
    return Registry()
""", {"instances": None, "construct-budget": {"seconds": 5}}),
    "a slow factory": ("""
import time

class Registry:
    pass

def create():
    time.sleep(0.15)
    return Registry()

def use():
    return create()
""", SLOW | {"factory": ["acme.a_slow_factory:create"]}),
    "a slow method": ("""
import time

class Registry:
    def start(self):
        time.sleep(0.15)

def use():
    return Registry().start()
""", SLOW),
    "a slow constructor that fails": ("""
import time

class Registry:
    def __init__(self):
        time.sleep(0.15)
        raise ValueError

def use():
    try:
        Registry()
    except ValueError:
        pass
""", SLOW),
    "a slow call of the constructor again": ("""
import time

class Registry:
    def __init__(self, seconds=0):
        time.sleep(seconds)

def use():
    made = Registry()
    made.__init__(0.15)
    return made
""", SLOW),
    "a slow metaclass": ("""
import time

class Meta(type):
    def __call__(cls):
        time.sleep(0.15)
        return super().__call__()

class Registry(metaclass=Meta):
    pass

def use():
    return Registry()
""", SLOW),
    "a slow copy": ("""
import copy, time

class Registry:
    def __setstate__(self, state):
        time.sleep(0.15)

    def __getstate__(self):
        return {"a": 1}

def use():
    return copy.copy(Registry())
""", SLOW),
    "a slow mock": ("""
import time
from unittest import mock

class Registry:
    def __init__(self):
        time.sleep(0.15)

def use():
    return mock.Mock(spec=Registry), mock.create_autospec(Registry)()
""", SLOW),
    "another slow class": ("""
import time

class Registry:
    pass

class Other:
    def __init__(self):
        time.sleep(0.15)

def use():
    return Registry(), Other()
""", SLOW),
    "a light constructor": ("""
class Registry:
    def __init__(self):
        self.cache = bytes(1 << 10)

def use():
    return Registry()
""", HEAVY),
    "memory that is given back": ("""
class Registry:
    def __init__(self):
        bytes(1 << 20)

def use():
    return Registry()
""", HEAVY),
}  # fmt: skip
TRACED = {"before": "import tracemalloc\ntracemalloc.start()"}


@pytest.fixture(scope="module")
def caught(built):
    return built(CAUGHT, **TRACED)


@pytest.fixture(scope="module")
def silent(built):
    return built(SILENT, **TRACED)


@pytest.mark.parametrize("description", CAUGHT)
def test_what_takes_too_much_is_reported_where_its_class_is_defined(caught, description):
    assert caught.said(description, "SSG206") == caught.expected[description]


@pytest.mark.parametrize("description", SILENT)
def test_what_takes_little_or_is_no_construction_is_not(silent, description):
    assert silent.said(description, "SSG206") == []


def test_one_class_is_one_violation_however_often_it_is_built(caught):
    (row,) = caught.rows("a slow constructor", "SSG206")

    assert row["count"] == 2
    assert row["message"].startswith("building Registry took 0.")
    assert row["message"].endswith(" s, and may take 0.1 s; built at acme/a_slow_constructor.py:8")
    assert row["details"]["budget"] == {"seconds": 0.1}
    assert 0.15 <= row["details"]["seconds"] < 20


def test_bytes_are_told(caught):
    (row,) = caught.rows("a heavy constructor", "SSG206")

    assert 1_000_000 <= row["details"]["bytes"] < 1 << 21
    assert row["message"].endswith(" bytes, and may take 65,536 bytes; built at acme/a_heavy_constructor.py:6")


def test_where_nobody_traces_memory_nothing_is_said_about_it(built):
    after = "import tracemalloc\nlab.out(traced=tracemalloc.is_tracing())"
    found = built({"heavy": CAUGHT["a heavy constructor"]}, after=after)

    assert found.rows("heavy") == []
    assert found.answer.out["traced"] is False


def test_a_test_session_may_ask_for_memory(built):
    before = """
part, = (part for part in guard.engine().parts.parts if part.name == "roles")
part._neighbours.construction.measure_memory = True
"""
    after = "import tracemalloc\nlab.out(traced=tracemalloc.is_tracing())"
    fails = """
class Registry:
    def __init__(self):
        raise ValueError

def use():
    try:
        Registry()
    except ValueError:
        pass
"""
    table = {"heavy": CAUGHT["a heavy constructor"], "fails": (fails, HEAVY)}
    found = built(table, before=before, after=after)

    assert [row["code"] for row in found.rows("heavy")] == ["SSG206"]
    assert found.answer.out["traced"] is False


def test_nothing_is_refused_for_it(built):
    found = built({"slow": CAUGHT["a slow constructor"]}, mode="strict")

    assert [(row["code"], row["action"]) for row in found.rows("slow")] == [("SSG206", "warned")]
