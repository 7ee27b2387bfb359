"""Dotted names and the patterns that match them, compiled to look-ups whose cost ignores the number of patterns.

===============  ==========================================================
pattern          matches
===============  ==========================================================
``a.b``          the module ``a.b`` and everything below it
``a.b.**``       the same
``a.b.*``        modules exactly one level below ``a.b``
``a.*.c``        ``a.<anything>.c`` and everything below it
``a.b:Name``     the name ``Name`` in exactly the module ``a.b``
``a.b.**:Name``  the name in ``a.b`` or any module below it
===============  ==========================================================
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Generic, TypeVar

    T = TypeVar("T")
else:  # `typing` costs milliseconds of every guarded process's start

    class Generic:
        """Stands in for ``typing.Generic``."""

        def __class_getitem__(cls, _item: object) -> type:
            return cls

    T = None

SUBTREE = "subtree"  # the module and everything below
CHILDREN = "children"  # exactly one level below
EXACT = "exact"  # the module alone (the module part of ``a.b:Name``)


class PatternSyntaxError(ValueError):
    """The text is not a pattern; the message says what to write instead."""


class Pattern:
    """A parsed pattern: ``segments`` of the module part, its ``reach``, and ``name`` behind the colon (or None)."""

    __slots__ = ("name", "reach", "segments", "text")

    def __init__(self, text: str, segments: tuple[str, ...], reach: str, name: str | None) -> None:
        self.text = text
        self.segments = segments
        self.reach = reach
        self.name = name

    @property
    def module(self) -> str:
        """The module part as a dotted name, without the trailing wildcard."""
        return ".".join(self.segments)

    @property
    def literal(self) -> str:
        """The part before the first wildcard: ``a`` for ``a.*.c``."""
        literal: list[str] = []
        for segment in self.segments:
            if segment == "*":
                break
            literal.append(segment)
        return ".".join(literal)

    def matches(self, module: str) -> bool:
        """Whether the module part matches a dotted module name."""
        parts = module.split(".")
        depth = len(self.segments)
        extra = len(parts) - depth
        if extra < 0 or (self.reach == EXACT and extra) or (self.reach == CHILDREN and extra != 1):
            return False
        return all(want in ("*", part) for want, part in zip(self.segments, parts, strict=False))

    def tail(self, module: str) -> str:
        """What a matching module has below the pattern's own segments: ``x.y`` for ``a.b`` and ``a.b.x.y``."""
        return ".".join(module.split(".")[len(self.segments) :])


def parse(text: str) -> Pattern:
    """Parse one pattern; raise :class:`PatternSyntaxError` for anything that is none."""
    module, colon, name = text.partition(":")
    if colon and not name:
        raise PatternSyntaxError(f"{text!r} has no name after the colon")
    segments = module.split(".")
    reach = EXACT if colon else SUBTREE
    if segments[-1] == "**":
        segments.pop()
        reach = SUBTREE
    elif segments[-1] == "*" and len(segments) > 1:
        segments.pop()
        reach = CHILDREN
    if not segments or segments[0] == "*":
        raise PatternSyntaxError(f"{text!r} must start with a module name")
    for segment in segments:
        if segment != "*" and not segment.isidentifier():
            raise PatternSyntaxError(
                f"{text!r} is not a dotted name: {segment!r} is neither an identifier nor a whole-segment wildcard"
            )
    return Pattern(text, tuple(segments), reach, name or None)


class ModuleIndex(Generic[T]):
    """Patterns of modules → values. A look-up walks the *name's* segments, so it is flat in the number of patterns.

    The deepest literal match wins: ``a.b.c`` beats ``a.b``, and ``a.b.c`` beats ``a.*.c``.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: dict[str, object] = {}

    def add(self, pattern: Pattern, value: "T") -> "T":
        """Register a value and return the one that is in force: of two equal patterns the first stays."""
        node = self._root
        for segment in pattern.segments:
            node = node.setdefault(segment, {})  # type: ignore[assignment]
        # Keys with a colon can be no segment: they hold the values of this node.
        return node.setdefault(":" + pattern.reach, value)  # type: ignore[return-value]

    def get(self, module: str) -> "T | None":
        """The value of the most specific pattern that matches, or None."""
        return next(self.matches(module), None)

    def matches(self, module: str) -> "Iterator[T]":
        """The values of all patterns that match, the most specific first."""
        return _matches(self._root, module.split("."), 0)  # type: ignore[return-value]

    def leads(self, module: str) -> bool:
        """Whether some pattern lies below this module, so that importing what it matches imports this module, too."""
        nodes: list[dict[str, object]] = [self._root]
        for segment in module.split("."):
            nodes = [node[key] for node in nodes for key in (segment, "*") if key in node]  # type: ignore[misc]
        return any(key[0] != ":" or key == ":children" for node in nodes for key in node)

    def tops(self) -> set[str]:
        """The first segments of all patterns: everything else can be turned away with one set look-up."""
        return {key for key in self._root if key[0] != ":"}

    def __bool__(self) -> bool:
        return bool(self._root)


def _matches(node: dict[str, object], parts: list[str], depth: int) -> "Iterator[object]":
    """The values below ``node`` that match, the deepest first; a literal segment is tried before a wildcard."""
    left = len(parts) - depth
    if left:
        for key in (parts[depth], "*"):
            child = node.get(key)
            if child is not None:
                yield from _matches(child, parts, depth + 1)  # type: ignore[arg-type]
        if left == 1 and ":children" in node:
            yield node[":children"]
    elif ":exact" in node:
        yield node[":exact"]
    if ":subtree" in node:
        yield node[":subtree"]
