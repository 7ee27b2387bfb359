"""Hosts that do odd things with classes and factories of roles, none of them forbidden."""

import textwrap

import pytest

ENGINE = {"id": "engine", "canonical": "acme.engine:Engine", "instances": {"max": 9}, "factory": ["acme.engine:make"]}


@pytest.fixture
def run(lab):
    def run(source, program, *, mode="observe", files=(), more=(), **keys):
        tree = {
            "acme/__init__.py": "",
            "acme/engine.py": source,
            "main.py": "import lab\n" + textwrap.dedent(program),
        } | dict(files)
        policy = {"packages": ["acme"], "roles": [ENGINE | keys, *more]}
        answer = lab.run(tree, policy, mode=mode)
        assert answer.error is None, answer.stderr
        assert answer.internal_errors == {}
        return answer

    return run


def test_a_class_is_mixed_into_a_metaclass(run):
    answer = run(
        "class Engine: ...\n",
        """
        lab.install()
        from acme.engine import Engine
        class Meta(Engine, type): ...
        class Plugin(metaclass=Meta): ...
        lab.out(made=type(Plugin()).__name__)
        """,
    )
    assert answer.out["made"] == "Plugin"


@pytest.mark.parametrize("how", ["autospec=True", "spec=True", "new=lambda self: None"])
def test_a_mock_stands_in_for_an_inherited_constructor(run, how):
    returns = "" if "new" in how else ", return_value=None"
    answer = run(
        "class Engine: ...\n",
        f"""
        from unittest import mock
        lab.install()
        from acme.engine import Engine
        with mock.patch.object(Engine, "__init__", {how}{returns}):
            patched = type(Engine()).__name__
        lab.out(made=[patched, type(Engine()).__name__], own="__init__" in vars(Engine))
        """,
    )
    assert answer.out["made"] == ["Engine", "Engine"]


def test_an_explicit_implementation_of_a_protocol_keeps_its_signature(run):
    answer = run(
        "from typing import Protocol\nclass Port(Protocol):\n    def use(self): ...\nclass Engine(Port):\n    def use(self): ...\n",
        """
        import inspect
        lab.install()
        from acme.engine import Engine
        before = str(inspect.signature(Engine))
        Engine()
        lab.out(signatures=[before, str(inspect.signature(Engine))])
        """,
    )
    assert answer.out["signatures"] == ["(*args, **kwargs)", "()"] or answer.out["signatures"] == ["()", "()"]


def test_a_subclass_to_which_no_weak_reference_is_possible(run):
    """It is counted, and costs the other roles nothing."""
    answer = run(
        "class Engine: ...\nclass Pair(Engine, tuple): ...\nclass Other: ...\ndef make(): return Pair((1, 2))\n",
        """
        guard = lab.install()
        from acme.engine import Other, Pair, make
        kept = [Pair((1, 2)) for _ in range(20)], [make()], [Other(), Other()]
        lab.out(census=guard.census(), unknown=guard.status()["unknown"], active=lab.guard.status()["switched_off"])
        """,
        more=[{"id": "other", "canonical": "acme.engine:Other", "instances": {"max": 1}}],
    )
    assert (answer.out["census"]["engine"]["created"], answer.out["census"]["engine"]["live"]) == (21, "unknown")
    assert [row["rule"] for row in answer.of("SSG202")] == ["other"]
    assert answer.out["unknown"]["SSG202 engine"] == 21
    assert answer.out["active"] == []


GIVERS = """
class Engine: ...
class generator:
    made = 1
shared = (number for number in range(9))
def make(what):
    return {"shared": shared, "fresh": (Engine() for _ in range(2)), "class": generator()}[what]
"""


def test_what_a_factory_only_hands_on_stays_the_very_object(run):
    answer = run(
        GIVERS,
        """
        import gc
        guard = lab.install()
        from acme import engine
        same = engine.make("shared") is engine.shared
        gc.collect()
        lab.out(same=same, left=len(list(engine.shared)), made=engine.make("class").made, fresh=len(list(engine.make("fresh"))))
        """,
    )
    assert answer.out == {"same": True, "left": 9, "made": 1, "fresh": 2}


FORKED = """
import asyncio, json, os, threading
guard = lab.install()
from acme import engine
entered, leave = threading.Event(), threading.Event()
async def suspended():
    await engine.make(entered, leave)
thread = threading.Thread(target=lambda: asyncio.run(suspended()))
thread.start()
entered.wait(20)
read, write = os.pipe()
if os.fork() == 0:
    engine.Engine()
    os.write(write, json.dumps([[row.code for row in guard.violations()], guard.status()["unknown"]]).encode())
    os._exit(0)
child = json.loads(os.read(read, 10_000))
os.wait()
leave.set()
thread.join()
lab.out(child=child)
"""


def test_a_factory_that_another_thread_is_in_is_not_there_in_a_forked_child(run):
    source = """
        import asyncio
        class Engine: ...
        async def make(entered, leave):
            entered.set()
            while not leave.is_set():
                await asyncio.sleep(0.01)
            return Engine()
        """
    assert run(source, FORKED).out["child"] == [["SSG203"], {}]


def test_a_singleton_that_only_comes_in_by_an_import_was_built_elsewhere(lab):
    files = {
        "acme/__init__.py": "",
        "acme/engine.py": "class Engine: ...\nfrom acme.other import engine\n",
        "acme/other.py": "from acme.engine import Engine\nengine = Engine()\n",
        "main.py": "import lab\nlab.install()\nfrom acme.engine import Engine\nEngine()\n",
    }
    role = {"id": "engine", "canonical": "acme.engine:Engine", "instances": {"max": 1}}
    (row,) = lab.run(files, {"packages": ["acme"], "roles": [role]}).of("SSG202")
    assert (row["file"], row["line"], row["details"]["earlier"]) == ("main.py", 4, ["a place that was not seen"])
