"""Instances in tests: counted by test; what belongs to a test, and what to a file; tenants and shared state."""

import pytest

POLICY = """+
[[roles]]
id = "registry"
canonical = "acme.agents:Registry"
match = ["*Registry"]
instances = { max = 1, per = "process" }
[[roles]]
id = "engine"
canonical = "acme.agents:Engine"
factory = ["acme.agents:create_engine"]
construct-budget = { seconds = 0.05 }
[[roles]]
id = "session"
canonical = "acme.agents:Session"
isolated = true
"""
REGISTERED = """[[roles]]
id = "tool"
canonical = "acme.tools:Tool"
registered-in = "acme.tools:listed"
"""
AGENTS = """
    import time

    class Registry:
        def __init__(self):
            self.items = []

    class Engine:
        def __init__(self, seconds=0):
            time.sleep(seconds)

    def create_engine(seconds=0):
        return Engine(seconds)

    CACHE = {}

    class Session:
        def __init__(self, cache=None):
            self.cache = {} if cache is None else cache

        def use(self):
            return self.cache
"""
COUNTED = """
    import copy
    import threading

    import pytest
    from acme.agents import Registry

    KEPT = []

    def test_first():
        KEPT.append(Registry())

    def test_second():
        KEPT.append(Registry())  # the first one's lives, and is none of ours

    def test_bad_two():
        one = Registry()
        two = Registry()

    def test_one_after_another():
        one = Registry()
        del one
        two = Registry()

    @pytest.fixture
    def registry():
        return Registry()

    def test_fixture(registry):
        assert registry.items == []

    def test_bad_fixture_and_another(registry):
        Registry()

    def test_bad_thread(registry):
        thread = threading.Thread(target=Registry)
        thread.start()
        thread.join()

    @pytest.mark.parametrize("number", range(3))
    def test_parametrized(number, registry):
        pass

    class TestModule:
        @pytest.fixture(scope="class")
        def shared(self):
            return Registry()

        def test_shared(self, shared):
            pass

        def test_bad_beside_shared(self, shared):
            Registry()

    @pytest.mark.ssot_allow("SSG202", reason="it tests two of them")
    def test_allowed():
        one, two = Registry(), Registry()

    def test_expected(ssot):
        with ssot.expect("SSG202"):
            one, two = Registry(), Registry()
"""


def names(session):
    return {one.rpartition("::")[2] for one in session.failed}


@pytest.fixture(scope="module")
def counted(projects):
    project = projects({"ssot-guard.toml": POLICY, "src/acme/agents.py": AGENTS, "tests/test_it.py": COUNTED})
    return {
        "warn": project.run("tests"),
        "strict": project.run("--ssot", "strict", "tests"),
        "workers": project.run("-n2", "tests", plugins=("xdist", "ssot_guard.pytest_plugin")),
        "backwards": project.run("tests", plugins=("shuffle", "ssot_guard.pytest_plugin"), environ={"SHUFFLE": "7"}),
    }


@pytest.mark.parametrize("way", ["warn", "strict", "workers", "backwards"])
def test_counts_are_per_test(counted, way):
    bad = {"test_bad_two", "test_bad_fixture_and_another", "test_bad_beside_shared"}
    # In a thread, what is raised ends the thread, and the record fails the test.
    assert names(counted[way]) == bad | {"test_bad_thread"}, counted[way]
    assert "INTERNAL" not in counted[way].text, counted[way]


def test_the_same_fingerprints_with_workers_and_in_another_order(counted):
    assert counted["warn"].fingerprints == counted["workers"].fingerprints == counted["backwards"].fingerprints


def test_a_rerun_is_a_test_of_its_own(projects):
    pytest.importorskip("pytest_rerunfailures")
    test = """
        from acme.agents import Registry
        KEPT = []

        def test_it():
            KEPT.append(Registry())
            assert len(KEPT) == 3
    """
    project = projects({"ssot-guard.toml": POLICY, "src/acme/agents.py": AGENTS, "tests/test_it.py": test})
    session = project.run("--reruns", "2", "tests", plugins=("pytest_rerunfailures", "ssot_guard.pytest_plugin"))
    assert (session.status, [row for row in session.sites if row[0] == "SSG202"]) == (0, []), session


OWNED = """
    import copy
    import pytest
    import ssot_guard
    from acme import agents

    KEPT = []

    def test_bad_bypassed():
        agents.Engine()

    def test_through_the_factory():
        agents.create_engine()

    def test_bad_slow():
        agents.create_engine(0.06)

    @pytest.fixture
    def kept():
        found = []
        yield found
        found.clear()

    def test_bad_late(kept):
        kept.append(agents.Registry())
        kept.append(copy.copy(kept[0]))

    def test_late_but_one(kept):
        kept.append(copy.copy(object.__new__(agents.Registry)))

    def test_bad_late_by_check(ssot, kept):
        kept.append(agents.Registry())
        kept.append(copy.copy(kept[0]))
        (found,) = ssot.check()
        assert (found.code, found.details["seen"]) == ("SSG202", "late")
        assert [one.code for one in ssot.violations] == ["SSG202"]

    def test_bad_used_by_another(ssot):
        with ssot.tenant("alice"):
            session = agents.Session()
        with ssot.tenant("bob"):
            session.use()

    def test_bad_shared(ssot):
        def go():
            session = agents.Session(agents.CACHE)
            agents.CACHE[len(agents.CACHE)] = 1
            return session
        ssot.run_as_tenants(go, n=3)

    def test_not_shared(ssot):
        sessions = ssot.run_as_tenants(agents.Session, n=5)
        assert len({id(one.cache) for one in sessions}) == 5

    def test_bad_shared_too():
        with ssot_guard.tenant("alice"):
            KEPT.append(agents.Session(agents.CACHE))
        with ssot_guard.tenant("bob"):
            KEPT.append(agents.Session(agents.CACHE))
        agents.CACHE["more"] = [1]

    def test_is_not_to_blame_for_what_others_share(ssot):
        assert not [one for one in ssot.check() if one.code == "SSG302"]

    def test_forgets():
        KEPT.clear()

    def test_bad_nobody():
        agents.Session()

    def test_defines_a_competitor():
        from acme import second
        assert second.OtherRegistry

    def test_finds_what_is_not_registered(ssot):
        from acme import tools
        assert [one.code for one in ssot.check()] == ["SSG207"]
        assert ssot.violations == ()
"""


@pytest.fixture(scope="module")
def owned(projects):
    files = {
        "ssot-guard.toml": POLICY + REGISTERED,
        "src/acme/agents.py": AGENTS,
        "src/acme/second.py": "class OtherRegistry: pass\n",
        "src/acme/tools.py": "class Tool: pass\nclass Hammer(Tool): pass\nclass Saw(Tool): pass\ndef listed(): return [Saw]\n",
        "conftest.py": "import ssot_guard.pytest_plugin.instances as instances\ninstances._FREE = 60  # also under load\n",
        "tests/test_it.py": OWNED,
    }
    return projects(files).run("tests")


OWNERS = {
    "test_bad_bypassed": "SSG203 engine",
    "test_bad_slow": "SSG206 engine",
    "test_bad_late": "SSG202 registry",
    "test_bad_late_by_check": "SSG202 registry",
    "test_bad_used_by_another": "SSG301 session",
    "test_bad_shared": "SSG302 session",
    "test_bad_nobody": "SSG303 session",
}


def test_what_a_test_does_with_instances_fails_it(owned):
    assert names(owned) == {*OWNERS, "src/acme/second.py", "src/acme/tools.py"}, owned
    assert "INTERNAL" not in owned.text, owned


@pytest.mark.parametrize(("name", "text"), OWNERS.items())
def test_what_it_fails_for(owned, name, text):
    assert text in owned.of(name, "failed")[0]["text"], owned


@pytest.mark.parametrize(
    ("file", "text"), [("src/acme/second.py", "SSG201 registry"), ("src/acme/tools.py", "SSG207 tool")]
)
def test_facts_about_classes_belong_to_files(owned, file, text):
    (failed,) = owned.of(f"ssot::{file}", "failed")
    assert text in failed["text"]


def test_what_nobody_can_tell_is_counted(projects):
    test = """
        import threading
        from acme import agents

        def test_it(ssot):
            with ssot.tenant("alice"):
                session = agents.Session()
                threads = [threading.Thread(target=session.use) for _ in "12"]  # without the context
                for thread in threads: thread.start()
                for thread in threads: thread.join()
    """
    files = {"ssot-guard.toml": POLICY, "src/acme/agents.py": AGENTS, "tests/test_it.py": test}
    session = projects(files).run("tests")
    assert session.status == 0, session
    (line,) = [line for line in session.summary if "nobody could tell" in line]
    assert line.endswith("(no tenant, or a run that was not seen from its start): SSG301 session 2 times")


def test_late_things_are_looked_for_within_a_budget(projects):
    """Where there is no time nobody can tell which test made them, and the summary says so."""
    files = {
        "ssot-guard.toml": POLICY,
        "src/acme/agents.py": AGENTS,
        "conftest.py": """
            import ssot_guard.pytest_plugin.instances as instances
            instances._FREE = instances._SHARE = -1
        """,
        "tests/test_it.py": """
            import copy
            from acme import agents
            KEPT = []

            def test_one():
                KEPT.append(agents.Registry())
                KEPT.append(copy.copy(KEPT[0]))

            def test_other(): pass
        """,
    }
    session = projects(files).run("-n2", "tests", plugins=("xdist", "ssot_guard.pytest_plugin"))
    assert session.failed == [], session
    text = "not checked: copied and unpickled instances in 2 tests: there was no time to look for them"
    assert text in session.summary, session


def test_wide_fixtures_are_not_the_tests(projects):
    test = """
        import copy
        import pytest
        from acme import agents

        @pytest.fixture(scope="module")
        def registries():
            one = agents.Registry()
            return one, copy.copy(one)

        def test_a(registries): pass
        def test_b(registries): pass
    """
    files = {"ssot-guard.toml": POLICY, "src/acme/agents.py": AGENTS, "tests/test_it.py": test}
    session = projects(files).run("tests")
    (failed,) = session.failed
    assert failed.startswith("ssot::"), session


def test_a_session_that_loads_no_role_looks_for_nothing(projects):
    files = {
        "ssot-guard.toml": POLICY,
        "src/acme/agents.py": AGENTS,
        "tests/test_it.py": """
            import acme.new, gc
            from unittest import mock

            LOOKED = mock.patch("gc.get_referrers", side_effect=AssertionError).start()

            def test_a(): pass
            def test_b(): pass
        """,
    }
    session = projects(files).run("tests")
    assert (session.status, "INTERNAL" in session.text) == (0, False), session


TEST_CLASSES = """
    import unittest
    from acme.agents import Plain

    class TestRegistry:  # its name matches
        def test_it(self):
            assert True

    class TestBelow(Plain):
        def test_it(self):
            assert isinstance(self, Plain)

    class CaseRegistry(unittest.TestCase):
        def test_it(self):
            assert self.id()

    class TestWithConstructor(Plain):
        def __init__(self): ...
        def test_it(self): ...
"""


def test_no_test_class_gets_a_constructor_that_keeps_pytest_from_collecting_it(projects):
    policy = POLICY.replace(
        "+\n", "+\n[[roles]]\nid = 'plain'\ncanonical = 'acme.agents:Plain'\ninstances = { max = 9 }\n"
    )
    agents = f"{AGENTS}\n    class Plain: ...\n"
    files = {"ssot-guard.toml": policy, "src/acme/agents.py": agents, "tests/test_it.py": TEST_CLASSES}
    session = projects(files).run("-W", "error::pytest.PytestWarning", "tests")
    assert "cannot collect test class 'TestWithConstructor'" in session.text, session
    session = projects(files).run("tests")
    assert "3 passed" in session.text, session
