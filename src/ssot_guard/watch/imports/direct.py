"""Modules that are executed past importlib's own way: by hand, by a reload, by loaders of other kinds.

``importlib.reload`` and code that calls ``loader.exec_module`` itself never set the flag of the tripwire. But importlib
reads ``spec.parent`` when it makes a module, and a loader that serves one module only can carry a method of ours in its
instance. Never in a class (``BuiltinImporter``) or a shared instance (``zipimporter``, pytest's rewriter): that would
leak into every other module.
"""

from __future__ import annotations

import sys

from ssot_guard.watch.imports import machinery
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.imports.finder import unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType
    from typing import Any

_getframe = sys._getframe
_SHADOWS = ("exec_module", "get_filename")


def maker(frame: FrameType) -> FrameType | None:
    """Who makes a module by hand; None for importlib's own way and for all others who read ``spec.parent``."""
    if frame.f_code.co_name != "_init_module_attrs" or not machinery.is_machinery(frame):
        return None
    outer = frame.f_back
    if outer is not None and outer.f_code.co_name == "module_from_spec":
        outer = outer.f_back
    return None if outer is None or outer.f_code.co_name == "_load_unlocked" else outer


def loads_before_the_setter(spec: ModuleSpec) -> bool:
    """C extensions run their initialiser in ``create_module``; loaders of the old kind have no load event at all."""
    loader = spec.loader
    if loader is None:
        return False
    return type(loader).__name__ == "ExtensionFileLoader" or not hasattr(loader, "exec_module")


def shadow(spec: ModuleSpec) -> bool:
    """Have the loader tell of the next call of its ``exec_module``; False where it serves several modules.

    ``loader.exec_module(module_from_spec(spec))`` takes the method before we know of it. But the loaders of files
    then ask themselves for ``get_filename``, so that is shadowed as well.
    """
    loader = _own_loader(spec)
    if loader is None or "exec_module" in loader.__dict__:
        return False
    namespace = loader.__dict__

    @unseen
    def exec_module(module: ModuleType) -> None:
        for method in _SHADOWS:
            namespace.pop(method, None)
        # Through the flag's setter, because that is what importlib would have done; without a trace of it afterwards.
        had_flag = "_initializing" in spec.__dict__
        tripwire.write_flag(spec, True)  # noqa: FBT003
        try:
            loader.exec_module(module)
        finally:
            tripwire.write_flag(spec, False)  # noqa: FBT003
            if not had_flag:
                del spec.__dict__["_initializing"]

    @unseen
    def get_filename(*name: str) -> str:
        frame = _getframe(1)
        executing = frame.f_back if frame.f_code.co_name == "get_code" else None
        if executing is not None and executing.f_code.co_name == "exec_module":
            for method in _SHADOWS:
                namespace.pop(method, None)
            tripwire.report_execution(spec, executing)
        return type(loader).get_filename(loader, *name)  # type: ignore[no-any-return]

    namespace["exec_module"] = exec_module
    if hasattr(loader, "get_filename"):
        namespace["get_filename"] = get_filename
    return True


def unshadow(spec: ModuleSpec) -> None:
    """Take our methods out of the loader; twice is harmless."""
    loader = _own_loader(spec)
    for name in _SHADOWS if loader is not None else ():
        if getattr(loader.__dict__.get(name), "__module__", None) == __name__:
            del loader.__dict__[name]


def _own_loader(spec: ModuleSpec) -> Any:
    """The loader, if it exists for this module alone."""
    loader: Any = spec.loader
    if type(loader).__name__ == "LazyLoader" and type(loader).__module__ == "importlib.util":
        loader = loader.loader  # the one that runs at the first attribute access
    if isinstance(loader, type) or not hasattr(loader, "exec_module") or not hasattr(loader, "__dict__"):
        return None
    return loader if getattr(loader, "name", None) == spec.name else None
