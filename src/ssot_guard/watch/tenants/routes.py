"""How one object leads to another: ``.tools``, ``['key']``, ``[3]``, with nothing of the application's run.

Keys and indexes are data: of a key only what looks like a name in code is shown, and a tenant as its pseudonym. Each
step has a second text, without any of that, which is the same in every run.
"""

from __future__ import annotations

from _collections import deque
from gc import get_referents

from ssot_guard.watch.classes import mro_of, namespace_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Spell = Callable[[Any], str | None]  # a key → what may be shown of it
    Step = tuple[str, str]  # as it is shown, as it stays

_GETSET = type(namespace_of(type(lambda: None))["__dict__"])
_MEMBER = type(namespace_of(type(lambda: None))["__globals__"])
_PROXY = type(vars(type))
_UNSAID = "[…]"
_CONTAINERS = (dict, tuple, list, deque, set, frozenset)


def dict_of(obj: Any) -> dict[str, Any] | None:
    """The attributes of an object, past every override; None where it has no dictionary."""
    for cls in mro_of(type(obj)):
        slot = namespace_of(cls).get("__dict__")
        if type(slot) is _GETSET:
            found: Any = slot.__get__(obj)  # type: ignore[union-attr]
            return found if isinstance(found, dict) else None
    return None


def steps(chain: Sequence[Any], spell: Spell) -> Iterator[Step]:
    """The steps along objects of which each holds the next one."""
    attributes: Any = None
    for number in range(1, len(chain)):
        holder, held = chain[number - 1], chain[number]
        if holder is attributes and attributes is not None:
            yield _attribute(attributes, held) or (_UNSAID, _UNSAID)
            continue
        attributes = dict_of(holder)
        if held is not attributes or held is None:
            yield _step(holder, held, attributes, spell)
        elif number == len(chain) - 1:
            yield ".__dict__", ".__dict__"


def _step(holder: Any, held: Any, attributes: dict[str, Any] | None, spell: Spell) -> Step:
    found = None if attributes is None else _attribute(attributes, held)
    if found is not None:
        return found
    if type(holder) is _PROXY:
        (holder,) = get_referents(holder)
    kind = next((cls for cls in mro_of(type(holder)) if any(cls is one for one in _CONTAINERS)), None)
    if kind is dict:
        return _entry(holder, held, spell)
    if kind is set or kind is frozenset:
        return "{…}", "{…}"
    return _slot(holder, held) if kind is None else _item(holder, held, kind)


def _attribute(attributes: dict[str, Any], held: Any) -> Step | None:
    for name, value in list(dict.items(attributes)):
        if value is held and type(name) is str:
            return f".{name}", f".{name}"
    return None


def _slot(holder: Any, held: Any) -> Step:
    for cls in mro_of(type(holder)):
        for name, member in list(namespace_of(cls).items()):
            if type(member) is _MEMBER:
                try:
                    found = member.__get__(holder)
                except AttributeError:
                    continue
                if found is held:
                    return f".{name}", f".{name}"
    return ".…", ".…"


def _entry(holder: dict[Any, Any], held: Any, spell: Spell) -> Step:
    for key, value in list(dict.items(holder)):
        if value is held:
            text = spell(key)
            shown = _UNSAID if text is None else f"[{text}]"
            return shown, shown if shown.startswith("['") else _UNSAID
    return "{key}", "{key}"


def _item(holder: Any, held: Any, kind: Any) -> Step:
    fields = next((found for cls in mro_of(type(holder)) if (found := namespace_of(cls).get("_fields"))), ())
    for index, item in enumerate(kind.__iter__(holder)):
        if item is held:
            if type(fields) is tuple and index < len(fields) and type(fields[index]) is str:  # a named tuple
                return f".{fields[index]}", f".{fields[index]}"
            return f"[{index}]", _UNSAID
    return _UNSAID, _UNSAID
