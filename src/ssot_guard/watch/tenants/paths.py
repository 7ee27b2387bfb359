"""Attribute paths of a policy, such as ``self.context.user_id``, read from what is there at the moment."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

UNKNOWN: Any = object()  # nobody can tell: no tenant, no such attribute, or a context that was lost


async def _coroutine() -> None:
    """Never run: only its type is wanted."""


_sample = _coroutine()
_COROUTINE = type(_sample)
_sample.close()


def read_path(path: str, scope: Mapping[str, Any]) -> Any:
    """The value at a path whose first name stands in ``scope``; UNKNOWN where it is missing, or cannot be read."""
    name, *attributes = path.split(".")
    try:
        return follow(scope[name], attributes)
    except Exception:  # noqa: BLE001 - properties are the application's code
        return UNKNOWN


def follow(value: Any, attributes: Iterable[str]) -> Any:
    """Attributes of attributes; in a dictionary a key comes first. Raises what the application raises."""
    for name in attributes:
        value = value[name] if isinstance(value, dict) and name in value else getattr(value, name)
    return settled(value)


def settled(value: Any) -> Any:
    """The value itself; UNKNOWN for a coroutine, which nobody here can await."""
    if type(value) is _COROUTINE:
        value.close()
        return UNKNOWN
    return value
