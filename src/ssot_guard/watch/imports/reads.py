"""Whether code that touches a watched module imports it or takes a name from it, or only looks."""

from __future__ import annotations

import sys

from ssot_guard.watch.imports import bytecode, importer, machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_IMPORTING = frozenset(("__import__", "import_module", "load", "loads", "find_class"))


def imports(frame: FrameType, name: str) -> bool:
    """Whether a module's flag is read because somebody imports it.

    What else reads it from C are ``hasattr`` and ``getattr`` in vain, pickling, and copying; a name that is missing is
    read, too, and so is `__all__`, in vain, by 3.11.
    """
    if machinery.is_machinery(frame):
        return machinery.finds_cached(frame)
    code, offset = frame.f_code, frame.f_lasti
    kind = bytecode.kind_at(code, offset)
    if kind == bytecode.STATEMENT:
        return bytecode.runs_at(code, offset)
    if kind == bytecode.CALL:
        callee, literal = bytecode.call_at(code, offset)
        return callee in _IMPORTING or literal == name
    return kind != bytecode.ATTRIBUTE


def takes_name(frame: FrameType, name: str) -> bool:
    """Whether code takes the name: by an import statement, as an attribute, or by ``getattr`` with the literal name.

    Probes do not: importlib's look before an import, ``hasattr``, and reflection by the standard library or pytest.
    """
    if machinery.is_machinery(frame):
        return False
    code, offset = frame.f_code, frame.f_lasti
    kind = bytecode.kind_at(code, offset)
    if kind == bytecode.STATEMENT:
        return name != "__path__" or bytecode.imports_at(code, offset)
    if name == "__path__":
        return False
    if kind == bytecode.CALL:
        return _call_takes(frame, name)
    return kind == bytecode.LAZY or (kind == bytecode.ATTRIBUTE and bytecode.attribute_at(code, offset) == name)


def _call_takes(frame: FrameType, name: str) -> bool:
    module = importer.module_name(frame)
    top = module.partition(".")[0]
    if top == "_pytest":
        # `monkeypatch.setattr("a.old.X", …)` imports a.old where it is not loaded yet, and else takes it: both count.
        return module == "_pytest.monkeypatch" and frame.f_code.co_name == "resolve"
    return bytecode.call_at(frame.f_code, frame.f_lasti) == ("getattr", name) and top not in sys.stdlib_module_names
