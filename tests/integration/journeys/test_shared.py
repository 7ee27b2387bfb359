"""One object of a journey that is entered and left by many, in functions of their own: right times, or none."""

import pytest

POLICY = {"packages": ["acme"], "journeys": [{"id": "path", "target": 0.5, "min-runs": 1000, "max-seconds": 30}]}
CLOCK = """
from ssot_guard.watch.journeys import runs
clock = [0.0]
runs.perf_counter = lambda: clock[0]
def wait(seconds): clock[0] += seconds
J = journey("path")
class Hooks:
    def start(self): J.__enter__()
    def end(self, error=None): J.__exit__(type(error), error, None)
class Stack:
    def start(self):
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(J)
    def end(self): self.stack.close()
class Task:
    def start(self):
        self.context = __import__("contextvars").copy_context()
        self.context.run(J.__enter__)
    def end(self): self.context.run(J.__exit__, None, None, None)
def overlap(kind, first=20, both=5, second=20):
    a, b = kind(), kind()
    a.start(); wait(first); b.start(); wait(both); a.end(); wait(second); b.end()
"""
FINISH = "\ntold['unknown'] = guard.status()['unknown']; told['left'] = len(J._open)"
# Description → program, succeeded, failed, the seconds of the fast and the slow half, verdicts that nobody can give.
RUNS = {
    "exit stacks that overlap": ("overlap(Stack)", 2, 0, (25, 25), {}),
    "exit stacks, and a block around": ("with J: overlap(Stack, 1, 2, 2)", 3, 0, (4, 5), {}),
    "contexts that overlap": ("overlap(Task)", 2, 0, (25, 25), {}),
    "contexts that overlap inside of a block": ("with J: overlap(Task, 1, 2, 2)", 3, 0, (4, 5), {}),
    "contexts of different lengths": ("overlap(Task, 1, 1, 2)", 2, 0, (2, 3), {}),
    "a thread each": (
        """
        one, two = Hooks(), Hooks()
        both = threading.Barrier(2)
        def go(mine, number):
            if number: both.wait()
            mine.start(); wait(2)
            if not number: both.wait(); both.wait()
            mine.end()
            if number: both.wait()
        jobs = [threading.Thread(target=go, args=(mine, number)) for number, mine in enumerate((one, two))]
        [job.start() for job in jobs]; [job.join() for job in jobs]
        """,
        2, 0, (2, 4), {},
    ),
    "a task each": (
        """
        async def go(mine, first, second):
            for _ in range(first): await asyncio.sleep(0)
            mine.start()
            for _ in range(second): wait(1); await asyncio.sleep(0)
            mine.end()
        async def main(): await asyncio.gather(go(Hooks(), 0, 1), go(Hooks(), 3, 1))
        asyncio.run(main())
        """,
        2, 0, (1, 1), {},
    ),
    "a task inside of a block": (
        """
        async def go(mine): mine.start(); wait(2); mine.end()
        async def main():
            with J: await asyncio.create_task(go(Hooks())); wait(2)
        asyncio.run(main())
        """,
        2, 0, (2, 4), {},
    ),
    "left in another context than entered": (
        "import contextvars\ncontextvars.copy_context().run(J.__enter__)\nwait(3)\nJ.__exit__(None, None, None)",
        1, 0, (3, 3), {},
    ),
    "a generator that is driven in other contexts": (
        """
        import contextvars
        def each():
            with J:
                yield; yield
        one, two = each(), each()
        next(one); wait(1); contextvars.copy_context().run(next, two); wait(1)
        contextvars.copy_context().run(list, two); wait(1); list(one)
        """,
        2, 0, (1, 3), {},
    ),
    "a recursion": (
        """
        def go(depth):
            with J:
                wait(1)
                if depth: go(depth - 1)
        go(1)
        """,
        2, 0, (1, 2), {},
    ),
    "functions that overlap in one context, all in time": ("overlap(Hooks, 1, 1, 1)", 2, 0, None, {}),
    "functions that overlap in one context, one perhaps too long": ("overlap(Hooks)", 1, 0, None, {"SSG501 path": 1}),
    "functions that overlap in one context, all too long": ("overlap(Hooks, 1, 40, 1)", 0, 2, None, {}),
    "functions that overlap, and a failure": (
        "a, b = Hooks(), Hooks()\na.start(); wait(1); b.start(); wait(1); a.end(OSError()); b.end()", 1, 1, None, {}
    ),
    "three that overlap, and then one": (
        "overlap(Hooks, 1, 1, 1); with_one = Hooks(); with_one.start(); wait(7); with_one.end()", 3, 0, (7, 7), {}
    ),
    "an exit too many": ("one = Hooks(); one.start(); wait(2); one.end(); one.end()", 1, 0, (2, 2), {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(programs):
    import textwrap

    rows = {name: CLOCK + textwrap.dedent(row[0]) + FINISH for name, row in RUNS.items()}
    return programs.table(rows, POLICY)


@pytest.mark.parametrize("name", RUNS)
def test_each_run_has_its_own_time_or_none(answers, name):
    _, succeeded, failed, seconds, unknown = RUNS[name]
    answer = answers[name]
    census = answer["census"]["path"]

    assert (answer["told"], answer["faults"]) == ({"unknown": unknown, "left": 0}, {})
    assert (census["succeeded"], census["failed"]) == (succeeded, failed)
    timed = census["seconds"]
    assert (timed.get("p50"), timed.get("p99")) == (
        (None, None) if seconds is None else pytest.approx(seconds, rel=0.03)
    )


def test_what_was_entered_once_costs_the_same_beside_thousands(programs):
    answer = programs.run("""
        guard = ssot_guard.install({"packages": ["acme"], "journeys": [{"id": "path", "target": 0.5}]}, mode="observe")
        J = journey("path")
        import contextvars
        def seconds(others):
            contexts = [contextvars.Context() for _ in range(others)]
            for one in contexts: one.run(J.__enter__)
            best = 1.0
            for _ in range(20):
                began = time.perf_counter()
                for _ in range(100):
                    with J: pass
                best = min(best, time.perf_counter() - began)
            for one in contexts: one.run(J.__exit__, None, None, None)
            return best
        few, many = seconds(1), seconds(20_000)
        print(json.dumps({"times": many / few, "runs": guard.census()["path"]["runs"]}))
    """)

    assert answer["runs"] == 24_001
    assert answer["times"] < 5
