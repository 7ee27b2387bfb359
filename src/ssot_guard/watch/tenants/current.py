"""Who is served right now: by ``with ssot_guard.tenant(…)``, else by what the policy's ``[tenant]`` names."""

from __future__ import annotations

import sys
from _contextvars import ContextVar

from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _contextvars import Token
    from types import TracebackType
    from typing import Any

UNKNOWN: Any = object()  # nobody can tell: no tenant, or a context that was lost
_declared: ContextVar[Any] = ContextVar("ssot_guard.tenant", default=UNKNOWN)


class tenant:  # noqa: N801 - used as a function
    """``with ssot_guard.tenant("alice"):`` what runs inside is done on behalf of this tenant; also ``async with``."""

    def __init__(self, name: Any) -> None:
        self._name = name
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> None:
        self._tokens.append(_declared.set(self._name))

    def __exit__(self, *_exc: object) -> None:
        _declared.reset(self._tokens.pop())

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.__exit__()


class Tenants:
    """The current tenant of this process's threads and tasks. ``sources`` as in the policy's ``tenant.current``."""

    def __init__(self, sources: list[str]) -> None:
        self._sources = [text.partition(":")[::2] for text in sources]

    def current(self) -> Any:
        """The tenant, or UNKNOWN. A source that fails does not know."""
        declared = _declared.get()
        if declared is not UNKNOWN:
            return declared
        for module, path in self._sources:
            found = _ask(module, path)
            if found is not None and found is not UNKNOWN:
                return found
        return UNKNOWN


def _ask(module: str, path: str) -> Any:
    name, *attributes = path.split(".")
    source = loaded.namespace(sys.modules.get(module)).get(name)
    if source is None:
        return UNKNOWN
    try:
        found = source.get() if isinstance(source, ContextVar) else source()
        for attribute in attributes:
            found = getattr(found, attribute)
    except Exception:  # noqa: BLE001 - the application's code
        return UNKNOWN
    return found
