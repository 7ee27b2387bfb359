"""What was seen, as value objects: :class:`Site`, :class:`Violation`, and the fingerprint that survives edits.

Made inside other people's imports, so this file needs builtins only (no ``dataclasses``, no ``hashlib``).
"""

from __future__ import annotations

from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from ssot_guard.policy.model import Mode


class _Value:
    """A frozen value object: the subclass's ``__slots__``, in order, are its fields."""

    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.astuple() == self.astuple()

    def __hash__(self) -> int:
        return hash(tuple(value for value in self.astuple() if type(value) is not dict))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), self.astuple())

    def astuple(self) -> tuple[Any, ...]:
        """The fields' values, in order."""
        return tuple(getattr(self, name) for name in self.__slots__)


class Site(_Value):
    """Where: the importer. ``path`` is what the interpreter knows; lines start at 1, columns at 1; unknown is None."""

    __slots__ = ("path", "line", "column", "end_line", "end_column", "module", "scope")  # noqa: RUF023 - the order is the constructor's

    path: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    module: str | None
    scope: str | None

    def __init__(
        self,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        end_line: int | None = None,
        end_column: int | None = None,
        module: str | None = None,
        scope: str | None = None,
    ) -> None:
        fill = object.__setattr__
        fill(self, "path", path)
        fill(self, "line", line)
        fill(self, "column", column)
        fill(self, "end_line", end_line)
        fill(self, "end_column", end_column)
        fill(self, "module", module)
        fill(self, "scope", scope)


class Violation(_Value):
    """One violation of one rule at one site. ``count`` is how often it was executed when this snapshot was taken.

    ``action`` is what was done on first sight: "recorded", "warned" or "blocked"; ``mode`` the effective mode then.
    ``file`` is the POSIX path relative to the policy's folder that the fingerprint and the baseline use.
    """

    __slots__ = (  # noqa: RUF023 - the order is the constructor's
        "code", "rule", "message", "site", "target", "canonical", "kind", "count", "mode", "action",
        "fingerprint", "file", "status", "owner", "tags", "tenant", "test", "details",
    )  # fmt: skip

    code: str
    rule: str
    message: str
    site: Site
    target: str
    canonical: str | None
    kind: str
    count: int
    mode: Mode
    action: str
    fingerprint: str
    file: str | None
    status: str  # "new", "known", "contested"
    owner: str | None
    tags: tuple[str, ...]
    tenant: str | None
    test: str | None
    details: Mapping[str, Any]

    def __init__(  # noqa: PLR0913 - one argument per field
        self,
        code: str,
        rule: str,
        message: str,
        site: Site,
        target: str,
        canonical: str | None = None,
        kind: str = "import",
        count: int = 1,
        mode: Mode = "observe",
        action: str = "recorded",
        fingerprint: str = "",
        file: str | None = None,
        status: str = "new",
        owner: str | None = None,
        tags: tuple[str, ...] = (),
        tenant: str | None = None,
        test: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        fill = object.__setattr__
        fill(self, "code", code)
        fill(self, "rule", rule)
        fill(self, "message", message)
        fill(self, "site", site)
        fill(self, "target", target)
        fill(self, "canonical", canonical)
        fill(self, "kind", kind)
        fill(self, "count", count)
        fill(self, "mode", mode)
        fill(self, "action", action)
        fill(self, "fingerprint", fingerprint)
        fill(self, "file", file)
        fill(self, "status", status)
        fill(self, "owner", owner)
        fill(self, "tags", tags)
        fill(self, "tenant", tenant)
        fill(self, "test", test)
        fill(self, "details", {} if details is None else details)

    def replace(self, **changes: Any) -> Violation:
        """A copy with some fields changed."""
        return Violation(**{name: changes.get(name, getattr(self, name)) for name in self.__slots__})


def fingerprint(code: str, rule: str, file: str | None, target: str, scope: str | None) -> str:
    """The identity of a violation across edits, processes, hosts: 16 hex digits of code, rule, file, target, scope.

    No line and no process id: code above the statement may grow, and every worker sees the same.
    """
    text = "\0".join((code, rule, file or "", target, scope or ""))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
