"""The source of a module, loaded or not, found without importing anything."""

from __future__ import annotations

import os
import sys

from ssot_guard.apart import apart
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.source import outline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from ssot_guard.watch.source.outline import Outline


def path_of(module: str) -> str | None:
    """The file of a module, loaded or not."""
    found = loaded.namespace(sys.modules.get(module)).get("__file__")
    if type(found) is str:
        return found
    origin = getattr(_spec(module), "origin", None)
    return origin if type(origin) is str else None


def outline_of(module: str) -> Outline | None:
    """What stands in the source of a module; None where there is none to read."""
    path = path_of(module)
    read = outline.of(path)
    if read is None and path is not None:  # in an archive only its loader reads it
        try:
            read = outline.of_text(path, _spec(module).loader.get_source(module))
        except Exception:  # noqa: BLE001 - other people's loader, or none
            return None
    return read


def line_of(module: str, qualname: str) -> int | None:
    """The first line of a class by its compiled code, decorators included: where there is no source."""
    try:
        pending: list[CodeType] = [_spec(module).loader.get_code(module)]
        while pending:
            code = pending.pop()  # None for a module of C
            if code.co_qualname == qualname:
                return code.co_firstlineno
            pending.extend(one for one in code.co_consts if hasattr(one, "co_qualname"))
    except Exception:  # noqa: BLE001, S110 - other people's loader, or none
        pass
    return None


def _spec(module: str) -> Any:
    """The spec that a module has, or would have; ``importlib.util.find_spec`` would import its parents."""
    spec = loaded.spec_of(sys.modules.get(module))
    if spec is not None:
        return spec
    parts = module.split(".")
    path: Any = None
    for depth, part in enumerate(parts[:-1], 1):
        name = ".".join(parts[:depth])
        package = loaded.namespace(sys.modules.get(name)).get("__path__")
        path = _locations(name, part, path) if package is None else package
        if path is None:
            return None
    return _ask(module, path)


@apart
def _locations(name: str, leaf: str, path: Any) -> Any:
    """Where the modules of a package lie that is not loaded; a plain folder in a package is one, too."""
    found = _ask(name, path)
    if found is None:  # `PathFinder` wants the parent of a namespace package to be loaded
        return [os.path.join(entry, leaf) for entry in path or () if os.path.isdir(os.path.join(entry, leaf))] or None
    return getattr(found.submodule_search_locations, "_path", found.submodule_search_locations)


def _ask(name: str, path: Any) -> Any:
    for finder in list(sys.meta_path):
        kind = type(finder)
        if kind.__name__ == "Finder" and kind.__module__.startswith("ssot_guard."):
            continue
        try:
            spec = finder.find_spec(name, path)
        except Exception:  # noqa: BLE001 - other people's finder
            spec = None
        if spec is not None:
            return spec
    return None
