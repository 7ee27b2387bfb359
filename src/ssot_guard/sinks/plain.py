"""Values made safe to send: plain JSON types that every encoder writes with the same bytes, and visible text.

Called inside other people's imports with other people's objects, so no method of theirs is called: an unknown object
becomes the name of its type, not its ``repr``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DEPTH = 8
_ITEMS = 200
_TEXT = 8192
_MORE = "…"
# Types of the interpreter itself: their `repr` runs no code of the application.
_REPR = (complex, range, type(...), type(NotImplemented))


def plain(value: object, number: Callable[[float], Any] = float, depth: int = _DEPTH) -> Any:  # noqa: PLR0911
    """``value`` in plain JSON types, bounded in depth, length and text.

    ``number`` receives every finite float: encoders differ in how they write an exponent.
    """
    if value is None or value is True or value is False:
        return value
    # `type`, not `isinstance`: a proxy object may claim any `__class__`.
    kind: type = type(value)
    if issubclass(kind, str):
        return text(value)  # type: ignore[arg-type]
    if issubclass(kind, int):
        return _integer(int.__index__(value))  # type: ignore[arg-type]
    if issubclass(kind, float):
        return _real(float.__float__(value), number)  # type: ignore[arg-type]
    if issubclass(kind, (bytes, bytearray)):
        return text(bytes(memoryview(value)[:_TEXT]).decode("utf-8", "backslashreplace"))  # type: ignore[arg-type]
    try:
        return _compound(value, kind, number, depth - 1)
    except Exception:  # noqa: BLE001 - a container that changes while it is read
        return f"<unreadable {_qualified(kind)}>"


def _compound(value: Any, kind: type, number: Callable[[float], Any], depth: int) -> Any:
    if depth < 0:
        return _MORE
    if issubclass(kind, dict):
        return _mapping(list(dict.items(value)), number, depth)
    for container in (list, tuple, set, frozenset):
        if issubclass(kind, container):
            items = _sequence([*container.__iter__(value)], number, depth)
            # A set has no order of its own, and reports of two processes must be equal.
            return items if container in {list, tuple} else sorted(items, key=repr)
    return _opaque(value, kind)


def _mapping(items: list[tuple[object, object]], number: Callable[[float], Any], depth: int) -> dict[str, Any]:
    result = {_key(key): plain(value, number, depth) for key, value in items[:_ITEMS]}
    if len(items) > _ITEMS:
        result[_MORE] = f"{len(items) - _ITEMS} more"
    return result


def _sequence(items: list[object], number: Callable[[float], Any], depth: int) -> list[Any]:
    result = [plain(item, number, depth) for item in items[:_ITEMS]]
    if len(items) > _ITEMS:
        result.append(_MORE)
    return result


def _key(key: object) -> str:
    if isinstance(key, str):
        return text(key)
    value = plain(key, depth=1)
    return value if isinstance(value, str) else repr(value)


def _integer(value: int) -> int | str:
    # Beyond 64 bits orjson refuses, and decimal digits have a limit of their own (sys.set_int_max_str_digits).
    return value if -(1 << 63) <= value < (1 << 64) else text(hex(value))


def _real(value: float, number: Callable[[float], Any]) -> Any:
    finite = value - value == 0  # NaN and the infinities are no JSON
    return number(value) if finite else repr(value)


def _opaque(value: Any, kind: type) -> str:
    if issubclass(kind, type):
        return _qualified(value)
    if kind in _REPR:
        return text(repr(value))
    return f"<{_qualified(kind)} object>"


def _qualified(cls: type) -> str:
    # Through `type`, so that a metaclass cannot answer instead.
    module = type.__dict__["__module__"].__get__(cls)
    name = type.__dict__["__qualname__"].__get__(cls)
    return text(f"{module}.{name}" if type(module) is str else name)


def text(value: str, limit: int = _TEXT) -> str:
    """An exact ``str`` that UTF-8 can carry (a lone surrogate becomes its escape), cut to ``limit`` characters."""
    exact = str.__str__(value)
    if len(exact) > limit:
        exact = f"{exact[:limit]}{_MORE} [{len(exact) - limit} more characters]"
    try:
        exact.encode()
    except UnicodeEncodeError:
        return exact.encode("utf-8", "backslashreplace").decode()
    return exact


def visible(value: str) -> str:
    """One line of printable text: control characters, direction marks and surrogates become escapes.

    For logs and terminals: a module or event name must not be able to move the cursor or forge a second line.
    """
    exact = str.__str__(value)
    if exact.isprintable():
        return exact
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in exact)
