"""Classes as they stand, read past metaclasses: nothing of the application runs while it is looked at.

A metaclass can answer for ``__module__``, ``__dict__``, ``__mro__`` or ``__subclasses__`` what it likes, and an
attribute of a class may be a descriptor that does things. The slots of ``type`` itself tell what is there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeGuard

    Key = tuple[str, str]  # module and qualified name

_slots: Any = vars(type)
_module = _slots["__module__"].__get__
_name = _slots["__name__"].__get__
_qualname = _slots["__qualname__"].__get__
_mro = _slots["__mro__"].__get__
_bases = _slots["__bases__"].__get__
_namespace = _slots["__dict__"].__get__
MISSING: Any = object()


def is_class(found: object) -> TypeGuard[type]:
    """Whether it really is a class: neither a proxy that says so, nor ``X[int]``."""
    return issubclass(type(found), type)


def module_of(cls: type) -> str:
    """The module that a class says it was defined in; empty where it says nothing."""
    module = _module(cls)
    return module if type(module) is str else ""


def plain(qualname: str) -> str:
    """``make.<locals>.Engine`` → ``make.Engine``: as the audit writes it."""
    return qualname.replace("<locals>.", "") if "<" in qualname else qualname


def qualname_of(cls: type) -> str:
    """The qualified name of a class."""
    return plain(_qualname(cls))


def is_copy(qualname: str) -> bool:
    """Whether a library made the class from another one: ``Model[int]`` is no definition of its own."""
    return not qualname.replace(".", "").isidentifier()


def name_of(cls: type) -> str:
    """The name of a class, of any kind of object's class above all: its metaclass may have another one to tell."""
    return _name(cls)  # type: ignore[no-any-return]


def qualname_in_code(cls: type) -> str:
    """The qualified name as the compiler writes it."""
    return _qualname(cls)  # type: ignore[no-any-return]


def is_local(cls: type) -> bool:
    """Whether a function made the class."""
    return "<locals>" in _qualname(cls)


def key_of(cls: type) -> Key:
    """What a class is known by: a reloaded one has the same."""
    return module_of(cls), qualname_of(cls)


def mro_of(cls: type) -> tuple[type, ...]:
    """The class and all above it."""
    return _mro(cls) or (cls,)


def bases_of(cls: type) -> tuple[type, ...]:
    """The classes right above."""
    return _bases(cls)  # type: ignore[no-any-return]


def namespace_of(cls: type) -> Mapping[str, Any]:
    """What the class itself holds, as it stands there."""
    return _namespace(cls)  # type: ignore[no-any-return]


def attribute_of(cls: type, name: str) -> Any:
    """What a class or one above it has under a name, as it stands there; MISSING where none has."""
    for one in mro_of(cls):
        found = _namespace(one).get(name, MISSING)
        if found is not MISSING:
            return found
    return MISSING


def subclasses_of(cls: type) -> list[type]:
    """The classes right below that are still there."""
    return type.__subclasses__(cls)


def is_protocol(cls: type) -> bool:
    """Whether it only says what others must have."""
    return _namespace(cls).get("_is_protocol") is True
