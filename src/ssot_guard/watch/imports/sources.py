"""Which source file was executed under which module name."""

from __future__ import annotations

import os
import sys

from ssot_guard.apart import apart
from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Sources:
    """Files of governed modules by real path: a link and its target are one file."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # real path → the first module name
        self._homes: dict[str, str] = {}  # the first module name → its path, as the module gives it
        self._told: set[tuple[str, str]] = set()
        self._ends: set[str] = set()  # of the known paths
        self._folders: dict[str, str] = {}  # folder → real path, with a separator: one lstat walk per folder

    def executed(self, name: str, origin: str) -> tuple[str | None, str]:
        """A file was executed under a name: (the other name that it was executed under before, real path).

        None for the first name, for ``__main__`` (a program that imports itself is told by its other name), and for
        what was told: a double import stands, and a later look finds it again and again.
        """
        path = self._real(origin)
        first = self._names.setdefault(path, name)
        if first == name:
            self._homes[name] = origin
        self._ends.add(_end(origin))
        if first == name or name == "__main__" == first or (path, name) in self._told:
            return None, path
        self._told.add((path, name))
        return first, path

    def strangers(self) -> Iterator[tuple[str, str]]:
        """(name, file) of loaded modules whose file is known under another name.

        Only files whose paths end alike are looked at closely: following the links of a thousand folders takes
        milliseconds. (A folder that is linked under another name is seen when its module is governed.)
        """
        for name, module in list(sys.modules.items()):
            origin = loaded.namespace(module).get("__file__")
            if type(origin) is not str or self._homes.get(name) == origin or _end(origin) not in self._ends:
                continue
            spec = loaded.spec_of(module)
            if (spec is None or name in (spec.name, "__main__")) and self._names.get(self._real(origin), name) != name:
                yield name, origin

    @apart
    def _real(self, origin: str) -> str:
        file = origin.rpartition(os.sep)[2]
        folder = origin[: len(origin) - len(file)]
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.join(os.path.realpath(folder), "")
        return real + file


def _end(path: str) -> str:
    """The file's name; of a package, its folder's with it."""
    folder, _, file = path.rpartition(os.sep)
    return f"{folder.rpartition(os.sep)[2]}/{file}" if file == "__init__.py" else file
