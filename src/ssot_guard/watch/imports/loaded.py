"""What stands in ``sys.modules``, looked at without running anybody's code.

Applications put proxies, lazy modules and worse there. An attribute access would wake them (or read the flag that the
tripwire listens to), so only types and namespaces are looked at, past every override.
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, TypeGuard

MODULE = type(sys)
_namespace_of = vars(MODULE)["__dict__"].__get__  # the descriptor itself: no override is asked


def is_module(found: object) -> TypeGuard[ModuleType]:
    """Whether it really is a module; ``isinstance`` would believe what a proxy says."""
    return issubclass(type(found), MODULE)


def namespace(found: object) -> dict[str, Any]:
    """The namespace of a module; empty for everything else."""
    return _namespace_of(found) or {} if is_module(found) else {}


def spec_of(found: object) -> ModuleSpec | None:
    """The spec that a module carries, where it is one."""
    spec = namespace(found).get("__spec__")
    return spec if is_spec(spec) else None


def is_spec(spec: object) -> TypeGuard[ModuleSpec]:
    """Whether it really is a spec."""
    return issubclass(type(spec), ModuleSpec)


def body_of(module: ModuleType) -> CodeType | None:
    """The code of a module's body, as its loader has it; None where there is none."""
    loader = getattr(spec_of(module), "loader", None)
    try:
        return loader.get_code(module.__name__)  # type: ignore[union-attr,no-any-return]
    except Exception:  # noqa: BLE001 - other people's loader, or none
        return None


def is_lazy(found: object) -> bool:
    """Whether it is a module of ``importlib.util.LazyLoader`` that did not run yet: its class must stay."""
    if type(found).__name__ != "_LazyModule" or type(found).__module__ != "importlib.util":
        return False
    state = getattr(spec_of(found), "loader_state", None)
    return not (type(state) is dict and state.get("is_loading"))


def is_package(name: str) -> bool:
    """Whether a loaded module has a ``__path__``."""
    return "__path__" in namespace(sys.modules.get(name))


def initializing(spec: object) -> bool:
    """Whether the body of the spec's module still runs; from its namespace, past the tripwire.

    No more once we are told of the load's end, though importlib's flag is cleared a little later.
    """
    return is_spec(spec) and object.__getattribute__(spec, "__dict__").get("_initializing") is True


def holders(name: str, module: object) -> list[str]:
    """Modules whose namespace holds a module: found through the collector, so that no namespace is touched."""
    import gc

    found = set()
    for referrer in gc.get_referrers(module):
        holder = referrer.get("__name__") if type(referrer) is dict else None
        if type(holder) is str and holder != name and holder in sys.modules:
            found.add(holder)
    return sorted(found)
