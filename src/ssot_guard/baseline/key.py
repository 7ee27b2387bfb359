"""What makes a known violation the same one tomorrow: code, rule, file, target and enclosing scope; never a line."""

from __future__ import annotations

from _operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Key(tuple[str, str, str, str, str]):  # no NamedTuple: `typing` is not to be imported inside somebody's import
    """Code, rule, file (POSIX, relative to the policy's folder), target, scope; what is unknown is empty."""

    __slots__ = ()

    def __new__(cls, code: str, rule: str, file: str, target: str, scope: str = "") -> Self:
        return tuple.__new__(cls, tuple(map(_sendable, (code, rule, file, target, scope))))

    code = property(itemgetter(0))
    rule = property(itemgetter(1))
    file = property(itemgetter(2))
    target = property(itemgetter(3))
    scope = property(itemgetter(4))

    def __getnewargs__(self) -> tuple[str, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return f"Key(code={self[0]!r}, rule={self[1]!r}, file={self[2]!r}, target={self[3]!r}, scope={self[4]!r})"

    @property
    def nature(self) -> tuple[str, str, str, str]:
        """Everything but the file: what stays when the file is renamed."""
        return self[0], self[1], self[3], self[4]

    @property
    def place(self) -> tuple[str, tuple[str, str, str, str]]:
        """What the baseline is sorted by."""
        return self[2], self.nature


def key_of(found: Any) -> Key:
    """The key of a :class:`~ssot_guard.violation.Violation`, or of a row of a report."""
    site = getattr(found, "site", found)
    file = found.file if hasattr(found, "file") else found.path
    return Key(found.code, found.rule, file or "", found.target, site.scope or "")


def position(site: Any) -> tuple[int, int]:
    """Where in its file a site lies (anything with ``line`` and ``column``): what tells two sites of a key apart."""
    return site.line or 0, site.column or 0


def _sendable(text: str) -> str:
    # As the sinks write it, so that a run's JSON lines and the live process make the same key of an undecodable name.
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
