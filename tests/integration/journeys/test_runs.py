"""What is a run, and what became of it."""

import pytest

POLICY = {
    "packages": ["acme"],
    "journeys": [
        {"id": "path", "target": 0.5, "min-runs": 1000, "max-seconds": 0.05},
        {"id": "other", "target": 0.5},
        {"id": "elsewhere", "target": 0.5, "sides": ["audit"]},
    ],
}

# Description → program, succeeded, failed, abandoned, and what failed.
RUNS = {
    "a block": ("with journey('path'): pass", 1, 0, 0, {}),
    "a block that fails": (
        "with contextlib.suppress(ValueError), journey('path'): raise ValueError('of alice')",
        0, 1, 0, {"ValueError at row.py:1": 1},
    ),
    "an async block": (
        """
        async def main():
            async with journey('path'):
                await asyncio.sleep(0)
            with contextlib.suppress(KeyError):
                async with journey('path'):
                    {}['alice']
            with journey('path'):
                await asyncio.sleep(0)
        asyncio.run(main())
        """,
        2, 1, 0, {"KeyError at row.py:7": 1},
    ),
    "a block of an exit stack": (
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(journey('path'))
        """,
        1, 0, 0, {},
    ),
    "a function": ("@journey('path')\ndef go(a, *, b=2): return a + b\ntold['it'] = [go(1), go(1, b=3), go.__name__]", 2, 0, 0, {}),
    "a function that fails": (
        "@journey('path')\ndef go(): 1 / 0\nwith contextlib.suppress(ZeroDivisionError): go()",
        0, 1, 0, {"ZeroDivisionError at row.py:2": 1},
    ),
    "a function that is called wrongly": (
        "@journey('path')\ndef go(): pass\nwith contextlib.suppress(TypeError): go(1)",
        0, 1, 0, {"TypeError": 1},
    ),
    "a coroutine function": (
        """
        import inspect
        @journey('path')
        async def go(x):
            await asyncio.sleep(0)
            return x
        told['it'] = [asyncio.run(go(3)), inspect.iscoroutinefunction(go)]
        """,
        1, 0, 0, {},
    ),
    "a coroutine function that fails": (
        """
        @journey('path')
        async def go():
            await asyncio.sleep(0)
            raise OSError
        with contextlib.suppress(OSError):
            asyncio.run(go())
        """,
        0, 1, 0, {"OSError at row.py:5": 1},
    ),
    "a partial of a coroutine function": (
        "async def go(x): return x\ntold['it'] = asyncio.run(journey('path')(functools.partial(go, 3))())",
        1, 0, 0, {},
    ),
    "an object with an async __call__": (
        """
        class Go:
            async def __call__(self):
                await asyncio.sleep(0)
                raise OSError
        with contextlib.suppress(OSError):
            asyncio.run(journey('path')(Go())())
        """,
        0, 1, 0, {"OSError at row.py:5": 1},
    ),
    "methods of every kind": (
        """
        class Chat:
            @journey('path')
            def ask(self): return self
            @journey('path')
            @classmethod
            def of(cls): return cls
            @staticmethod
            @journey('path')
            def one(): return 1
            @journey('path')
            @staticmethod
            def two(): return 2
        chat = Chat()
        told['it'] = [chat.ask() is chat, Chat.of() is Chat, chat.one(), Chat.two()]
        """,
        4, 0, 0, {},
    ),
    "a generator": (
        """
        @journey('path')
        def go():
            got = yield 1
            try:
                yield got
            except KeyError:
                yield 'thrown'
            return 'end'
        def all():
            told['end'] = yield from go()
        lazy = go()  # nothing has begun
        one = all()
        told['it'] = [next(one), one.send(7), one.throw(KeyError), *one]
        """,
        1, 0, 0, {},
    ),
    "a generator that fails": (
        "@journey('path')\ndef go():\n    yield 1\n    raise OSError\nwith contextlib.suppress(OSError): list(go())",
        0, 1, 0, {"OSError at row.py:4": 1},
    ),
    "a generator that is left": ("@journey('path')\ndef go(): yield 1\nfor one in go(): break\ngc.collect()", 0, 0, 1, {}),
    "an async generator": (
        """
        @journey('path')
        async def go():
            got = yield 1
            try:
                yield got
            except KeyError:
                yield 'thrown'
        async def main():
            one = go()
            told['it'] = [await anext(one), await one.asend(7), await one.athrow(KeyError), [x async for x in one]]
        asyncio.run(main())
        """,
        1, 0, 0, {},
    ),
    "an async generator that fails": (
        """
        @journey('path')
        async def go():
            yield 1
            raise OSError
        async def main():
            return [x async for x in go()]
        with contextlib.suppress(OSError):
            asyncio.run(main())
        """,
        0, 1, 0, {"OSError at row.py:5": 1},
    ),
    "an async generator that is left": (
        """
        @journey('path')
        async def go():
            try:
                yield 1
            finally:
                told['closed'] = True
        async def main():
            one = go()
            await anext(one)
            await one.aclose()
        asyncio.run(main())
        """,
        0, 0, 1, {},
    ),
    "a cancelled task": (
        """
        async def main():
            async def go():
                with journey('path'):
                    await asyncio.sleep(10)
            task = asyncio.create_task(go())
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        asyncio.run(main())
        """,
        0, 0, 1, {},
    ),
    "a task cancelled when it was too slow already": (
        """
        async def main():
            with journey('path'):
                await asyncio.sleep(10)
        async def limited():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(main(), 0.1)
        asyncio.run(limited())
        """,
        0, 1, 0, {"longer than 50 ms": 1},
    ),
    "a timeout inside": (
        """
        async def main():
            with contextlib.suppress(TimeoutError), journey('path'):
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(10)
        asyncio.run(main())
        """,
        0, 1, 0, None,
    ),
    "Ctrl-C": ("with contextlib.suppress(KeyboardInterrupt), journey('path'): raise KeyboardInterrupt", 0, 0, 1, {}),
    "the process is told to exit": ("with contextlib.suppress(SystemExit), journey('path'): sys.exit(1)", 0, 0, 1, {}),
    "an exception group": (
        "with contextlib.suppress(BaseException), journey('path'): raise ExceptionGroup('x', [ValueError()])",
        0, 1, 0, {"ExceptionGroup at row.py:1": 1},
    ),
    "slow, but through": ("with journey('path'): time.sleep(0.06)", 0, 1, 0, {"longer than 50 ms": 1}),
    "slow, and failed": (
        "with contextlib.suppress(OSError), journey('path'):\n    time.sleep(0.06)\n    raise OSError",
        0, 1, 0, {"OSError at row.py:3": 1},
    ),
    "one in another": ("with journey('path'), journey('other'), journey('path'): pass", 2, 0, 0, {}),
    "one object, one in another": ("one = journey('path')\nwith one:\n    with one: pass\nwith one: pass", 3, 0, 0, {}),
    "one object, many tasks": (
        """
        one = journey('path')
        async def go(seconds):
            with one:
                await asyncio.sleep(seconds)
        async def main():
            await asyncio.gather(*(go(0.1 if number == 3 else 0) for number in range(20)))
        asyncio.run(main())
        """,
        19, 1, 0, {"longer than 50 ms": 1},
    ),
    "one object, the first to come goes last": (
        """
        one = journey('path')
        async def slow():
            async with one:
                await asyncio.sleep(0.1)
        async def quick():
            await asyncio.sleep(0.08)
            async with one:
                await asyncio.sleep(0.06)
        async def main():
            await asyncio.gather(slow(), quick())
        asyncio.run(main())
        """,
        0, 2, 0, {"longer than 50 ms": 2},
    ),
    "recursion": ("@journey('path')\ndef go(n): return n and go(n - 1)\ngo(4)", 5, 0, 0, {}),
    "a journey that is not watched here": ("with journey('elsewhere'): pass", 0, 0, 0, {}),
    "an id that is unknown": ("with journey('paht'): pass", 0, 0, 0, {}),
    "an id that is no text": ("with journey(None), journey(3): pass", 0, 0, 0, {}),
    "a decorator without an id": ("@journey\ndef go(): pass", 0, 0, 0, {}),
    "a class": ("@journey('path')\nclass Chat: pass", 0, 0, 0, {}),
    "the host's own error keeps its place": (
        """
        import traceback
        @journey('path')
        def go(): raise ValueError('x')
        try:
            go()
        except ValueError as error:
            told['it'] = traceback.extract_tb(error.__traceback__)[-1].lineno
            told['cause'] = str(error.__context__)
        """,
        0, 1, 0, {"ValueError at row.py:4": 1},
    ),
}  # fmt: skip
TOLD = {
    "a function": {"it": [3, 4, "go"]},
    "a coroutine function": {"it": [3, True]},
    "a partial of a coroutine function": {"it": 3},
    "methods of every kind": {"it": [True, True, 1, 2]},
    "a generator": {"it": [1, 7, "thrown"], "end": "end"},
    "an async generator": {"it": [1, 7, "thrown", []]},
    "an async generator that is left": {"closed": True},
    "a decorator without an id": {
        "error": 'TypeError: a journey needs the id of its rule: @ssot_guard.journey("golden-path")'
    },
    "a class": {"error": "TypeError: a journey decorates functions, not <class 'acme.row.Chat'>"},
    "the host's own error keeps its place": {"it": 4, "cause": "None"},
}


@pytest.fixture(scope="module")
def answers(programs):
    return programs.table({name: row[0] for name, row in RUNS.items()}, POLICY)


@pytest.mark.parametrize("name", RUNS)
def test_what_became_of_it(answers, name):
    _, succeeded, failed, abandoned, failures = RUNS[name]
    path = answers[name]["census"]["path"]
    counts = (path["succeeded"], path["failed"], path["abandoned"])
    assert counts == (succeeded, failed, abandoned), answers[name]
    if failures is not None:
        assert path["failures"] == failures
    assert answers[name]["told"] == TOLD.get(name, {})


def test_a_census_is_complete(answers):
    assert answers["a block"]["census"].keys() == {"path", "other"}
    path = answers["a block"]["census"]["path"]
    assert (path["runs"], path["rate"], path["target"]) == (1, 1.0, 0.5)
    assert path["interval"] == pytest.approx([0.2065, 1], abs=1e-4)
    assert path["seconds"].keys() == {"p50", "p95", "p99"}
    none = answers["a block"]["census"]["other"]
    assert (none["runs"], none["rate"], none["interval"], none["seconds"]) == (0, None, [0, 1], {})


def test_what_is_unknown_is_said_once_and_raises_nothing(answers):
    for name, unknown in (("an id that is unknown", "'paht'"), ("an id that is no text", "None")):
        text = answers[name]["faults"][f"journey {unknown}"]
        assert text == "row.py:1: the policy has no such journey; it has: elsewhere, other, path"
    assert not answers["a journey that is not watched here"]["faults"]


def test_nothing_else_was_a_fault(answers):
    assert {name for name, answer in answers.items() if answer["faults"]} == {
        "an id that is unknown",
        "an id that is no text",
    }


def test_a_run_survives_without_messages(answers):
    """A message may hold a user's data."""
    assert "alice" not in str(answers)
