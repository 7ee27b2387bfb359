"""What is known of each object of a role: a weak reference that carries it.

Objects may be unhashable, and equal ones would collapse, so nothing here ever compares or hashes one: an object is
known by its own weak references. Their callbacks are functions of C: they take no lock, run no Python, and are safe
wherever the collector calls them.
"""

from __future__ import annotations

from _weakref import getweakrefs, ref

from ssot_guard.watch.imports import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from ssot_guard.watch.construction.kinds import Kind
    from ssot_guard.watch.construction.population import Population
    from ssot_guard.watch.construction.scopes import Scope
    from ssot_guard.watch.construction.windows import Window

    Reference = ref[Any]
else:
    Reference = ref

# Allocated by `__new__`; its constructor runs; built; its constructor failed, or was refused.
NEW, OPEN, BUILT, GONE = range(4)


class Instance(Reference):
    """One object of a role, called like any weak reference. ``kind`` is set first, so whoever meets one can ask it."""

    __slots__ = (
        "began", "case", "code", "epoch", "kind", "number", "offset", "scope", "stage", "tenant", "thread", "window",
    )  # fmt: skip

    # A weak reference would ask the object.
    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__

    began: float  # perf_counter() when its constructor was entered
    case: Any  # a :class:`~.cases.Case` where there is more to it than building one object; else None
    code: CodeType | None  # where it was built: the code and …
    offset: int  # … the instruction; None and 0 where it was not seen being built
    epoch: object  # of :attr:`Table.epoch` when it was built
    kind: Kind
    number: int  # of all instances of all roles, in order
    scope: Scope | None
    stage: int
    tenant: Any  # set by the tenants' side of the house
    thread: int
    window: Window | None  # the call in which it was built: of its factory, or of its class's own `__new__`

    @property
    def ref(self) -> Reference:
        """The weak reference."""
        return self

    @property
    def rule_id(self) -> str:
        """The id of its role."""
        return self.kind.population.rule.id

    @property
    def site(self) -> str:
        """Where it was built, as ``path:line``."""
        return place_of(self)


class Bare:
    """Stands in for an :class:`Instance` where no weak reference is possible: holds the object until it is built."""

    __slots__ = (*Instance.__slots__, "obj")

    began: float
    code: CodeType | None
    kind: Kind
    offset: int
    scope: Scope | None

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __call__(self) -> Any:
        return self.obj

    site = Instance.site


class Table:
    """All instances of one guard. ``live``: id → instance, for the objects of isolated roles.

    ``epoch`` says in which test an object is built. One counts against another only if it was built in the same one, or
    in none (None): by a wider fixture, or by a module. ``windows``: calls of factories that are open now.
    """

    __slots__ = ("epoch", "held", "is_on", "live", "number", "windows")

    def __init__(self) -> None:
        self.live: dict[int, Instance] = {}
        self.held: dict[tuple[int, int], Bare] = {}  # being built: (id of the population, id of the object)
        self.windows: set[Window] = set()
        self.number = 0
        self.is_on = True
        self.epoch: Callable[[], object] | None = None


def known(obj: Any, population: Population) -> Instance | None:
    """What is known of an object; None for one that a population has not met."""
    for reference in getweakrefs(obj):
        if type(reference) is Instance and reference.kind.population is population:
            return reference
    return None


def place_of(instance: Instance | Bare) -> str:
    """``src/acme/x.py:12``, relative to the policy's folder."""
    code = instance.code
    if code is None:
        return "a place that was not seen"
    line = bytecode.position(code, instance.offset)[0]
    return f"{instance.kind.population.short(code.co_filename)}:{line}"
