"""The classes that are alive in the process, whoever made them: what no module's namespace shows."""

from __future__ import annotations

import sys

from ssot_guard.watch.classes import MISSING, is_class, is_copy, is_local, key_of, module_of, subclasses_of
from ssot_guard.watch.roles.homes import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def below(top: type) -> Iterator[type]:
    """All classes below one, each once."""
    seen: set[int] = set()
    pending = [top]
    while pending:
        for cls in subclasses_of(pending.pop()):
            if id(cls) not in seen:
                seen.add(id(cls))
                pending.append(cls)
                yield cls


def governed(governs: Callable[[str], bool], top: type = object) -> Iterator[type]:
    """Those of governed modules that are what their modules have, or were made by functions."""
    for cls in below(top):
        if governs(module_of(cls)) and _is_current(cls):
            yield cls


def _is_current(cls: type) -> bool:
    """Not what a decorator (``dataclass(slots=True)``), a reload or a refused module left, nor ``Model[int]``."""
    module, name = key_of(cls)
    if module not in sys.modules or is_copy(name):
        return False
    if is_local(cls):
        return True
    present = Home(f"{module}:{name}").find()
    return present is cls or present is MISSING or not is_class(present)
