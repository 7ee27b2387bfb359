"""Collecting a policy's problems: one :class:`Report` per policy, one :class:`Place` per key that is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssot_guard.errors import PolicyError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    KeyPath = tuple[str | int, ...]
    LineFinder = Callable[[KeyPath], int | None]


class Report:
    """All problems of one policy, in the order of their lines."""

    def __init__(self, file: str, lines: LineFinder) -> None:
        self.file = file
        self.found: list[tuple[KeyPath, str]] = []
        self._lines = lines
        self._broken: set[KeyPath] = set()

    def at(self, *path: str | int) -> Place:
        """A place in the policy."""
        return Place(self, path)

    def mark(self, path: KeyPath) -> None:
        """Remember that this key, and so everything that contains it, cannot be relied on."""
        self._broken.update(path[:length] for length in range(len(path) + 1))

    def broken(self, *path: str | int) -> bool:
        """Whether the key or anything in it has a problem: what builds on it would only be noise."""
        return path in self._broken

    def raise_any(self) -> None:
        """Raise one PolicyError with every problem, if there is one."""
        if self.found:
            problems = [Problem(self.file, self._lines(path), key_path(path), text) for path, text in self.found]
            raise PolicyError(sorted(problems, key=lambda problem: problem.line or 0))


class Place:
    """One key of the policy; problems reported here carry its path and line."""

    __slots__ = ("path", "report")

    def __init__(self, report: Report, path: KeyPath) -> None:
        self.report = report
        self.path = path

    def child(self, key: str | int) -> Place:
        """A key or an index below."""
        return Place(self.report, (*self.path, key))

    def mark(self) -> None:
        """No value here, without a problem of its own."""
        self.report.mark(self.path)

    def problem(self, message: str) -> None:
        """Report a problem here."""
        self.report.found.append((self.path, message))
        self.report.mark(self.path)


def key_path(path: KeyPath) -> str:
    """``imports[2].canonical``; keys that TOML would quote are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("-", "_").isidentifier() or part.isalnum()
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return text
