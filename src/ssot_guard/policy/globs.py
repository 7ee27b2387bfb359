"""Paths against lists of gitignore patterns, with git's own rules (gitignore(5)).

The last pattern that matches decides; ``!`` takes back; a slash at the start or in the middle anchors at the root;
a slash at the end matches folders only; what lies in a matched folder is matched and cannot be taken back.
Paths are POSIX and relative to the policy's folder. ``re`` is imported with the first pattern that needs it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from re import Pattern


class Glob:
    """One gitignore pattern."""

    __slots__ = ("folders_only", "negated", "regex")

    def __init__(self, regex: Pattern[str], *, negated: bool, folders_only: bool) -> None:
        self.regex = regex
        self.negated = negated
        self.folders_only = folders_only


class Globs:
    """A list of gitignore patterns, compiled once.

    >>> Globs(["build/", "!build"]).matches("src/build/x.py")
    False
    """

    __slots__ = ("_globs",)

    def __init__(self, patterns: Iterable[str]) -> None:
        self._globs = tuple(glob for glob in map(_compile, patterns) if glob is not None)

    def matches(self, path: str, *, folder: bool = False) -> bool:
        """Whether the list matches a path; ``folder`` says that the path itself is one."""
        if not self._globs:
            return False
        end = path.find("/", 1)
        while end >= 0:  # a matched folder settles everything below it
            if self._decides(path[:end], folder=True):
                return True
            end = path.find("/", end + 1)
        return self._decides(path, folder=folder)

    def _decides(self, path: str, *, folder: bool) -> bool:
        for glob in reversed(self._globs):
            if (folder or not glob.folders_only) and glob.regex.fullmatch(path):
                return not glob.negated
        return False


def is_path(text: str) -> bool:
    """Whether a pattern of the policy names files; all others name modules."""
    return "/" in text or text.endswith(".py")


def complaint(text: str) -> str | None:
    """Why this text can match no path, or None."""
    if text.startswith("#"):
        return f"{text!r} is a comment to gitignore; write `\\#` for a name that starts with it"
    if "\\" in text.replace("\\\\", "").replace("\\#", "").replace("\\!", "").replace("\\ ", "").replace("\\*", ""):
        return f"{text!r}: paths are written with `/`"
    if text.startswith(("./", "../")) or "/../" in text or "/./" in text:
        return f"{text!r}: paths start at the policy's folder, without `.` and `..`"
    return None if _compile(text) else f"{text!r} matches no path"


def _compile(text: str) -> Glob | None:
    """None for what gitignore ignores: blank lines, comments, brackets that never close."""
    import re

    text = _stripped(text)
    negated = text.startswith("!")
    body = text[negated:]
    if not body or text.startswith("#"):
        return None
    folders_only = body.endswith("/")
    body = body[:-1] if folders_only else body
    anchored = "/" in body
    translated = _translate(body.removeprefix("/"))
    if not body or translated is None:
        return None
    try:
        regex = re.compile(translated if anchored else f"(?:.*/)?{translated}", re.DOTALL)
    except re.error:  # a range such as [z-a]
        return None
    return Glob(regex, negated=negated, folders_only=folders_only)


def _stripped(text: str) -> str:
    """Without trailing blanks, unless a backslash protects the last one."""
    bare = text.rstrip(" ")
    return bare + " " if bare != text and (len(bare) - len(bare.rstrip("\\"))) % 2 else bare


def _translate(body: str) -> str | None:
    """A regular expression for a pattern without its leading `!` and outer slashes."""
    parts = body.split("/")
    regex = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**" and len(parts) > 1:
            # `a/**` needs something below `a`; `**/` and `/**/` may stand for nothing.
            regex += ".+" if last else "(?:[^/]+/)*"
            continue
        segment = _segment(part)
        if segment is None:
            return None
        regex += segment + ("" if last else "/")
    return regex


def _segment(part: str) -> str | None:
    """One path segment; None where a bracket or a backslash is left open."""
    import re

    regex, at = "", 0
    while at < len(part):
        character = part[at]
        at += 1
        if character == "*":
            regex += "[^/]*" if not regex.endswith("[^/]*") else ""  # `**` inside a name is `*`
        elif character == "?":
            regex += "[^/]"
        elif character == "[":
            end = part.find("]", at + 2 if part[at : at + 1] in ("!", "^") else at + 1)
            if end < 0:
                return None
            regex += _bracket(part[at:end])
            at = end + 1
        elif character == "\\":
            if at == len(part):
                return None
            regex += re.escape(part[at])
            at += 1
        else:
            regex += re.escape(character)
    return regex


def _bracket(inside: str) -> str:
    """``[!a-z]`` → ``(?!/)[^a-z]``: no bracket matches a slash."""
    negated = inside[0] in "!^"
    body = inside[negated:].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("^", "\\^")
    for character in "&~|":  # sets of the future: doubled ones warn
        body = body.replace(character, "\\" + character)
    return f"(?!/)[{'^' if negated else ''}{body}]"
