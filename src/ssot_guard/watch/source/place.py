"""Where a definition stands: its own line, from its source; asked once something is to be said about it."""

from __future__ import annotations

from ssot_guard.violation import Site
from ssot_guard.watch.classes import MISSING, is_class, namespace_of, qualname_in_code
from ssot_guard.watch.source.origin import line_of, outline_of, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    from ssot_guard.files import Files
    from ssot_guard.watch.roles.homes import Home
    from ssot_guard.watch.source.outline import Node, Outline

_FUNCTION = type(lambda: None)


def of(found: Any, module: str, name: str) -> Site:
    """The site of a class or a function."""
    codes = list(_codes(found))
    path = path_of(module) or (codes[0].co_filename if codes else None)
    first = _first_line(found, codes)
    scope = name.rpartition(".")[0]
    read = outline_of(module)
    if read is None and first is None and is_class(found):
        first = line_of(module, qualname_in_code(found))
    if read is not None:
        nodes = read.definitions.get(name)
        if nodes:
            return _site(path, _chosen(nodes, found, first, codes), module, scope)
        node, scope = _made(read, name, scope)
        if node is not None:
            return _site(path, node, module, scope)
    return Site(path, first, module=module, scope=scope)


def of_value(module: str, name: str) -> Site:
    """The site of a value that a module's body binds."""
    path, read = path_of(module), outline_of(module)
    binding = None if read is None else read.binding(name)
    return Site(path, module=module, scope="") if binding is None else _site(path, binding.node, module, "")


def text(site: Site, files: Files) -> str:
    """``src/acme/x.py:12``, relative to the policy's folder."""
    file = files.key(site.path, site.module)
    return "its source is not known" if file is None else file if site.line is None else f"{file}:{site.line}"


def of_home(home: Home, files: Files) -> str:
    """The place of a role's home, loaded or not."""
    found, drawn = home.find(), home.blueprint
    if drawn is not None:
        return text(Site(drawn.path, drawn.node.line, module=drawn.key[0]), files)
    keys = sorted(home.keys - {(home.module, home.name)}) or [(home.module, home.name)]
    if found is MISSING:
        return "not loaded, and not found"
    is_definition = is_class(found) or type(found) is _FUNCTION
    return text(of(found, *keys[0]) if is_definition else of_value(*keys[0]), files)


def _site(path: str | None, node: Node, module: str, scope: str) -> Site:
    return Site(path, node.line, node.column, node.head, None, module, scope)


def _made(read: Outline, name: str, scope: str) -> tuple[Node | None, str]:
    """What no statement defines by name: ``Name = …`` in the module's body, or a call such as ``type("Name", …)``."""
    binding = read.binding(name)
    if binding is not None and binding.origin is None:
        return binding.node, scope
    makers = read.makers(name.rpartition(".")[2])
    return (makers[-1][1], ".".join(makers[-1][0])) if makers else (None, scope)


def _chosen(nodes: list[Node], found: Any, first: int | None, codes: list[CodeType]) -> Node:
    """The one of several definitions of a name that was executed: by its first line, by its methods, by its names."""
    for node in reversed(nodes):
        if first in (node.first, node.line):
            return node
    for node in reversed(nodes):
        if any(node.line <= code.co_firstlineno <= node.last for code in codes):
            return node
    held = frozenset(namespace_of(found)) if is_class(found) else frozenset()
    return max(reversed(nodes), key=lambda node: len(node.names & held) - len(node.names - held))


def _first_line(found: Any, codes: list[CodeType]) -> int | None:
    """What the interpreter remembers: of a class from 3.13 on, of a function always (with its decorators)."""
    if is_class(found):
        line = namespace_of(found).get("__firstlineno__")
        return line if type(line) is int else None
    return codes[0].co_firstlineno if codes else None


def _codes(found: Any) -> Iterator[CodeType]:
    """The code of a function, or of the functions that a class holds."""
    for one in list(namespace_of(found).values()) if is_class(found) else [getattr(found, "__wrapped__", found)]:
        function = one.__func__ if type(one) in (staticmethod, classmethod) else one
        function = function.fget if type(function) is property else function
        if type(function) is _FUNCTION:
            yield function.__code__
