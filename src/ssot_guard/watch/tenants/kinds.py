"""What an object is to the search for shared state: state, frozen, or of no interest.

Types are asked through the slots of ``type`` and by what their namespaces hold: no attribute of an object of the
application is read, and nothing of it is compared, hashed or printed.
"""

from __future__ import annotations

import sys
from _collections import deque
from _functools import partial

from ssot_guard.names import parse
from ssot_guard.watch.classes import MISSING, attribute_of, is_class, module_of, mro_of, namespace_of, qualname_of
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.replacements import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NOTHING = 0  # nobody's state, or nothing that can be written: neither looked into nor reported
FROZEN = 1  # cannot be written itself; what it holds may be
VIEW = 2  # the same, with a dictionary of its own in between: a frozen dataclass, a mapping proxy
STATE = 3  # can be written: a finding where two tenants reach it
OPAQUE = 4  # the same, and what is inside is its maker's business

_METHOD = type(parse("a").matches)
_PROXY = type(vars(type))
# Types by id: a metaclass may compare and hash as it likes. What stands here lives for ever.
_SEQUENCES = frozenset(map(id, (tuple, frozenset)))
_BUILT_IN = dict.fromkeys(map(id, (dict, list, set, bytearray)), STATE)
_BUILT_IN |= {id(_METHOD): FROZEN, id(partial): FROZEN, id(_PROXY): VIEW}
HOLDERS = frozenset(map(id, (dict, list, set, bytearray, deque)))  # nothing but holders of other objects
# These, and what inherits from them, hold nothing that anybody could write.
_ATOMS = frozenset(map(id, (
    bytes, complex, float, int, memoryview, range, slice, str, type, type(None), type(sys), type(lambda: None),
    type(list[int]), type(int | str),
)))  # fmt: skip
# Machinery of the interpreter, values that never change, and what observes: by the module that defines the type.
_MODULES = frozenset((
    "_abc", "_asyncio", "_contextvars", "_datetime", "_decimal", "_functools", "_io", "_random", "_socket", "_ssl",
    "_struct", "_thread", "_weakref", "_weakrefset", "abc", "asyncio", "builtins", "concurrent", "contextvars",
    "datetime", "decimal", "enum", "fractions", "functools", "importlib", "inspect", "io", "ipaddress", "itertools",
    "logging", "loguru", "multiprocessing", "opentelemetry", "operator", "pathlib", "prometheus_client", "random", "re",
    "select", "selectors", "socket", "ssl", "ssot_guard", "structlog", "threading", "typing", "unittest", "uuid",
    "weakref", "zoneinfo",
))  # fmt: skip
_CARRIERS = frozenset(("asyncio.queues", "_io:BytesIO", "_io:StringIO"))  # … that carry data all the same
_LOGGERS = ("Logger", "LoggerAdapter")
# Requests, sessions and clients of these lead to the application, its routes, pools, defaults and mappers.
_FRAMEWORKS = frozenset((
    "aiohttp", "anyio", "asgiref", "asyncpg", "botocore", "django", "fastapi", "flask", "grpc", "gunicorn", "h11",
    "httpcore", "httptools", "httpx", "hypercorn", "pymongo", "redis", "requests", "sqlalchemy", "starlette", "tornado",
    "urllib3", "uvicorn", "websockets", "werkzeug", "wsproto",
))  # fmt: skip


class Kinds:
    """Kinds of types, worked out once; ``share`` as in the policy's roles."""

    def __init__(self, share: Iterable[str]) -> None:
        self.of_types: dict[int, int] = {}  # id of the type → kind
        self.shared: dict[int, Any] = {}  # objects that may be shared, by id
        self._types: list[type] = []  # no id is used twice
        self._patterns = [parse(text) for text in share]
        if self._patterns:
            for name in list(sys.modules):
                self._take(name)

    def of(self, obj: object) -> int:
        """What an object is."""
        if id(obj) in self.shared:
            return NOTHING
        cls = type(obj)
        kind = self.of_types.get(id(cls))
        if kind is None:
            self._types.append(cls)
            kind = self.of_types[id(cls)] = NOTHING if self._may_be_shared(cls) else kind_of(cls)
        return kind

    def allows(self, module: str, name: str) -> bool:
        """Whether a name of a module may be shared."""
        return any(pattern.matches(module) and pattern.name in {None, name} for pattern in self._patterns)

    def _may_be_shared(self, cls: type) -> bool:
        return bool(self._patterns) and any(self.allows(module_of(one), qualname_of(one)) for one in mro_of(cls))

    def _take(self, name: str) -> None:
        """The objects of a module that may be shared, as they stand in it."""
        if type(name) is not str:
            return
        for pattern in self._patterns:
            if pattern.matches(name):
                module = sys.modules.get(name)
                found = (
                    list(loaded.namespace(module).values()) if pattern.name is None else [_named(module, pattern.name)]
                )
                self.shared.update((id(one), one) for one in found if one is not MISSING and not is_class(one))


def kind_of(cls: type) -> int:
    """What instances of a class are."""
    line = frozenset(map(id, mro_of(cls)))
    if cls is object or not line.isdisjoint(_ATOMS):
        return NOTHING
    if not line.isdisjoint(_SEQUENCES):
        return FROZEN
    module = module_of(cls)
    package = module.partition(".")[0]
    if package in _MODULES:
        carries = module in _CARRIERS or f"{module}:{qualname_of(cls)}" in _CARRIERS
        return STATE if carries else _BUILT_IN.get(id(cls), NOTHING)
    if qualname_of(cls).endswith(_LOGGERS) or module_of(type(cls)) == "enum":
        return NOTHING
    if package in _FRAMEWORKS:
        return OPAQUE
    return VIEW if _is_frozen(cls) else STATE


def _is_frozen(cls: type) -> bool:
    """Whether its instances refuse to be written: a frozen dataclass, attrs class or pydantic model."""
    parameters = namespace_of(cls).get("__dataclass_params__")
    if parameters is not None and module_of(type(parameters)) == "dataclasses":
        return bool(parameters.frozen)
    if getattr(attribute_of(cls, "__setattr__"), "__name__", "") == "_frozen_setattrs":
        return True
    config = attribute_of(cls, "model_config")
    return type(config) is dict and config.get("frozen") is True


def _named(module: Any, path: str) -> Any:
    """``NAME`` or ``Class.attribute`` of a module."""
    found = module
    for name in path.split("."):
        if not (is_class(found) or loaded.is_module(found)):
            return MISSING
        found = own(found, name)
    return found


def is_holder(obj: object) -> bool:
    """Whether it is nothing but a holder of other objects: a list, a dictionary, or what inherits from one."""
    return any(id(one) in HOLDERS for one in mro_of(type(obj)))


def is_plain_holder(obj: object) -> bool:
    """The same, of exactly such a type: asking for its length runs nobody's code."""
    return id(type(obj)) in HOLDERS
