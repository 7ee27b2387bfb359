"""Which exceptions the code around an instruction catches: decoded from the exception table and its handlers.

Handlers that cannot be decoded count as catching. Checked on 3.11 - 3.15 by ``tests/unit/watch/test_bytecode.py``.
"""

from __future__ import annotations

import builtins
import sys
from itertools import islice
from opcode import opmap, opname

from ssot_guard.watch.imports.bytecode import ATTRIBUTES, NAME_LOADS, backwards, forward, method_bit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType
    from typing import Any

_BETWEEN_CLAUSES = frozenset(("PUSH_EXC_INFO", "BUILD_TUPLE", "NOP", "NOT_TAKEN", "COPY", "SWAP", "POP_TOP"))
_WITH_HEAD = 40  # instructions, caches included, that may make up `with suppress(A, B, C):`


def catches(code: CodeType, offset: int, error: type[BaseException], scope: Mapping[str, Any]) -> bool:
    """Whether a handler of this code object, active at a byte offset, would catch ``error``.

    Handlers that cannot be decoded count as catching: then ``strict`` warns instead of waking a fallback.
    """
    entries = list(_exception_table(code))
    target = offset
    for _ in range(len(entries)):
        # The table is ordered; of nested ranges the innermost holds the offset and names its own handler.
        handler = next((entry[2] for entry in entries if entry[0] <= target < entry[1]), None)
        if handler is None:
            return False
        begin = min(entry[0] for entry in entries if entry[2] == handler)  # ranges are split around inner ones
        if _handler_catches(code, handler, error, scope, begin):
            return True
        if handler == target:
            return False
        target = handler
    return False


def _exception_table(code: CodeType) -> Iterator[tuple[int, int, int]]:
    """(start, end, handler) byte offsets: the varint format of CPython's Objects/exception_handling_notes.txt."""
    stream = iter(code.co_exceptiontable)
    try:
        while True:
            start = _varint(stream) * 2
            end = start + _varint(stream) * 2
            handler = _varint(stream) * 2
            _varint(stream)  # stack depth and "push lasti"
            yield start, end, handler
    except StopIteration:
        return


def _varint(stream: Iterator[int]) -> int:
    byte = next(stream)
    value = byte & 63
    while byte & 64:
        byte = next(stream)
        value = value << 6 | byte & 63
    return value


def _handler_catches(  # noqa: C901 - one branch per instruction
    code: CodeType, handler: int, error: type[BaseException], scope: Mapping[str, Any], begin: int
) -> bool:
    """Whether the handler at an offset has a clause for ``error``: follows the jumps from clause to clause."""
    pending: list[object] = []
    group = False
    at = handler
    if forward(code.co_code, at)[0] != "PUSH_EXC_INFO":
        return False  # the clean-up of a comprehension or a generator
    while at < len(code.co_code):
        name, argument, at = forward(code.co_code, at)
        if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR"):
            shift = 1 if name == "LOAD_GLOBAL" else method_bit(opmap[name]) if name == "LOAD_ATTR" else 0
            pending.append(_resolve(code.co_names[argument >> shift], pending, scope, attribute=name == "LOAD_ATTR"))
        elif name in ("CHECK_EXC_MATCH", "CHECK_EG_MATCH"):
            if any(_covers(value, error) for value in pending):
                return True
            pending.clear()
        elif "JUMP" in name and ("IF_FALSE" in name or "IF_NONE" in name):
            at += argument * 2  # no match: on to the next clause
        elif name == "WITH_EXCEPT_START":
            return _suppresses(code, begin, error, scope)
        elif name == "POP_TOP" and not group:
            return True  # a bare `except:` drops the exception at once
        elif name == "BUILD_LIST":
            group = True  # of `except*`, which collects what it did not match
        elif name not in _BETWEEN_CLAUSES:
            return _has_clauses(code.co_code, at)
    return False


def _has_clauses(raw: bytes, at: int) -> bool:
    """Whether more than names is computed for an ``except`` clause; ``finally`` and clean-ups re-raise before any."""
    while at < len(raw):
        name, _, at = forward(raw, at)
        if name == "CHECK_EXC_MATCH":
            return True
        if name in ("RERAISE", "POP_EXCEPT"):
            return False
    return False


def _suppresses(code: CodeType, begin: int, error: type[BaseException], scope: Mapping[str, Any]) -> bool:
    """Whether the ``with`` whose body begins at an offset is a ``contextlib.suppress`` of ``error``.

    Other context managers are taken to let errors pass. Names right in front of the body are the call's arguments.
    """
    classes: list[object] = []
    for opcode, argument, _ in islice(backwards(code.co_code, begin), _WITH_HEAD):
        name = opname[opcode]
        if opcode not in NAME_LOADS and opcode not in ATTRIBUTES:
            continue
        text = code.co_names[argument >> (1 if name == "LOAD_GLOBAL" else method_bit(opcode))]
        value = _resolve(text, [], scope, attribute=False)
        if text == "suppress" or (issubclass(type(value), type) and vars(value).get("__module__") == "contextlib"):
            return not classes or any(_covers(value, error) for value in classes)
        classes.append(_resolve(text, [], scope, attribute=False))
    return False


def _resolve(name: str, pending: list[object], scope: Mapping[str, Any], *, attribute: bool) -> object:
    """The object behind an ``except`` clause, read from dictionaries only: nothing of the application is called."""
    if attribute:
        owner = pending.pop() if pending else None
        return getattr(owner, "__dict__", {}).get(name, ...) if type(owner) is type(sys) else ...
    return scope.get(name, getattr(builtins, name, ...))


def _covers(value: object, error: type[BaseException]) -> bool:
    if value is ...:
        return True  # unknown: assume the worst
    members = value if isinstance(value, tuple) else (value,)
    return any(isinstance(member, type) and issubclass(error, member) for member in members)
