"""SSG205: what a class lacks to satisfy the interface of its role: a protocol, an abstract class, or the home itself.

The rule is that whatever callers may do with the interface they may do with the class. So a wider signature is fine,
constructors are nobody's business, and where only a call could tell (a decorated function, ``__getattr__``, a plain
``def`` that returns what another method made) nothing is said.
"""

from __future__ import annotations

from ssot_guard.watch.classes import MISSING, attribute_of, is_protocol, module_of, mro_of, name_of, namespace_of
from ssot_guard.watch.interfaces import signatures, traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssot_guard.watch.interfaces.traits import Album, Trait

_OPERATORS = frozenset(
    (
        "__call__", "__len__", "__iter__", "__next__", "__contains__", "__getitem__", "__setitem__", "__delitem__",
        "__reversed__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__await__",
    )
)  # fmt: skip
_INFRASTRUCTURE = frozenset(
    (
        "_abc_impl", "_is_protocol", "_is_runtime_protocol", "__annotations__", "__annotate__", "__annotate_func__",
        "__annotations_cache__", "__abstractmethods__", "__class_getitem__", "__conditional_annotations__",
        "__del__", "__dict__", "__doc__", "__firstlineno__", "__getattr__", "__init__", "__match_args__",
        "__module__", "__new__", "__non_callable_proto_members__", "__orig_bases__", "__parameters__",
        "__protocol_attrs__", "__qualname__", "__set_name__", "__slots__", "__static_attributes__",
        "__type_params__", "__weakref__",
    )
)  # fmt: skip
_BUILT_IN = ("builtins", "typing", "typing_extensions", "abc")

# What a plain `def` may return instead of being declared as what stands on the left.
_RETURNS = {
    traits.ASYNC: ("Awaitable", "Coroutine", "Future", "Task", "Any"),
    traits.GENERATOR: ("Iter", "Generator", "Any", "object"),
    traits.ASYNC_GENERATOR: ("AsyncIter", "AsyncGenerator", "Any", "object"),
}


class Demand:
    """One member that an interface has; ``trait`` is None for data that it only annotates."""

    __slots__ = ("name", "source", "trait")

    def __init__(self, name: str, trait: Trait | None, source: str | None) -> None:
        self.name = name
        self.trait = trait
        self.source = source  # its annotation


def demands(interface: type, album: Album, governs: Callable[[str], bool]) -> list[Demand]:
    """The members that a class must have to satisfy an interface, in the order of their definition."""
    found: dict[str, Demand] = {}
    protocol = is_protocol(interface)
    for cls in reversed(mro_of(interface)):
        if module_of(cls) in _BUILT_IN:
            continue
        own = album.of(cls)
        home = cls is interface or governs(module_of(cls))
        for name, trait in own.members.items():
            if _is_demanded(name, trait, protocol=protocol, home=home):
                found[name] = Demand(name, trait, own.annotated.get(name))
        for name, source in own.annotated.items():
            wanted = protocol or (home and not name.startswith("_"))
            if wanted and name not in _INFRASTRUCTURE and "InitVar" not in source:
                found.setdefault(name, Demand(name, None, source))
    return list(found.values())


def _is_demanded(name: str, trait: Trait, *, protocol: bool, home: bool) -> bool:
    if name in _INFRASTRUCTURE or _is_mangled(name):
        return False
    if name.startswith("__"):
        wanted = protocol or trait.abstract or (home and name in _OPERATORS)
        return wanted and trait.is_code() and name not in namespace_of(object)
    return protocol or trait.abstract or (home and trait.is_code() and not name.startswith("_"))


def _is_mangled(name: str) -> bool:
    """``_Class__private``."""
    return name[:1] == "_" and name[1:2] != "_" and "__" in name


def mismatches(cls: type, wanted: list[Demand], album: Album) -> list[str]:
    """Everything that is wrong with a class, one text for each fault of each member."""
    return [f"`{demand.name}` {wrong}" for demand in wanted for wrong in _member(cls, demand, album)]


def _member(cls: type, demand: Demand, album: Album) -> Iterator[str]:
    want, have = demand.trait, album.find(cls, demand.name)
    code = want is not None and want.is_code()
    if have is None:
        if not _has_on_instances(cls, demand.name, album):
            yield "is missing"
    elif have is want or have.kind == traits.OTHER:
        return  # inherited from the interface itself, or an object that only a call would explain
    elif have.kind == traits.DATA:
        if code and have.returns == "None":  # `run = None`
            yield "is missing"
    elif want is not None and code:
        wrong = _kind(want, have)
        yield from [wrong] if wrong else _behaviour(demand.name, want, have)
    elif have.kind in traits.CALLABLE and (demand.source or "").strip("'\"") in _PLAIN_DATA:
        yield f"is {have.kind}, not data"


_PLAIN_DATA = frozenset(("int", "str", "float", "bool", "bytes", "list", "dict", "set", "tuple"))


def _has_on_instances(cls: type, name: str, album: Album) -> bool:
    """Whether instances may have an attribute that the class has not: declared, set by a method, or computed."""
    for one in mro_of(cls):
        own = album.of(one)
        if name in own.annotated or name in own.assigned:
            return True
    reads = name_of(type(attribute_of(cls, "__getattribute__")))  # C's own of `object`, `dict`, …
    return attribute_of(cls, "__getattr__") is not MISSING or reads != "wrapper_descriptor"


def _kind(want: Trait, have: Trait) -> str | None:
    """Methods and properties are used differently; on the class itself, an instance's method cannot be called."""
    if traits.PROPERTY in (want.kind, have.kind):
        if want.kind != have.kind:
            return None if have.returns and "Callable" in have.returns else f"is {have.kind}, not {want.kind}"
        return "cannot be set" if want.settable and not have.settable else None
    if want.kind != traits.METHOD and have.kind == traits.METHOD:
        return f"is {have.kind}, not {want.kind}"
    return None


def _behaviour(name: str, want: Trait, have: Trait) -> Iterator[str]:
    wrong = _nature(want, have)
    if wrong:
        yield wrong
    if want.signature is not None and have.signature is not None:
        by_name = not name.startswith("__") or name == "__call__"
        yield from signatures.complaints(want.signature, have.signature, by_name=by_name)


def _nature(want: Trait, have: Trait) -> str | None:
    """Whether a call gives the same kind of thing: a value, an awaitable, an iterator, an asynchronous iterator."""
    if want.nature is None or have.nature is None or want.nature == have.nature:
        return None
    if want.nature == traits.PLAIN:
        # A stub says by its annotation what it returns; without one, a plain function may well return an iterator.
        said = want.returns
        fits = _says(said, have.nature) or (said is None and have.nature == traits.GENERATOR)
    elif have.nature == traits.PLAIN:
        said = have.returns
        fits = _says(said, want.nature) or (said is None and want.nature != traits.ASYNC)
    else:
        # `async def stream(self) -> AsyncIterator` is how a stub without a `yield` is often written.
        fits = have.nature == traits.ASYNC_GENERATOR and _says(want.returns, traits.ASYNC_GENERATOR)
    return None if fits else f"is {have.nature}, not {want.nature}"


def _says(source: str | None, nature: str) -> bool:
    if source is None or (nature == traits.GENERATOR and "Async" in source):
        return False
    return any(word in source for word in _RETURNS[nature])
