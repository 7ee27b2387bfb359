"""Whether a known violation is gone: a session that did not see it proves nothing, its file's text does.

A line may be skipped on this machine, stand in a function that no test calls, or under ``if TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.baseline import Key

_IMPORTS = ("SSG101", "SSG102")
# Functions that take a name as text → where among their arguments it stands.
_BY_TEXT = {"import_module": 0, "__import__": 0, "getattr": 1, "exec": 0, "eval": 0}


def is_gone(root: str, key: Key) -> bool:
    """Whether the file of an entry (relative to ``root``) is gone, or names the target no more."""
    try:
        with open(os.path.join(root, key.file), "rb") as stream:
            source = stream.read()
    except OSError:
        return True
    if key.code not in _IMPORTS:
        return True  # standing facts, which a whole run cannot miss
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    module, _, name = key.target.partition(":")
    dotted = f"{module}.{name}" if name else module
    leaf = name or module.rpartition(".")[2]
    nodes = list(ast.walk(tree))
    spelled = {id(node.func) for node in nodes if isinstance(node, ast.Call) and _is_spelled(node)}
    return not any(
        _names(node, module, leaf, dotted) or (_called(node) is not None and id(node) not in spelled) for node in nodes
    )


def _called(node: ast.AST) -> str | None:
    """Which function that takes a name as text is meant here, called or handed on."""
    if isinstance(node, ast.alias):
        name = node.name.rpartition(".")[2] if node.asname else ""
    elif isinstance(node, ast.Attribute):
        name = "" if node.attr in ("exec", "eval") else node.attr  # models and frames have such methods
    else:
        name = node.id if isinstance(node, ast.Name) else ""
    return name if name in _BY_TEXT else None


def _is_spelled(call: ast.Call) -> bool:
    """Whether the name is written out: then it is among the file's strings."""
    place = _BY_TEXT.get(_called(call.func) or "")
    if place is None or len(call.args) <= place:
        return False
    name = call.args[place]
    return isinstance(name, ast.Constant) and isinstance(name.value, str)


def _names(node: ast.AST, module: str, leaf: str, dotted: str) -> bool:
    """Whether a piece of source may still mean ``dotted``; in doubt, it does."""
    if isinstance(node, ast.Import):
        return any(_below(alias.name, dotted) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        if node.level:
            return leaf in {*names, *(node.module or "").split(".")} or "*" in names
        path = node.module or ""
        return (
            _below(path, dotted) or ("*" in names and path == module) or (f"{path}.{leaf}" == dotted and leaf in names)
        )
    if isinstance(node, ast.Attribute):
        return node.attr == leaf
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    text = node.value.replace(":", ".")
    return dotted in text or text.rpartition(".")[2] == leaf  # "OLD" of getattr(), ".old" of import_module()


def _below(path: str, parent: str) -> bool:
    return path == parent or path.startswith(f"{parent}.")
