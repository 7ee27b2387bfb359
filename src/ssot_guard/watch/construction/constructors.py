"""Stands in front of constructors: ``__init__`` of every class of a role, and ``__new__`` of those that have their own.

A ``__new__`` is never added: without it again, CPython would refuse arguments to that class for ever. Where a class
inherits its constructor, one is added (:mod:`.inherited`). A bug of ours is contained in what stands here.
"""

from __future__ import annotations

import sys
from _weakref import getweakrefcount
from time import perf_counter

from ssot_guard.watch.classes import MISSING, is_protocol, module_of, mro_of
from ssot_guard.watch.construction import inherited
from ssot_guard.watch.construction.instances import BUILT, OPEN, Instance, known
from ssot_guard.watch.construction.template import build
from ssot_guard.watch.dress import dress, uncounted
from ssot_guard.watch.replacements import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ssot_guard.watch.construction.kinds import Kind
    from ssot_guard.watch.construction.population import Population
    from ssot_guard.watch.replacements import Replacements

_getframe = sys._getframe
_getrefcount = sys.getrefcount
_FUNCTION = type(lambda: None)
_OBJECT_INIT = vars(object)["__init__"]


def watch(cls: type, kind: Kind, replacements: Replacements) -> None:
    """Put ours in front of a class's constructors; where its type allows no change, its objects are found later."""
    if is_protocol(cls) or issubclass(cls, type):
        return
    theirs = own(cls, "__init__")
    if theirs is MISSING or theirs is _OBJECT_INIT:
        kind.watched = _is_watched_above(cls, kind.population)
        if not kind.watched and inherited.can_be_added(cls):
            kind.watched = replacements.put(cls, "__init__", _added(cls, kind))
    elif callable(theirs) or hasattr(type(theirs), "__get__"):
        shown = theirs if type(theirs) is _FUNCTION else type.__getattribute__(cls, "__init__")
        ours = dress(_constructor(_callable(theirs), cls, kind), shown)
        kind.watched = replacements.put(cls, "__init__", ours)
    theirs = own(cls, "__new__")
    if type(theirs) is staticmethod and type(theirs.__func__) is _FUNCTION and not kind.bare:
        allocator = _allocator(theirs.__func__, kind.population)
        replacements.put(cls, "__new__", staticmethod(dress(allocator, theirs.__func__)))


def _is_watched_above(cls: type, population: Population) -> bool:
    """Whether the constructor that a class inherits is one of ours."""
    for base in mro_of(cls)[1:]:
        if own(base, "__init__") is not MISSING:
            return population.kinds.of(base).watched
    return False


# What stands in the place of a constructor; SELF is the object.
_CONSTRUCTOR = """
def __init__(PARAMETERS):
    __tracebackhide__ = 1
    if $getweakrefcount(SELF):
        if $passes(SELF, $population):
            return $original(ARGUMENTS)
        $begin = $population.begin_again
    else:
        $begin = $entrance.begin
    try:
        $instance = $begin($kind if $type(SELF) is $mine else $playing($type(SELF)), SELF, $getframe(1))
    except $Exception as $error:
        $instance = $failed($population, SELF, $error)
    if $instance is None:
        return $original(ARGUMENTS)
    $case = $instance.case
    if $case is not None and $case.verdict is not None:
        raise $case.verdict
    try:
        $result = $original(ARGUMENTS)
    except $BaseException:
        $abandon($population, $instance)
        raise
    if $finishes or $instance.case is not None:
        $leave($instance, SELF)
    else:
        $instance.stage = $BUILT
    return $result
"""


def _constructor(original: Any, mine: type, kind: Kind, *, packed: bool = False) -> Any:
    """``__init__`` of one class, in front of a function."""
    population = kind.population
    return build(
        _CONSTRUCTOR, original, packed=packed, original=original, mine=mine, kind=kind, population=population,
        entrance=_Bare(population) if kind.bare else population, finishes=population.finishes or kind.bare,
        playing=population.kinds.playing, failed=_failed, passes=_passes, abandon=_abandon,
        leave=_leaving(population), BUILT=BUILT,
        getweakrefcount=getweakrefcount, getframe=_getframe, type=type, Exception=Exception,
        BaseException=BaseException,
    )  # fmt: skip


def _passes(obj: Any, population: Population) -> bool:
    """Whether its constructor runs already (a ``super()`` chain), or has run: it is counted once."""
    try:
        instance = known(obj, population)
    except Exception as error:  # noqa: BLE001 - contained
        instance = population.shared.note(error)
    return instance is not None and instance.stage in (OPEN, BUILT)


def _failed(population: Population, obj: Any, error: Exception) -> Any:
    """A bug of ours; or one of two things that are not looked for each time, and told by their errors.

    Nobody has called the constructor: a thread of C begins with it. Or no weak reference to the object is possible, in
    spite of its class's bases: ``class Pair(Registry, tuple)``.
    """
    try:
        return _odd(population, obj, error, _getframe(1))
    except Exception as another:  # noqa: BLE001 - contained
        return population.shared.note(another)


def _odd(population: Population, obj: Any, error: Exception, ours: FrameType) -> Any:
    kind = population.kinds.playing(type(obj))
    if type(error) is ValueError and ours.f_back is None:
        instance = population.begin_again(kind, obj, ours)
        if instance is not None:
            instance.code = None
        return instance
    if type(error) is TypeError and kind is not None and kind.bare:
        population.unseen(obj)
        return None
    return population.shared.note(error)


def _abandon(population: Population, instance: Any) -> None:
    """Its constructor has failed, with an error that is the application's."""
    try:
        population.abandon(instance)
    except Exception as error:  # noqa: BLE001 - contained
        population.shared.note(error)


def _leaving(population: Population) -> Any:
    """What is done when a constructor has run, where there may be anything to be said about it."""
    seconds = population.seconds
    only_timed = seconds is not None and not population.rule.isolated and not population.late_scope

    def leave(instance: Any, obj: Any) -> None:
        __tracebackhide__ = True
        try:
            took = None if seconds is None else perf_counter() - instance.began
            if only_timed and took < seconds and instance.case is None and type(instance) is Instance:
                instance.stage = BUILT
                return
            ours = _getframe(1)
            verdict = population.end(instance, obj, ours.f_back or ours, took)
        except Exception as error:  # noqa: BLE001 - contained
            verdict = population.shared.note(error)
        if verdict is not None:
            raise verdict

    return leave


def _added(cls: type, kind: Kind) -> Any:
    """``__init__`` for a class that inherits it."""
    ours = dress(_constructor(inherited.constructor(cls), cls, kind, packed=True), inherited.shown(cls))
    ours.__module__, ours.__qualname__ = module_of(cls), f"{cls.__qualname__}.__init__"
    ours.__wrapped__ = inherited.signature(cls)
    inherited.mark(ours)
    return ours


def _callable(theirs: Any) -> Any:
    """A class's own ``__init__`` as a function of the object and its arguments."""
    if type(theirs) is _FUNCTION:
        return theirs

    @uncounted
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return theirs.__get__(self, type(self))(*args, **kwargs)

    return call if hasattr(type(theirs), "__get__") else theirs


# -- allocation --------------------------------------------------------------------------------------------------------

_ALLOCATOR = """
def __new__(PARAMETERS):
    __tracebackhide__ = 1
    try:
        $window = $population.opened()
    except $Exception as $error:
        $window = $population.shared.note($error)
    $obj = $original(ARGUMENTS)
    if $window is not None:
        $appear($population, $obj, $window)
    return $obj
"""


def _allocator(original: Any, population: Population) -> Any:
    """A class's own ``__new__``."""
    return build(_ALLOCATOR, original, original=original, population=population, appear=_appear, Exception=Exception)


def _appear(population: Population, obj: Any, window: Any) -> None:
    __tracebackhide__ = True
    try:
        ours = _getframe(1)
        verdict = population.appeared(obj, window, ours.f_back or ours)
    except Exception as error:  # noqa: BLE001 - contained
        verdict = population.shared.note(error)
    if verdict is not None:
        raise verdict


class _Bare:
    """The entrance of objects to which no weak reference is possible."""

    __slots__ = ("_population",)

    def __init__(self, population: Population) -> None:
        self._population = population

    def begin(self, kind: Kind | None, obj: Any, frame: FrameType) -> Any:
        if kind is None or not kind.bare:  # a subclass may have them
            return self._population.begin(kind, obj, frame)
        return self._population.begin_bare(kind, obj, frame, held=_getrefcount(obj) > _FRESH)


def _references() -> int:
    """How many references to a new object there are when its constructor is entered: counted on one."""
    counts: list[int] = []

    class Counting:
        def begin(self, _kind: Any, obj: Any, _frame: Any) -> None:
            counts.append(_getrefcount(obj))

    class Probe:
        __slots__ = ()

        def __init__(self) -> None: ...

    Probe.__init__ = build(  # type: ignore[method-assign]
        _CONSTRUCTOR, Probe.__init__, original=Probe.__init__, mine=Probe, kind=None, population=None,
        entrance=Counting(), finishes=None, playing=None, failed=None, passes=None, abandon=None,
        leave=None, BUILT=None, getweakrefcount=getweakrefcount, getframe=_getframe, type=type,
        Exception=Exception, BaseException=BaseException,
    )  # fmt: skip
    Probe()
    return counts[0]


_FRESH = _references()
