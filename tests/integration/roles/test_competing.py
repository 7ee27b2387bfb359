"""SSG201: a second home of a role, in every shape that Python has for one; and what only looks like it."""

import sys

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/agents/__init__.py": "",
    "acme/agents/base.py": """
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class BaseAgentRegistry(Generic[T]):
            pass
        """,
    "acme/agents/protocols.py": """
        from abc import ABC, abstractmethod
        class AbstractAgentRegistry(ABC):
            @abstractmethod
            def get(self, name): ...
        """,
    "acme/agents/home.py": """
        from . import base, protocols
        from .base import T

        class AgentRegistry(base.BaseAgentRegistry[T]):
            def get(self, name):
                return name
        """,
    "acme/tools/__init__.py": "from acme.tools._real import ToolBox",
    "acme/tools/_real.py": "class ToolBox: ...",
    "acme/testing/__init__.py": "",
    "acme/testing/doubles.py": "class FakeAgentRegistry: ...",
    "acme/tests/__init__.py": "class TestedAgentRegistry: ...",
    "acme/engines.py": "class BaseEngine: ...\nclass Engine(BaseEngine): ...\n",
    "other/__init__.py": "class ForeignAgentRegistry: ...",
}
ROLES = [
    {
        "id": "registry",
        "canonical": "acme.agents.home:AgentRegistry",
        "match": ["*AgentRegistry", "acme.caught_by_a_pattern_of_modules.**:*Catalogue"],
        "interface": "acme.agents.protocols:AbstractAgentRegistry",
        "except": [
            "acme.testing",
            "acme.excepted_by_name:Excepted*",
            {"class": "acme/excepted_by_*.py", "reason": "files"},
        ],
        "reason": "two registries lose events",
    },
    {"id": "billing", "canonical": "acme.a_narrower_role:BillingAgentRegistry", "match": ["*BillingAgentRegistry"]},
    {"id": "tool-box", "canonical": "acme.tools:ToolBox", "match": ["ToolBox*", "*[TX]oolBox?"]},
    {"id": "engine", "canonical": "acme.engines:Engine", "subclass-of": ["acme.engines:BaseEngine"]},
    {"id": "cache", "match": ["*AnyCache"]},
]
POLICY = {"packages": ["acme", "!acme.tests"], "roles": ROLES}

CAUGHT = {
    "a plain class": """
        import os

        class AgentRegistry:  # <-
            pass
        """,
    "a decorated class": """
        def register(cls):
            return cls

        @register
        @register
        class SocketAgentRegistry(  # <-
            object,
        ):
            pass
        """,
    "nested classes": """
        class Services:
            class AgentRegistry:  # <-
                class InnerAgentRegistry:  # <-
                    pass
        """,
    "a conditional class": """
        import sys
        if sys.platform == "nowhere":
            class AgentRegistry:
                on = "nowhere"
        else:
            class AgentRegistry:  # <-
                on = "here"
        """,
    "a stub behind ImportError": """
        try:
            from acme.nowhere import AgentRegistry
        except ImportError:
            class AgentRegistry:  # <-
                def get(self, name):
                    return None
        """,
    "the second of two in one file": """
        class AgentRegistry:
            def old(self):
                pass

        class AgentRegistry:  # <-
            def new(self):
                pass
        """,
    "a call of type": """
        RemoteAgentRegistry = type("RemoteAgentRegistry", (), {})  # <-
        """,
    "a class under another name": """
        AgentRegistry = type("Hidden", (), {"get": None})  # <-
        """,
    "what a function made": """
        def make(size):
            class SizedAgentRegistry:  # <-
                limit = size
            return SizedAgentRegistry

        Small, Large = make(1), make(2)
        """,
    "what a function hides": """
        def _make():
            class HiddenAgentRegistry:  # <-
                pass
            return HiddenAgentRegistry

        kept = [_make(), _make()]
        """,
    "a dataclass with slots": """
        from dataclasses import dataclass

        @dataclass(slots=True)
        class SlotsAgentRegistry:  # <-
            size: int = 0
        """,
    "a class of attrs": """
        from attrs import define

        @define
        class AttrsAgentRegistry:  # <-
            size: int = 0
        """,
    "a named tuple": """
        from collections import namedtuple
        from typing import NamedTuple

        class TupleAgentRegistry(NamedTuple):  # <-
            size: int

        class PairAgentRegistry(namedtuple("PairAgentRegistry", "a b")):  # <-
            pass

        RowAgentRegistry = namedtuple("RowAgentRegistry", "a b")  # <-
        """,
    "a generic class": """
        from typing import Generic, TypeVar
        T = TypeVar("T")

        class AgentRegistry(Generic[T]):  # <-
            pass

        StrAgentRegistry = AgentRegistry[str]
        """,
    "a subclass of a competitor": """
        class AgentRegistry:  # <-
            pass

        class Extended(AgentRegistry):  # <-
            pass
        """,
    "a subclass of a competitor elsewhere": """
        from acme.a_plain_class import AgentRegistry as Registry

        class Elsewhere(Registry):  # <-
            pass
        """,
    "two homes in one class": """
        from acme.a_plain_class import AgentRegistry as Second
        from acme.agents.home import AgentRegistry

        class Joined(AgentRegistry, Second):  # <-
            pass

        class BelowJoined(Joined):
            pass
        """,
    "caught by a pattern of modules": """
        class AgentCatalogue:  # <-
            pass
        """,
    "a class below a base": """
        from acme.engines import BaseEngine

        class Motor(BaseEngine):  # <-
            pass
        """,
    "an enum and an exception": """
        from enum import Enum

        class KindOfAgentRegistry(Enum):  # <-
            A = 1

        class NoAgentRegistry(Exception):  # <-
            pass
        """,
    "hostile metaclasses": """
        class Meta(type):
            def __getattribute__(cls, name):
                raise RuntimeError(name)
            def __subclasses__(cls):
                raise RuntimeError("no")
            def __instancecheck__(cls, other):
                raise RuntimeError("no")
            def __eq__(cls, other):
                raise RuntimeError("no")
            __hash__ = None

        class HostileAgentRegistry(metaclass=Meta):  # <-
            class DeepAgentRegistry(metaclass=Meta):  # <-
                pass
        """,
    "names that match a bracket": """
        class XoolBox1:  # <-
            pass

        class XoolBox22:
            pass
        """,
}

SILENT = {
    "aliases": """
        from acme.agents.home import AgentRegistry
        from acme.agents import home

        MyAgentRegistry = AgentRegistry
        YourAgentRegistry = home.AgentRegistry

        class Holder:
            HeldAgentRegistry = AgentRegistry
        """,
    "re-exports": "from acme.agents.home import *\nfrom acme.tools import ToolBox\n",
    "subclasses": """
        from dataclasses import dataclass
        from acme.agents.home import AgentRegistry

        class SocketAgentRegistry(AgentRegistry):
            pass

        class DeepAgentRegistry(SocketAgentRegistry):
            class Inner(AgentRegistry):
                pass

        @dataclass
        class DataAgentRegistry(AgentRegistry):
            size: int = 0

        def make():
            return type("MadeAgentRegistry", (AgentRegistry,), {})

        made = make()
        """,
    "a protocol": """
        from typing import Protocol

        class AgentRegistry(Protocol):
            def get(self, name): ...
        """,
    "what is no class": """
        from typing import NewType, TypeVar
        from unittest.mock import Mock
        from acme.agents.home import AgentRegistry as _Home

        NewAgentRegistry = NewType("NewAgentRegistry", _Home)
        SomeAgentRegistry = TypeVar("SomeAgentRegistry", bound=_Home)
        FakeAgentRegistry = Mock(spec=_Home)
        StrAgentRegistry = list[str]
        GenericAgentRegistry = _Home[str]
        OneAgentRegistry = _Home()
        TextAgentRegistry = "AgentRegistry"

        def AgentRegistry():
            return _Home()
        """,
    "a proxy": """
        class Proxy:
            def __init__(self, found):
                self.__dict__["found"] = found
            @property
            def __class__(self):
                raise RuntimeError("woken")
            def __getattr__(self, name):
                raise RuntimeError("woken")

        class Meta(type):
            def __getattribute__(cls, name):
                raise RuntimeError("asked")
            __hash__ = None

        class Asks(metaclass=Meta):
            pass

        class Holder:
            held, HeldAgentRegistry = Proxy(3), Asks()

        ProxyAgentRegistry, OtherAgentRegistry = Proxy(3), Asks()
        """,
    "members of an enum": """
        from enum import Enum

        class Kind(Enum):
            AgentRegistry = "a"
            OtherAgentRegistry = "b"
        """,
    "a module with a getattr": """
        def __getattr__(name):
            if name.endswith("AgentRegistry"):
                raise RuntimeError("asked")
            raise AttributeError(name)
        """,
    "only for type checkers": """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            class AgentRegistry:
                pass
        """,
    "excepted by name": "class ExceptedAgentRegistry: ...",
    "excepted by file": "class AgentRegistry: ...\nclass Below(AgentRegistry): ...\n",
    "excepted by module": "from acme.testing.doubles import FakeAgentRegistry\n",
    "not governed": "from acme.tests import TestedAgentRegistry\nfrom other import ForeignAgentRegistry\n",
    "a narrower role": """
        class BillingAgentRegistry:
            pass

        class MonthlyBillingAgentRegistry(BillingAgentRegistry):
            pass
        """,
    "a role without a home": "class AnyCache: ...\nclass AnotherAnyCache: ...\n",
    "a home behind its public name": "from acme.tools._real import ToolBox\nclass ToolBoxes(ToolBox): ...\n",
    "a deleted class": "class AgentRegistry: ...\ndel AgentRegistry\nimport gc\ngc.collect()\n",
    "a parameter of a competitor": """
        from acme.a_generic_class import AgentRegistry as _Second

        class _Model:
            def __class_getitem__(cls, item):
                return type(f"{cls.__name__}[{item.__module__}.{item.__name__}]", (cls,), {"__module__": __name__})

        class _Two(_Model):
            pass

        OneAgentRegistry = _Two[_Second]
        Anything = type("AgentRegistry[int]", (_Second,), {})
        """,
    "what a library copied": """
        from acme.agents.home import AgentRegistry

        class Model:
            def __class_getitem__(cls, item):
                return type(f"{cls.__name__}[{item.__name__}]", (cls,), {"__module__": __name__})

        class GenericAgentRegistry(Model, AgentRegistry):
            pass

        IntAgentRegistry = GenericAgentRegistry[int]
        """,
    "an interface": "from acme.agents.protocols import AbstractAgentRegistry\n",
}
if sys.version_info >= (3, 15):
    SILENT["lazy imports"] = """
        import sys
        lazy from acme.never_loaded import AgentRegistry
        lazy import acme.never_loaded as OtherAgentRegistry
        """
    TREE["acme/never_loaded.py"] = "class AgentRegistry: ...\n"

HOME = "acme.agents.home"
ORDERS = {"the home first": ([HOME], []), "the home last": ([], [HOME])}


@pytest.fixture(scope="module", params=ORDERS)
def found(request, shapes):
    before, after = ORDERS[request.param]
    return shapes(CAUGHT | SILENT, TREE, POLICY, before=["acme.agents.base", *before], after=after)


@pytest.mark.parametrize("shape", CAUGHT)
def test_a_second_home_is_found_at_its_own_line(found, shape):
    assert found.lines(shape, "SSG201") == found.expected(shape)


@pytest.mark.parametrize("shape", SILENT)
def test_what_is_no_second_home_stays_silent(found, shape):
    assert found.found(shape, "SSG201") == []


def test_each_is_found_once_and_nothing_else(found):
    assert found.everywhere("SSG201") == found.all_expected()
    assert found.answer.out["again"] == []
    assert found.answer.out["unknown"] == {}
    assert "acme.never_loaded" not in found.answer.out["modules"]


def test_executions_are_counted_and_looks_are_not(found):
    counts = {row["target"]: row["count"] for row in found.answer.of("SSG201") if row["count"] > 1}
    assert counts == {"acme.what_a_function_made:make.SizedAgentRegistry": 2}
