"""Where the home of a role will come from, before it is loaded: read from its source, without importing anything.

A competitor can load first. So can the home's own base class, and the module that really defines what the policy names
by its public path. Source tells them apart: imports are followed to the definition, and its bases to theirs.
"""

from __future__ import annotations

from ssot_guard.watch.source.origin import outline_of, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssot_guard.watch.classes import Key
    from ssot_guard.watch.source.outline import Node, Outline

    Found = tuple[Key, str, Node]  # what, in which file, where in it

_FARTHEST = 20  # steps from one module to the next


class Blueprint:
    """A definition as its source has it: under which ``key``, in which file, and the ``bases`` above it.

    ``whole`` says whether all bases within the governed modules could be told.
    """

    __slots__ = ("bases", "key", "node", "path", "whole")

    def __init__(self, key: Key, path: str, node: Node) -> None:
        self.key = key
        self.path = path
        self.node = node
        self.bases: set[Key] = set()
        self.whole = True


def draw(module: str, qualname: str, governs: Callable[[str], bool]) -> Blueprint | None:
    """The definition that a module has under a name, or gets from another one; None where nothing can tell."""
    found = _follow(module, qualname, _FARTHEST)
    if found is None:
        return None
    blueprint = Blueprint(*found)
    pending = [(blueprint.key[0], base) for base in blueprint.node.bases]
    while pending:
        where, name = pending.pop()
        base = None if name is None else _base(where, name, governs)
        if base is None:
            blueprint.whole = False
        elif base[0] not in blueprint.bases and base[2] is not None:
            blueprint.bases.add(base[0])
            pending.extend((base[0][0], above) for above in base[2].bases)
    return blueprint


def may_come(module: str) -> bool:
    """Whether a module may have names that its source does not bind: a ``__getattr__``, or another module's stars."""
    read = outline_of(module)
    return read is not None and ("__getattr__" in read.definitions or "*" in read.bindings)


def _follow(module: str, qualname: str, steps: int) -> Found | None:
    """Through imports and second names to the definition (a value's is its assignment)."""
    path, read = path_of(module), outline_of(module)
    if read is None or path is None or not steps:
        return None
    first, _, rest = qualname.partition(".")
    binding = read.binding(first)
    if binding is not None and binding.origin is None and not rest and binding.alias is None:
        return (module, qualname), path, binding.node
    found = None if binding is None else _meant(module, read, binding.alias or qualname, steps - 1)
    nodes = read.definitions.get(qualname)  # of `try: import … except ImportError: class …` the import comes first
    if found is None and nodes:
        return (module, qualname), path, nodes[-1]
    for star in read.bindings.get("*", ()) if found is None and binding is None else ():
        origin, _, level = star.origin or ("", None, 0)
        found = found or _follow(absolute(module, origin, level), qualname, steps - 1)
    return found


def _meant(module: str, read: Outline, name: str, steps: int) -> Found | None:
    """What a dotted name means inside a module."""
    first, _, rest = name.partition(".")
    binding = read.binding(first)
    if binding is None or binding.origin is None:
        return _follow(module, name, steps)
    origin, taken, level = binding.origin
    origin = absolute(module, origin, level)
    if taken is None:  # import a.b
        return _in_module(origin, rest, steps)
    found = _follow(origin, f"{taken}.{rest}" if rest else taken, steps)
    return found or (_in_module(f"{origin}.{taken}", rest, steps) if rest else None)


def _in_module(module: str, rest: str, steps: int) -> Found | None:
    """``b.Name`` behind ``import a``: the longest module that there is, then the name in it."""
    parts = rest.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        name = ".".join([module, *parts[:depth]])
        if path_of(name) is not None:
            return _follow(name, ".".join(parts[depth:]), steps)
    return None


def absolute(module: str, name: str, level: int) -> str:
    """The module that a relative import inside another one names."""
    if not level:
        return name
    path = path_of(module) or ""
    is_package = path.replace("\\", "/").endswith("/__init__.py")
    parts = module.split(".")
    kept = parts[: len(parts) - level + is_package]
    return ".".join([*kept, name] if name else kept)


def _base(module: str, name: str, governs: Callable[[str], bool]) -> tuple[Key, str, Node | None] | None:
    """A base class as a module's source names it; its node is None where nobody governs it, or it is a builtin."""
    import builtins

    read = outline_of(module)
    if read is None:
        return None
    first = name.partition(".")[0]
    binding = read.binding(first)
    if binding is None and first not in read.definitions:
        is_builtin = "*" not in read.bindings and hasattr(builtins, first)
        return (("builtins", name), "", None) if is_builtin else None
    if binding is not None and binding.origin is not None:
        origin, _, level = binding.origin
        if not governs(absolute(module, origin, level)):
            return (origin, name), "", None
    return _meant(module, read, name, _FARTHEST)
