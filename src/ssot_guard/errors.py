"""The exception tree: verdicts that may reach an application, and mistakes of its operators.

Everything here pickles, because test runners send exceptions between processes.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssot_guard.violation import Violation


class SsotWarning(UserWarning):
    """A violation in ``warn`` mode, issued at the importer's own line so that module filters apply."""


class SsotViolationError(RuntimeError):
    """Base of every verdict that ``strict`` raises.

    ``violation`` is the recorded :class:`~ssot_guard.violation.Violation`, or None where the error
    crossed a process boundary. It is recorded *before* it is raised: swallowing it hides nothing.
    """

    violation: "Violation | None" = None


class DeprecatedImportError(SsotViolationError, ImportError):
    """A deprecated import was blocked before any of its code ran.

    An ``ImportError`` with ``name``, ``path`` and ``msg`` set, and never a ``ModuleNotFoundError``:
    ``from pkg import sub`` would swallow that one and report a nameless failure instead.
    """

    def __init__(self, msg: str, *, name: str | None = None, path: str | None = None) -> None:
        super().__init__(msg)
        self.msg = msg
        self.name = name
        self.path = path

    def __reduce__(self) -> "tuple[object, ...]":
        return (_rebuild_import_error, (type(self), self.msg, self.name, self.path))


def _rebuild_import_error(
    cls: type[DeprecatedImportError], msg: str, name: str | None, path: str | None
) -> DeprecatedImportError:
    return cls(msg, name=name, path=path)


class Problem:
    """One mistake in a policy: where it stands and what to write instead."""

    __slots__ = ("file", "key", "line", "message")

    def __init__(self, file: str, line: int | None, key: str, message: str) -> None:
        self.file = file
        self.line = line
        self.key = key
        self.message = message

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"

    def __reduce__(self) -> "tuple[object, ...]":
        return (Problem, (self.file, self.line, self.key, self.message))


class PolicyError(ValueError):
    """A policy that cannot be used; lists *every* problem (:class:`Problem`), raised before anything is installed."""

    def __init__(self, problems: "Iterable[Problem]") -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class BaselineError(ValueError):
    """A baseline that cannot be read: which file, on which line (None where it is no single one), what to do."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        self.file = file
        self.line = line
        self.message = message
        super().__init__(file, line, message)

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}"
