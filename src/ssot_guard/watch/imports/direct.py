"""Modules that are executed past importlib's own way: by hand, by a reload, by loaders of other kinds.

``importlib.reload`` and code that calls ``loader.exec_module`` itself never set the flag of the tripwire. But both
make the module's attributes first, and importlib reads ``spec.parent`` for that.
"""

from __future__ import annotations

from ssot_guard.watch.imports import importer
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.imports.finder import unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType


def maker(frame: FrameType) -> FrameType | None:
    """Who makes a module by hand; None for importlib's own way and for all others who read ``spec.parent``."""
    if frame.f_code.co_name != "_init_module_attrs" or not importer.is_machinery(frame):
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
    """Put a one-shot ``exec_module`` into the loader *instance*; False where it serves more than this module.

    Never into a class (``BuiltinImporter``) or a shared instance (``zipimporter``, pytest's rewriter): that would leak
    into every other module.
    """
    loader = spec.loader
    if type(loader).__name__ == "LazyLoader" and type(loader).__module__ == "importlib.util":
        loader = loader.loader  # type: ignore[union-attr]  # the one that runs at the first attribute access
    namespace = getattr(loader, "__dict__", None)
    if loader is None or isinstance(loader, type) or namespace is None or getattr(loader, "name", None) != spec.name:
        return False
    if "exec_module" in namespace or not hasattr(loader, "exec_module"):
        return False

    @unseen
    def exec_module(module: ModuleType) -> None:
        namespace.pop("exec_module", None)
        # Through the flag's setter, because that is what importlib would have done; without a trace of it afterwards.
        had_flag = "_initializing" in spec.__dict__
        tripwire.write_flag(spec, True)  # noqa: FBT003
        try:
            loader.exec_module(module)
        finally:
            tripwire.write_flag(spec, False)  # noqa: FBT003
            if not had_flag:
                del spec.__dict__["_initializing"]

    namespace["exec_module"] = exec_module
    return True
