"""The tripwire: CPython itself reports loads and cached imports of a module, through its spec.

CPython sets ``spec._initializing`` around every load, before the module is in ``sys.modules``, and reads it whenever a
cached module is imported. A property of that name on the spec's class sees both. No loader is replaced, so
``type(spec.loader)``, ``inspect.getsource`` and tracebacks stay what they are, and other modules pay nothing. It is a
private attribute, therefore :func:`works` proves it on this interpreter before anything relies on it.

The functions that raise are :func:`~ssot_guard.watch.imports.finder.unseen`: tracebacks end at the importer's line.
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec

from ssot_guard.watch.imports.finder import set_finders, unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Protocol

    from ssot_guard.watch.imports.finder import F

    Event = Callable[[ModuleSpec, FrameType], BaseException | None]

    class Tripwire(Protocol):
        """Who is told, with the frame that did it; the methods return the error to raise, or None.

        What they raise is a bug, and contained.
        """

        def loading(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def loaded(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def read(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def made(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def executed(self, spec: ModuleSpec, frame: FrameType) -> BaseException | None: ...
        def contain(self, failure: Exception) -> BaseException | None: ...


# Until 3.12 an error raised while CPython reads the flag of a cached module is cleared when the reader is a statement.
READ_CAN_RAISE = sys.version_info >= (3, 13)

_KEY = "_initializing"
# The flag while we look at a load that has ended. As true as True: other threads go on waiting at the module's lock,
# for importlib has yet to bind the module to its package. Whoever asks for `is True` learns that the body has run.
_ENDING = 1
_getframe = sys._getframe
armed: Tripwire | None = None  # one guard per interpreter


# This is the border: whatever is raised behind it is a bug of ours, and ends here.


@unseen
def _read(self: ModuleSpec) -> bool:
    watcher = armed
    if watcher is not None:
        try:  # as `_tell`, without its frame: this is every cached import of what is armed
            error = watcher.read(self, _getframe(1))
        except RecursionError:
            error = None
        except Exception as failure:  # noqa: BLE001
            error = watcher.contain(failure)
        if error is not None:
            raise error
    # The key can be absent (3.13), and what is raised here would surface in somebody's import statement.
    return self.__dict__.get(_KEY, False)  # type: ignore[no-any-return]


def _always_unseen(function: F) -> F:
    """As :func:`unseen`, also for verdicts that are no import errors: there CPython goes by the innermost name."""
    unseen(function)
    function.__code__ = function.__code__.replace(co_name="_call_with_frames_removed")
    return function


@_always_unseen
def write_flag(self: ModuleSpec, value: bool) -> None:  # noqa: FBT001 - a property's setter
    """What importlib does around a load; raises the verdict, if there is one."""
    watcher = armed
    error = None if watcher is None or not value else _tell(watcher, watcher.loading, self, _getframe(1))
    if error is not None:
        raise error
    # Under the very key that ModuleSpec uses: switching the class back needs no clean-up.
    self.__dict__[_KEY] = value if value or watcher is None else _ENDING
    if watcher is not None and not value:
        try:
            error = _tell(watcher, watcher.loaded, self, _getframe(1))
        finally:
            self.__dict__[_KEY] = value
        if error is not None:
            raise error


@unseen
def _parent(self: ModuleSpec) -> str:
    watcher = armed
    if watcher is not None:
        error = _tell(watcher, watcher.made, self, _getframe(1))
        if error is not None:
            raise error
    return ModuleSpec.parent.fget(self)  # type: ignore[attr-defined,no-any-return]


@unseen
def report_execution(spec: ModuleSpec, frame: FrameType) -> None:
    """A loader executes a module that importlib does not load; raises the verdict, if there is one."""
    watcher = armed
    if watcher is not None:
        error = _tell(watcher, watcher.executed, spec, frame)
        if error is not None:
            raise error


def _tell(watcher: Tripwire, event: Event, spec: ModuleSpec, frame: FrameType) -> BaseException | None:
    """The verdict on an event; None where finding it failed."""
    try:
        return event(spec, frame)
    except RecursionError:
        return None  # the stack is full, and containing takes frames, too
    except Exception as failure:  # noqa: BLE001
        return watcher.contain(failure)


def _reduce(self: ModuleSpec) -> tuple[object, ...]:
    """Pickle as the spec that it would be without us (not through ``copyreg.__newobj__``: pickle compares classes)."""
    return (object.__new__, (_classes_back[type(self)],), self.__dict__)


_classes: dict[type, type] = {ModuleSpec: ModuleSpec}
_classes_back: dict[type, type] = {}


def _guarded_class(cls: type) -> type:
    """A subclass of a spec class that carries the tripwire and looks like its base."""
    guarded = _classes.get(cls)
    if guarded is None or guarded is cls:
        namespace = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "__reduce__": _reduce,
            _KEY: property(_read, write_flag),
            "parent": property(_parent),
        }
        guarded = _classes[cls] = type(cls.__name__, (cls,), namespace)
        _classes_back[guarded] = cls
    return guarded


def is_armed(spec: object) -> bool:
    """Whether the spec carries the tripwire."""
    return type(spec) in _classes_back


def arm(spec: ModuleSpec) -> bool:
    """Switch the spec's class; False where that cannot be done (a foreign kind of spec)."""
    if is_armed(spec):
        return True
    try:
        spec.__class__ = _guarded_class(type(spec))
    except TypeError:
        return False
    return True


def disarm(spec: ModuleSpec) -> None:
    """Give the spec its own class back; twice is harmless."""
    original = _classes_back.get(type(spec))
    if original is not None:
        spec.__class__ = original


class _Probe:
    """Notes the events of the self-test."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def loading(self, _spec: ModuleSpec, _frame: FrameType) -> None:
        self.events.append("loading")

    def loaded(self, _spec: ModuleSpec, _frame: FrameType) -> None:
        self.events.append("loaded")

    def read(self, _spec: ModuleSpec, _frame: FrameType) -> None:
        self.events.append("read")

    def made(self, _spec: ModuleSpec, _frame: FrameType) -> None:
        self.events.append("made")

    def executed(self, _spec: ModuleSpec, _frame: FrameType) -> None:
        self.events.append("executed")

    def contain(self, failure: Exception) -> BaseException | None:
        raise failure


class _Loader:
    """Serves the throw-away module of the self-test."""

    @staticmethod
    def create_module(_spec: ModuleSpec) -> None:
        return None

    @staticmethod
    def exec_module(_module: object) -> None:
        return None


class _Finder:
    """Finds the throw-away module of the self-test, and nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = ModuleSpec(fullname, _Loader())  # type: ignore[arg-type]
        arm(spec)
        return spec


def works() -> bool:
    """Prove on this interpreter that loads and cached imports are reported, with a module that is thrown away."""
    global armed  # noqa: PLW0603 - one guard per interpreter
    name = "_ssot_guard_self_test"
    finder, before, probe = _Finder(name), armed, _Probe()
    set_finders([finder, *sys.meta_path])
    armed = probe
    try:
        __import__(name)
        first, probe.events = probe.events, []
        __import__(name)
    except ImportError:
        return False
    else:
        return "loading" in first and "loaded" in first and probe.events == ["read"]
    finally:
        armed = before
        set_finders([one for one in sys.meta_path if one is not finder])
        sys.modules.pop(name, None)
