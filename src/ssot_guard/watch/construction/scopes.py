"""Where only so many instances of a role may live: the process, a thread, a task, a tenant."""

from __future__ import annotations

import sys
from _functools import partial
from _thread import _local
from _weakref import ref
from itertools import islice

from ssot_guard.watch.construction.census import prune
from ssot_guard.watch.tenants.current import UNKNOWN
from ssot_guard.watch.tenants.pseudonym import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from ssot_guard.watch.construction.instances import Instance
    from ssot_guard.watch.tenants.current import Tenants

    class Scopes(Protocol):
        """The scopes of one role; ``only``: where there is but one."""

        only: Scope | None

        def here(self) -> Scope | None:
            """The scope of what is built now; None where nobody can tell."""

        def of(self, tenant: Any) -> Scope | None:
            """The scope of a tenant, where scopes are tenants'."""


_SWEEP = 1024  # scopes of tenants that are kept before empty ones are looked for


class Scope:
    """One of them, and the instances in it in the order in which they were built.

    ``lazy``: the dead are taken out when somebody counts. Else ``forget`` does it when they die.
    """

    __slots__ = ("__weakref__", "forget", "lazy", "members", "tenant")

    def __init__(self, members: dict[Instance, None], *, lazy: bool, tenant: str | None = None) -> None:
        self.members = members
        self.lazy = lazy
        self.tenant = tenant
        self.forget = members.pop

    def first(self, count: int) -> list[Instance]:
        """Those that were built first."""
        try:
            return list(islice(self.members, count))
        except RuntimeError:  # another thread builds
            return list(self.members)[:count]

    def last(self, count: int) -> list[Instance]:
        """Those that were built last."""
        try:
            return list(islice(reversed(self.members), count))
        except RuntimeError:
            return list(self.members)[-count:]

    def prune(self) -> int:
        """Take out the dead; how many are left."""
        return prune(self.members)


def scopes_of(per: str, instances: dict[Instance, None], tenants: Tenants, *, lazy: bool) -> Scopes:
    """The scopes of a role; ``instances``: all of them, which are the members of the only scope where there is one."""
    if per == "tenant":
        return OfTenants(tenants, lazy=lazy)
    if per == "process":
        return OfProcess(instances, lazy=lazy)
    return OfThreads(lazy=lazy) if per == "thread" else OfTasks(lazy=lazy)


class OfProcess:
    """The whole process."""

    def __init__(self, instances: dict[Instance, None], *, lazy: bool) -> None:
        self.only: Scope | None = Scope(instances, lazy=lazy)

    def here(self) -> Scope | None:
        return self.only

    def of(self, _tenant: Any) -> Scope | None:
        return self.only


class OfThreads:
    """One scope per thread, kept in the thread itself: numbers of threads are used again."""

    only: Scope | None = None

    def __init__(self, *, lazy: bool) -> None:
        self._local = _local()
        self._lazy = lazy

    def here(self) -> Scope | None:
        try:
            return self._local.scope  # type: ignore[no-any-return]
        except AttributeError:
            scope = self._local.scope = Scope({}, lazy=self._lazy)
            return scope

    def of(self, _tenant: Any) -> Scope | None:
        return None


class OfTasks(OfThreads):
    """One scope per asyncio task; code outside of any task belongs to its thread."""

    def __init__(self, *, lazy: bool) -> None:
        super().__init__(lazy=lazy)
        self._tasks: dict[int, tuple[ref[Any], Scope]] = {}

    def here(self) -> Scope | None:
        task = _current_task()
        if task is None:
            return super().here()
        key = id(task)
        found = self._tasks.get(key)
        if found is None or found[0]() is not task:
            found = self._tasks[key] = ref(task, partial(self._tasks.pop, key)), Scope({}, lazy=self._lazy)
        return found[1]


class OfTenants:
    """One scope per tenant. Where nobody can tell for whom an object is built, it counts against nobody."""

    only: Scope | None = None

    def __init__(self, tenants: Tenants, *, lazy: bool) -> None:
        self._tenants = tenants
        self._lazy = lazy
        self._sweep = _SWEEP
        self._known: dict[str, Scope] = {}

    def here(self) -> Scope | None:
        tenant = self._tenants.current()
        found = self._known.get(tenant) if type(tenant) is str else None
        return found or self.of(tenant)

    def of(self, tenant: Any) -> Scope | None:
        """The scope of a tenant."""
        text = None if tenant is UNKNOWN else identity(tenant)
        if text is None:
            return None
        scope = self._known.get(text)
        if scope is None:
            scope = self._known.setdefault(text, Scope({}, lazy=self._lazy, tenant=text))
            if len(self._known) >= self._sweep:
                self._forget_empty(scope)
        return scope

    def _forget_empty(self, but: Scope) -> None:
        for text, scope in list(self._known.items()):
            if not scope.prune() and scope is not but:
                self._known.pop(text, None)
        self._sweep = max(_SWEEP, 2 * len(self._known))


def _current_task() -> Any:
    asyncio = sys.modules.get("asyncio")
    get_loop = getattr(asyncio, "_get_running_loop", None)  # None while asyncio itself still loads
    loop = None if get_loop is None else get_loop()
    return None if loop is None else asyncio.current_task(loop)  # type: ignore[union-attr]
