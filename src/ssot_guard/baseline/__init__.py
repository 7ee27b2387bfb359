"""The violations that are known: they may stay for now, and only ever become fewer.

One file serves tests, CI and production, so what reads it (:mod:`.key`, :mod:`.text`, this file) costs a live process
next to nothing. :mod:`ssot_guard.accepted` asks it there, :mod:`.merge` joins two branches.
"""

from __future__ import annotations

import os

from ssot_guard.baseline.key import Key, key_of, position
from ssot_guard.baseline.text import dump, parse
from ssot_guard.errors import BaselineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Sites = Iterable[tuple[Key, Any]]

__all__ = ["Baseline", "Judged", "Key", "key_of"]

# They depend on timing: that a run did not see one proves nothing.
_FLEETING = frozenset(("SSG115", "SSG204", "SSG206", "SSG501"))


class Judged:
    """What a run means for a baseline.

    ``new`` and ``known`` are (key, site), each distinct site once, sorted by file, key and position. ``stale`` is
    (key, sites too many): violations that are gone.
    """

    __slots__ = ("known", "new", "stale")

    def __init__(self) -> None:
        self.new: list[tuple[Key, Any]] = []
        self.known: list[tuple[Key, Any]] = []
        self.stale: list[tuple[Key, int]] = []


class Baseline:
    """Known violations: key → number of distinct sites. ``files`` are all that the text names, also without entries."""

    __slots__ = ("entries", "files", "path")

    def __init__(self, path: str = "", entries: Mapping[Key, int] | None = None, files: Iterable[str] = ()) -> None:
        self.path = path
        self.entries = dict(entries or {})
        self.files = {*files, *(key.file for key in self.entries)}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """The baseline in a file; a missing file is an empty one, a damaged one a BaselineError."""
        name = os.fspath(path)
        try:
            with open(name, "rb") as stream:
                content = stream.read()
        except FileNotFoundError:
            return cls(name)
        except OSError as error:
            raise BaselineError(name, None, f"cannot be read: {error.strerror}") from None
        return cls(name, *parse(content, name))

    def allowance(self, key: Key) -> int:
        """How many distinct sites of this key are known."""
        return self.entries.get(key, 0)

    def judge(
        self, sites: Sites, *, looked_at: Callable[[str, str], bool] | None = None, side: str = "runtime"
    ) -> Judged:
        """What is new, known and stale, given all the sites that a run saw (anything with ``line`` and ``column``).

        ``looked_at(file, code)`` says what the run really looked at; None stands for everything. ``side`` is the half
        that looked, "runtime" or "audit": what it cannot see, it never calls stale.
        """
        judged = Judged()
        found: dict[Key, dict[tuple[int, int], Any]] = {}
        for key, site in sites:
            found.setdefault(key, {}).setdefault(position(site), site)
        for key in sorted(found, key=lambda key: key.place):
            allowance = self.allowance(key)
            for number, (_, site) in enumerate(sorted(found[key].items(), key=lambda item: item[0])):
                (judged.known if number < allowance else judged.new).append((key, site))
        for key in sorted(self.entries, key=lambda key: key.place):
            surplus = self.entries[key] - len(found.get(key, ()))
            if surplus > 0 and _sees(side, key.code) and (looked_at is None or looked_at(key.file, key.code)):
                judged.stale.append((key, surplus))
        return judged

    # -- changes: each gives a new baseline ----------------------------------------------------------------------

    def pruned(self, stale: Iterable[tuple[Key, int]]) -> Baseline:
        """Without so many sites of these keys."""
        entries = dict(self.entries)
        for key, surplus in stale:
            entries[key] = entries.get(key, 0) - surplus
        return Baseline(self.path, {key: count for key, count in entries.items() if count > 0}, self.files)

    def extended(self, new: Sites) -> Baseline:
        """With these sites known, too; they must be new, as :meth:`judge` gives them."""
        entries = dict(self.entries)
        for key, _ in new:
            entries[key] = entries.get(key, 0) + 1
        return Baseline(self.path, entries, self.files)

    def renamed(self, sites: Sites, *, exists: Callable[[str], bool]) -> tuple[Baseline, dict[str, str]]:
        """With the entries of renamed files moved over, and old file → new file. To be asked before :meth:`judge`.

        A file was renamed where it is gone (``exists``, and no site in it) and the baseline does not know another one
        that has exactly its violations. Of several the one with the same name is taken, else the first.
        """
        from ssot_guard.baseline.moves import moved

        renames = moved(self.entries, sites, exists)
        entries = {
            Key(key.code, key.rule, renames.get(key.file, key.file), key.target, key.scope): count
            for key, count in self.entries.items()
        }
        return Baseline(self.path, entries, self.files - renames.keys()), renames

    # -- the file ------------------------------------------------------------------------------------------------

    def dump(self) -> str:
        """The file's text."""
        return dump(self.entries, self.files)

    def write(self, path: str | os.PathLike[str] | None = None) -> bool:
        """Replace the file in one step, with its mode kept; False where it says the same already. OSError if not."""
        from ssot_guard.baseline.write import replace

        return replace(os.fspath(path or self.path), self.dump().encode())


def _sees(side: str, code: str) -> bool:
    from ssot_guard.catalogue import CATALOGUE

    entry = CATALOGUE.get(code)  # None: of a later version, which knows better
    return entry is not None and code not in _FLEETING and (entry.runtime if side == "runtime" else entry.audit)
