"""Watched names of a module: ``from mod import Old``, ``mod.Old``, and submodules taken from their parent.

Reading a cached name never reaches a finder. So *that* module's class is switched to a subclass of its present class
with one data descriptor per watched name; the values stay in the module's own ``__dict__``. Code inside the module,
``mock.patch``, ``inspect`` and pickling work as before, and no other module pays anything.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from ssot_guard.watch.imports.finder import unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType, ModuleType
    from typing import Protocol

    class Reader(Protocol):
        """Who is told of reads; returns the error to raise, or None. What it raises is a bug, and contained."""

        def name_read(self, module: ModuleType, name: str, frame: FrameType) -> BaseException | None: ...
        def contain(self, failure: Exception) -> BaseException | None: ...


_original: dict[type, type] = {}  # switched class → the class before
_MODULE = type(sys)
_namespace = vars(_MODULE)["__dict__"].__get__  # C, and past every override
_switch = _MODULE.__setattr__  # a module's own `__setattr__` would take the class for one of its settings
# From 3.14 on a hot LOAD_ATTR on any subclass of ModuleType that inherits its attribute look-up reads the namespace
# directly, past our descriptors. With the look-up of `object` it does not.
_READS_PAST_DESCRIPTORS = sys.version_info >= (3, 14)
# Taken now: test suites remove it for a while.
_getframe = sys._getframe
_LAZY = "lazy_import"  # 3.15: the type's name; the class itself would cost importing `types`


class WatchedName:
    """A data descriptor: tells of reads, and lets the module's ``__dict__`` answer.

    It needs a setter: without one importlib cannot bind a submodule on its parent and says so in an ImportWarning.
    """

    __slots__ = ("_missed", "_name", "_reader")

    def __init__(self, name: str, reader: Reader) -> None:
        self._name = name
        self._reader = reader
        self._missed: dict[int, tuple[int, int]] = {}  # thread → where it missed the name, and will miss it once more

    @unseen
    def __get__(self, module: ModuleType | None, owner: type | None = None) -> object:
        if module is None:
            return self
        # A local never resolves a lazy import (3.15): only loads of globals and attributes do, and this is the latter.
        value = _namespace(module).get(self._name, self)
        frame = _getframe(1)
        if value is self and _READS_PAST_DESCRIPTORS and self._echoes(frame):
            raise AttributeError(self._name)
        try:
            error = self._reader.name_read(module, self._name, frame)
        except RecursionError:
            error = None  # the stack is full, and containing takes frames, too
        except Exception as failure:  # noqa: BLE001
            error = self._reader.contain(failure)
        if error is not None:
            raise error
        if value is self:
            # module.__getattribute__ takes it from here: its own `__getattr__`, its own message.
            raise AttributeError(self._name)
        if sys.version_info >= (3, 15) and type(value).__name__ == _LAZY:
            value = _namespace(module)[self._name] = value.resolve()  # type: ignore[attr-defined]
        return value

    def _echoes(self, frame: FrameType) -> bool:
        """Whether this is the second look for an absent name: ``__getattr__`` of the switched class looks again."""
        here = (id(frame), frame.f_lasti)
        if self._missed.pop(get_ident(), None) == here:
            return True
        self._missed[get_ident()] = here
        return False

    def __set__(self, module: ModuleType, value: object) -> None:
        _namespace(module)[self._name] = value

    def __delete__(self, module: ModuleType) -> None:
        try:
            del _namespace(module)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


def _getattr(self: ModuleType, name: str) -> object:
    """What ``ModuleType`` says of an absent attribute; it reads the flag for it, which must not look like an import."""
    return _MODULE.__getattribute__(self, name)


def _reduce(self: ModuleType) -> tuple[object, ...]:
    """Modules do not pickle, but tools pickle them by exact type; for this subclass they come here."""
    import importlib

    return (importlib.import_module, (self.__name__,))


def watch(module: ModuleType, names: Iterable[str], reader: Reader) -> bool:
    """Watch names of a module, in addition to those already watched; False where its class cannot be switched."""
    present = type(module)
    base = _original.get(present, present)
    if base.__name__ == "_LazyModule" and base.__module__ == "importlib.util":
        base = _MODULE  # its first attribute access gives it this class, unless it has another one by then
    namespace: dict[str, object] = {
        name: value for name, value in vars(present).items() if isinstance(value, WatchedName) and present in _original
    }
    missing = [name for name in names if name not in namespace]
    # A module that was watched while its body ran may have got a `__getattr__` of its own since.
    own = "__getattr__" in _namespace(module)
    fits = not _READS_PAST_DESCRIPTORS or (vars(present).get("__getattr__") is _getattr) != own
    if not missing and fits:
        return True
    namespace.update((name, WatchedName(name, reader)) for name in missing)
    namespace.update(__module__=base.__module__, __qualname__=base.__qualname__, __doc__=base.__doc__)
    if _READS_PAST_DESCRIPTORS:
        # C, where a lazy module's own `__getattr__` answers: a frame of ours would move its warnings to the wrong file.
        look_up = _MODULE.__getattribute__ if own else _getattr
        namespace.update(__getattribute__=object.__getattribute__, __getattr__=look_up)
    if {"__reduce__", "__reduce_ex__"}.isdisjoint(key for cls in base.__mro__[:-1] for key in vars(cls)):
        namespace["__reduce__"] = _reduce
    try:
        switched = type(base)(base.__name__, (base,), namespace)
        _switch(module, "__class__", switched)
    except Exception:  # noqa: BLE001 - other people's metaclass, or a class that cannot be left
        return False
    _original[switched] = base
    _original.pop(present, None)
    return True


def unwatch(module: ModuleType) -> None:
    """Give the module its own class back, unless somebody switched it again since; twice is harmless."""
    original = _original.pop(type(module), None)
    if original is not None:
        _switch(module, "__class__", original)


def is_watched(module: object) -> bool:
    """Whether the module carries watched names."""
    return type(module) in _original


def blocks(module: object) -> bool:
    """Whether ``from`` imports of the module can be stopped at their ``__path__`` look-up."""
    cls = type(module)
    return cls in _original and "__path__" in cls.__dict__
