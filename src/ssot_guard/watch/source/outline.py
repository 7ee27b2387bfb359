"""What stands where in a source file: read when there is a violation, never before.

``compile`` makes the tree, and C's own ``_ast`` names its nodes: the module ``ast`` would be imported inside somebody's
import for nothing. Trees are not kept.
"""

from __future__ import annotations

import _ast
import os
import sys

from ssot_guard.apart import apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Scope = tuple[str, ...]

_LARGEST = 16 * 2**20  # bytes: nobody writes classes into larger files
_BODIES = ("body", "handlers", "cases", "orelse", "finalbody")  # of compound statements, in order
_DEFINITIONS = (_ast.ClassDef, _ast.FunctionDef, _ast.AsyncFunctionDef)


class Node:
    """A statement or call. Lines and columns start at 1.

    Of a definition, ``first`` is the line of its first decorator, ``head`` the last one of what introduces it,
    ``bases`` are its bases as dotted names (None for any other expression), ``names`` is what a class's body binds.
    """

    __slots__ = ("bases", "column", "first", "head", "last", "line", "names")

    def __init__(self, tree: Any) -> None:
        self.line: int = tree.lineno
        self.column: int = tree.col_offset + 1
        self.last: int = tree.end_lineno or tree.lineno
        self.first = _first_line(tree)
        body = tree.body if isinstance(tree, _DEFINITIONS) else ()
        self.head = max(self.line, _first_line(body[0]) - 1) if body else self.last
        self.bases = [dotted(base) for base in getattr(tree, "bases", ())]
        self.names = frozenset(name for one in body for name in _defined(one))


class Binding:
    """How a module's body binds a name: ``origin`` is an import's (module, name or None, level).

    ``alias`` is the dotted name on the right side of an assignment, None where something else stands there.
    """

    __slots__ = ("alias", "node", "origin")

    def __init__(self, tree: Any, origin: tuple[str, str | None, int] | None, alias: str | None = None) -> None:
        self.node = Node(tree)
        self.origin = origin
        self.alias = alias


class Outline:
    """The definitions of a file by qualified name, and what its body binds. ``content``: its source."""

    def __init__(self, tree: Any, content: bytes) -> None:
        self.definitions: dict[str, list[Node]] = {}
        self.bindings: dict[str, list[Binding]] = {}  # `from … import *` binds "*"
        self._content = content
        self._makers: dict[str, list[tuple[Scope, Node]]] | None = None
        for node, scope in _statements(tree):
            if isinstance(node, _DEFINITIONS):
                self.definitions.setdefault(".".join((*scope, node.name)), []).append(Node(node))
            if not scope:
                for name, binding in _bindings(node):
                    self.bindings.setdefault(name, []).append(binding)

    def binding(self, name: str) -> Binding | None:
        """How the body binds a name last."""
        bindings = self.bindings.get(name)
        return bindings[-1] if bindings else None

    def makers(self, name: str) -> list[tuple[Scope, Node]]:
        """Calls that name what they make, such as ``type("Name", …)``: seldom asked for, and dear."""
        if self._makers is None:
            self._makers = {}
            for node, scope in _everything(_parse(self._content, "<source>")):
                if isinstance(node, _ast.Call) and node.args and isinstance(node.args[0], _ast.Constant):
                    made = node.args[0].value
                    if type(made) is str and made.isidentifier():
                        self._makers.setdefault(made, []).append((scope, Node(node)))
        return self._makers.get(name, [])


def _statements(tree: Any) -> Iterator[tuple[Any, Scope]]:
    """All statements in order, with the definitions around each; outside of these, the expressions that bind, too."""
    pending: list[tuple[Any, Scope]] = [(node, ()) for node in reversed(tree.body)]
    while pending:
        node, scope = pending.pop()
        yield node, scope
        if isinstance(node, _DEFINITIONS):
            pending.extend((one, (*scope, node.name)) for one in reversed(node.body))
        elif scope:
            inner = [one for field in _BODIES for one in getattr(node, field, ())]
            pending.extend((one, scope) for one in reversed(inner))
        else:
            pending.extend((one, scope) for _, one in reversed(list(_children(node))))


def _everything(tree: Any) -> Iterator[tuple[Any, Scope]]:
    """All nodes, with the definitions around each."""
    pending: list[tuple[Any, Scope]] = [(tree, ())]
    while pending:
        node, scope = pending.pop()
        yield node, scope
        inner = (*scope, node.name) if isinstance(node, _DEFINITIONS) else scope
        pending.extend(reversed([(one, inner if field == "body" else scope) for field, one in _children(node)]))


_outlines: dict[str, tuple[object, Outline | None]] = {}
_MOST = 32


@apart
def of(path: str | None) -> Outline | None:
    """The outline of a source file; None where it cannot be read, or is no Python."""
    if path is None or not path.endswith((".py", ".pyw")):
        return None
    try:
        status = os.stat(path)
        stamp = (status.st_mtime_ns, status.st_size)
        known = _outlines.get(path)
        if known is None or known[0] != stamp:
            known = _keep(path, stamp, _read(path) if status.st_size <= _LARGEST else None)
    except (OSError, ValueError):
        return None
    return known[1]


def of_text(path: str, text: str | None) -> Outline | None:
    """The outline of a source that only its loader can read."""
    known = _outlines.get(path)
    return (known or _keep(path, None, None if text is None else _outline(text.encode(), path)))[1]


def _keep(path: str, stamp: object, outline: Outline | None) -> tuple[object, Outline | None]:
    if len(_outlines) >= _MOST:
        _outlines.clear()
    _outlines[path] = (stamp, outline)
    return _outlines[path]


def _read(path: str) -> Outline | None:
    with open(path, "rb") as stream:
        content = stream.read()
    return _outline(content, path)


def _outline(content: bytes, path: str) -> Outline | None:
    try:
        return Outline(_parse(content, path), content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parse(content: bytes, path: str) -> Any:
    """The tree, without the warnings about it: the host has seen them when it compiled the file."""
    import _warnings

    filters: Any = getattr(sys.modules.get("warnings", _warnings), "filters", [])
    silence = ("ignore", None, Warning, None, 0)
    filters.insert(0, silence)
    try:
        return compile(content, path, "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    finally:
        for index, one in enumerate(filters):
            if one is silence:
                del filters[index]
                break


def dotted(node: Any) -> str | None:
    """``a.b`` for the expressions ``a.b`` and ``a.b[T]``; None for all others."""
    while isinstance(node, _ast.Subscript):
        node = node.value
    parts: list[str] = []
    while isinstance(node, _ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, _ast.Name) else None


def _first_line(tree: Any) -> int:
    return min([one.lineno for one in getattr(tree, "decorator_list", ())], default=tree.lineno)  # type: ignore[no-any-return]


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    for field in node._fields:
        value = getattr(node, field, None)
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, _ast.AST):
                yield field, one


def _bindings(node: Any) -> Iterator[tuple[str, Binding]]:
    """The names that one statement binds, and how; a bare annotation binds none."""
    if isinstance(node, _ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            yield name, Binding(node, (alias.name if alias.asname else name, None, 0))
    elif isinstance(node, _ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, Binding(node, (node.module or "", alias.name, node.level))
    else:
        for target in _targets(node):
            right = dotted(node.value) if isinstance(target, _ast.Name) else None
            for name in _names(target):
                yield name, Binding(node, None, right)


def _targets(node: Any) -> list[Any]:
    if isinstance(node, _ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (_ast.AnnAssign, _ast.NamedExpr)) and node.value is not None else []


def _names(target: Any) -> Iterator[str]:
    if isinstance(target, _ast.Name):
        yield target.id
    elif isinstance(target, _ast.Starred):
        yield from _names(target.value)
    elif isinstance(target, (_ast.Tuple, _ast.List)):
        for one in target.elts:
            yield from _names(one)


def _defined(node: Any) -> Iterator[str]:
    """The names that one statement of a class's body binds."""
    if isinstance(node, _DEFINITIONS):
        yield node.name
    for target in _targets(node):
        yield from _names(target)
