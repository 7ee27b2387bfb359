"""Objects that come past their constructors: seen at the next check, and said so. And what no check may see."""

import pytest

PER_THREAD = {"instances": {"max": 1, "per": "thread"}}
LATE = {
    "a copy": ("""
        import copy

        class Registry:
            def __init__(self):
                self.built = True

        def use():
            first = Registry()
            return first, copy.copy(first)
        """, {}),
    "a deep copy": ("""
        import copy

        class Registry:
            pass

        def use():
            first = Registry()
            return first, copy.deepcopy([first])
        """, {}),
    "a pickle": ("""
        import pickle

        class Registry:
            def __init__(self):
                self.built = True

        def use():
            first = Registry()
            return first, pickle.loads(pickle.dumps(first))
        """, {}),
    "an allocation": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def use():
            return Registry(), Registry.__new__(Registry)
        """, {}),
    "a validated model": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str = "a"

        def use():
            return Registry(), Registry.model_validate({})
        """, {}),
    "a validated text": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str = "a"

        def use():
            return Registry(), Registry.model_validate_json("{}")
        """, {}),
    "a constructed model": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str = "a"

        def use():
            return Registry(), Registry.model_construct(name="b")
        """, {}),
    "a copied model": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str = "a"

        def use():
            first = Registry()
            return first, first.model_copy()
        """, {}),
    "a nested model": ("""
        import pydantic

        class Registry(pydantic.BaseModel):
            name: str = "a"

        class Owner(pydantic.BaseModel):
            registry: Registry

        def use():
            return Registry(), Owner.model_validate({"registry": {}})
        """, {}),
    "a copied dataclass": ("""
        import copy, dataclasses

        @dataclasses.dataclass
        class Registry:
            names: list

        def use():
            first = Registry([])
            return first, copy.copy(first)
        """, {}),
    "a subclass of a function that does not call super": ("""
        class Registry:
            def __init__(self):
                self.built = True

        def use():
            class Fake(Registry):
                def __init__(self):
                    pass
            return Registry(), Fake()
        """, {}),
    "a subclass of a test module that does not call super": ("""
        import types

        class Registry:
            def __init__(self):
                self.built = True

        def use():
            other = types.ModuleType("test_things")
            other.Registry = Registry
            exec("class Fake(Registry):\\n    def __init__(self): pass\\n", other.__dict__)
            return Registry(), other.Fake()
        """, {}),
    "another class": ("""
        class Registry:
            pass

        class Other:
            pass

        def use():
            other = Other()
            other.__class__ = Registry
            return Registry(), other
        """, {}),
    "a patched constructor": ("""
        from unittest import mock

        class Registry:
            def __init__(self):
                self.built = True

        def use():
            with mock.patch.object(Registry, "__init__", return_value=None):
                first = Registry()
            return first, Registry()
        """, {}),
    "slots without weak references": ("""
        import copy

        class Registry:
            __slots__ = ("name",)

            def __init__(self):
                self.name = "a"

        def use():
            first = Registry()
            return first, copy.copy(first)
        """, {}),
    "two with slots without weak references": ("""
        import dataclasses

        @dataclasses.dataclass(slots=True)
        class Registry:
            names: list

        def use():
            return Registry([]), Registry([])
        """, {}),
    "a tuple": ("""
        from typing import NamedTuple

        class Registry(NamedTuple):
            names: tuple = ()

        def use():
            return Registry(), Registry(("a",))
        """, {}),
    "a copy for a tenant": ("""
        import copy

        class Registry:
            def __init__(self, user):
                self.user = user

        def use():
            first = Registry("alice")
            return first, copy.copy(first)
        """, {"instances": {"max": 1, "per": "tenant"}, "isolated": True, "tenant-from": "self.user"}),
}  # fmt: skip
# What its class's own `__new__` makes is seen at once.
AT_ONCE: dict[str, tuple[str, dict[str, object]]] = {
    "a copy of what is allocated here": ("""
        import copy

        class Registry:
            def __new__(cls):
                return super().__new__(cls)

        def use():
            first = Registry()
            return first, copy.copy(first)  # <- SSG202
        """, {}),
    "a pickle of what is allocated here": ("""
        import pickle

        class Registry:
            def __new__(cls):
                return super().__new__(cls)

        def use():
            first = Registry()
            return first, pickle.loads(pickle.dumps(first))  # <- SSG202
        """, {}),
    "an allocation here": ("""
        class Registry:
            def __new__(cls):
                return super().__new__(cls)

        def use():
            first = Registry()
            return first, Registry.__new__(Registry)  # <- SSG202
        """, {}),
}  # fmt: skip
SILENT = {
    "a copy and nothing else": ("""
        import copy

        class Registry:
            pass

        def use():
            return copy.copy(Registry())
        """, {}),
    "copies that are gone": ("""
        import copy, pickle

        class Registry:
            pass

        def use():
            first = Registry()
            copy.deepcopy(first)
            pickle.loads(pickle.dumps(first))
            return first
        """, {}),
    "copies in garbage": ("""
        import copy

        class Registry:
            pass

        def use():
            first = Registry()
            for _ in range(5):
                second = copy.copy(first)
                second.me = second
            del second
            return first
        """, {}),
    "pickles in garbage of what is allocated here": ("""
        import pickle

        class Registry:
            def __new__(cls):
                return super().__new__(cls)

        def use():
            first = Registry()
            first.text = pickle.dumps(first)
            decode = pickle.loads
            for _ in range(5):
                second = decode(first.text)
                second.me = second
            del second
            return first
        """, {}),
    "a failed object that somebody holds": ("""
        class Registry:
            def __init__(self, fails):
                if fails:
                    raise ValueError

        failures = []

        def use():
            try:
                Registry(True)
            except ValueError as error:
                failures.append(error)
            return Registry(False)
        """, {}),
    "mocks": ("""
        from unittest import mock

        class Registry:
            pass

        def use():
            first = Registry()
            return first, mock.Mock(spec=Registry), mock.MagicMock(spec_set=first), mock.create_autospec(Registry)()
        """, {}),
    "a proxy": ("""
        class Registry:
            pass

        class Proxy:
            def __init__(self, target):
                self.target = target

            @property
            def __class__(self):
                return type(self.target)

        def use():
            first = Registry()
            return first, Proxy(first)
        """, {}),
    "a copy of what is excepted": ("""
        import copy

        class Registry:
            pass

        class FakeRegistry(Registry):
            pass

        def use():
            return Registry(), copy.copy(FakeRegistry())
        """, {"except": ["acme.a_copy_of_what_is_excepted:FakeRegistry"]}),
    "a copy in a thread": ("""
        import copy

        class Registry:
            pass

        def use():
            first = Registry()
            return first, copy.copy(first)
        """, PER_THREAD),
    "a singleton with slots": ("""
        class Registry:
            __slots__ = ()
            _only = None

            def __new__(cls):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                return cls._only

        def use():
            return [Registry() for _ in range(3)]
        """, {}),
    "a copy of a singleton": ("""
        import copy

        class Registry:
            _only = None

            def __new__(cls):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                return cls._only

        def use():
            return copy.copy(Registry()), Registry()
        """, {}),
    "one with slots": ("""
        class Registry:
            __slots__ = ("name",)

        def use():
            return Registry()
        """, {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def late(built):
    return built(LATE)


@pytest.fixture(scope="module")
def others(built):
    return built(AT_ONCE | SILENT)


@pytest.mark.parametrize("description", LATE)
def test_what_came_past_its_constructor_is_found_at_the_check(late, description):
    assert [(row["code"], row["details"]["seen"], row["action"]) for row in late.rows(description)] == [
        ("SSG202", "late", "recorded")
    ]


def test_a_second_check_finds_nothing_new(late):
    assert late.answer.out["again"] == 0
    assert {row["count"] for row in late.answer.violations} == {1}


def test_late_objects_are_no_earlier_than_the_check(late):
    assert late.answer.out["early"] == 0


@pytest.mark.parametrize("description", AT_ONCE)
def test_what_its_class_allocates_itself_is_seen_at_once(others, description):
    assert others.said(description) == others.expected[description]
    assert others.answer.out["early"] == len(AT_ONCE)


@pytest.mark.parametrize("description", SILENT)
def test_what_is_no_second_instance_is_not(others, description):
    assert others.said(description) == []


@pytest.mark.parametrize(
    ("description", "live", "created"),
    [
        ("a copy", 2, 2),
        ("a nested model", 2, 2),
        ("another class", 2, 2),
        ("slots without weak references", "unknown", 1),  # a copy of it leaves no trace
        ("two with slots without weak references", "unknown", 2),
        ("a tuple", "unknown", 2),
    ],
)
def test_they_count_from_then_on(late, description, live, created):
    assert (late.census[description]["live"], late.census[description]["created"]) == (live, created)


@pytest.mark.parametrize(
    ("description", "live", "created"),
    [
        ("a copy and nothing else", 1, 2),
        ("a singleton with slots", "unknown", 1),
        ("a copy of a singleton", 1, 1),
        ("a failed object that somebody holds", 1, 1),
    ],
)
def test_what_there_is_is_counted(others, description, live, created):
    assert (others.census[description]["live"], others.census[description]["created"]) == (live, created)


def test_in_which_thread_a_copy_was_made_is_unknown(others):
    assert others.unknown("a copy in a thread", "SSG202") == 1


def test_the_message_says_that_nobody_saw_it(late):
    (row,) = late.rows("a validated model")

    assert row["message"] == (
        "a second Registry came past its constructor (copied, restored or validated); 1 may live per process; "
        "the first was built at acme/a_validated_model.py:7"
    )
    assert (row["path"], row["line"], row["target"]) == (None, None, "acme.a_validated_model:Registry")
