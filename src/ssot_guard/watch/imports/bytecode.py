"""Which statement stands at an instruction: decoded from the code object, because source may be absent or stale.

Everything works on ``co_code``, which CPython gives back un-specialised and with zeroed inline caches, so a
two-byte unit whose first byte is ``EXTENDED_ARG`` is always a prefix, and short runs can be read backwards.
Checked on 3.11 - 3.15 by ``tests/unit/watch/test_bytecode.py``.
"""

from __future__ import annotations

import sys
from itertools import islice
from opcode import opmap, opname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_CACHE = opmap["CACHE"]
_EXTENDED_ARG = opmap["EXTENDED_ARG"]
_IMPORT_NAME = opmap["IMPORT_NAME"]
_IMPORT_FROM = opmap["IMPORT_FROM"]
_STAR = opmap.get("IMPORT_STAR", -1)  # 3.11; later CALL_INTRINSIC_1 with operand 2
_INTRINSIC = opmap.get("CALL_INTRINSIC_1", -1)
_INTRINSIC_STAR = 2
# 3.15 packs the laziness of the statement into the two low bits of the operand.
_NAME_SHIFT = 2 if sys.version_info >= (3, 15) else 0
_LAZY = 1
_KNOWN_CALLEES = frozenset(("__import__", "import_module", "getattr", "hasattr", "load", "loads", "dump", "dumps"))
_COMPUTES = frozenset(
    ("BINARY_OP", "BINARY_SUBSCR", "BUILD_STRING", "FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC")
)

_INSTRUMENTED = 230

_CALLS = frozenset(code for name, code in opmap.items() if name == "PRECALL" or name.startswith("CALL"))
ATTRIBUTES = frozenset(code for name, code in opmap.items() if name in ("LOAD_ATTR", "LOAD_METHOD"))
_LAZY_USES = frozenset(
    code
    for name, code in opmap.items()
    if sys.version_info >= (3, 15) and name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
)
NAME_LOADS = frozenset(
    code for name, code in opmap.items() if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
)

STATEMENT = "statement"  # import …, from … import …, and the parts of either
ATTRIBUTE = "attribute"  # mod.name
CALL = "call"  # import_module(…), __import__(…), or C code called here
LAZY = "lazy"  # 3.15: first use of a lazily imported name
OTHER = "other"


class Statement:
    """``import name`` (``names`` is None) or ``from ..name import names``; ``offset`` is that of its IMPORT_NAME."""

    __slots__ = ("lazy", "level", "name", "names", "offset")

    def __init__(self, name: str, level: int, names: tuple[str, ...] | None, offset: int, *, lazy: bool) -> None:
        self.lazy = lazy  # 3.15
        self.name = name
        self.level = level
        self.names = names
        self.offset = offset


def kind_at(code: CodeType, offset: int) -> str:
    """What kind of instruction stands at a byte offset."""
    if offset < 0:
        return OTHER
    raw = code.co_code
    offset = _past_caches(raw, offset)
    opcode = raw[offset]
    if opcode in (_IMPORT_NAME, _IMPORT_FROM, _STAR) or (opcode == _INTRINSIC and raw[offset + 1] == _INTRINSIC_STAR):
        return STATEMENT
    if opcode in ATTRIBUTES:
        return ATTRIBUTE
    if opcode in _CALLS:
        return CALL
    return LAZY if opcode in _LAZY_USES else OTHER


def _past_caches(raw: bytes, offset: int) -> int:
    """Back to the instruction: until 3.12 a frame that calls Python code stands on the caches behind its CALL."""
    while offset > 0 and raw[offset] == _CACHE:
        offset -= 2
    return offset


def imports_at(code: CodeType, offset: int) -> bool:
    """Whether an IMPORT_NAME stands at a byte offset."""
    return offset >= 0 and code.co_code[offset] == _IMPORT_NAME


def runs_at(code: CodeType, offset: int) -> bool:
    """Whether an import statement reads the flag of what it imports here.

    An IMPORT_NAME does. An IMPORT_FROM only does for a name that is missing, unless it belongs to a ``lazy from``: that
    one takes its names at once where the module is loaded already.
    """
    if imports_at(code, offset):
        return True
    statement = statement_at(code, offset) if _NAME_SHIFT and binds_at(code, offset) else None
    return statement is not None and statement.lazy


def binds_at(code: CodeType, offset: int) -> bool:
    """Whether an IMPORT_FROM stands at a byte offset."""
    return offset >= 0 and code.co_code[offset] == _IMPORT_FROM


def imports_now(code: CodeType, offset: int) -> bool:
    """As :func:`imports_at`, for hot paths: a plain copy of the code instead of a translated one."""
    return code._co_code_adaptive[offset] == _IMPORT_NAME  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def binds_now(code: CodeType, offset: int) -> bool:
    """As :func:`binds_at`, for hot paths: a plain copy of the code instead of a translated one."""
    opcode = code._co_code_adaptive[offset]  # type: ignore[attr-defined]  # noqa: SLF001
    # IMPORT_FROM is never specialised; tracers replace any instruction, though, by one of the highest numbers.
    return opcode == _IMPORT_FROM or (opcode >= _INSTRUMENTED and binds_at(code, offset))


def statement_at(code: CodeType, offset: int) -> Statement | None:
    """The import statement that an IMPORT_NAME, IMPORT_FROM or star instruction belongs to."""
    raw = code.co_code
    # A statement is one IMPORT_NAME and the instructions that bind its names: go back to its head.
    for head in range(offset, -2, -2):
        if head < 0:
            return None
        if raw[head] == _IMPORT_NAME:
            break
    units = backwards(raw, head)
    _, name_index, _ = next(units)
    constants = [_constant(code, opcode, argument) for opcode, argument, _ in islice(units, 2)]
    names, level = constants
    if not isinstance(level, int) or not (names is None or isinstance(names, tuple)):
        return None
    lazy = bool(_NAME_SHIFT and name_index & _LAZY)
    return Statement(code.co_names[name_index >> _NAME_SHIFT], level, names, head, lazy=lazy)


def aliases_of(code: CodeType, statement: Statement) -> dict[str, str]:
    """What a statement binds under another name: ``{name: alias}``; the key of ``import a.b as alias`` is ``a.b``."""
    raw, at = code.co_code, forward(code.co_code, statement.offset)[2]
    found: dict[str, str] = {}
    taken: str | None = None
    while at < len(raw):
        name, argument, at = forward(raw, at)
        if name == "IMPORT_FROM":
            taken = code.co_names[argument]
        elif name.startswith("STORE_"):
            stored = _stored(code, name, argument)
            if statement.names is None:
                plain = taken is None and stored == statement.name.partition(".")[0]
                return {} if plain else {statement.name: stored}
            if taken is not None and stored != taken:
                found[taken] = stored
        elif name != "SWAP" and (name != "POP_TOP" or statement.names is not None):
            break
    return found


def _stored(code: CodeType, name: str, argument: int) -> str:
    """The name that a STORE_* instruction binds; from 3.13 on it may be joined with the load that follows."""
    if name in ("STORE_NAME", "STORE_GLOBAL"):
        return code.co_names[argument]
    variable = argument >> 4 if name == "STORE_FAST_LOAD_FAST" else argument
    return code._varname_from_oparg(variable)  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def bound_last(code: CodeType, name: str) -> int | None:
    """The offset of the last instruction of a module's body that binds a name."""
    raw, at, last = code.co_code, 0, None
    while at < len(raw):
        start = at
        opcode, argument, at = forward(raw, at)
        if opcode in ("STORE_NAME", "STORE_GLOBAL") and code.co_names[argument] == name:
            last = start
    return last


def is_imported(code: CodeType, offset: int) -> bool:
    """Whether the instruction that binds a name binds what an import statement gives."""
    steps = backwards(code.co_code, offset)
    next(steps)
    before = next(steps, None)
    return before is not None and opname[before[0]] in ("IMPORT_FROM", "IMPORT_NAME")


def backwards(raw: bytes, offset: int) -> Iterator[tuple[int, int, int]]:
    """(opcode, argument, offset) of the instruction at an offset and of those before it."""
    while offset >= 0:
        opcode, argument, start = raw[offset], raw[offset + 1], offset
        shift = 8
        offset -= 2
        while offset >= 0 and raw[offset] == _EXTENDED_ARG:
            argument |= raw[offset + 1] << shift
            shift += 8
            offset -= 2
        yield opcode, argument, start


def _constant(code: CodeType, opcode: int, argument: int) -> object:
    """What a constant-loading instruction pushes; ``...`` where it loads no constant that we know."""
    name = opname[opcode]
    if name in ("LOAD_CONST", "LOAD_CONST_IMMORTAL", "LOAD_CONST_MORTAL", "RETURN_CONST"):
        return code.co_consts[argument]
    if name == "LOAD_SMALL_INT":
        return argument
    return None if name == "LOAD_COMMON_CONSTANT" else ...  # 3.15 has a common constant for None


def attribute_at(code: CodeType, offset: int) -> str | None:
    """The name that a LOAD_ATTR or LOAD_METHOD at a byte offset reads."""
    opcode, argument, _ = next(backwards(code.co_code, offset), (-1, 0, 0))
    if opcode not in ATTRIBUTES:
        return None
    return code.co_names[argument >> method_bit(opcode)]


def method_bit(opcode: int) -> int:
    """From 3.12 on LOAD_ATTR carries "is a method call" in its lowest bit."""
    return 1 if sys.version_info >= (3, 12) and opname[opcode] == "LOAD_ATTR" else 0


def bound_at(code: CodeType, offset: int) -> str:
    """The name that an IMPORT_FROM at a byte offset takes."""
    return code.co_names[next(backwards(code.co_code, offset))[1]]


def name_at(code: CodeType, offset: int) -> str | None:
    """The global name that the instruction at a byte offset loads."""
    opcode, argument, _ = next(backwards(code.co_code, offset), (-1, 0, 0))
    return code.co_names[argument >> (1 if opname[opcode] == "LOAD_GLOBAL" else 0)] if opcode in NAME_LOADS else None


def call_at(code: CodeType, offset: int) -> tuple[str | None, str | None]:
    """(last name of the callee, first string literal among the arguments) of the call at a byte offset.

    A heuristic for straight-line calls: what lies between the call's own first position and its CALL belongs to it, and
    what stands at that first position is the callee. None where it cannot tell. Without columns
    (``-X no_debug_ranges``) the nearest name that is known to import or to ask is taken for the callee.
    """
    offset = _past_caches(code.co_code, offset)
    places: list[tuple[int | None, int | None]] = [
        (line, column) for line, _, column, _ in islice(code.co_positions(), offset // 2 + 1)
    ]
    places += [(None, None)] * (offset // 2 + 1 - len(places))  # of a code object with a doctored table
    start = places[offset // 2]
    callee = literal = None
    computed = False
    for opcode, argument, at in islice(backwards(code.co_code, offset), 1, None):
        where = places[at // 2]
        if opname[opcode] in ("CACHE", "PRECALL", "KW_NAMES", "PUSH_NULL"):
            continue
        if start[1] is not None and (None in where or where < start):
            break
        value = _constant(code, opcode, argument)
        if isinstance(value, str):
            literal = value
        elif opcode in NAME_LOADS or opcode in ATTRIBUTES:
            shift = 1 if opname[opcode] == "LOAD_GLOBAL" else method_bit(opcode)
            name = code.co_names[argument >> shift]
            callee = name if opcode in NAME_LOADS or where == start else callee
            if where == start if start[1] is not None else name in _KNOWN_CALLEES:
                return name, None if computed else literal
        else:
            computed = computed or opname[opcode] in _COMPUTES
    return (callee if start[1] is not None else None), None if computed else literal


def arguments_at(code: CodeType, offset: int) -> int:
    """How many arguments the call at a byte offset passes."""
    return next(backwards(code.co_code, offset))[1]


def position(code: CodeType, offset: int) -> tuple[int | None, int | None, int | None, int | None]:
    """(line, column, end line, end column), lines and columns from 1, of the instruction at a byte offset."""
    if offset < 0:
        return (code.co_firstlineno, None, None, None)
    line, end_line, column, end_column = next(islice(code.co_positions(), offset // 2, None), (None, None, None, None))
    return (
        line,
        None if column is None else column + 1,
        end_line,
        None if end_column is None else end_column + 1,
    )


def forward(raw: bytes, at: int) -> tuple[str, int, int]:
    """(name, argument, offset of the next one) of the instruction at an offset, prefixes and caches included."""
    argument = 0
    while raw[at] == _EXTENDED_ARG:
        argument = (argument | raw[at + 1]) << 8
        at += 2
    name, argument = opname[raw[at]], argument | raw[at + 1]
    at += 2
    while at < len(raw) and raw[at] == _CACHE:
        at += 2
    return name, argument, at
