"""Who is served right now: by ``with ssot_guard.tenant(…)``, else by what the policy's ``[tenant]`` names."""

from __future__ import annotations

import sys
from _contextvars import ContextVar
from _thread import get_ident

from ssot_guard.watch.imports import loaded
from ssot_guard.watch.tenants.paths import UNKNOWN, follow, settled
from ssot_guard.watch.tenants.pseudonym import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

__all__ = ["NOBODY", "UNKNOWN", "Tenants", "declared", "is_stale", "tenant"]

NOBODY: Any = object()  # declared: whatever the sources say, nobody is served here
_declared: ContextVar[Any] = ContextVar("ssot_guard.tenant", default=None)
_innermost: ContextVar[_Scope | None] = ContextVar("ssot_guard.tenant.scope", default=None)
declared: Callable[[], Any] = _declared.get  # for hot paths: the tenant of the ``with`` block around, NOBODY or None


class _Scope:
    """One entry of a ``with`` block. Tasks and copied contexts that outlive the block still see it, closed."""

    __slots__ = ("block", "is_open", "outer", "tenant")

    def __init__(self, block: tenant, outer: _Scope | None) -> None:
        self.block = block
        self.outer = outer
        self.tenant = block.declares()
        self.is_open = True


class tenant:  # noqa: N801 - used as a function
    """``with ssot_guard.tenant("alice"):`` what runs inside is done on behalf of this tenant; also ``async with``.

    It wins over the policy's sources; ``None`` (or ``""``) means that nobody is served. One object may be entered any
    number of times, nested and in any number of threads and tasks.
    """

    used = False  # a process in which nobody ever said so, and no source is named, cannot know a tenant

    def __init__(self, name: Any) -> None:
        self.name = NOBODY if name is None or (type(name) is str and not name) else name or str(name)
        self._open: dict[_Scope, None] = {}  # in order: each of its methods is one step, whatever other threads do

    def __enter__(self) -> None:
        tenant.used = True
        scope = _Scope(self, _innermost.get())
        self._open[scope] = None
        _innermost.set(scope)
        _declared.set(scope.tenant)

    def __exit__(self, *_exc: object) -> None:
        # No tokens: they belong to one context, and several tasks may be inside of one block.
        scope = _innermost.get()
        while scope is not None and not (scope.block is self and scope.is_open):
            scope = scope.outer
        if scope is None:  # left in another context than entered: a generator's, or a fixture's
            try:  # noqa: SIM105 - contextlib would be imported for it
                scope, _ = self._open.popitem()
            except KeyError:  # never entered
                pass
        if scope is not None:
            scope.is_open = False
            self._open.pop(scope, None)
        _leave()

    def declares(self) -> Any:
        """What holds inside."""
        return self.name

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.__exit__()


class _StandIn:
    """A tenant that holds as long as the sources say what they said ``before``, if anything."""

    __slots__ = ("before", "tenant")

    def __init__(self, tenant: Any, before: Any) -> None:
        self.tenant = tenant
        self.before = before


class stand_in(tenant):  # noqa: N801 - used as a function
    """The same, until the application itself says for whom it works: a journey's user before he has logged in."""

    def declares(self) -> Any:
        return _StandIn(self.name, None if _sources is None else _sources(None))


_sources: Callable[[Any], Any] | None = None  # of the guard in force


def _leave() -> None:
    """Back to the innermost block that is still open."""
    scope = _innermost.get()
    while scope is not None and not scope.is_open:
        scope = scope.outer
    _innermost.set(scope)
    _declared.set(None if scope is None else scope.tenant)


def is_stale() -> bool:
    """Whether the tenant here was declared by a block that has ended: a background task kept the old context."""
    scope = _innermost.get()
    return scope is not None and not scope.is_open


class Tenants:
    """The current tenant of this process's threads and tasks. ``sources`` as in the policy's ``tenant.current``.

    ``source`` answers what the sources know (a tenant, or None; its argument means nothing), behind whatever is
    declared. Where they are one ContextVar it is that variable's own ``get``. A variable's own default is not a tenant:
    it is there where nobody has set one, in threads and tasks that lost their context.
    """

    __slots__ = ("_asking", "_bound", "_sources", "_told", "source")

    def __init__(self, sources: list[str]) -> None:
        global _sources  # noqa: PLW0603 - one guard per interpreter
        self._sources = [(module, *path.split(".")) for module, _, path in (text.partition(":") for text in sources)]
        # Threads that are inside of a source: one that uses isolated objects itself must not ask for ever.
        self._asking: set[int] = set()
        self._bound: ContextVar[Any] | None = None
        self._told: list[Callable[[Callable[[None], Any]], None]] = []
        self.source: Callable[[None], Any] = self._ask if sources else _nobody
        _sources = self._said

    def current(self) -> Any:
        """The tenant, or UNKNOWN. A source that fails does not know."""
        found = _declared.get()
        if type(found) is _StandIn:
            said = self._said(None)
            return found.tenant if said is None or said == found.before else said
        found = found or self.source(None)
        if found is None and self._bound is not None and self.refresh():
            found = self.source(None)
        if type(found) is str:
            return found or UNKNOWN
        return UNKNOWN if found is None or found is NOBODY else found

    def _said(self, _default: None) -> Any:
        """What the sources say, as far as it can be compared."""
        if self._bound is not None:
            self.refresh()
        return identity(self.source(None))

    def refresh(self) -> bool:
        """Look the sources up again; True where there is another one than before (its module came, or came again)."""
        variable, attributes = _variable(self._sources)
        if variable is self._bound:
            return False
        self._bound = variable
        if variable is None:
            self.source = self._ask
        else:
            self.source = self._reader(variable.get, attributes) if attributes else variable.get
        for listener in self._told:
            listener(self.source)
        return True

    def tell(self, listener: Callable[[Callable[[None], Any]], None]) -> None:
        """Tell somebody of ``source``, now and whenever it is another one: hot paths keep it at hand."""
        self._told.append(listener)
        listener(self.source)

    def can_know(self) -> bool:
        """Whether anybody could ever tell a tenant in this process."""
        return bool(self._sources) or tenant.used

    def is_asked(self) -> bool:
        """Whether a source works in this thread: what it uses itself is used for nobody yet."""
        return get_ident() in self._asking

    def _reader(self, get: Callable[[None], Any], attributes: tuple[str, ...]) -> Callable[[None], Any]:
        """What an attribute path into one variable says: as :meth:`_ask`, without looking for the variable."""
        asking = self._asking

        def read(_default: None) -> Any:
            found = get(None)
            if found is None:
                return None
            thread = get_ident()
            if thread in asking:
                return None
            asking.add(thread)
            try:
                return _known(follow(found, attributes))
            except Exception:  # noqa: BLE001 - the application's code
                return None
            finally:
                asking.discard(thread)

        return read

    def _ask(self, _default: None) -> Any:
        """The first source that knows, or None."""
        thread = get_ident()
        if thread in self._asking:
            return None
        self._asking.add(thread)
        try:
            rebound = self.refresh()
            for source in () if rebound else self._sources:
                found = _answer(*source)
                if found is not None:
                    return found
        finally:
            self._asking.discard(thread)
        return self.source(None) if rebound else None


def _nobody(_default: None) -> None:
    """There is no source."""


def _known(found: Any) -> Any:
    """None for what is no tenant."""
    return None if found is UNKNOWN or (type(found) is str and not found) else found


def _variable(sources: list[tuple[str, ...]]) -> tuple[ContextVar[Any] | None, tuple[str, ...]]:
    """The variable that is the only source, and the attributes to follow in its value; None where it is not so."""
    if len(sources) == 1:
        try:
            found, attributes = _locate(*sources[0])
        except Exception:  # noqa: BLE001 - attributes are the application's code
            return None, ()
        if type(found) is ContextVar:
            return found, attributes
    return None, ()


def _locate(module: str, name: str, *attributes: str) -> tuple[Any, tuple[str, ...]]:
    """The variable or the function on the way of a path, and what remains of the path; the end where there is none."""
    found = loaded.namespace(sys.modules.get(module)).get(name)
    while attributes and not (type(found) is ContextVar or (callable(found) and not isinstance(found, type))):
        found = getattr(found, attributes[0])
        attributes = attributes[1:]
    return found, attributes


def _answer(module: str, *path: str) -> Any:
    """What one source says; None where it does not know."""
    try:
        source, attributes = _locate(module, *path)
        found = source
        if type(source) is ContextVar:
            found = source.get(None)
        elif callable(source):
            found = settled(source())
        return None if found is None else _known(follow(found, attributes))
    except Exception:  # noqa: BLE001 - the application's code
        return None
