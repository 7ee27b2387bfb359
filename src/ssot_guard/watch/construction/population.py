"""The instances of one role: each is met here when its constructor is entered, and again when it is left."""

from __future__ import annotations

from _functools import partial
from _thread import get_ident
from _weakref import getweakrefcount
from time import perf_counter

from ssot_guard.watch.construction import census, entrance
from ssot_guard.watch.construction.cases import Cases
from ssot_guard.watch.construction.elsewhere import elsewhere
from ssot_guard.watch.construction.instances import BUILT, GONE, NEW, OPEN, Bare, Instance, known
from ssot_guard.watch.construction.scopes import scopes_of
from ssot_guard.watch.construction.windows import Window, around, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.construction.kinds import Kind, Kinds
    from ssot_guard.watch.construction.scopes import Scope
    from ssot_guard.watch.construction.shared import Shared

_MOST = 10_000  # addresses that are remembered
_SWEEP = 1024  # instances among which the dead are looked for


class Population:
    """What one rule says about instances, and the instances that there are.

    ``limit`` of them may live ``per`` scope (None: any number). ``created`` is exact; how many live is unknown once an
    ``unreferable`` one was built, to which no weak reference is possible. ``begin`` meets each: :mod:`.entrance`.
    """

    __slots__ = (
        "_addresses", "_builders", "_cases", "_has_factory", "_live", "_more", "_ownership", "_room",
        "_scoped", "_table", "_weighs", "begin", "created", "doubtful", "finishes", "instances", "kinds", "late_scope",
        "limit", "named", "per", "rule", "scopes", "seconds", "seen_bare", "shared", "short", "unbound", "unreferable",
    )  # fmt: skip

    kinds: Kinds  # set by who makes both

    def __init__(self, rule: RoleRule, shared: Shared) -> None:
        self.rule = rule
        self.shared = shared
        self.short = shared.short
        self._table = shared.table
        self._builders = shared.builders
        self._ownership = shared.ownership if rule.isolated else None
        self._live = self._table.live if rule.isolated else None
        limits = rule.instances or {"max": None, "per": "process"}
        self.limit: int | None = limits["max"]
        self.per: str = limits["per"]
        self.late_scope = self.limit is not None and self.per == "tenant" and rule.tenant_from is not None
        self._scoped = self.limit is not None and not self.late_scope
        self.seconds: Any = rule.construct_budget.get("seconds")
        self._weighs = bool(rule.construct_budget.get("bytes"))
        self._has_factory = bool(rule.factory)
        self._more = self._has_factory or self._weighs
        self.finishes = rule.isolated or self.seconds is not None or self.late_scope
        self.named: set[tuple[str, str]] = set()  # factories: module and qualified name
        self.unbound = False  # one of them is no function, or is not there
        self.reset()

    def reset(self) -> None:
        """Start at zero."""
        self.created = self.unreferable = self.seen_bare = 0
        self._addresses: set[int] = set()
        self.doubtful: list[Any] = []  # too many or not: that depends on what is garbage
        self._cases = Cases(self, self.shared)
        self.instances: dict[Instance, None] = {}
        self._room = _SWEEP
        lazy = self._live is not None or self.late_scope
        self.scopes = scopes_of(self.per, self.instances, self.shared.tenants, lazy=lazy)
        self.begin = entrance.of(self, scoped=self._scoped, more=self._more)

    # -- a constructor is entered --------------------------------------------------------------------------------

    def begin_again(self, kind: Kind | None, obj: Any, frame: FrameType) -> Any:
        """As ``begin``, for an object that was here before, or has weak references of others."""
        if not self._table.is_on or kind is None:
            return None
        instance = known(obj, self)
        if instance is None:
            instance = self._instance(kind, obj, self._scope())
            crowded = self._register(instance, obj, frame)
        elif instance.stage == NEW:  # its class's own `__new__` was seen
            crowded = instance.case is None and self._cases.crowded(instance)
        else:  # its constructor had failed
            if instance.scope is not None:
                instance.scope.members.pop(instance, None)
            crowded = self._register(instance, obj, frame)
        self.enter(instance, obj, frame, crowded=crowded)
        if self.seconds is not None:
            window = instance.window
            instance.began = perf_counter() if window is None or not window.began else window.began
        return instance

    def begin_bare(self, kind: Kind, obj: Any, frame: FrameType, *, held: bool) -> Any:
        """The same where no weak reference is possible. ``held``: whether somebody else has the object already."""
        key = (id(self), id(obj))
        if not self._table.is_on or key in self._table.held:
            return None
        if held:  # by its class: what a `__new__` gives out again comes from the same address
            if id(obj) in self._addresses:
                return None
            if len(self._addresses) < _MOST:
                self._addresses.add(id(obj))
        instance = Bare(obj)
        instance.kind, instance.scope = kind, self._scope()
        self._table.held[key] = instance
        crowded = self._register(instance, obj, frame)
        if self.limit is not None and self.unreferable and not crowded:
            self.shared.ledger.unknown("SSG202", self.rule.id)
        self.unreferable += 1
        self.enter(instance, obj, frame, crowded=crowded)
        if self.seconds is not None:
            instance.began = perf_counter()
        return instance

    def unseen(self, obj: Any) -> None:
        """An object is built that can neither be followed nor held: counted, unless somebody else does it."""
        if (id(self), id(obj)) not in self._table.held:
            self.created += 1
            self.unreferable += 1
            if self.limit is not None:
                self.shared.ledger.unknown("SSG202", self.rule.id)

    def _instance(self, kind: Kind, obj: Any, scope: Scope | None) -> Instance:
        if self._live is not None:
            forget: Any = partial(self._live.pop, id(obj))
        else:
            forget = self.instances.pop if scope is None else scope.forget
        instance = Instance(obj, forget)
        instance.kind, instance.scope = kind, scope
        return instance

    def _scope(self) -> Scope | None:
        return (self.scopes.only or self.here()) if self._scoped else None

    def _register(self, instance: Any, obj: Any, frame: FrameType) -> bool:
        """Write down what is known of it and let it count; whether there were enough before it."""
        line = self.line(frame, obj)
        instance.code, instance.offset = line.f_code, line.f_lasti
        instance.thread = get_ident()
        self._count(instance, obj)
        if instance.scope is None:
            return False
        return len(instance.scope.members) + (type(instance) is Bare) > (self.limit or 0)

    def _count(self, instance: Any, obj: Any) -> None:
        table = self._table
        instance.stage = NEW
        instance.case = instance.tenant = instance.window = None
        instance.epoch = None if table.epoch is None else table.epoch()
        table.number = instance.number = table.number + 1
        self.created += 1
        if type(instance) is Bare:
            return
        if self._live is not None:
            self._live[id(obj)] = instance
        elif instance.scope is None or instance.scope is not self.scopes.only:
            self.instances[instance] = None
        if instance.scope is not None:
            instance.scope.members[instance] = None

    def line(self, frame: FrameType, obj: Any) -> FrameType:
        """The frame whose line builds an object, from the one that calls its constructor."""
        code = frame.f_code
        return frame if self._builders.plain.get(id(code)) is code else self._builders.of(frame, obj)

    def here(self) -> Scope | None:
        """The scope of what is built now."""
        if len(self.instances) > self._room:  # where scopes forget their dead, these do not
            self._room = 2 * census.prune(self.instances) + _SWEEP
        scope = self.scopes.here()
        if scope is None:
            self.shared.ledger.unknown("SSG202", self.rule.id)
        return scope

    def enter(self, instance: Any, obj: Any, frame: FrameType, *, crowded: bool) -> None:
        """Its constructor runs next, unless there is something to be said first."""
        instance.stage = OPEN
        window, bypassed = instance.window, False
        if self._has_factory:
            call = around(self)
            bypassed = call is None
            instance.window = window or call
        if crowded or bypassed or self._weighs:
            instance.case = self._cases.entered(instance, obj, frame, crowded=crowded, bypassed=bypassed)

    # -- a class's own `__new__` ---------------------------------------------------------------------------------

    def opened(self) -> Window | None:
        """It was called."""
        if not self._table.is_on:
            return None
        window = Window((self,), self._table.number, inside.get())
        if self.seconds is not None:
            window.began = perf_counter()
        return window

    def appeared(self, obj: Any, window: Window, frame: FrameType) -> BaseException | None:
        """It has returned an object, which may be new. Returns the verdict that keeps its ``__init__`` from running."""
        kind = self.kinds.of(type(obj))
        window.is_open = False
        if not kind.plays or kind.bare:
            return None
        instance = known(obj, self) if getweakrefcount(obj) else None
        if instance is None:
            instance = self._instance(kind, obj, self._scope())
            self._register(instance, obj, frame)
        elif instance.stage != NEW or instance.number <= window.since or instance.thread != window.thread:
            return None  # the one that there was
        instance.window = window
        return self._cases.appeared(instance, obj, frame)

    # -- a constructor is left -----------------------------------------------------------------------------------

    def end(self, instance: Any, obj: Any, frame: FrameType, took: float | None) -> BaseException | None:
        """It is built, in so many seconds. Asked for only where there may be anything to be said about it."""
        self.settle(instance)
        if instance.case is not None or self.late_scope or (took is not None and took > self.seconds):
            return self._cases.left(instance, obj, frame, took)
        return self.owned(instance, obj, frame) if self._ownership is not None else None

    def owned(self, instance: Any, obj: Any, frame: FrameType | None) -> BaseException | None:
        """Ask whose it is."""
        if self._ownership is None:
            return None
        return self._ownership.built(instance, obj, self.rule, None if frame is None else self.line(frame, obj))

    def owned_beside(self, instance: Any, obj: Any, module: str, bound_as: str | None) -> None:
        """The same for what a module has built beside its class; ``bound_as`` is None where it came from elsewhere."""
        if self._ownership is not None:
            self._ownership.built_beside(instance, obj, self.rule, module, bound_as)

    def settle(self, instance: Any) -> None:
        """It is built, and that is all."""
        instance.stage = BUILT
        if type(instance) is Bare:
            self._table.held.pop((id(self), id(instance.obj)), None)
            instance.obj = None

    def abandon(self, instance: Any) -> None:
        """Its constructor failed, or did not run: it is no instance."""
        if instance.case is not None and instance.case.traced is not None:
            instance.case.traced.end()
        if instance.stage != GONE:
            self.created -= 1
            if type(instance) is Bare:
                self.unreferable -= 1
                self._addresses.discard(id(instance.obj))
            self.settle(instance)
            instance.stage = GONE

    def __reduce__(self) -> tuple[Any, ...]:
        return elsewhere, ()

    # -- all of them ---------------------------------------------------------------------------------------------

    def known(self) -> list[Instance]:
        """A snapshot of all that were met and are not known to be dead."""
        if self._live is None:
            return list(self.instances)
        return [instance for instance in list(self._live.values()) if instance.kind.population is self]

    def earlier(self, instance: Instance) -> list[Instance]:
        """Those that count against one."""
        return self._cases.earlier(instance)

    def adopt(self, obj: Any) -> Instance:
        """Take in an object that came past its constructor."""
        instance = self._instance(self.kinds.of(type(obj)), obj, None)
        instance.code, instance.offset, instance.thread = None, 0, 0
        self._count(instance, obj)
        return instance

    @staticmethod
    def place(instance: Instance, scope: Scope | None) -> None:
        """It counts in a scope."""
        instance.scope = scope
        if scope is not None:
            scope.members[instance] = None
