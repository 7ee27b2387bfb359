"""Which policy holds here, for tests and the command. A guarded service never looks: it is told.

Upward from the working directory to the repository's root, the folder with ``.git``; without a repository only the
working directory counts, so that nobody's home directory decides about a checkout.
"""

from __future__ import annotations

import os

from ssot_guard.errors import PolicyError, Problem

NAMES = ("ssot-guard.toml", "pyproject.toml")


def discover(start: str | os.PathLike[str] | None = None) -> str | None:
    """The absolute path of the nearest policy file, or None; ``start`` defaults to the working directory.

    Raises PolicyError for a folder with two policies.
    """
    here = os.path.abspath(os.getcwd() if start is None else start)
    for folder in _upward(here):
        found = _policy_in(folder)
        if found is not None:
            return found
    return None


def _upward(here: str) -> list[str]:
    """The folders to look at, nearest first."""
    folders = [here]
    while not os.path.exists(os.path.join(folders[-1], ".git")):  # a file in worktrees and submodules
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:
            return [here]
        folders.append(parent)
    return folders


def _policy_in(folder: str) -> str | None:
    own, project = (os.path.join(folder, name) for name in NAMES)
    found = [path for path, there in ((own, os.path.isfile(own)), (project, _has_table(project))) if there]
    if len(found) > 1:
        message = "stands beside a pyproject.toml with [tool.ssot-guard]; keep one of the two"
        raise PolicyError([Problem(own, None, "", message)])
    return found[0] if found else None


def _has_table(path: str) -> bool:
    """Whether a ``pyproject.toml`` holds a policy. One that cannot be parsed but speaks of us is left to ``load``."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return False
    if b"ssot-guard" not in content:  # most projects: no parser needed
        return False
    from ssot_guard.policy import parse

    try:
        return parse.table_of(parse.read_toml(parse.decode(content, path), path)) is not None
    except PolicyError:
        return b"[tool.ssot-guard" in content
