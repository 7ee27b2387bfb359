"""Who imports, and how it is spelled: from frames, with ``sys._getframe`` and nothing dearer.

``inspect``, ``linecache`` and ``traceback`` stay away from this path (``inspect.stack()`` costs a thousand times as
much as a frame step). Frames are looked at and let go: what is kept are strings and ints.
"""

from __future__ import annotations

from ssot_guard.errors import DeprecatedImportError
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, handlers, loaded
from ssot_guard.watch.imports.machinery import is_machinery, outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

# Frames that carry a module name in a local called `name`, resolved if it was relative.
_NAMED = frozenset(("_gcd_import", "_find_and_load"))
# Importers that only look: documentation, collection and discovery are no uses.
_PROBES = frozenset(("pydoc", "doctest", "inspect", "pkgutil"))
_PYTEST_COLLECTION = ("_pytest.pathlib", "_pytest.python", "_pytest.doctest", "_pytest.assertion", "_pytest.main")
_MOCK = frozenset(("unittest.mock", "contextlib"))
_LOOK_OUTWARD = 6  # frames that an overridden `__import__` or a lazy `__getattr__` may put in between


class Importer:
    """The direct importer of one event.

    ``spelled`` is the full dotted name of a dynamic import (None where only the loaded spec knows it), ``module`` the
    importing module's name and ``package`` what its relative imports start from.
    """

    __slots__ = ("can_block", "code", "frame", "kind", "module", "offset", "package", "probes", "spelled", "statement")

    def __init__(self, frame: FrameType, spelled: str | None) -> None:
        self.frame = frame
        self.code: CodeType = frame.f_code
        self.offset: int = frame.f_lasti
        self.module = module_name(frame)
        self.package = _package(frame.f_globals)
        self.kind = bytecode.kind_at(self.code, self.offset)
        self.statement = bytecode.statement_at(self.code, self.offset) if self.kind == bytecode.STATEMENT else None
        self.spelled = spelled
        self.probes = False  # pkgutil tries names as modules, and expects to fail
        self.can_block = True  # whether an error raised now reaches this frame

    def imported(self) -> str | None:
        """The absolute name behind ``import`` or ``from``: None for anything but a statement."""
        statement = self.statement
        if statement is None:
            return None
        if not statement.level:
            return statement.name
        parts = self.package.rsplit(".", statement.level - 1)
        base = parts[0]
        return f"{base}.{statement.name}" if statement.name else base


def find(frame: FrameType | None) -> Importer | None:
    """The importer, from a frame of the import system outward; None for probes and where nobody is left (``-m``)."""
    spelled = None
    probes = False
    while frame is not None and is_machinery(frame):
        probes = probes or frame.f_globals.get("__name__") == "pkgutil"
        if frame.f_code.co_name in _NAMED:
            spelled = frame.f_locals.get("name")
        elif frame.f_code.co_name == "_handle_fromlist":  # of `__import__("spelled", fromlist=…)`
            spelled = loaded.namespace(frame.f_locals.get("module")).get("__name__")
        elif frame.f_code.co_name == "walk_packages":
            return None
        frame = frame.f_back
    if frame is None or _only_looks(frame) or _only_looks_through(frame):
        return None
    found = Importer(_through_overrides(frame), spelled)
    found.probes = probes
    return found


def module_name(frame: FrameType) -> str:
    """The importing module, also where it runs as ``__main__`` under ``-m``."""
    name = frame.f_globals.get("__name__")
    if name == "__main__":
        name = getattr(frame.f_globals.get("__spec__"), "name", name)
    return name if type(name) is str else ""


def _package(scope: dict[str, Any]) -> str:
    """What relative imports in this namespace start from, in CPython's own order."""
    package = scope.get("__package__")
    if type(package) is str:
        return package
    name = scope.get("__name__")
    if type(name) is not str:
        return ""
    return name if "__path__" in scope else name.rpartition(".")[0]


def _only_looks(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    if name == "unittest.mock" and frame.f_code.co_name == "get_original":
        return True  # `_patch.__enter__` has just imported it
    return type(name) is str and (name in _PROBES or name.startswith(_PYTEST_COLLECTION))


def _only_looks_through(frame: FrameType) -> bool:
    """Whether a lazy module ``__getattr__`` imports for somebody who only tries names, such as ``__wrapped__``."""
    reader = _beyond_getattr(frame)
    if reader is None:
        return False
    name = reader.f_globals.get("__name__")
    tries = type(name) is str and name.startswith("_pytest.") and name != "_pytest.monkeypatch"
    return tries or _only_looks(reader)


def _through_overrides(frame: FrameType) -> FrameType:
    """Past a replaced ``builtins.__import__``: a frame right below an IMPORT_NAME, that is not importlib's, is one."""
    if bytecode.kind_at(frame.f_code, frame.f_lasti) != bytecode.CALL:
        return frame
    outer = frame.f_back
    for _ in range(_LOOK_OUTWARD):
        if outer is None or is_machinery(outer):
            break
        if bytecode.imports_at(outer.f_code, outer.f_lasti):
            return outer
        outer = outer.f_back
    return frame


def responsible(importer: Importer, target: str) -> FrameType | None:
    """The frame to blame instead of the direct importer, or None where the direct one is to blame.

    A lazy module ``__getattr__`` (or a function that it calls) acts for whoever reads the attribute, and a function
    that was told the name acts for whoever told it.
    """
    frame: FrameType | None = importer.frame
    told = (importer.spelled or target).partition(":")[0]
    moved = None
    while frame is not None:
        beyond = _beyond_getattr(frame) or _beyond_mock(frame) or _beyond_helper(frame, told)
        if beyond is None:
            break
        moved = frame = beyond
    return moved


def _beyond_getattr(frame: FrameType) -> FrameType | None:
    """The reader of the attribute, where the frame is a module ``__getattr__`` or a function called by one."""
    found: FrameType | None = frame
    for _ in range(_LOOK_OUTWARD):
        if found is None or found.f_code.co_name == "<module>":
            return None
        if found.f_code.co_name == "__getattr__":
            return outside(found.f_back)
        found = found.f_back
    return None


class _Decorated:
    """Stands where a frame would: a function that runs behind ``@mock.patch("…")``, which is not on the stack yet."""

    def __init__(self, function: Any) -> None:
        self.f_code: CodeType = function.__code__
        self.f_globals: dict[str, Any] = function.__globals__
        self.f_lasti = -1
        self.f_lineno = self.f_code.co_firstlineno
        self.f_back = None
        self.f_locals: dict[str, Any] = {}


def _beyond_mock(frame: FrameType) -> FrameType | None:
    """Who patches, where the importer is ``unittest.mock``: it imports what it is to replace."""
    if module_name(frame) != "unittest.mock":
        return None
    outer: FrameType | None = frame
    while outer is not None and module_name(outer) in _MOCK:
        function = outer.f_locals.get("func") if outer.f_code.co_name == "patched" else None
        if hasattr(function, "__code__"):
            return _Decorated(function)  # type: ignore[return-value]  # has what is asked of a frame
        outer = outer.f_back
    return outer


def _beyond_helper(frame: FrameType, name: str) -> FrameType | None:
    """The caller of an import helper, past the helper's own distribution where that is not the one that is imported."""
    if not _was_told(frame, name):
        return None
    home = module_name(frame).partition(".")[0]
    outer = outside(frame.f_back)
    while outer is not None and module_name(outer).partition(".")[0] == home != name.partition(".")[0]:
        outer = outside(outer.f_back)
    return outer


def _was_told(frame: FrameType, name: str) -> bool:
    """Whether a call of a function carries the module's name, alone or in front of an attribute's."""
    code = frame.f_code
    if code.co_name == "<module>" or bytecode.kind_at(code, frame.f_lasti) != bytecode.CALL:
        return False
    count = code.co_argcount + code.co_kwonlyargcount
    if code.co_name.startswith("<"):
        count = 0  # a comprehension's parameter is its iterator
    scope = frame.f_locals
    values = [scope.get(variable) for variable in (*code.co_varnames[:count], *code.co_freevars)]
    return any(type(value) is str and (value == name or value.startswith((f"{name}.", f"{name}:"))) for value in values)


def site(frame: FrameType) -> Site:
    """The exact place of the instruction at which a frame stands."""
    code = frame.f_code
    line, column, end_line, end_column = bytecode.position(code, frame.f_lasti)
    return Site(
        code.co_filename,
        frame.f_lineno if line is None else line,
        column,
        end_line,
        end_column,
        module_name(frame),
        scope(code),
    )


def scope(code: CodeType) -> str:
    """Enclosing ``def`` and ``class`` names only (``Class.method``), as the audit writes it; empty at module level."""
    return ".".join(part for part in code.co_qualname.split(".") if not part.startswith("<"))


def would_swallow(found: Importer, error: type[BaseException] = DeprecatedImportError) -> Callable[[], bool]:
    """The question whether a frame that is importing would catch our error; answered at most once.

    Looked for outward from the importer, in frames that stand at an import; what else is on the stack (a server's
    request loop) catches everything and means nothing.
    """
    answer: list[bool] = []
    importing = []
    frame: FrameType | None = found.frame
    at_import = True
    while frame is not None:
        machinery = is_machinery(frame)
        if at_import and not machinery:
            importing.append((frame.f_code, frame.f_lasti, frame.f_globals))
        at_import = machinery
        frame = frame.f_back

    def swallowed() -> bool:
        if not answer:
            answer.append(any(handlers.catches(code, offset, error, scope) for code, offset, scope in importing))
        return answer[0]

    return swallowed
