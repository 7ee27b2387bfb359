"""SSG301: what belongs to one tenant is used for another one."""

import os

import pytest

CAUGHT = {
    "a method": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine.ask()  # <-
    """,
    "a property read written and deleted": """
        class Engine:
            @property
            def mood(self): return self._mood
            @mood.setter
            def mood(self, value): self._mood = value
            @mood.deleter
            def mood(self): del self._mood
        def main():
            user.set("alice"); engine = Engine(); engine.mood = "good"
            user.set("bob")
            engine.mood  # <-
            engine.mood = "bad"  # <-
            del engine.mood  # <-
    """,
    "a call of the object": """
        class Engine:
            def __call__(self, question): return question
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine("?")  # <-
    """,
    "an async method awaited": """
        import asyncio
        class Engine:
            async def ask(self): return 1
        async def work(engine):
            await engine.ask()  # <-
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            asyncio.run(work(engine))
    """,
    "an async method given to a task": """
        import asyncio
        class Engine:
            async def ask(self): return 1
        async def work(engine):
            task = asyncio.create_task(engine.ask())  # <-
            await asyncio.gather(
                engine.ask(),  # <-
                task,
            )
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            asyncio.run(work(engine))
    """,
    "a generator": """
        class Engine:
            def stream(self):
                yield 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            for _ in engine.stream():  # <-
                pass
    """,
    "an async generator": """
        import asyncio
        class Engine:
            async def stream(self):
                yield 1
        async def work(engine):
            async for _ in engine.stream():  # <-
                pass
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            asyncio.run(work(engine))
    """,
    "a context manager": """
        import asyncio
        class Engine:
            def __enter__(self): return self
            def __exit__(self, *exc): pass
            async def __aenter__(self): return self
            async def __aexit__(self, *exc): pass
        async def work(engine):
            async with engine:  # <-
                pass
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            with engine:  # <-
                pass
            asyncio.run(work(engine))
    """,
    "a method that makes a context manager": """
        from contextlib import contextmanager
        class Engine:
            @contextmanager
            def session(self):
                yield 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            with engine.session():  # <-
                pass
    """,
    "items and iteration": """
        class Engine:
            def __getitem__(self, key): return key
            def __setitem__(self, key, value): pass
            def __delitem__(self, key): pass
            def __iter__(self): return iter([1])
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine["x"]  # <-
            engine["x"] = 1  # <-
            del engine["x"]  # <-
            list(engine)  # <-
    """,
    "what it inherits from a class that plays no role": """
        class Base:
            def ask(self): return 1
        class Engine(Base):
            pass
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine.ask()  # <-
    """,
    "a subclass that overrides and calls what is above": """
        class Engine:
            def ask(self): return 1
        class FastEngine(Engine):
            def ask(self): return super().ask() + 1
        def main():
            user.set("alice"); engine = FastEngine()
            user.set("bob")
            engine.ask()  # <-
    """,
    "every shape of parameters": """
        class Engine:
            def one(self, a, /, b, *rest, c, d=4, **more): return (a, b, rest, c, d, more)
            def two(*args, **kwargs): return args[1:], kwargs
            def three(this, _id=1, self=2): return (_id, self)
        def main():
            user.set("alice"); engine = Engine()
            assert engine.one(1, 2, 3, c=4, e=5) == (1, 2, (3,), 4, 4, {"e": 5})
            assert engine.two(1, x=2) == ((1,), {"x": 2})
            assert engine.three(7) == (7, 2)
            user.set("bob")
            assert engine.one(1, b=2, c=4) == (1, 2, (), 4, 4, {})  # <-
            assert engine.two(1, x=2) == ((1,), {"x": 2})  # <-
            assert engine.three(self=3) == (1, 3)  # <-
    """,
    "behind decorators": """
        import functools
        def traced(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            return inner
        class Engine:
            @traced
            def ask(self): return 1
            @functools.lru_cache
            def known(self, x): return x
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine.ask()  # <-
            assert engine.known(1) == 1  # <-
            assert Engine.known.cache_info().currsize == 1
    """,
    "a bound method that was handed on": """
        import functools
        class Engine:
            def ask(self, x=0): return x
        def main():
            user.set("alice"); engine = Engine()
            ask, later = engine.ask, functools.partial(engine.ask, 1)
            user.set("bob")
            ask()  # <-
            later()  # <-
            list(map(engine.ask, [1]))  # <-
            Engine.ask(engine)  # <-
    """,
    "dataclasses and slots": """
        from dataclasses import dataclass
        @dataclass
        class DataEngine:
            size: int = 1
            def ask(self): return self.size
        @dataclass(slots=True, weakref_slot=True)
        class SlotsEngine:
            size: int = 1
            def ask(self): return self.size
        class BareEngine:
            __slots__ = ("__weakref__",)
            def ask(self): return 1
        def main():
            user.set("alice"); engines = DataEngine(), SlotsEngine(), BareEngine()
            user.set("bob")
            for engine in engines:
                engine.ask()  # <-
    """,
    "a singleton that keeps the last user": """
        class Engine:
            _only = None
            @classmethod
            def get(cls):
                if cls._only is None:
                    cls._only = cls()
                return cls._only
            def ask(self): return 1
        def serve(name):
            user.set(name)
            Engine.get().ask()  # <-
        def main():
            serve("alice")
            serve("bob")
    """,
    "declared tenants": """
        class Engine:
            def ask(self): return 1
        def main():
            with ssot_guard.tenant("alice"):
                engine = Engine()
                with ssot_guard.tenant("bob"):
                    engine.ask()  # <-
                engine.ask()
    """,
    "numbers and texts": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set(7); engine = Engine()
            user.set("8")
            engine.ask()  # <-
    """,
    "a coroutine that one tenant makes and another runs": """
        import asyncio
        class Engine:
            async def answer(self):
                return self.helper()  # <-
            def helper(self): return 1
        async def work(coroutine):
            return await coroutine
        def main():
            user.set("alice"); engine = Engine(); coroutine = engine.answer()
            user.set("bob")
            asyncio.run(work(coroutine))
    """,
}

SILENT = {
    "its own tenant": """
        class Engine:
            def ask(self): return self.name
            @property
            def name(self): return 1
        def main():
            user.set("alice"); engine = Engine(); engine.ask(); engine.name
            user.set("al" + "ice"); engine.ask()
    """,
    "one tenant in two shapes": """
        import uuid, enum
        Id = enum.Enum("Id", "ALICE")
        class Engine:
            def ask(self): return 1
        def main():
            for one, other in ((7, "7"), ("x", b"x"), (uuid.UUID(int=1), str(uuid.UUID(int=1))), (Id.ALICE, Id.ALICE)):
                user.set(one); engine = Engine()
                user.set(other); engine.ask()
    """,
    "what only looks": """
        class Engine:
            size = 1
            def __repr__(self): return "e"
            def __len__(self): return 1
            def __eq__(self, other): return self is other
            def __hash__(self): return 1
            def __contains__(self, x): return True
            def _private(self): return 1
            @staticmethod
            def static(): return 1
            @classmethod
            def make(cls): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            repr(engine), len(engine), engine == 1, hash(engine), 1 in engine, bool(engine), engine.size
            engine._private(), engine.static(), engine.make(), Engine.make()
    """,
    "what follows behind a violation": """
        import asyncio
        class Engine:
            def ask(self): return self._inner()
            def _inner(self): return self.helper()
            def helper(self): return self.name
            async def think(self): return await self.deeper()
            async def deeper(self): return self.helper()
            @property
            def name(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            engine.ask()  # <-
            asyncio.run(engine.think())  # <-
    """,
    "objects of one tenant among themselves": """
        class ToolEngine:
            def use(self): return 1
        class Engine:
            def __init__(self): self.tool = ToolEngine()
            def ask(self): return self.tool.use()
        def main():
            user.set("alice"); engine = Engine(); engine.ask()
            user.set("bob")
            engine.ask()  # <-
    """,
    "no tenant": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set(None); engine.ask()
            user.set(""); engine.ask()
    """,
    "tenants that cannot be compared": """
        from unittest.mock import Mock
        class User: pass
        class Engine:
            def ask(self): return 1
        class Odd:
            def __eq__(self, other): raise ValueError
            def __hash__(self): raise ValueError
            def __str__(self): raise ValueError
        def main():
            for one, other in ((User(), User()), (Mock(), Mock()), (True, False), ([1], [2]), ("alice", Mock())):
                user.set(one); engine = Engine()
                user.set(other); engine.ask()
    """,
    "copies": """
        import copy, pickle
        class Engine:
            def ask(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set("bob")
            copy.copy(engine).ask(); copy.deepcopy(engine).ask(); pickle.loads(pickle.dumps(engine)).ask()
    """,
    "another class below the same base": """
        class Base:
            def ask(self): return 1
        class Engine(Base): pass
        class Report(Base): pass
        def main():
            user.set("alice"); report = Report()
            user.set("bob")
            report.ask()
    """,
    "a constructor that uses its own object": """
        class Engine:
            def __init__(self): self.prepare()
            def prepare(self): return self.name
            @property
            def name(self): return 1
        def main():
            user.set("alice"); Engine()
    """,
    "finalizers": """
        import asyncio, gc, weakref
        class Engine:
            def __init__(self): self.closed = []
            def close(self): self.closed.append(self.helper())
            def helper(self): return 1
        class DyingEngine(Engine):
            def __del__(self): self.close(); closed.append(1)
        class Held:
            pass
        closed = []
        async def stream(engine):
            try:
                while True:
                    yield 1
            finally:
                engine.close()
        async def take(engine):
            async for _ in stream(engine):
                break
            gc.collect(); await asyncio.sleep(0); await asyncio.sleep(0)
        def main():
            user.set("alice"); engine = DyingEngine(); other = Engine(); held = Held()
            weakref.finalize(held, other.close)
            user.set("bob")
            del engine, held
            gc.collect()
            asyncio.run(take(other))
            assert closed == [1] and len(other.closed) == 2
    """,
    "a tenant that a block hides": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            with ssot_guard.tenant(None): engine.ask()
            with ssot_guard.tenant(""): engine.ask()
    """,
}


@pytest.fixture(scope="module")
def answers(programs):
    return programs(CAUGHT | SILENT)


@pytest.mark.parametrize("description", [*CAUGHT, *SILENT])
def test_a_use_for_another_tenant_is_found_at_the_line_of_who_calls(answers, description):
    assert answers.lines(description, "SSG301") == answers.expected(description)


def test_nothing_else_is_found(answers):
    assert answers.found("SSG301") == answers.marked()


# -- in one program ----------------------------------------------------------------------------------------------------

BEGIN = """
import lab, os
guard = lab.install()
from acme.context import user
from acme.engine import Engine
"""
LEAK = """
user.set("alice"); engine = Engine()
user.set("bob")
"""


def test_strict_raises_before_the_body_runs_and_records_first(lab, policy):
    source = """
ran = []
Engine.note = lambda self: None
def use(engine):
    engine.ask(ran)
error = lab.attempt(use, engine)
lab.out(error=error, ran=ran, codes=lab.codes(), owner=engine.log)
"""
    tree = {"acme/engine.py": "class Engine:\n    log = []\n    def ask(self, ran): ran.append(1)\n"}
    answer = lab.run(policy.tree | tree | {"main.py": BEGIN + LEAK + source}, policy.data, mode="strict")

    assert answer.error is None
    assert answer.out["error"]["type"] == "SsotViolationError"
    assert answer.out["error"]["text"].startswith("SSG301 engine: acme.engine:Engine.ask of an object that belongs to")
    assert answer.out["ran"] == []
    assert answer.out["codes"] == ["SSG301"]


@pytest.mark.parametrize("way", ["engine.ask()", "engine.name", "asyncio.run(engine.think())"])
def test_strict_blocks_every_kind(lab, policy, way):
    source = f"import asyncio\nlab.out(error=lab.attempt(lambda: {way}))\n"
    answer = lab.run(policy.tree | {"main.py": BEGIN + LEAK + source}, policy.data, mode="strict")

    assert answer.out["error"]["type"] == "SsotViolationError"
    assert answer.internal_errors == {}


def test_a_swallowed_verdict_stays_in_the_record_with_its_count(lab, policy):
    source = """
for _ in range(5):
    try:
        engine.ask()
    except Exception:
        pass
"""
    answer = lab.run(policy.tree | {"main.py": BEGIN + LEAK + source}, policy.data, mode="strict")

    (row,) = answer.of("SSG301")
    assert (row["count"], row["action"], row["kind"], row["target"]) == (5, "blocked", "call", "acme.engine:Engine.ask")


def test_no_record_holds_a_tenants_name(lab, policy):
    source = """
import json
def use(): engine.ask()
use(); engine.name
guard.check()
rows = guard.violations()
lab.out(tenants=[row.tenant for row in rows], owners=[row.details["owner"] for row in rows])
"""
    text = BEGIN + LEAK.replace("alice", "alice@secret").replace("bob", "bob@secret") + source
    answer = lab.run(policy.tree | {"main.py": text}, policy.data, mode="warn")

    assert len(answer.of("SSG301")) == 2
    (tenant,), (owner,) = set(answer.out["tenants"]), set(answer.out["owners"])
    assert tenant != owner
    assert len(tenant) == len(owner) == 12
    assert "secret" not in str([answer.violations, answer.stdout, answer.stderr, answer.warned])


def test_pseudonyms_are_the_same_wherever_the_key_is(lab, policy):
    source = "engine.ask()\nlab.out(tenant=guard.violations()[0].tenant)\n"

    def tenant(key):
        text = f"import os; os.environ['SSOT_GUARD_HASH_KEY'] = {key!r}\n" + BEGIN + LEAK + source
        return lab.run(policy.tree | {"main.py": text}, policy.data).out["tenant"]

    assert tenant("k1") == tenant("k1") != tenant("k2")
    assert tenant("") != tenant("")
    assert tenant("long" * 100) == tenant("long" * 100)


def test_the_record_names_where_the_object_was_built(lab, policy):
    tree = {
        "acme/use.py": "from acme.engine import Engine\ndef make():\n    return Engine()\ndef use(engine):\n    engine.ask()\n"
    }
    source = "from acme.use import make, use\nuser.set('alice'); engine = make()\nuser.set('bob'); use(engine)\n"
    answer = lab.run(policy.tree | tree | {"main.py": BEGIN + source}, policy.data)

    (row,) = answer.of("SSG301")
    assert (row["file"], row["line"], row["scope"]) == ("acme/use.py", 5, "use")
    assert row["details"]["built"] == "acme/use.py:3"


def test_what_stands_in_front_of_methods_looks_like_them_and_goes_without_a_trace(lab, policy):
    tree = {
        "acme/engine.py": """
            import functools
            from abc import ABC, abstractmethod
            class Base(ABC):
                @abstractmethod
                def run(self): ...
                def inherited(self): "Doc."
            class Engine(Base):
                def __init__(self): self.x = 1
                def run(self, a: int, /, b: "str" = "x", *args: int, c: float = 2.0, **more: str) -> "Engine": "Text."
                async def arun(self): ...
                def gen(self): yield
                async def agen(self): yield
                @property
                def prop(self): "Words."; return 1
                @functools.lru_cache
                def cached(self): return 1
                alias = run
        """
    }
    source = """
import importlib, inspect, pickle, sys, warnings
import ssot_guard
warnings.simplefilter("ignore")
def facts(module):
    cls = module.Engine
    return {name: [
        str(inspect.signature(getattr(cls, name))) if name != "prop" else "",
        str(inspect.getfullargspec(getattr(cls, name)))if name not in ("prop", "cached") else "",
        inspect.getdoc(getattr(cls, name)),
        inspect.iscoroutinefunction(getattr(cls, name)),
        inspect.isgeneratorfunction(getattr(cls, name)),
        inspect.isasyncgenfunction(getattr(cls, name)),
        inspect.isfunction(vars(cls).get(name)),
        getattr(getattr(cls, name), "__qualname__", ""),
        inspect.getsource(getattr(cls, name)) if name != "prop" else "",
        str(getattr(getattr(cls, name), "__defaults__", "")), str(getattr(getattr(cls, name), "__kwdefaults__", "")),
        str(inspect.get_annotations(getattr(cls, name))) if name != "prop" else "",
        isinstance(inspect.getattr_static(cls, name), property),
    ] for name in ("run", "arun", "gen", "agen", "prop", "cached", "alias", "inherited")}
import acme.engine as module
before = {cls: dict(vars(cls)) for cls in (module.Base, module.Engine)}
plain = facts(module)
guard = lab.install()
assert module.Engine.run is not before[module.Engine]["run"]
assert module.Engine.run is module.Engine.alias
assert module.Engine.inherited is module.Base.inherited
assert pickle.loads(pickle.dumps(module.Engine.run)) is module.Engine.run
lab.out(plain=plain, guarded=facts(module), abstract=sorted(module.Base.__abstractmethods__))
kept = module.Engine().prop, module.Engine().arun
guard.uninstall(); guard.uninstall()
changed = [
    (cls.__name__, name)
    for cls, names in before.items() for name in {*names, *vars(cls)}
    if vars(cls).get(name, "gone") is not names.get(name, "gone")
]
kept[1]().close()
lab.out(changed=changed)
"""
    answer = lab.run(policy.tree | tree | {"main.py": "import lab\n" + source}, policy.data)

    assert answer.error is None
    assert answer.out["guarded"] == answer.out["plain"]
    assert answer.out["changed"] == []


def test_what_others_put_over_ours_stays(lab, policy):
    source = """
theirs = lambda self: "theirs"
Engine.ask = theirs
guard.uninstall()
lab.out(stays=vars(Engine)["ask"] is theirs, name=Engine().name)
"""
    answer = lab.run(policy.tree | {"main.py": BEGIN + source}, policy.data)

    assert answer.out == {"stays": True, "name": "engine"}


def test_several_parts_in_front_of_one_method_leave_nothing(lab, policy):
    tree = {
        "acme/engine.py": """
            class Engine:
                def emit(self, event, run): return "sent"
                def close(self): return "closed"
                def clone(self): return type(self)()
        """
    }
    reference = "acme.engine:Engine"
    role = policy.data["roles"][0] | {"released-by": [f"{reference}.close"], "factory": [f"{reference}.clone"]}
    event = {"id": "run", "emitter": [f"{reference}.emit"], "event": "event", "run": "run", "sequence": "a b"}
    source = """
import lab, acme.engine as module
before = dict(vars(module.Engine))
guard = lab.install()
user = __import__("acme.context").context.user
user.set("alice"); engine = module.Engine().clone()
results = engine.emit("a", 1), engine.close()
put = sorted(name for name in before if vars(module.Engine)[name] is not before[name])
guard.uninstall()
lab.out(put=put, results=results, same=dict(vars(module.Engine)) == before)
"""
    answer = lab.run(policy.tree | tree | {"main.py": source}, policy.data | {"roles": [role], "events": [event]})

    assert answer.error is None
    assert answer.out == {"put": ["clone", "close", "emit"], "results": ["sent", "closed"], "same": True}


def test_a_method_that_somebody_kept_works_on_when_the_guard_has_gone(lab, policy):
    source = """
kept = engine.ask
guard.uninstall()
lab.out(result=kept("still"), codes=lab.codes())
"""
    answer = lab.run(policy.tree | {"main.py": BEGIN + LEAK + source}, policy.data, mode="strict")

    assert answer.out == {"result": "still", "codes": []}


UNKNOWN = {
    "no tenant here": "user.set('alice'); engine = Engine(); user.set(None); engine.ask()",
    "a copy": "import copy; user.set('alice'); engine = Engine(); user.set('bob'); copy.copy(engine).ask()",
    "a thread": (
        "import threading; user.set('alice'); engine = Engine()\n"
        "thread = threading.Thread(target=engine.ask, context=None) if False else threading.Thread(target=engine.ask)\n"
        "import contextvars; contextvars.Context().run(thread.start); thread.join()"
    ),
    "a tenant that cannot be compared": "user.set('alice'); engine = Engine(); user.set(object()); engine.ask()",
    "an object from before the guard": "engine = EARLY; user.set('bob'); engine.ask()",
}


@pytest.mark.parametrize("description", UNKNOWN)
def test_what_nobody_can_tell_is_counted_and_never_fails(lab, policy, description):
    source = "import lab\nfrom acme.context import user\nfrom acme.engine import Engine\nEARLY = Engine()\nguard = lab.install()\n"
    source += UNKNOWN[description] + "\nlab.out(unknown=guard.status()['unknown'])\n"
    answer = lab.run(policy.tree | {"main.py": source}, policy.data, mode="strict")

    assert answer.error is None
    assert answer.violations == []
    assert answer.out["unknown"] == {"SSG301 engine": 1}


def test_a_bug_of_ours_harms_nobody(lab, policy):
    source = """
from ssot_guard.watch.tenants import uses, callers
def broken(*args, **kwargs): raise ZeroDivisionError("ours")
results = []
for module, name in ((uses, "identity"), (uses, "pseudonym"), (callers, "caller"), (uses.importer, "site")):
    before = getattr(module, name)
    setattr(module, name, broken)
    results.append((engine.ask("ok"), engine.name))
    setattr(module, name, before)
lab.out(results=results, errors=guard.status()["internal_errors"])
"""
    answer = lab.run(policy.tree | {"main.py": BEGIN + LEAK + source}, policy.data, mode="strict")

    assert answer.error is None
    assert answer.out["results"] == [["ok", "engine"]] * 4
    assert answer.out["errors"] == {"ownership": 5}, "then it is off"


def test_excluded_files_use_what_they_like_and_so_does_what_they_call(lab, policy):
    tree = {
        "acme/use.py": "def use(engine):\n    engine.ask()\n",
        "acme/engine.py": "class Engine:\n    def ask(self): return self.deeper()\n    def deeper(self): pass\n",
    }
    source = "from acme.use import use\nuse(engine)\nuse(engine)\n"
    data = policy.data | {"exclude": ["acme/use.py"]}
    answer = lab.run(policy.tree | tree | {"main.py": BEGIN + LEAK + source}, data, mode="strict")

    assert answer.error is None
    assert answer.violations == []


POOL = {
    "acme/pool.py": """
        class Pool:
            def __init__(self): self.idle = []
            def release(self, engine):
                engine.ask()
                self.idle.append(engine)
            async def arelease(self, *, engine):
                self.idle.append(engine)
            @staticmethod
            def give(engine): pass
        def back(engine): pass
    """
}
RELEASES = [
    "acme.pool:Pool.release",
    "acme.pool:Pool.arelease",
    "acme.pool:Pool.give",
    "acme.pool:back",
    "acme.engine:Engine.close",
]
WAYS = [
    "pool.release(engine)",
    "asyncio.run(pool.arelease(engine=engine))",
    "pool.give(engine)",
    "acme.pool.back(engine)",
    "engine.close()",
]
POOLED = """
import asyncio, lab
guard = lab.install()
from acme.context import user
from acme.engine import Engine
import acme.pool
pool = acme.pool.Pool()
user.set("alice"); engine = Engine(); engine.ask()
"""


def pooled(policy):
    tree = {"acme/engine.py": "class Engine:\n    def ask(self): return 1\n    def close(self): return self.ask()\n"}
    roles = [policy.data["roles"][0] | {"released-by": RELEASES}]
    return policy.tree | POOL | tree, policy.data | {"roles": roles}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_given_back_belongs_to_the_next_tenant(lab, policy, way):
    tree, data = pooled(policy)
    source = f"""
{way}
user.set("bob"); engine.ask(); engine.ask()
before = lab.codes()
user.set("alice"); engine.ask()
lab.out(before=before, after=lab.codes())
"""
    answer = lab.run(tree | {"main.py": POOLED + source}, data)

    assert answer.internal_errors == {}
    assert answer.out == {"before": [], "after": ["SSG301"]}


def test_what_was_given_back_is_the_last_tenants_again_if_that_one_comes_first(lab, policy):
    tree, data = pooled(policy)
    source = "pool.release(engine)\nengine.ask()\nuser.set('bob'); engine.ask()\n"
    answer = lab.run(tree | {"main.py": POOLED + source}, data)

    assert [row["code"] for row in answer.violations] == ["SSG301"]


def test_nobody_is_blamed_for_looking_after_idle_objects(lab, policy):
    tree, data = pooled(policy)
    source = "pool.release(engine)\nuser.set(None); engine.ask()\nuser.set('bob'); engine.ask()\n"
    answer = lab.run(tree | {"main.py": POOLED + source}, data, mode="strict")

    assert answer.error is None
    assert answer.violations == []


def test_another_tenant_that_gives_back_is_found(lab, policy):
    tree, data = pooled(policy)
    source = "user.set('bob'); engine.close()\n"
    answer = lab.run(tree | {"main.py": POOLED + source}, data)

    assert [(row["code"], row["target"]) for row in answer.violations] == [("SSG301", "acme.engine:Engine.close")]


def test_a_pool_may_hand_on_before_its_call_returns(lab, policy):
    tree, data = pooled(policy)
    tree["acme/pool.py"] = """
        class Pool:
            def release(self, engine):
                engine.ask()
                self.handed(engine)
    """
    source = """
def next_one(engine):
    user.set("bob"); engine.ask(); user.set("alice")
pool.handed = next_one
pool.release(engine)
user.set("bob"); engine.ask()
"""
    answer = lab.run(tree | {"main.py": POOLED + source}, data, mode="strict")

    assert answer.error is None
    assert answer.violations == []


TENANT_FROM = {
    "acme/engine.py": """
        class Engine:
            def __init__(self, who): self.context = {"user_id": who} if who else None
            def ask(self): return 1
    """
}


@pytest.mark.parametrize(
    ("program", "codes"),
    [
        ("user.set('alice'); engine = Engine('alice'); engine.ask()", []),
        ("user.set('admin'); engine = Engine('alice'); user.set('alice'); engine.ask()", []),
        ("user.set('alice'); engine = Engine('bob'); engine.ask()", ["SSG301"]),
        ("engine = Engine('alice'); user.set('bob'); engine.ask()", ["SSG301"]),
        (
            "user.set('alice'); engine = Engine(None); user.set('bob'); engine.ask(); user.set('alice'); engine.ask()",
            ["SSG301"],
        ),
        ("engine = Engine(None)", ["SSG303"]),
        (
            "user.set('alice'); engine = Engine(None); engine.context = {'user_id': 'bob'}; user.set('bob'); engine.ask()",
            [],
        ),
        (
            "import copy; user.set('alice'); engine = copy.copy(Engine('alice')); guard.check(); user.set('bob'); engine.ask()",
            ["SSG301"],
        ),
    ],
)
def test_the_owner_is_read_from_the_object_where_the_policy_says_so(lab, policy, program, codes):
    roles = [policy.data["roles"][0] | {"tenant-from": "self.context.user_id"}]
    source = f"{program}\nlab.out(codes=lab.codes())\n"
    answer = lab.run(policy.tree | TENANT_FROM | {"main.py": BEGIN + source}, policy.data | {"roles": roles})

    assert answer.error is None
    assert answer.internal_errors == {}
    assert answer.out["codes"] == codes


@pytest.mark.parametrize("package", ["pydantic", "attrs"])
def test_classes_of_other_peoples_making(lab, policy, package):
    pytest.importorskip(package if package == "pydantic" else "attr")
    tree = {
        "pydantic": "import pydantic\nclass Engine(pydantic.BaseModel):\n    size: int = 1\n    def ask(self): return 1\n",
        "attrs": "import attrs\n@attrs.define\nclass Engine:\n    size: int = 1\n    def ask(self): return 1\n",
    }
    answer = lab.run(
        policy.tree | {"acme/engine.py": tree[package], "main.py": BEGIN + LEAK + "engine.ask()\n"}, policy.data
    )

    assert answer.error is None
    assert [row["target"] for row in answer.of("SSG301")] == ["acme.engine:Engine.ask"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_counts_for_itself(lab, policy):
    source = """
import json, os
def use(): engine.ask()
use()
reader, writer = os.pipe()
if os.fork() == 0:
    begin = lab.codes()
    use()  # whose it is, only the parent knows
    inherited = lab.codes(), guard.status()["unknown"]
    user.set("alice"); engine = Engine()
    user.set("bob"); use()
    os.write(writer, json.dumps([begin, inherited, lab.codes()]).encode())
    os._exit(0)
os.close(writer)
lab.out(child=json.loads(os.read(reader, 10_000)), parent=lab.codes())
"""
    answer = lab.run(policy.tree | {"main.py": BEGIN + LEAK + source}, policy.data)

    assert answer.error is None
    assert answer.out["parent"] == ["SSG301"]
    assert answer.out["child"] == [[], [[], {"SSG301 engine": 1}], ["SSG301"]]
