"""SSG203: built past the factory. Factories of every kind, and every way to be inside of one."""

import pytest

CREATE = """
class Registry:
    def __init__(self):
        self.built = True

def create():
    return Registry()
"""


def role(*factories):
    return {"instances": None, "factory": list(factories)}


def here(name, path="create"):
    return role(f"acme.{name}:{path}")


CAUGHT = {
    "a call": (CREATE + """
def use():
    return create(), Registry()  # <- SSG203
""", here("a_call")),
    "a subclass": (CREATE + """
class BetterRegistry(Registry):
    def __init__(self):
        super().__init__()

def use():
    return BetterRegistry()  # <- SSG203
""", here("a_subclass")),
    "a class without a constructor": ("""
class Registry:
    pass

def create():
    return Registry()

def use():
    return create(), Registry()  # <- SSG203
""", here("a_class_without_a_constructor")),
    "its own allocation": ("""
class Registry:
    def __new__(cls):
        return super().__new__(cls)

def create():
    return Registry()

def use():
    return create(), Registry()  # <- SSG203
""", here("its_own_allocation")),
    "a dataclass": ("""
import dataclasses

@dataclasses.dataclass
class Registry:
    names: list

def create():
    return Registry([])

def use():
    return create(), Registry([])  # <- SSG203
""", here("a_dataclass")),
    "pydantic": ("""
import pydantic

class Registry(pydantic.BaseModel):
    name: str

def create():
    return Registry(name="a")

def use():
    return create(), Registry(name="a")  # <- SSG203
""", here("pydantic")),
    "slots": ("""
class Registry:
    __slots__ = ()

def create():
    return Registry()

def use():
    return create(), Registry()  # <- SSG203
""", here("slots")),
    "after the factory": (CREATE + """
def use():
    made = create()
    made.other = Registry()  # <- SSG203
    return made
""", here("after_the_factory")),
    "between two steps of a generator": (CREATE.replace("return Registry", "yield Registry") + """
def use():
    made = []
    for one in create():
        made.append(one)
        made.append(Registry())  # <- SSG203
    return made
""", here("between_two_steps_of_a_generator")),
    "in the body of a context manager": ("""
import contextlib

class Registry:
    pass

@contextlib.contextmanager
def create():
    yield Registry()

def use():
    with create() as made:
        return made, Registry()  # <- SSG203
""", here("in_the_body_of_a_context_manager")),
    "in another task": ("""
import asyncio

class Registry:
    pass

async def create():
    await asyncio.sleep(0.01)
    return Registry()

async def other():
    return Registry()  # <- SSG203

async def main():
    return await asyncio.gather(create(), other())

def use():
    return asyncio.run(main())
""", here("in_another_task")),
    "in a task that the factory leaves behind": ("""
import asyncio

class Registry:
    pass

tasks = []

async def later():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return Registry()  # <- SSG203

async def create():
    tasks.append(asyncio.create_task(later()))
    return Registry()

async def main():
    return await create(), await tasks[0]

def use():
    return asyncio.run(main())
""", here("in_a_task_that_the_factory_leaves_behind")),
    "inside of another role's factory": (CREATE + """
class OtherRegistry:
    pass

def make():
    return Registry()  # <- SSG203

def use():
    return make()
""", here("inside_of_another_role_s_factory")),
    "the factory has failed": ("""
class Registry:
    pass

def create():
    raise ValueError

def use():
    try:
        create()
    except ValueError:
        return Registry()  # <- SSG203
""", here("the_factory_has_failed")),
    "a default of somebody else's field": (CREATE + """
import dataclasses

@dataclasses.dataclass
class Service:
    registry: Registry = dataclasses.field(default_factory=Registry)

def use():
    return Service()  # <- SSG203
""", here("a_default_of_somebody_else_s_field")),
    "a metaclass": ("""
class Meta(type):
    def __call__(cls):
        return super().__call__()

class Registry(metaclass=Meta):
    pass

def create():
    return Registry()

def use():
    return create(), Registry()  # <- SSG203
""", here("a_metaclass")),
    "while another thread is at work in the factory": (CREATE.replace("return Registry()", """inside.set()
    while not done:
        pass
    return Registry()""") + """
import threading

inside, done = threading.Event(), []

def use():
    thread = threading.Thread(target=create)
    thread.start()
    inside.wait()
    made = Registry()  # <- SSG203
    done.append(True)
    thread.join()
    return made
""", here("while_another_thread_is_at_work_in_the_factory")),
    "a factory that is not there yet": ("""
class Registry:
    pass

def use():
    return Registry()  # <- SSG203
""", role("acme.nowhere:create")),
    "one of two factories": (CREATE + """
def restore():
    return Registry()

def use():
    return create(), restore(), Registry()  # <- SSG203
""", role("acme.one_of_two_factories:create", "acme.one_of_two_factories:restore")),
}  # fmt: skip

ALL_KINDS = """
import asyncio, contextlib, functools

class Registry:
    pass

class Maker:
    def method(self):
        return Registry()

    @classmethod
    def klass(cls):
        return Registry()

    @staticmethod
    def static():
        return Registry()

    async def coroutine(self):
        await asyncio.sleep(0)
        return Registry()

    @classmethod
    async def async_klass(cls):
        await asyncio.sleep(0)
        return Registry()

    def __call__(self):
        return Registry()

    @functools.cached_property
    def cached(self):
        return Registry()

class LaterMaker(Maker):
    pass

class SlotMaker:
    __slots__ = ()

    def __call__(self):
        return Registry()

async def coroutine():
    await asyncio.sleep(0)
    return Registry()

def generator():
    yield Registry()
    yield Registry()

async def async_generator():
    yield Registry()
    await asyncio.sleep(0)
    yield Registry()

@contextlib.contextmanager
def manager():
    yield Registry()

@contextlib.asynccontextmanager
async def async_manager():
    await asyncio.sleep(0)
    yield Registry()

@functools.lru_cache
def cached():
    return Registry()

def later():
    return coroutine_inside()

async def coroutine_inside():
    await asyncio.sleep(0)
    return Registry()

def task():
    return asyncio.ensure_future(coroutine_inside())

partial = functools.partial(Registry)
instance = SlotMaker()

def nested():
    return helper()

def helper():
    return Registry()

async def gathered():
    return await asyncio.gather(coroutine_inside(), asyncio.to_thread(Registry))

class Inside:
    def __init__(self):
        self.registry = Registry()

def through():
    return Inside()

async def collect(source):
    return [one async for one in source]

async def enter(manager):
    async with manager as made:
        return made

async def awaited(function):
    return await function()

def enter_sync(manager):
    with manager as made:
        return made
"""
USES = {
    "method": ("Maker.method", "Maker().method()"),
    "classmethod": ("Maker.klass", "Maker.klass()"),
    "classmethod of an object": ("Maker.klass", "Maker().klass()"),
    "staticmethod": ("Maker.static", "Maker.static()"),
    "staticmethod of an object": ("Maker.static", "Maker().static()"),
    "inherited method": ("LaterMaker.method", "LaterMaker().method()"),
    "inherited classmethod": ("LaterMaker.klass", "LaterMaker.klass()"),
    "async method": ("Maker.coroutine", "asyncio.run(awaited(Maker().coroutine))"),
    "async classmethod": ("Maker.async_klass", "asyncio.run(awaited(Maker.async_klass))"),
    "a call of an object": ("Maker.__call__", "Maker()()"),
    "cached property": ("Maker.cached", "Maker().cached"),
    "coroutine": ("coroutine", "asyncio.run(coroutine())"),
    "generator": ("generator", "list(generator())"),
    "async generator": ("async_generator", "asyncio.run(collect(async_generator()))"),
    "context manager": ("manager", "enter_sync(manager())"),
    "async context manager": ("async_manager", "asyncio.run(enter(async_manager()))"),
    "cached": ("cached", "[cached(), cached(), cached.cache_info()]"),
    "a function that returns a coroutine": ("later", "asyncio.run(awaited(later))"),
    "a function that returns a task": ("task", "asyncio.run(awaited(task))"),
    "partial": ("partial", "partial()"),
    "an object": ("instance", "instance()"),
    "nested": ("nested", "nested()"),
    "an owner's constructor": ("through", "through()"),
}
SILENT = {
    name: (
        ALL_KINDS + f"\ndef use():\n    return {use}\n",
        role(f"acme.{name.replace(' ', '_').replace(chr(39), '_')}:{path}"),
    )
    for name, (path, use) in USES.items()
} | {
    "taken before it was bound": (CREATE + """
TABLE = {"default": create}

def use():
    return TABLE["default"]()
""", here("taken_before_it_was_bound")),
    "called while its module loads": ("""
class Registry:
    pass

def use():
    from acme import loading
    return loading.DEFAULT
""", role("acme.loading:create")),
    "decorated before it was bound": ("""
import functools
routes = []

def route(function):
    @functools.wraps(function)
    def wrapper():
        return function()
    routes.append(wrapper)
    return wrapper

class Registry:
    pass

@route
def create():
    return Registry()

def use():
    return routes[0]()
""", here("decorated_before_it_was_bound")),
    "a copy and a pickle": (CREATE + """
import copy, pickle

def use():
    made = create()
    return copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), Registry.__new__(Registry)
""", here("a_copy_and_a_pickle")),
    "a mock": (CREATE + """
from unittest import mock

def use():
    return create(), mock.Mock(spec=Registry), mock.create_autospec(Registry)()
""", here("a_mock")),
    "a constructor called again": (CREATE + """
def use():
    made = create()
    made.__init__()
    return made
""", here("a_constructor_called_again")),
    "another class": (CREATE + """
class Other:
    pass

def use():
    return Other()
""", here("another_class")),
    "a thread of the factory": (CREATE.replace("return Registry()", """import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return pool.submit(Registry).result()""") + """
def use():
    return create()
""", here("a_thread_of_the_factory")),
    "a function written in the factory, in a thread": (CREATE.replace("return Registry()", """import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return pool.submit(lambda: Registry()).result()""") + """
def use():
    return create()
""", here("a_function_written_in_the_factory_in_a_thread")),
    "the factory is the class": ("""
class Registry:
    pass

def use():
    return Registry()
""", here("the_factory_is_the_class", "Registry")),
    "the factory is missing": ("""
class Registry:
    pass

def use():
    return Registry()
""", here("the_factory_is_missing", "nothing")),
    "what is excepted": (CREATE + """
class FakeRegistry(Registry):
    pass

def use():
    return FakeRegistry()
""", here("what_is_excepted") | {"except": ["acme.what_is_excepted:FakeRegistry"]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def caught(built):
    return built(CAUGHT)


LOADING = """
from acme.called_while_its_module_loads import Registry

def create():
    return Registry()

DEFAULT = create()
"""


@pytest.fixture(scope="module")
def silent(built):
    return built(SILENT, tree={"acme/loading.py": LOADING})


@pytest.mark.parametrize("description", CAUGHT)
def test_what_is_built_past_the_factory_is_reported_where_it_is_built(caught, description):
    assert caught.said(description, "SSG203") == caught.expected[description]


@pytest.mark.parametrize("description", SILENT)
def test_what_is_built_by_the_factory_is_not(silent, description):
    assert silent.said(description, "SSG203") == []
    assert silent.census[description]["created"] or description in ("another class", "what is excepted")


@pytest.mark.parametrize(
    "description", ["a thread of the factory", "the factory is the class", "the factory is missing"]
)
def test_where_nobody_can_tell_it_is_unknown(silent, description):
    assert silent.unknown(description, "SSG203") == 1


def test_the_message_says_what_to_call(caught):
    (row,) = caught.rows("one of two factories")

    assert row["message"] == (
        "builds Registry past its factory; call acme.one_of_two_factories:create or acme.one_of_two_factories:restore"
    )
    assert (row["target"], row["canonical"]) == (
        "acme.one_of_two_factories:Registry",
        "acme.one_of_two_factories:create",
    )


TREE = {
    "acme/__init__.py": "",
    "acme/home.py": """
        class Registry:
            def __init__(self):
                self.built = True
    """,
    "acme/factory.py": """
        from acme.home import Registry

        def create():
            return Registry()

        class Maker:
            @classmethod
            def create(cls):
                return Registry()
    """,
    "acme/user.py": "from acme.factory import create as make, Maker\n",
    "other.py": "from acme.factory import create\n",
}
POLICY = {
    "packages": ["acme"],
    "roles": [
        {
            "id": "registry",
            "canonical": "acme.home:Registry",
            "factory": ["acme.factory:create", "acme.factory:Maker.create"],
        }
    ],
}


@pytest.mark.parametrize("before", ["acme.user, acme.factory, other", "acme.user", "acme.home"])
def test_factories_that_were_loaded_before_the_guard_are_bound_wherever_they_are_held(lab, before):
    main = f"""
        import {before}
        import lab
        guard = lab.install()
        import acme.user, acme.factory, other
        from ssot_guard.watch.construction import windows
        import acme.home
        seen = []
        original = acme.home.Registry.__init__
        class Spy(acme.home.Registry):
            def __init__(self):
                seen.append(windows.inside.get() is not None)
        acme.factory.Registry = Spy
        for make in (acme.factory.create, acme.user.make, acme.user.Maker.create, other.create):
            make()
        lab.out(seen=seen, codes=lab.codes())
    """
    answer = lab.run(TREE | {"main.py": main}, POLICY)

    assert answer.out["seen"] == [True, True, True, "other" not in before]  # `other` is none of ours
    assert answer.out["codes"] == []


def test_all_factories_are_put_back(lab):
    main = """
        import inspect, pickle
        import acme.user, acme.factory
        import lab
        places = [(acme.factory, "create"), (acme.user, "make"), (acme.factory.Maker, "create")]
        before = [vars(owner)[name] for owner, name in places]
        guard = lab.install()
        during = [vars(owner)[name] for owner, name in places]
        same = pickle.loads(pickle.dumps(acme.factory.create)) is acme.factory.create
        guard.uninstall()
        lab.out(
            replaced=[one is not other for one, other in zip(before, during)],
            restored=[vars(owner)[name] is one for (owner, name), one in zip(places, before)],
            pickled=same,
        )
    """
    answer = lab.run(TREE | {"main.py": main}, POLICY)

    assert answer.out == {"replaced": [True] * 3, "restored": [True] * 3, "pickled": True}


def test_each_factory_stays_what_it_was(lab):
    functions = """
        import contextlib, functools
        class Registry: pass
        def plain(a, b: "int" = 1, *, c: str) -> Registry:
            "doc"
        plain.mark = 1
        async def coroutine(a): ...
        def generator(a): yield a
        async def async_generator(a): yield a
        @contextlib.contextmanager
        def manager(a): yield a
        @functools.lru_cache
        def cached(a): return a
        partial = functools.partial(plain, 1, c="c")
        class Maker:
            def method(self, a): ...
            @classmethod
            def klass(cls, a): ...
            @staticmethod
            def static(a): ...
    """
    names = [
        "plain", "coroutine", "generator", "async_generator", "manager", "cached", "partial", "Maker.method",
        "Maker.klass", "Maker.static",
    ]  # fmt: skip
    main = f"""
        import asyncio, copy, inspect, operator, typing
        import lab
        import acme.functions as functions
        names = {names!r}
        def look():
            found = {{}}
            for name in names:
                one = operator.attrgetter(name)(functions)
                found[name] = [
                    str(inspect.signature(one)), inspect.iscoroutinefunction(one), inspect.isgeneratorfunction(one),
                    inspect.isasyncgenfunction(one), inspect.isfunction(one), inspect.ismethod(one), inspect.isroutine(one),
                    callable(one), getattr(one, "__name__", None), getattr(one, "__qualname__", None), one.__doc__,
                    one.__module__, getattr(one, "mark", None), getattr(one, "__annotations__", None),
                    copy.copy(one) is one, copy.deepcopy(one) is one, isinstance(one, type(functions.plain)),
                    hasattr(one, "cache_info"),
                ]
                if name != "partial":
                    found[name].append(repr(typing.get_type_hints(one, globalns=vars(functions))))
                    found[name].append(inspect.getsource(one))
            return found
        before = look()
        guard = lab.install()
        during = look()
        guard.uninstall()
        lab.out(before=before, during=during, after=look())
    """
    factories = [f"acme.functions:{name}" for name in names]
    policy = {
        "packages": ["acme"],
        "roles": [{"id": "r", "canonical": "acme.functions:Registry", "factory": factories}],
    }
    answer = lab.run({"acme/__init__.py": "", "acme/functions.py": functions, "main.py": main}, policy)

    assert answer.error is None, answer.error
    assert answer.out["during"] == answer.out["before"] == answer.out["after"]


STRICT = """
import lab
guard = lab.install()
import acme.factory, acme.home

def build():
    return acme.home.Registry()

acme.home.FORBIDDEN = True
errors = [lab.attempt(build), lab.attempt(build)]
acme.home.FORBIDDEN = False
fine = lab.attempt(acme.factory.create)
lab.out(errors=errors, fine=fine, census=guard.census()["registry"])
"""
HOME = """
FORBIDDEN = False

class Registry:
    def __init__(self):
        if FORBIDDEN:
            raise SystemExit("its body ran")
"""


def test_strict_refuses_before_the_constructor_runs(lab):
    answer = lab.run(TREE | {"acme/home.py": HOME, "main.py": STRICT}, POLICY, mode="strict")

    assert answer.error is None, answer.error
    assert [error["type"] for error in answer.out["errors"]] == ["SsotViolationError"] * 2
    assert answer.out["errors"][0]["text"] == (
        "SSG203 registry: builds Registry past its factory; call acme.factory:create or acme.factory:Maker.create"
    )
    assert answer.out["fine"] is None
    assert [(row["code"], row["line"], row["count"], row["action"]) for row in answer.violations] == [
        ("SSG203", 6, 2, "blocked")
    ]
    assert answer.out["census"] == {"classes": 1, "live": 0, "created": 1, "max": None, "per": "process"}
