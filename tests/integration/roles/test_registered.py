"""SSG207: a concrete class that its registry does not list; asked for in ``check()`` only."""

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/agents.py": """
        from abc import ABC, abstractmethod

        class Agent(ABC):
            @abstractmethod
            def answer(self): ...

        class Listed(Agent):
            def answer(self): ...

        class Missing(Agent):
            def answer(self): ...

        class _Middle(Agent):
            pass

        class Outer:
            class Nested(_Middle):
                def answer(self): ...
        """,
    "acme/registry.py": "listing = {}\n",
}
MISSING, NESTED = ("acme/agents.py", 10), ("acme/agents.py", 17)
START = "import lab\nguard = lab.install()\nimport acme.agents, acme.registry\nfrom acme.agents import Agent, Listed, Missing, Outer\n"
END = "\nlab.out(first=[one.code for one in guard.check()], again=[one.code for one in guard.check()], unknown=guard.status()['unknown'])\n"


@pytest.fixture
def run(lab):
    def run(program, where="acme.registry:listing", files=(), mode="observe", **rule):
        rule = {"id": "agent", "subclass-of": ["acme.agents:Agent"], "registered-in": where} | rule
        policy = {"packages": ["acme"], "roles": [rule]}
        answer = lab.run(TREE | dict(files) | {"main.py": START + program + END}, policy, mode=mode)
        assert (answer.error, answer.internal_errors, answer.out["again"]) == (None, {}, [])
        return answer

    return run


def found(answer):
    return sorted((row["file"], row["line"]) for row in answer.of("SSG207"))


CAUGHT = {
    "a list of classes": ("acme.registry.listing = [Listed, Outer.Nested]", [MISSING]),
    "a frozen set": ("acme.registry.listing = frozenset({Listed})", [MISSING, NESTED]),
    "nothing": ("acme.registry.listing = []", [MISSING, NESTED, ("acme/agents.py", 7)]),
    "a mapping of names to classes": ("acme.registry.listing = {'listed': Listed, 'x': Outer.Nested}", [MISSING]),
    "a mapping of classes to factories": ("acme.registry.listing = {Listed: print, Outer.Nested: print}", [MISSING]),
    "a list of names": ("acme.registry.listing = ['Listed', 'Nested']", [MISSING]),
    "dotted names": ("acme.registry.listing = ['acme.agents.Listed', 'acme.agents:Outer.Nested']", [MISSING]),
    "instances": ("acme.registry.listing = [Listed(), Outer.Nested()]", [MISSING]),
    "pairs": ("acme.registry.listing = [('listed', Listed), ['nested', Outer.Nested]]", [MISSING]),
    "a function": ("acme.registry.listing = lambda: [Listed, Outer.Nested]", [MISSING]),
    "a class that is there under another name": (
        "acme.registry.listing = [type('Missing', (), {}), Listed, Outer.Nested]",
        [MISSING],
    ),
    "entries of other roles only": ("acme.registry.listing = [int, str]", [MISSING, NESTED, ("acme/agents.py", 7)]),
}


@pytest.mark.parametrize("shape", CAUGHT)
def test_a_concrete_class_that_nothing_can_select_is_found_at_its_line(run, shape):
    program, expected = CAUGHT[shape]
    assert found(run(program)) == sorted(expected)


def test_the_registry_may_be_a_method_behind_a_path(run):
    program = "class Registry:\n    def __init__(self): self.found = {'a': Listed}\n    def list(self): return self.found.values()\nacme.registry.registry = Registry()"
    assert found(run(program, "acme.registry:registry.list")) == [MISSING, NESTED]
    assert found(run(program, "acme.registry:registry.found")) == [MISSING, NESTED]


SILENT = {
    "all of them": "acme.registry.listing = [Listed, Missing, Outer.Nested]",
    "more than them": "acme.registry.listing = [Listed, Missing, Outer.Nested, Agent, int, 'x', None, 3]",
    "names": "acme.registry.listing = {'Listed', 'Missing', 'Outer.Nested'}",
    "a nested mapping": "acme.registry.listing = {'v1': {'a': Listed, 'b': [Missing]}, 'v2': {'c': Outer.Nested}}",
    "instances": "acme.registry.listing = [Listed(), Missing(), Outer.Nested()]",
    "a function that gives a generator": "acme.registry.listing = lambda: iter([Listed, Missing, Outer.Nested])",
    "a tuple of pairs": "acme.registry.listing = (('a', Listed), ('b', Missing), ('c', Outer.Nested))",
    "names with their modules": "acme.registry.listing = ['acme.agents:Listed', 'acme.agents:Missing', 'acme.agents:Outer.Nested']",
    "a method of an object": "class Known:\n    def all(self): return {Listed: 1, Missing: 2, Outer.Nested: 3}\nacme.registry.listing = Known().all",
    "a gone class": "def make():\n    class Made(Listed): ...\nmake()\nimport gc\ngc.collect()\nacme.registry.listing = [Listed, Missing, Outer.Nested]",
}
UNKNOWN = {
    "it raises": ("def listing(): raise ValueError('no database')\nacme.registry.listing = listing", "failed: ValueError: no database"),
    "it needs arguments": ("acme.registry.listing = lambda kind: []", "failed: TypeError: "),
    "it is asynchronous": ("async def listing(): return []\nacme.registry.listing = listing", "failed: TypeError: it is asynchronous"),
    "it is not there": ("del acme.registry.listing", "failed: AttributeError: "),
    "it gives nothing to look at": ("acme.registry.listing = lambda: 3", "failed: TypeError: "),
    "names of its own": ("acme.registry.listing = ['listed_agent', 'missing_agent']", "lists nothing that can be recognised"),
    "other people's objects": ("acme.registry.listing = [object(), print]", "lists nothing that can be recognised"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SILENT)
def test_what_is_listed_is_silent(run, shape):
    answer = run(SILENT[shape])
    assert (found(answer), answer.out["unknown"], answer.stderr) == ([], {}, "")


@pytest.mark.parametrize("shape", UNKNOWN)
def test_a_registry_that_cannot_tell_is_said_once_and_accuses_nobody(run, shape):
    program, text = UNKNOWN[shape]
    answer = run(program)
    assert (found(answer), answer.out["unknown"]) == ([], {"SSG207 agent": 2})
    (line,) = answer.stderr.splitlines()
    assert line.startswith(f"ssot-guard: registered-in of the role agent: acme.registry:listing {text}")


def test_a_registry_that_is_not_loaded_is_unknown_and_never_imported(run):
    answer = run("", "acme.never:listing", {"acme/never.py": "raise SystemExit"})
    assert (found(answer), answer.out["unknown"], answer.stderr) == ([], {"SSG207 agent": 2}, "")


def test_nothing_is_called_before_check(run):
    program = "calls = []\nacme.registry.listing = lambda: calls.append(1) or [Listed]\nlab.out(calls=len(calls))"
    assert run(program).out["calls"] == 0


def test_the_home_that_all_others_extend_need_not_be_listed(run):
    files = {"acme/more.py": "from acme.agents import Listed\nclass More(Listed): ...\nclass Deeper(More): ...\n"}
    answer = run(
        "import acme.more\nacme.registry.listing = [acme.more.More]",
        files=files,
        **{"subclass-of": [], "canonical": "acme.agents:Listed"},
    )
    assert [row["target"] for row in answer.of("SSG207")] == ["acme.more:Deeper"]


def test_it_warns_and_never_blocks(run):
    (row,) = run("acme.registry.listing = [Listed, Outer.Nested]", mode="strict").of("SSG207")
    assert (row["mode"], row["kind"], row["target"]) == ("warn", "class", "acme.agents:Missing")
    assert row["message"] == "acme.agents:Missing is missing from acme.registry:listing: nothing can select it"
