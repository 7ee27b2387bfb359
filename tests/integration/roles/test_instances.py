"""SSG202: too many of one role. Every door through which an object comes, and what is none."""

import pytest

TWO: dict[str, object] = {}
CAUGHT = {
    "two calls": ("""
        class Registry:
            def __init__(self, name):
                self.name = name

        def use():
            return [Registry("a"),
                Registry("b")]  # <- SSG202
        """, TWO),
    "a class without a constructor": ("""
        class Registry:
            pass

        def use():
            first = Registry()
            second = Registry()  # <- SSG202
            return first, second
        """, TWO),
    "a subclass that calls super": ("""
        class Registry:
            def __init__(self):
                self.built = True

        class BetterRegistry(Registry):
            def __init__(self):
                super().__init__()

        def use():
            first = Registry()
            return first, BetterRegistry()  # <- SSG202
        """, TWO),
    "a subclass that does not": ("""
        class Registry:
            def __init__(self):
                self.built = True

        class OtherRegistry(Registry):
            def __init__(self):
                pass

        def use():
            first = Registry()
            return first, OtherRegistry()  # <- SSG202
        """, TWO),
    "a subclass without a constructor": ("""
        class Registry:
            def __init__(self):
                self.built = True

        class OtherRegistry(Registry):
            pass

        def use():
            first = OtherRegistry()
            return first, OtherRegistry()  # <- SSG202
        """, TWO),
    "a competitor": ("""
        class Registry:
            pass

        class OldRegistry:
            def __init__(self):
                self.built = True

        def use():
            first = OldRegistry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "a class in a function": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def make():
            class LocalRegistry(Registry):
                pass
            return LocalRegistry

        def use():
            first = make()()
            return first, make()()  # <- SSG202
        """, TWO),
    "an unhashable dataclass": ("""
        import dataclasses

        @dataclasses.dataclass
        class Registry:
            names: list

        def use():
            first = Registry([])
            return first, Registry([])  # <- SSG202
        """, TWO),
    "a frozen dataclass with slots and weak references": ("""
        import dataclasses

        @dataclasses.dataclass(frozen=True, slots=True, weakref_slot=True)
        class Registry:
            names: tuple = ()

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "attrs": ("""
        import attrs

        @attrs.define
        class Registry:
            names: list = attrs.Factory(list)

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "pydantic": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str

        def use():
            first = Registry(name="a")
            return first, Registry(name="a")  # <- SSG202
        """, TWO),
    "pydantic with a constructor of its own": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str

            def __init__(self, name="a"):
                super().__init__(name=name)

        class Owner(pydantic.BaseModel):
            registry: Registry

        def use():
            first = Registry()
            return first, Owner(registry={"name": "b"})  # <- SSG202
        """, TWO),
    "a metaclass with a call": ("""
        class Meta(type):
            def __call__(cls, *args):
                made = super().__call__(*args)
                made.by = Meta
                return made

        class Registry(metaclass=Meta):
            def __init__(self, name):
                self.name = name

        def use():
            first = Registry(1)
            return first, Registry(2)  # <- SSG202
        """, TWO),
    "its own allocation": ("""
        class Registry:
            def __new__(cls, name):
                made = super().__new__(cls)
                made.name = name
                return made

        def use():
            first = Registry(1)
            return first, Registry(2)  # <- SSG202
        """, TWO),
    "its own allocation above": ("""
        class Made:
            def __new__(cls, *args):
                return super().__new__(cls)

        class Registry(Made):
            def __new__(cls, *args):
                return super().__new__(cls, *args)

            def __init__(self, name):
                self.name = name

        def use():
            first = Registry(1)
            return first, Registry(2)  # <- SSG202
        """, TWO),
    "a default of somebody else's field": ("""
        import dataclasses

        class Registry:
            pass

        @dataclasses.dataclass
        class Service:
            registry: Registry = dataclasses.field(default_factory=Registry)

        def use():
            first = Service()
            return first, Service()  # <- SSG202
        """, TWO),
    "a replaced field": ("""
        import dataclasses

        @dataclasses.dataclass
        class Registry:
            name: str

        def use():
            first = Registry("a")
            return first, dataclasses.replace(first, name="b")  # <- SSG202
        """, TWO),
    "partial and map": ("""
        import functools

        class Registry:
            def __init__(self, name):
                self.name = name

        def use():
            first = functools.partial(Registry, 1)()
            return first, list(map(Registry, [2]))  # <- SSG202
        """, TWO),
    "a generic alias": ("""
        from typing import Generic, TypeVar

        T = TypeVar("T")

        class Registry(Generic[T]):
            def __init__(self):
                self.built = True

        def use():
            first = Registry[int]()
            return first, Registry[str]()  # <- SSG202
        """, TWO),
    "an implementation of a protocol": ("""
        from typing import Protocol

        class Listing(Protocol):
            def names(self): ...

        class Registry(Listing):
            def names(self):
                return []

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "an abstract base": ("""
        import abc

        class Registry(abc.ABC):
            @abc.abstractmethod
            def names(self): ...

        class FileRegistry(Registry):
            def names(self):
                return []

        def use():
            first = FileRegistry()
            return first, FileRegistry()  # <- SSG202
        """, TWO),
    "a dictionary": ("""
        class Registry(dict):
            pass

        def use():
            first = Registry(a=1)
            return first, Registry([("b", 2)])  # <- SSG202
        """, TWO),
    "an exception": ("""
        class Registry(Exception):
            def __init__(self, text):
                super().__init__(text, 1)

        def use():
            first = Registry("a")
            return first, Registry("b")  # <- SSG202
        """, TWO),
    "a thread": ("""
        import threading

        class Registry(threading.Thread):
            pass

        def use():
            first = Registry(target=print)
            return first, Registry(target=print)  # <- SSG202
        """, TWO),
    "objects that are equal": ("""
        class Registry:
            def __eq__(self, other):
                return True

            def __hash__(self):
                raise RuntimeError("not here")

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "one inside of another's constructor": ("""
        class Registry:
            def __init__(self, inner=True):
                self.inner = Registry(False) if inner else None  # <- SSG202

        def use():
            return Registry()
        """, TWO),
    "one in a garbage cycle that somebody holds": ("""
        class Registry:
            def __init__(self):
                self.me = self

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "a third": ("""
        class Registry:
            pass

        def use():
            kept = [Registry(), Registry()]
            return kept, Registry()  # <- SSG202
        """, {"instances": {"max": 2}}),
    "two in one thread": ("""
        import threading

        class Registry:
            pass

        kept = []

        def work():
            kept.append(Registry())
            kept.append(Registry())  # <- SSG202

        def use():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return Registry()
        """, {"instances": {"max": 1, "per": "thread"}}),
    "two in one task": ("""
        import asyncio

        class Registry:
            pass

        async def work():
            first = Registry()
            await asyncio.sleep(0)
            return first, Registry()  # <- SSG202

        async def main():
            return await asyncio.gather(work(), work())

        def use():
            return asyncio.run(main())
        """, {"instances": {"max": 1, "per": "task"}}),
    "two outside of any task": ("""
        class Registry:
            pass

        def use():
            first = Registry()
            return first, Registry()  # <- SSG202
        """, {"instances": {"max": 1, "per": "task"}}),
    "two for one tenant": ("""
        import ssot_guard

        class Registry:
            pass

        def use():
            with ssot_guard.tenant("alice"):
                first = Registry()
            with ssot_guard.tenant("bob"):
                second = Registry()
            with ssot_guard.tenant("alice"):
                return first, second, Registry()  # <- SSG202
        """, {"instances": {"max": 1, "per": "tenant"}}),
    "two with one user": ("""
        class Registry:
            def __init__(self, user):
                self.user = user

        def use():
            first = Registry("alice"), Registry("bob")
            return first, Registry("alice")  # <- SSG202
        """, {"instances": {"max": 1, "per": "tenant"}, "isolated": True, "tenant-from": "self.user"}),
    "two of an isolated role": ("""
        class Registry:
            def __init__(self, user):
                self.user = user

        def use():
            first = Registry("alice")
            return first, Registry("bob")  # <- SSG202
        """, {"isolated": True, "tenant-from": "self.user"}),
    "another object in the place of a dead one": ("""
        class Registry:
            pass

        def use():
            first = Registry()
            del first
            first = Registry()
            return first, Registry()  # <- SSG202
        """, TWO),
    "one whose constructor failed and is called again": ("""
        class Registry:
            def __init__(self, fails):
                if fails:
                    raise ValueError

        def use():
            first = Registry.__new__(Registry)
            try:
                first.__init__(True)
            except ValueError:
                pass
            first.__init__(False)
            return first, Registry(False)  # <- SSG202
        """, TWO),
    "two constructors in one line that overlap": ("""
        class Registry:
            pass

        def use():
            return [Registry() for _ in range(3)]  # <- SSG202
        """, TWO),
}  # fmt: skip

SILENT = {
    "one": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def use():
            return Registry()
        """, TWO),
    "one after the other": ("""
        class Registry:
            pass

        def use():
            for _ in range(10):
                Registry()
        """, TWO),
    "a singleton by allocation": ("""
        class Registry:
            _only = None

            def __new__(cls):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                return cls._only

            def __init__(self):
                self.built = True

        def use():
            return [Registry() for _ in range(5)]
        """, TWO),
    "a singleton by allocation without a constructor": ("""
        class Registry:
            _only = None

            def __new__(cls, *args):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                return cls._only

        def use():
            return [Registry(1) for _ in range(5)]
        """, TWO),
    "a singleton by a metaclass": ("""
        class Meta(type):
            made = {}

            def __call__(cls):
                if cls not in cls.made:
                    cls.made[cls] = super().__call__()
                return cls.made[cls]

        class Registry(metaclass=Meta):
            pass

        def use():
            return [Registry() for _ in range(5)]
        """, TWO),
    "a chain of constructors": ("""
        class Registry:
            def __init__(self):
                self.built = 1

        class MiddleRegistry(Registry):
            def __init__(self):
                super().__init__()
                self.built += 1

        class LastRegistry(MiddleRegistry):
            def __init__(self):
                MiddleRegistry.__init__(self)
                Registry.__init__(self)

        def use():
            return LastRegistry()
        """, TWO),
    "a diamond": ("""
        class Registry:
            def __init__(self):
                super().__init__()

        class LeftRegistry(Registry):
            def __init__(self):
                super().__init__()

        class RightRegistry(Registry):
            def __init__(self):
                super().__init__()

        class BottomRegistry(LeftRegistry, RightRegistry):
            pass

        def use():
            return BottomRegistry()
        """, TWO),
    "a constructor that is called again": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def use():
            made = Registry()
            made.__init__()
            made.__init__()
            return made
        """, TWO),
    "constructors that fail": ("""
        class Registry:
            def __init__(self, fails=True):
                self.me = self
                if fails:
                    raise ValueError

        failures = []

        def use():
            for _ in range(3):
                try:
                    Registry()
                except ValueError as error:
                    failures.append(error)  # its traceback holds the object
            return Registry(False)
        """, TWO),
    "a second that fails": ("""
        class Registry:
            def __init__(self, fails=False):
                if fails:
                    raise ValueError

        def use():
            first = Registry()
            try:
                Registry(True)
            except ValueError:
                pass
            return first
        """, TWO),
    "an allocation whose constructor fails": ("""
        class Registry:
            def __new__(cls, fails=False):
                return super().__new__(cls)

            def __init__(self, fails=False):
                if fails:
                    raise ValueError

        failures = []

        def use():
            first = Registry()
            try:
                Registry(True)
            except ValueError as error:
                failures.append(error)
            return first
        """, TWO),
    "garbage cycles": ("""
        class Registry:
            def __init__(self):
                self.me = [self]

        def use():
            for _ in range(20):
                Registry()
            return Registry()
        """, TWO),
    "mocks": ("""
        from unittest import mock

        class Registry:
            def __init__(self, name):
                self.name = name

        def use():
            return Registry(1), mock.Mock(spec=Registry), mock.create_autospec(Registry)(2), mock.MagicMock(Registry)
        """, TWO),
    "what is excepted": ("""
        class Registry:
            def __init__(self):
                self.built = True

        class FakeRegistry(Registry):
            pass

        def use():
            return Registry(), FakeRegistry(), FakeRegistry()
        """, {"except": ["acme.what_is_excepted:FakeRegistry"]}),
    "two that are allowed": ("""
        class Registry:
            pass

        def use():
            return Registry(), Registry()
        """, {"instances": {"max": 2}}),
    "one per thread": ("""
        import threading

        class Registry:
            pass

        kept = []

        def use():
            for _ in range(5):
                thread = threading.Thread(target=lambda: kept.append(Registry()))
                thread.start()
                thread.join()
            return Registry()
        """, {"instances": {"max": 1, "per": "thread"}}),
    "one per task": ("""
        import asyncio

        class Registry:
            pass

        async def work():
            made = Registry()
            await asyncio.sleep(0)
            return made

        async def main():
            return Registry(), await asyncio.gather(*(work() for _ in range(5)))

        def use():
            return Registry(), asyncio.run(main())
        """, {"instances": {"max": 1, "per": "task"}}),
    "one per tenant": ("""
        import ssot_guard

        class Registry:
            pass

        def use():
            kept = []
            for name in ("alice", "bob", 7):
                with ssot_guard.tenant(name):
                    kept.append(Registry())
            return kept
        """, {"instances": {"max": 1, "per": "tenant"}}),
    "one per user": ("""
        class Registry:
            def __init__(self, user):
                self.user = user

        def use():
            return Registry("alice"), Registry("bob")
        """, {"instances": {"max": 1, "per": "tenant"}, "isolated": True, "tenant-from": "self.user"}),
    "nobody can tell for whom": ("""
        class Registry:
            pass

        def use():
            return Registry(), Registry()
        """, {"instances": {"max": 1, "per": "tenant"}}),
    "another role": ("""
        class Registry:
            pass

        class Other:
            pass

        def use():
            return Registry(), Other(), Other()
        """, TWO),
    "a class that makes others": ("""
        class Thing:
            pass

        class Registry:
            def __new__(cls):
                return Thing()

        def use():
            return Registry(), Registry()
        """, TWO),
    "without a limit": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def use():
            return Registry(), Registry()
        """, {"instances": {"max": 1000}}),
}  # fmt: skip


@pytest.fixture(scope="module")
def caught(built):
    return built(CAUGHT)


@pytest.fixture(scope="module")
def silent(built):
    return built(SILENT)


@pytest.mark.parametrize("description", CAUGHT)
def test_too_many_are_reported_where_they_are_built(caught, description):
    assert caught.said(description, "SSG202", "SSG204") == caught.expected[description]


@pytest.mark.parametrize("description", SILENT)
def test_what_is_no_second_instance_is_not(silent, description):
    assert silent.said(description, "SSG202", "SSG204") == []


@pytest.mark.parametrize("description", CAUGHT)
def test_they_are_seen_at_once(caught, description):
    assert [row["details"].get("seen") for row in caught.rows(description, "SSG202")] == [None]


@pytest.mark.parametrize(
    ("description", "live", "created"),
    [
        ("one", 1, 1),
        ("one after the other", 0, 10),
        ("a singleton by allocation", 1, 1),
        ("a singleton by allocation without a constructor", 1, 1),
        ("a singleton by a metaclass", 1, 1),
        ("a chain of constructors", 1, 1),
        ("a diamond", 1, 1),
        ("a constructor that is called again", 1, 1),
        ("constructors that fail", 1, 1),
        ("a second that fails", 1, 1),
        ("an allocation whose constructor fails", 1, 1),
        ("mocks", 1, 1),
        ("what is excepted", 1, 1),
        ("a class that makes others", 0, 0),
    ],
)
def test_what_lives_and_what_was_built_is_counted_exactly(silent, description, live, created):
    census = silent.census[description]

    assert (census["live"], census["created"]) == (live, created)


@pytest.mark.parametrize(
    ("description", "per", "scopes", "most"),
    [
        ("one per thread", "thread", 6, 1),
        ("one per task", "task", 7, 1),
        ("one per tenant", "tenant", 3, 1),
        ("one per user", "tenant", 2, 1),
        ("nobody can tell for whom", "tenant", 0, 0),
    ],
)
def test_the_census_counts_by_scope_and_names_nobody(silent, description, per, scopes, most):
    census = silent.census[description]

    assert (census["per"], census["scopes"], census["most"]) == (per, scopes, most)
    assert "alice" not in repr(census)


def test_who_belongs_to_nobody_is_unknown_and_no_failure(silent):
    assert silent.unknown("nobody can tell for whom", "SSG202") == 2


def test_the_message_names_both_places_and_what_is_allowed(caught):
    (row,) = caught.rows("a competitor", "SSG202")

    assert row["message"] == (
        "builds a second a_competitor (Registry) at acme/a_competitor.py:10; 1 may live per process; "
        "the first was built at acme/a_competitor.py:9 (OldRegistry)"
    )
    assert row["target"] == "acme.a_competitor:Registry"
    assert row["scope"] == "use"
    assert row["details"] == {"max": 1, "per": "process", "earlier": ["acme/a_competitor.py:9"]}


def test_the_message_about_a_third_names_the_others(caught):
    (row,) = caught.rows("a third", "SSG202")

    assert row["message"] == (
        "builds instance 3 of Registry at acme/a_third.py:6; 2 may live per process; "
        "the others were built at acme/a_third.py:5, acme/a_third.py:5"
    )


def test_each_execution_of_a_place_counts(caught):
    (row,) = caught.rows("two constructors in one line that overlap", "SSG202")

    assert row["count"] == 2
