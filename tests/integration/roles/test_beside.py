"""Objects that a module builds of its own classes while it loads: before anybody can stand in front of a constructor."""

import pytest

COUNTED: dict = {
    "below its class": ("""
        class Registry: ...

        registry = Registry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "in an attribute of its class": ("""
        class Registry: ...

        Registry.only = Registry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "in a list": ("""
        class Registry: ...

        every = [Registry()]

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "in a dictionary": ("""
        class Registry: ...

        every = {"main": Registry()}

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "in a tuple": ("""
        class Registry: ...

        every = Registry(), None

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "two of them": ("""
        class Registry: ...

        first = Registry()
        second = Registry()  # <- SSG202

        def use(): ...
        """, {}),
    "a subclass's": ("""
        class Registry: ...

        class SpecialRegistry(Registry): ...

        registry = SpecialRegistry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "a model's": ("""
        import pydantic

        class Registry(pydantic.BaseModel): ...

        registry = Registry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "with a __new__ of its own": ("""
        class Registry:
            def __new__(cls):
                return super().__new__(cls)

        registry = Registry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
    "in a condition": ("""
        class Registry: ...

        if True:
            registry: Registry = Registry()

        def use():
            return Registry()  # <- SSG202
        """, {}),
}  # fmt: skip
SILENT = {
    "only one": ("""
        class Registry: ...

        registry = Registry()

        def use():
            return registry
        """, {}),
    "under two names": ("""
        class Registry: ...

        registry = default = Registry()
        every = [registry]

        def use():
            return default
        """, {}),
    "a singleton that gives itself": ("""
        class Registry:
            _only = None

            def __new__(cls):
                if cls._only is None:
                    cls._only = super().__new__(cls)
                return cls._only

        registry = Registry()

        def use():
            return Registry()
        """, {}),
    "thrown away": ("""
        class Registry: ...

        Registry()
        registry = Registry()
        del registry

        def use():
            return Registry()
        """, {}),
    "as many as may be": ("""
        class Registry: ...

        registry = Registry()

        def use():
            return Registry()
        """, {"instances": {"max": 2}}),
    "something else": ("""
        class Registry: ...

        registry = object(), Registry, "Registry", [Registry]

        def use():
            return Registry()
        """, {}),
    "a proxy that says so": ("""
        class Registry: ...

        class Proxy:
            @property
            def __class__(self):
                return Registry

        registry = Proxy()

        def use():
            return Registry()
        """, {}),
    "without weak references": ("""
        class Registry:
            __slots__ = ()

        registry = Registry()

        def use(): ...
        """, {}),
    "maybe from its factory": ("""
        class Registry: ...

        def make():
            return Registry()

        registry = make()

        def use(): ...
        """, {"factory": ["acme.maybe_from_its_factory:make"]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(built):
    return built(COUNTED | SILENT)


@pytest.mark.parametrize("description", COUNTED)
def test_it_counts_from_where_it_is_bound(found, description):
    rows = found.rows(description, "SSG202")
    assert [(row["line"], row["code"]) for row in rows] == found.expected[description]
    assert found.census[description]["created"] == 2


def test_the_first_one_is_named_by_its_line(found):
    (row,) = found.rows("below its class")
    assert row["details"]["earlier"] == ["acme/below_its_class.py:3"]
    (row,) = found.rows("in an attribute of its class")
    assert row["details"]["earlier"] == ["acme/in_an_attribute_of_its_class.py:1"]  # the name that leads to it


def test_a_second_one_is_said_to_stand_beside_its_class(found):
    (row,) = found.rows("two of them")
    assert row["message"] == (
        "a second Registry was built beside its class at acme/two_of_them.py:4; 1 may live per process; "
        "the first was built at acme/two_of_them.py:3"
    )


@pytest.mark.parametrize("description", SILENT)
def test_what_is_no_second_one_is_not(found, description):
    assert found.said(description) == []


def test_whether_its_factory_built_it_is_unknown(found):
    assert found.unknown("maybe from its factory", "SSG203") == 1


REFUSED = """
    class Registry: ...

    registry = Registry()

    def use():
        try:
            Registry()  # <- SSG202
        except Exception as error:
            return error
        raise AssertionError
"""


def test_strict_keeps_a_second_one_from_being_built(built):
    found = built({"refused": (REFUSED, {})}, mode="strict")
    assert found.said("refused") == found.expected["refused"]
    assert found.census["refused"]["created"] == 1
