"""SSG205: every mismatch of one class in one message, at the line of the class; and what satisfies its interface."""

import sys

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/protocols.py": """
        from abc import ABC, abstractmethod
        from collections.abc import AsyncIterator, Awaitable, Iterator
        from typing import Annotated, Any, ClassVar, Optional, Protocol, Union

        class RunnerProtocol(Protocol):
            name: str
            limit: ClassVar[int]

            def run(self, task: str, timeout: float = 1.0) -> str: ...
            async def stop(self, *, force: bool = False) -> None: ...
            def stream(self) -> AsyncIterator[str]: ...
            def items(self) -> Iterator[int]: ...
            def later(self) -> Awaitable[int]: ...
            def anything(self, *args: Any, **kwargs: Any) -> Any: ...
            def either(self) -> Annotated[Iterator[int] | Iterator[str], "one of them"]: ...
            def maybe(self) -> Optional[Union[AsyncIterator[int], Awaitable[int]]]: ...
            @property
            def size(self) -> int: ...
            @classmethod
            def create(cls, path: str) -> "RunnerProtocol": ...
            @staticmethod
            def check(value: int) -> bool: ...
            def __call__(self, task: str) -> str: ...
            def __len__(self) -> int: ...

        class Store(ABC):
            DEFAULT = 3

            @abstractmethod
            def get(self, key, default=None): ...

            @property
            @abstractmethod
            def path(self): ...

            @abstractmethod
            async def load(self): ...

            def close(self):
                pass

            def _hidden(self):
                pass
        """,
    "acme/home.py": """
        from pydantic_like import Model

        class Engine(Model):
            speed: int = 0
            _private = 1
            log = print

            def __init__(self, size):
                self.size = size

            def start(self, key, *, now=True):
                self.running = True

            async def pause(self):
                pass

            @property
            def load(self):
                return 1

            @load.setter
            def load(self, value):
                pass

            def _inner(self):
                pass

            def __enter__(self):
                return self

            def __exit__(self, kind, error, trace):
                pass

            def __repr__(self):
                return ""

            def each(self):
                yield 1
        """,
    "pydantic_like.py": "class Model:\n    def model_dump(self): ...\n",
}
POLICY = {
    "packages": ["acme"],
    "roles": [
        {"id": "runner", "match": ["*Runner"], "interface": "acme.protocols:RunnerProtocol", "reason": "all run alike"},
        {"id": "store", "match": ["*Storage"], "interface": "acme.protocols:Store"},
        {
            "id": "engine",
            "canonical": "acme.home:Engine",
            "match": ["*Engine"],
            "interface": "acme.home:Engine",
            "retiring": [],
        },
        {"id": "later", "match": ["*Late"], "interface": "lib.late:Interface"},
    ],
}

RUNNER = """
        class {name}:{mark}
            name = ""
            limit = 3
            def run(self, task, timeout=1.0): return task
            async def stop(self, *, force=False): pass
            async def stream(self): yield ""
            def items(self): return iter(())
            async def later(self): return 1
            def anything(self, a, *, b): pass
            def either(self): yield 1
            async def maybe(self): yield 1
            @property
            def size(self): return 1
            @classmethod
            def create(cls, path): return cls()
            @staticmethod
            def check(value): return True
            def __call__(self, task): return task
            def __len__(self): return 1
"""


def changed(**members):
    """A runner with some members replaced (or, with None, removed)."""
    lines = RUNNER.format(name="OneRunner", mark="  # <-").split("\n")
    for name, member in members.items():
        at = next(index for index, line in enumerate(lines) if f"def {name}(" in line or f"    {name} =" in line)
        first = at - 1 if "@" in lines[at - 1] else at
        new = [] if member is None else ["            " + line for line in member.split("\n")]
        lines[first : at + 1] = new
    return "\n".join(lines)


EVERYTHING = [
    "run",
    "stop",
    "stream",
    "items",
    "later",
    "anything",
    "either",
    "maybe",
    "size",
    "create",
    "check",
    "__call__",
    "__len__",
    "name",
    "limit",
]
CAUGHT = {
    "no method": (changed(run=None), ["`run` is missing"]),
    "nothing at all": (
        "class OneRunner:  # <-\n    pass\n",
        [f"`{name}` is missing" for name in EVERYTHING],
    ),
    "a method of nothing": (changed(run="run = None"), ["`run` is missing"]),
    "no data": (changed(name=None), ["`name` is missing"]),
    "a method for data": (changed(name="def name(self): return ''"), ["`name` is a method, not data"]),
    "no parameter": (changed(run="def run(self, task): pass"), ["`run` lacks the parameter `timeout`"]),
    "another name": (changed(run="def run(self, job, timeout=1.0): pass"), ["`run` calls its parameter `job`, not `task`"]),
    "another order": (
        changed(run="def run(self, timeout=1.0, task=''): pass"),
        ["`run` has `task` in another place", "`run` has `timeout` in another place"],
    ),
    "no default": (changed(run="def run(self, task, timeout): pass"), ["`run` requires `timeout`"]),
    "one more to pass": (changed(run="def run(self, task, timeout=1.0, *, user): pass"), ["`run` also requires `user`"]),
    "one more in line": (changed(run="def run(self, task, timeout, user): pass"), ["`run` requires `timeout`", "`run` also requires `user`"]),
    "by position only": (changed(run="def run(self, task, timeout=1.0, /): pass"), ["`run` takes `task` by position only", "`run` takes `timeout` by position only"]),
    "by name only": (changed(run="def run(self, task, *, timeout=1.0): pass"), ["`run` takes `timeout` by name only"]),
    "a coroutine for a union of iterators": (changed(either="async def either(self): pass"), ["`either` is async, not a plain function"]),
    "a decorator with parameters of its own": (
        changed(run="def timed(f):\n    import functools\n    def call(self, task): return f(self, task, timeout=1)\n    return functools.wraps(f)(call)\n@timed\ndef run(self, task, timeout=1.0): pass"),
        ["`run` lacks the parameter `timeout`"],
    ),
    "a keyword less": (changed(stop="async def stop(self): pass"), ["`stop` lacks the parameter `force`"]),
    "a keyword demanded": (changed(stop="async def stop(self, *, force): pass"), ["`stop` requires `force`"]),
    "plain for async": (changed(stop="def stop(self, *, force=False): pass"), ["`stop` is a plain function, not async"]),
    "async for plain": (changed(run="async def run(self, task, timeout=1.0): pass"), ["`run` is async, not a plain function"]),
    "a generator for async": (changed(stop="def stop(self, *, force=False): yield"), ["`stop` is a generator, not async"]),
    "a coroutine for a stream": (changed(stream="async def stream(self): return iter(())"), ["`stream` is async, not a plain function"]),
    "a plain generator for a stream": (changed(stream="def stream(self): yield ''"), ["`stream` is a generator, not a plain function"]),
    "a method for a property": (changed(size="def size(self): return 1"), ["`size` is a method, not a property"]),
    "a property for a method": (changed(run="@property\ndef run(self): return 1"), ["`run` is a property, not a method"]),
    "a method for a class method": (changed(create="def create(self, path): pass"), ["`create` is a method, not a class method"]),
    "a method for a static method": (changed(check="def check(self, value): pass"), ["`check` is a method, not a static method"]),
    "a class method with too little": (changed(create="@classmethod\ndef create(cls): pass"), ["`create` lacks the parameter `path`"]),
    "a call with too little": (changed(__call__="def __call__(self): pass"), ["`__call__` lacks the parameter `task`"]),
    "everything in one message": (
        changed(run=None, stop="def stop(self, *, force): pass", size="size = None"),
        ["`run` is missing", "`stop` is a plain function, not async", "`stop` requires `force`", "`size` is missing"],
    ),
    "a dictionary": ("class DictStorage(dict):  # <-\n    pass\n", ["`path` is missing", "`load` is missing", "`close` is missing"]),
    "an inherited mismatch": (
        changed(run=None).replace("class OneRunner:", "class _Base:\n            def run(self): pass\n\n        class OneRunner(_Base):"),
        ["`run` lacks the parameter `task`", "`run` lacks the parameter `timeout`"],
    ),
    "an abstract class without its members": (
        "class FileStorage:  # <-\n    def get(self, key): pass\n    path = None\n    def load(self): pass\n",
        ["`get` lacks the parameter `default`", "`path` is missing", "`load` is a plain function, not async", "`close` is missing"],
    ),
    "not like the home": (
        "class SlowEngine:  # <-\n    def start(self, key): pass\n    def pause(self): pass\n    @property\n    def load(self): return 1\n    def each(self) -> list: return []\n",
        [
            "`start` lacks the parameter `now`", "`pause` is a plain function, not async", "`load` cannot be set",
            "`__enter__` is missing", "`__exit__` is missing", "`each` is a plain function, not a generator", "`speed` is missing",
        ],
    ),
    "a subclass of the home that changes it": (
        "from acme.home import Engine\nclass QuietEngine(Engine):  # <-\n    def start(self, key): pass\n    pause = None\n",
        ["`start` lacks the parameter `now`", "`pause` is missing"],
    ),
    "decorated, and the wrong kind": (
        (
            "import functools\ndef logged(f):\n    @functools.wraps(f)\n    async def call(*a, **k): return await f(*a, **k)\n    return call\n"
            "class LoggedStorage:  # <-\n    def get(self, key, default=None): pass\n    @property\n    def path(self): pass\n    @logged\n    async def load(self, where): pass\n    def close(self, *, now): pass\n"
        ),
        ["`close` also requires `now`"],
    ),
}  # fmt: skip

SILENT = {
    "everything as it should be": RUNNER.format(name="GoodRunner", mark=""),
    "wider signatures": changed(
        run="def run(self, task='', timeout=0, *more, user=None, **rest): pass",
        create="@classmethod\ndef create(cls, path=None, *rest): pass",
        stop="async def stop(self, force=False, *, later=True): pass",
        __call__="def __call__(self, *args, **kwargs): pass",
    ),
    "declared data": changed(name="name: str", limit="limit: int"),
    "data set by methods": changed(name="def __init__(self): self.name = ''", limit="def set(self): self.limit = 1"),
    "slots and cached properties": changed(name="__slots__ = ('name',)", size="import functools\n@functools.cached_property\ndef size(self): return 1"),
    "a property for data, data for a property": changed(name="@property\ndef name(self): return ''", size="size = 3"),
    "class methods for methods": changed(run="@classmethod\ndef run(cls, task, timeout=1.0): pass", check="@classmethod\ndef check(cls, value): pass", create="@staticmethod\ndef create(path): pass"),
    "what only a call would tell": changed(
        stop="def stop(self, *, force=False) -> 'Awaitable[None]': pass",
        stream="def stream(self): return self.source.stream()",
        items="def items(self): yield 1",
        later="def later(self): return self.pool.submit(1)",
        run="run = property(lambda self: 1).fget.__call__",
    ),
    "decorators that know what they do": changed(
        run="import functools\n@functools.lru_cache\ndef run(self, task, timeout=1.0): pass",
        stop="import contextlib\n@contextlib.asynccontextmanager\nasync def stop(self, *, force=False): yield",
        anything="anything = functools.partialmethod(print, 1)",
    ),
    "a decorator that fills in parameters": changed(
        run="def owned(f):\n    import functools\n    def call(self, task, timeout=1.0): return f(self, 'db', 'owner', task, timeout)\n    return functools.update_wrapper(call, f)\n@owned\ndef run(self, database, owner, task, timeout): pass",
    ),
    "delegation by getattr": "class ProxyRunner:\n    def __getattr__(self, name): return getattr(self.inner, name)\n",
    "an abstract class": "from abc import ABC, abstractmethod\nclass BaseRunner(ABC):\n    @abstractmethod\n    def run(self): ...\nclass HalfRunner(BaseRunner):\n    def stop(self): ...\n",
    "a protocol of its own": "from typing import Protocol\nclass OtherRunner(Protocol):\n    def run(self): ...\n",
    "a subclass of the interface": "from acme.protocols import RunnerProtocol\nclass ChildRunner(RunnerProtocol):\n    name = ''\n    limit = 1\n",
    "a subclass of the abstract class": "from acme.protocols import Store\nclass DiskStorage(Store):\n    path = '/'\n    def get(self, key, default=None): pass\n    async def load(self): pass\n",
    "an enum and a named tuple": "from enum import Enum\nclass Kind(Enum):\n    Runner = 1\n    OneRunner = 2\n",
    "a subclass of the home": "from acme.home import Engine\nclass FastEngine(Engine):\n    def start(self, key, *, now=True, gently=False): pass\n    def _inner(self, more): pass\n    def __init__(self): pass\n",
    "members that answer nothing": RUNNER.format(name="OddRunner", mark="").replace("limit = 3", "limit = odd") .replace(
        "        class OddRunner",
        "        class Meta(type):\n            def __getattribute__(cls, name): raise RuntimeError('asked')\n            __hash__ = None\n"
        "        class Odd(metaclass=Meta): pass\n        odd = Odd()\n        class OddRunner",
    ),
    "waits for its interface": "class OneLate: ...\n",
}  # fmt: skip
SILENT = {name: source.replace("  # <-", "") for name, source in SILENT.items()}
TABLE = {name: source for name, (source, _) in CAUGHT.items()} | SILENT
ORDERS = {
    "the interfaces first": (["acme.protocols", "acme.home"], []),
    "the interfaces last": ([], ["acme.protocols", "acme.home"]),
}


@pytest.fixture(scope="module", params=ORDERS)
def found(request, shapes):
    before, after = ORDERS[request.param]
    return shapes(TABLE, TREE, POLICY, before=before, after=after)


@pytest.mark.parametrize("shape", CAUGHT)
def test_what_does_not_satisfy_its_interface_says_all_of_it_at_once(found, shape):
    (row,) = found.found(shape, "SSG205")
    assert [row["line"]] == found.expected(shape)
    assert row["details"]["mismatches"] == CAUGHT[shape][1]


@pytest.mark.parametrize("shape", SILENT)
def test_what_satisfies_it_is_silent(found, shape):
    assert [row["details"]["mismatches"] for row in found.found(shape, "SSG205")] == []


def test_each_is_found_once_and_nothing_else(found):
    assert found.everywhere("SSG205") == found.all_expected()
    assert {row["count"] for row in found.answer.of("SSG205")} == {1}
    assert found.answer.out["again"] == []


def test_the_message_names_class_interface_and_reason(found):
    (row,) = found.found("no method", "SSG205")
    assert row["message"] == (
        "acme.no_method:OneRunner does not satisfy acme.protocols:RunnerProtocol (acme/protocols.py:5): "
        "`run` is missing (all run alike)"
    )


def test_it_never_blocks_and_is_judged_when_the_interface_comes(lab):
    files = {
        "acme/one.py": "class OneLate: ...\n",
        "lib/__init__.py": "",
        "lib/late.py": "from typing import Protocol\nclass Interface(Protocol):\n    def run(self): ...\n",
        "main.py": (
            "import lab\nlab.install()\nimport acme.one\nlab.out(before=lab.codes())\n"
            "import lib.late\nlab.out(new=[one.code for one in lab.guard.check()])\n"
        ),
    }
    answer = lab.run(TREE | files, POLICY, mode="strict")
    assert (answer.error, answer.out) == (None, {"before": [], "new": ["SSG205"]})
    assert [(row["mode"], row["line"]) for row in answer.of("SSG205")] == [("warn", 1)]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are computed when asked for")
def test_annotations_of_the_application_are_never_computed(lab):
    files = {
        "acme/one.py": "def ask():\n    raise RuntimeError('asked')\nclass OneRunner:\n    name: ask()\n    def run(self) -> ask(): ...\n",
        "main.py": "import lab\nlab.install()\nimport acme.protocols, acme.one\n",
    }
    (row,) = lab.run(TREE | files, POLICY).of("SSG205")
    assert "`name` is missing" not in row["details"]["mismatches"]
