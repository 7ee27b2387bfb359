"""Which file of the tree a site lies in: the same key at runtime, in the audit and in every container.

A path below the policy's folder is taken relative to it. Where the code runs installed, the path follows from the
module's name and the first source root, so that a baseline written in a checkout holds in production.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.policy.globs import Globs
    from ssot_guard.policy.model import Policy

_MOST = 4096
_INSTALLED = ("/site-packages/", "/dist-packages/")


class Files:
    """Paths of sites → paths of the tree, with ``exclude`` and ``owners`` applied."""

    __slots__ = ("_cache", "_excluded", "_owners", "_policy", "_root")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._root = policy.root.replace(os.sep, "/").rstrip("/") + "/"
        self._excluded: Globs | None = None
        self._owners: list[tuple[Globs, str]] | None = None
        self._cache: dict[str, str] = {}

    def key(self, path: str | None, module: str | None) -> str | None:
        """POSIX path relative to the policy's folder, or the best stable name of a file outside of it."""
        if path is None or path.startswith("<"):
            return path
        key = self._cache.get(path)
        if key is None:
            key = self._key(path, module or "")
            if len(self._cache) < _MOST:  # generated code has endless names
                self._cache[path] = key
        return key

    def _key(self, path: str, module: str) -> str:
        whole = os.path.abspath(path).replace(os.sep, "/")
        for marker in _INSTALLED:
            if marker in whole:
                installed = whole.rpartition(marker)[2]
                return self._in_source_root(installed) if self._policy.governs(module) else installed
        return whole.removeprefix(self._root)

    def _in_source_root(self, installed: str) -> str:
        """``acme/x.py`` of an installed package, below the source root that holds it in the tree."""
        roots = [root for root in self._policy.source_roots if not os.path.isabs(root)] or ["."]
        for root in roots:
            if os.path.exists(os.path.join(self._root, root, installed)):
                return _join(root, installed)
        return _join(roots[0], installed)

    def excluded(self, key: str | None) -> bool:
        """Whether ``exclude`` takes the file out: then it is no importer."""
        if not self._policy.exclude or key is None:
            return False
        if self._excluded is None:
            from ssot_guard.policy.globs import Globs

            self._excluded = Globs(self._policy.exclude)
        return self._excluded.matches(key)

    def owner(self, key: str | None) -> str | None:
        """The owner of a file: the last entry of ``owners`` that matches."""
        if not self._policy.owners or key is None:
            return None
        if self._owners is None:
            from ssot_guard.policy.globs import Globs

            self._owners = [(Globs([pattern]), owner) for pattern, owner in self._policy.owners.items()]
        found = None
        for globs, owner in self._owners:
            if globs.matches(key):
                found = owner
        return found


def _join(root: str, path: str) -> str:
    root = root.replace(os.sep, "/").strip("/")
    return path if root in (".", "") else f"{root}/{path}"
