"""Which file of the tree a site lies in: the same key at runtime, in the audit and in every container.

A path below the policy's folder is taken relative to it. Where the code of ``packages`` runs installed or copied to
somewhere else, the path follows from the module's name and a source root, so that a baseline written in a checkout
holds in production.
"""

from __future__ import annotations

import os

from ssot_guard.apart import apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.policy.globs import Globs
    from ssot_guard.policy.model import Policy

# Taken now: suites that allow no blocking call in an event loop replace it, though it blocks nothing.
_abspath = os.path.abspath
_MOST = 4096
_INSTALLED = ("/site-packages/", "/dist-packages/")


class Files:
    """Paths of sites → paths of the tree, with ``exclude`` and ``owners`` applied."""

    __slots__ = ("_below", "_cache", "_excluded", "_owners", "_policy", "_root", "_roots")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._root = _folder(policy.root)
        # What leads out of the policy's folder (`../app`) names files, but a path below it would name the machine.
        self._roots = [root for root in policy.source_roots if not os.path.isabs(root)] or ["."]
        below = [(_folder(os.path.abspath(os.path.join(policy.root, root))), root) for root in policy.source_roots]
        self._below = tuple(at for at, root in below if os.path.isabs(root) or at.startswith(self._root))
        self._excluded: Globs | None = None
        self._owners: list[tuple[Globs, str]] | None = None
        self._cache: dict[tuple[str, str | None], str] = {}  # one file may be __main__ and a module

    def key(self, path: str | None, module: str | None) -> str | None:
        """POSIX path relative to the policy's folder, or the best stable name of a file outside of it."""
        if path is None or path.startswith("<"):
            return path
        key = self._cache.get((path, module))
        if key is None:
            try:
                key = self._key(path, module or "")
            except OSError:  # a relative path of generated code, and no working directory any more
                key = path
            if len(self._cache) < _MOST:  # generated code has endless names
                self._cache[path, module] = key
        return key

    @apart
    def _key(self, path: str, module: str) -> str:
        whole = _abspath(path).replace(os.sep, "/")
        for marker in _INSTALLED:
            if marker in whole:
                installed = whole.rpartition(marker)[2]
                return self._in_source_root(installed) if self._governed(module) else installed
        if not whole.startswith(self._below) and self._governed(module):
            deployed = _of_module(whole, module)
            if deployed is not None and not self._is_of_its_own(whole, deployed):
                return self._in_source_root(deployed)
        return whole.removeprefix(self._root)

    def _governed(self, module: str) -> bool:
        """Also what `!` takes out again: it lies in the same tree."""
        return self._policy.governs(module) or self._policy.governs(module.partition(".")[0])

    def _is_of_its_own(self, whole: str, deployed: str) -> bool:
        """Whether a file beside the source roots is no copy of one below them: a test folder that mirrors a package."""
        if not whole.startswith(self._root) or self._holding(deployed) is not None:
            return False
        return any(os.path.isdir(os.path.join(self._root, root)) for root in self._roots)

    def _in_source_root(self, deployed: str) -> str:
        """``acme/x.py`` of a deployed package, below the source root that holds it in the tree, else the first."""
        return _join(self._holding(deployed) or self._roots[0], deployed)

    def _holding(self, deployed: str) -> str | None:
        for root in self._roots:
            if os.path.exists(os.path.join(self._root, root, deployed)):
                return root
        return None

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


def _folder(path: str) -> str:
    return path.replace(os.sep, "/").rstrip("/") + "/"


def _of_module(whole: str, module: str) -> str | None:
    """``acme/x.py``, where the path ends with what the module ``acme.x`` is called on disk."""
    path = module.replace(".", "/")
    for end in (f"{path}.py", f"{path}/__init__.py"):
        if whole.endswith("/" + end):
            return end
    return None


def _join(root: str, path: str) -> str:
    root = root.replace(os.sep, "/").strip("/")
    return path if root in (".", "") else f"{root}/{path}"
