"""Who is served right now: sources, the ``with`` block, and where both end."""

import asyncio
import contextvars
import sys
import threading
import time
import types
from typing import Any

import pytest

import ssot_guard
from ssot_guard.watch.tenants import current
from ssot_guard.watch.tenants.current import UNKNOWN, Tenants
from ssot_guard.watch.tenants.paths import read_path
from ssot_guard.watch.tenants.pseudonym import identity

NOBODY = Tenants([])


def here():
    return NOBODY.current()


# -- the block ---------------------------------------------------------------------------------------------------------


def test_a_block_says_who_is_served_and_blocks_nest():
    assert here() is UNKNOWN
    with ssot_guard.tenant("alice"):
        with ssot_guard.tenant("bob"):
            assert here() == "bob"
        assert here() == "alice"
        with ssot_guard.tenant(None):
            assert here() is UNKNOWN
        with ssot_guard.tenant(""):
            assert here() is UNKNOWN
        with ssot_guard.tenant(0):
            assert identity(here()) == "0"
        assert here() == "alice"
    assert here() is UNKNOWN


def test_a_block_ends_with_an_exception_too():
    with pytest.raises(ZeroDivisionError), ssot_guard.tenant("alice"):
        raise ZeroDivisionError
    assert here() is UNKNOWN


def test_one_object_may_be_entered_again_and_again():
    alice = ssot_guard.tenant("alice")
    with alice, alice:
        assert here() == "alice"
        with ssot_guard.tenant("bob"), alice:
            assert here() == "alice"
        assert here() == "alice"
    assert here() is UNKNOWN


def test_one_object_in_many_tasks_and_threads_does_not_mix_them():
    alice = ssot_guard.tenant("alice")
    seen = []

    async def work(first, second):
        async with alice:
            await asyncio.sleep(first)
            with ssot_guard.tenant("bob"):
                await asyncio.sleep(second)
                seen.append(here())
            seen.append(here())
        seen.append(here())

    async def main():
        await asyncio.gather(*(work(0.001 * (number % 3), 0.001 * (number % 2)) for number in range(20)))
        assert here() is UNKNOWN

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen, key=str) == sorted(["bob", "alice", UNKNOWN] * 80, key=str)


def test_one_object_keeps_nothing_of_blocks_that_have_ended_in_many_threads():
    alice = ssot_guard.tenant("alice")

    def work():
        for _ in range(3_000):
            with alice:
                assert here() == "alice"
            assert here() is UNKNOWN

    threads = [threading.Thread(target=work) for _ in range(6)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not alice._open


def test_a_block_costs_the_same_beside_thousands_of_the_same_object():
    alice = ssot_guard.tenant("alice")

    def seconds():
        began = time.perf_counter()
        for _ in range(100):
            with alice:
                pass
        return time.perf_counter() - began

    alone = min(seconds() for _ in range(20))
    contexts = [contextvars.Context() for _ in range(20_000)]
    for context in contexts:
        context.run(alice.__enter__)
    assert min(seconds() for _ in range(20)) < 5 * alone
    for context in contexts:
        context.run(alice.__exit__)
    assert not alice._open


def test_a_generator_that_holds_a_block_open_and_ends_elsewhere():
    def work():
        with ssot_guard.tenant("alice"):
            yield here()

    held = work()
    context = contextvars.copy_context()
    assert context.run(next, held) == "alice"
    assert here() is UNKNOWN
    held.close()  # in another context than it began
    assert here() is UNKNOWN
    assert context.run(current.is_stale)


def test_blocks_that_end_in_another_order_than_they_began():
    alice, bob = ssot_guard.tenant("alice"), ssot_guard.tenant("bob")
    alice.__enter__()
    bob.__enter__()
    alice.__exit__()
    assert here() == "bob"
    bob.__exit__()
    assert here() is UNKNOWN


def test_a_task_that_outlives_the_block_has_a_stale_tenant():
    async def background(release):
        await release.wait()
        return here(), current.is_stale()

    async def main():
        release = asyncio.Event()
        with ssot_guard.tenant("alice"):
            inside = asyncio.create_task(background(release))
            assert not current.is_stale()
        release.set()
        return await inside

    assert asyncio.run(main()) == ("alice", True)


def test_an_exit_without_an_entry_is_harmless():
    ssot_guard.tenant("alice").__exit__(None, None, None)
    assert here() is UNKNOWN


# -- sources -----------------------------------------------------------------------------------------------------------

SOURCES = """
from contextvars import ContextVar
import threading
class User:
    def __init__(self, name): self.id = name
class Holder:
    var = ContextVar("held")
    def call(self): return "called"
    @classmethod
    def find(cls): return "found"
user = ContextVar("user")
default = ContextVar("default", default="nobody")
logged = ContextVar("logged")
context = ContextVar("context")
holder = Holder()
local = threading.local()
def function(): return "function"
def nested(): return {"user": User("deep")}
def nothing(): return None
def empty(): return ""
def fails(): raise RuntimeError
async def coroutine(): return "x"
number = 7
"""
CASES = [
    # sources, what the program does first, what is known
    (["app:user"], "", None),
    (["app:user"], "app.user.set('alice')", "alice"),
    (["app:user"], "app.user.set('')", None),
    (["app:user"], "app.user.set(None)", None),
    (["app:default"], "", None),
    (["app:default"], "app.default.set('alice')", "alice"),
    (["app:context.id"], "app.context.set(app.User('alice'))", "alice"),
    (["app:context.user.id"], "app.context.set({'user': app.User('alice')})", "alice"),
    (["app:context.gone"], "app.context.set(app.User('alice'))", None),
    (["app:user", "app:logged"], "app.logged.set('log')", "log"),
    (["app:user", "app:logged"], "app.logged.set('log'); app.user.set('alice')", "alice"),
    (["app:fails", "app:nothing", "app:empty", "app:gone", "other:user", "app:function"], "", "function"),
    (["app:function"], "", "function"),
    (["app:function"], "app.function = lambda: 'patched'", "patched"),
    (["app:nested.user.id"], "", "deep"),
    (["app:fails"], "", None),
    (["app:coroutine"], "", None),
    (["app:holder.var"], "app.Holder.var.set('held')", "held"),
    (["app:Holder.var"], "app.Holder.var.set('held')", "held"),
    (["app:holder.call"], "", "called"),
    (["app:Holder.find"], "", "found"),
    (["app:local.user"], "", None),
    (["app:local.user"], "app.local.user = 'alice'", "alice"),
    (["later:user"], "", None),
    (["later:user"], "import later; later.user.set('late')", "late"),
    (["app:user"], "importlib.reload(app); app.user.set('new')", "new"),
    ([], "", None),
]


@pytest.mark.parametrize(("sources", "first", "known"), CASES)
def test_sources(lab, sources, first, known):
    program = f"""
import importlib, sys, warnings
warnings.simplefilter("error")
import lab, app
from ssot_guard.watch.tenants.current import Tenants, UNKNOWN, tenant
tenants = Tenants({sources!r})
def now():
    found = tenants.current()
    return None if found is UNKNOWN else found
now()
{first}
once, again = now(), now()
with tenant("declared"):
    declared = now()
with tenant(None):
    nobody = now()
lab.out(once=once, again=again, declared=declared, nobody=nobody, imported="other" in sys.modules)
"""
    later = "from contextvars import ContextVar\nuser = ContextVar('u')\n"
    answer = lab.run({"app.py": SOURCES, "later.py": later, "other.py": later, "main.py": program})

    assert answer.error is None
    assert answer.out == {"once": known, "again": known, "declared": "declared", "nobody": None, "imported": False}


def test_a_source_that_uses_what_it_is_asked_for_does_not_ask_for_ever(lab):
    app = """
class Engine:
    def who(self): return engine.name()
    def name(self): return "alice"
engine = Engine()
def current(): return engine.who()
"""
    program = "import lab, app\nguard = lab.install()\nengine = app.Engine(); engine.name()\nlab.out(unknown=guard.status()['unknown'])\n"
    policy = {
        "packages": ["app"],
        "roles": [{"id": "engine", "match": ["*Engine"], "isolated": True}],
        "tenant": {"current": ["app:current"]},
    }
    answer = lab.run({"app.py": app, "main.py": program}, policy)

    assert answer.error is None
    assert answer.violations == []
    assert answer.internal_errors == {}


def test_one_variable_is_asked_directly():
    """What the hot paths rely on: its own ``get``, as long as it is the one that the module holds."""
    source: contextvars.ContextVar[str] = contextvars.ContextVar("source")
    module: Any = types.ModuleType("test_current_source")
    module.var = source
    tenants: Any = Tenants(["test_current_source:var"])
    assert tenants.current() is UNKNOWN
    sys.modules[module.__name__] = module
    try:
        assert tenants.current() is UNKNOWN
        assert tenants.source.__self__ is source
        other = module.var = contextvars.ContextVar("other")
        token = other.set("alice")
        assert tenants.current() == "alice"
        assert tenants.source.__self__ is other
        other.reset(token)
    finally:
        del sys.modules[module.__name__]


def test_it_works_without_a_guard_and_loads_next_to_nothing(lab):
    program = """
import lab, sys
before = set(sys.modules)
import ssot_guard
with ssot_guard.tenant("alice"):
    pass
lab.out(loaded=sorted(name for name in set(sys.modules) - before if not name.startswith("ssot_guard")))
"""
    answer = lab.run({"main.py": program})

    assert answer.error is None
    assert answer.out["loaded"] == []


class Odd:
    @property
    def breaks(self):
        raise RuntimeError

    inner = {"key": "value", "get": "mine"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("self.inner.key", "value"),
        ("self.inner.get", "mine"),
        ("self.inner.gone", UNKNOWN),
        ("self.breaks", UNKNOWN),
        ("self.breaks.more", UNKNOWN),
        ("other", UNKNOWN),
        ("number", 7),
    ],
)
def test_paths(path, value):
    assert read_path(path, {"self": Odd(), "number": 7}) == value


COPIES = """
import copy, pickle
from contextvars import ContextVar
import pydantic

user = ContextVar("user")

class Session(pydantic.BaseModel):
    user_id: str = "alice"
    def use(self): ...

class Plain:
    def __init__(self, user_id):
        self.user_id = user_id
    def use(self): ...
"""
COPYING = """
import copy, lab, pickle
guard = lab.install()
from app import Plain, Session, user
user.set("alice")
session, plain = Session(), Plain("alice")
made = [session.model_copy(), Session.model_validate({}), Session.model_validate_json("{}"), copy.copy(plain), pickle.loads(pickle.dumps(plain))]
for one in made:
    one.use()
user.set("bob")
made[0].use()
made[1].use()
made[2].use()
made[3].use()
made[4].use()
guard.check()
lab.out(census=guard.census(), unknown=guard.status()["unknown"])
"""


def test_objects_that_say_whose_they_are_need_not_be_seen_being_built(lab):
    """Copied, validated and unpickled ones: that is how sessions come out of a database."""
    policy = {
        "packages": ["app"],
        "tenant": {"current": ["app:user"]},
        "roles": [
            {"id": name, "canonical": f"app:{name}", "isolated": True, "tenant-from": "self.user_id"}
            for name in ("Session", "Plain")
        ],
    }
    answer = lab.run({"app.py": COPIES, "main.py": COPYING}, policy)
    assert (answer.error, answer.internal_errors) == (None, {})
    assert [(row["code"], row["line"]) for row in answer.violations] == [("SSG301", line) for line in range(10, 15)]
    assert answer.out["census"]["Session"]["live"] == 4
    assert answer.out["census"]["Plain"]["live"] == 3
