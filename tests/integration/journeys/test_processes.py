"""Threads, forks, the guard's coming and going."""

import sys

import pytest

POLICY = {"packages": ["acme"], "journeys": [{"id": "path", "target": 0.9}]}


def test_counts_are_exact_under_a_hostile_switch_interval(programs):
    """All threads begin before the parts are there: who comes while they are built is counted, too."""
    answer = programs.run(f"""
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        sys.setswitchinterval(1e-6)
        begin = threading.Barrier(16)
        def user(number):
            begin.wait()
            for turn in range(600):
                try:
                    with journey("path"):
                        if turn % 4 == 0: raise OSError
                        if turn % 10 == 1: raise SystemExit
                except (OSError, SystemExit):
                    pass
        threads = [threading.Thread(target=user, args=(number,)) for number in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        census = guard.census()["path"]
        found = [one.count for one in guard.violations()]
        print(json.dumps([census["succeeded"], census["failed"], census["abandoned"], census["failures"], found]))
    """)
    left = 16 * sum(turn % 10 == 1 and turn % 4 != 0 for turn in range(600))
    failed = 16 * 150
    assert answer == [9_600 - failed - left, failed, left, {"OSError at main.py:14": failed}, [1]]


def test_tasks_and_executors(programs):
    answer = programs.run(f"""
        import concurrent.futures
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        @journey("path")
        async def tell(number):
            await asyncio.sleep(0)
            if number % 5 == 0: raise OSError
        @journey("path")
        def blocking(number):
            if number % 5 == 0: raise OSError
        async def main():
            loop = asyncio.get_running_loop()
            jobs = [tell(number) for number in range(500)] + [asyncio.to_thread(blocking, number) for number in range(500)]
            return await asyncio.gather(*jobs, return_exceptions=True)
        asyncio.run(main())
        census = guard.census()["path"]
        print(json.dumps([census["succeeded"], census["failed"]]))
    """)
    assert answer == [800, 200]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="forks")
def test_a_forked_child_counts_for_itself(programs):
    answer = programs.run(f"""
        import warnings
        warnings.simplefilter("ignore")
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        with journey("path"): pass
        read, write = os.pipe()
        with journey("path"):
            pid = os.fork()
            if pid == 0:
                with journey("path"): pass
                told = [guard.census()["path"]["runs"], len(guard.violations())]
                os.write(write, json.dumps(told).encode())
                os._exit(0)
        os.waitpid(pid, 0)
        print(json.dumps([json.loads(os.read(read, 100)), guard.census()["path"]["runs"]]))
    """)
    assert answer == [[1, 0], 2]


def test_without_a_guard_nothing_happens(programs):
    answer = programs.run(f"""
        before = set(sys.modules)
        journey("path")
        loaded = sorted(name for name in sys.modules if name.startswith("ssot_guard"))
        with journey("nobody"), journey("path"): pass
        @journey("path")
        def go(): return 1
        with contextlib.suppress(OSError), journey("path"): raise OSError
        go()
        early = journey("path")
        early.__enter__()
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        early.__exit__(None, None, None)  # begun before the guard: nobody knows how long it took
        go()
        counts = [guard.census()["path"]["runs"]]
        late = journey("path")
        late.__enter__()
        guard.uninstall()
        late.__exit__(None, None, None)
        go()
        counts.append(guard.census()["path"]["runs"])
        again = ssot_guard.install({POLICY!r}, mode="observe")
        counts.append(again.census()["path"]["runs"])
        again.uninstall(), again.uninstall()
        print(json.dumps([loaded, counts]))
    """)
    assert answer == [
        ["ssot_guard", "ssot_guard.watch", "ssot_guard.watch.journeys", "ssot_guard.watch.journeys.runs"],
        [1, 1, 0],
    ]


def test_a_policy_without_journeys_asks_nothing(programs):
    answer = programs.run("""
        guard = ssot_guard.install({"packages": ["acme"]}, mode="observe")
        with journey("path"): pass
        print(json.dumps([guard.census(), guard.status()["internal_errors"]]))
    """)
    assert answer == [{}, {}]


def test_the_first_run_wakes_the_guard(programs):
    answer = programs.run("""
        guard = ssot_guard.install({"journeys": [{"id": "path", "target": 1, "min-runs": 1}]}, mode="warn")
        asleep = "ssot_guard.engine" not in sys.modules
        with contextlib.suppress(OSError), journey("path"): raise OSError
        print(json.dumps([asleep, "ssot_guard.engine" in sys.modules, [one.code for one in guard.violations()]]))
    """)
    assert answer == [True, True, ["SSG501"]]
    assert "SSG501 path: 0.00 % of 1 runs succeeded" in programs.errors, "the default sink"


@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_a_verdict_breaks_no_run(programs, mode):
    """Not even where warnings are errors: the run that tips the rate may be a good one."""
    answer = programs.run(f"""
        import warnings
        warnings.simplefilter("error")
        guard = ssot_guard.install({{"journeys": [{{"id": "path", "target": 1, "min-runs": 2}}]}}, mode={mode!r})
        with contextlib.suppress(OSError), journey("path"): raise OSError
        with journey("path"): done = 1
        print(json.dumps([done, [[one.code, one.mode, one.action] for one in guard.violations()]]))
    """)
    assert answer == [1, [["SSG501", "warn", "warned"]]]


def test_a_dead_journey_is_a_dead_rule(programs):
    answer = programs.run("""
        policy = {"journeys": [{"id": "path", "target": 0.9}, {"id": "gone", "target": 0.9}]}
        guard = ssot_guard.install(policy, mode="observe")
        with journey("path"): pass
        guard.uninstall()
        print(json.dumps([[one.code, one.rule] for one in guard.violations()]))
    """)
    assert answer == [["SSG901", "gone"]]


def test_a_bug_of_ours_is_ours(programs):
    answer = programs.run(f"""
        from ssot_guard.watch.journeys import runs, tally, watcher
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        with journey("path"): pass
        answers = []
        def broken(*args): raise RuntimeError("injected")
        for owner, name in ((runs, "_caller"), (runs, "_place"), (runs, "_Run"), (runs, "Ended"), (runs, "_take"),
                            (tally.Tally, "succeed"), (watcher.Journeys, "take"), (watcher.Journeys, "_remember")):
            before = getattr(owner, name)
            setattr(owner, name, broken)
            with journey("path"): answers.append(name)
            setattr(owner, name, before)
        print(json.dumps([len(answers), sum(guard.status()["internal_errors"].values())]))
    """)
    assert answer == [8, 8]


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="sizes")
def test_memory_is_constant(programs):
    answer = programs.run(f"""
        import tracemalloc
        guard = ssot_guard.install({POLICY!r}, mode="observe")
        def go(number):
            kind = type(f"Error{{number % 1000}}", (Exception,), {{}})
            with contextlib.suppress(Exception), journey("path"): raise kind
        for number in range(3000): go(number)
        gc.collect()
        tracemalloc.start()
        for number in range(3000): go(number)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        print(json.dumps([kept, len(guard.census()["path"]["failures"])]))
    """)
    assert answer[0] < 50_000
    assert answer[1] <= 51
