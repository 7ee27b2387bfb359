"""SSG303: an isolated object that nobody can ever be the owner of."""

import pytest

CAUGHT = {
    "built at import time": """
        class Engine:
            pass
        engine = Engine()  # <-
        def main(): pass
    """,
    "built while its own class is not complete": """
        class Engine:
            pass
        class Holder:
            engine = None
        engines = {"one": Engine()}  # <-
        engine: Engine = Engine()  # <-
        again = engine
        def main(): pass
    """,
    "built before the tenant is entered": """
        class Engine:
            pass
        def main():
            engine = Engine()  # <-
            user.set("alice")
    """,
    "built by a factory": """
        class Engine:
            pass
        def make():
            return Engine()  # <-
        def main():
            make()
            user.set("alice"); make()
    """,
    "built in a thread that lost its context": """
        import threading
        class Engine:
            pass
        def work():
            Engine()  # <-
        def main():
            import contextvars
            user.set("alice"); work_alone = contextvars.Context().run
            thread = threading.Thread(target=work_alone, args=(work,)); thread.start(); thread.join()
    """,
    "built in an executor that lost its context": """
        import asyncio
        class Engine:
            pass
        def work():
            return Engine()  # <-
        async def serve():
            await asyncio.get_running_loop().run_in_executor(None, work)
        def main():
            user.set("alice"); asyncio.run(serve())
    """,
    "built where the tenant is empty": """
        class Engine:
            pass
        def main():
            user.set(""); Engine()  # <-
            user.set(None); Engine()  # <-
    """,
    "built where nobody is served": """
        class Engine:
            pass
        def main():
            user.set("alice")
            with ssot_guard.tenant(None):
                Engine()  # <-
    """,
    "a subclass": """
        class Engine:
            pass
        class FastEngine(Engine):
            def __init__(self):
                super().__init__()
        def main():
            FastEngine()  # <-
    """,
    "built in a loop is one line": """
        class Engine:
            pass
        def main():
            engines = [Engine() for _ in range(3)]  # <-
    """,
    "built outside and used outside": """
        class Engine:
            def ask(self): return self.deeper()
            def deeper(self): return 1
            @property
            def name(self): return 1
        def main():
            engine = Engine()  # <-
            engine.ask()  # <-
            engine.name  # <-
    """,
    "a dataclass": """
        from dataclasses import dataclass
        @dataclass
        class Engine:
            size: int = 1
        def main():
            Engine(2)  # <-
    """,
}

SILENT = {
    "built for a tenant": """
        class Engine:
            pass
        def main():
            user.set("alice"); Engine()
            with ssot_guard.tenant("bob"): Engine()
    """,
    "built outside and used inside": """
        class Engine:
            def ask(self): return 1
        def main():
            engine = Engine()  # <-
            user.set("alice"); engine.ask()
            user.set("bob"); engine.ask()
    """,
    "built inside and used outside": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set("alice"); engine = Engine()
            user.set(None); engine.ask()
    """,
    "a constructor that fails": """
        class Engine:
            def __init__(self): raise ValueError
        def main():
            try:
                Engine()
            except ValueError:
                pass
    """,
    "a class that plays no role": """
        class Thing:
            def use(self): return 1
        def main():
            Thing().use()
    """,
    "copied objects": """
        import copy, pickle
        class Engine:
            pass
        def main():
            user.set("alice"); engine = Engine()
            user.set(None); copy.copy(engine); pickle.loads(pickle.dumps(engine))
    """,
    "a tenant that cannot be compared": """
        class Engine:
            def ask(self): return 1
        def main():
            user.set(object()); Engine().ask()
    """,
    "a background task that kept an ended block": """
        import asyncio
        class Engine:
            def ask(self): return 1
        async def late(release):
            await release.wait()
            Engine().ask()
        async def serve():
            release = asyncio.Event()
            with ssot_guard.tenant("alice"):
                task = asyncio.create_task(late(release))
            release.set()
            await task
        def main():
            asyncio.run(serve())
    """,
    "a task of its own": """
        import asyncio
        class Engine:
            def ask(self): return 1
        async def work():
            Engine().ask()
        async def serve():
            user.set("alice")
            await asyncio.gather(work(), asyncio.create_task(work()), asyncio.to_thread(Engine))
        def main():
            asyncio.run(serve())
    """,
    "mocks": """
        from unittest.mock import Mock, create_autospec
        class Engine:
            def ask(self): return 1
        def main():
            Mock(spec=Engine).ask()
            create_autospec(Engine)(). ask()
    """,
}


@pytest.fixture(scope="module")
def answers(programs):
    return programs(CAUGHT | SILENT)


@pytest.mark.parametrize("description", [*CAUGHT, *SILENT])
def test_what_is_built_outside_any_tenant_is_found_at_the_line_that_builds_it(answers, description):
    assert answers.lines(description, "SSG303") == answers.expected(description)


def test_nothing_else_is_found(answers):
    assert answers.found("SSG303") == answers.marked()
    assert answers.found("SSG301") == []


def test_it_never_blocks(lab, policy):
    source = "import lab\nguard = lab.install()\nfrom acme.engine import Engine\nengine = Engine()\nengine.ask()\n"
    answer = lab.run(policy.tree | {"main.py": source}, policy.data, mode="strict")

    assert answer.error is None
    assert [(row["code"], row["target"], row["action"]) for row in answer.violations] == [
        ("SSG303", "acme.engine:Engine", "warned"),
        ("SSG303", "acme.engine:Engine.ask", "warned"),
    ]


@pytest.mark.parametrize(
    ("more", "codes"),
    [("", []), ("import ssot_guard\nwith ssot_guard.tenant('alice'): pass\n", ["SSG303"])],
    ids=["nobody could know", "somebody said so before"],
)
def test_a_process_that_cannot_know_any_tenant_is_left_alone(lab, policy, more, codes):
    source = f"import lab\nguard = lab.install()\nfrom acme.engine import Engine\n{more}Engine()\n"
    data = {key: value for key, value in policy.data.items() if key != "tenant"}
    answer = lab.run(policy.tree | {"main.py": source}, data)

    assert [row["code"] for row in answer.violations] == codes


def test_each_repeat_counts(lab, policy):
    source = "import lab\nguard = lab.install()\nfrom acme.engine import Engine\nfor _ in range(5):\n    Engine()\n"
    answer = lab.run(policy.tree | {"main.py": source}, policy.data)

    assert [(row["code"], row["count"]) for row in answer.violations] == [("SSG303", 5)]
