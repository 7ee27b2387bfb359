"""Which files of a baseline were renamed: recognised by their violations, because nothing else is known of them."""

from __future__ import annotations

from ssot_guard.baseline.key import position

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ssot_guard.baseline.key import Key

    Nature = frozenset[tuple[tuple[str, ...], int]]  # (everything but the file, distinct sites)


def moved(
    entries: Mapping[Key, int], sites: Iterable[tuple[Key, Any]], exists: Callable[[str], bool]
) -> dict[str, str]:
    """Old file → new file."""
    positions: dict[Key, set[tuple[int, int]]] = {}
    for key, site in sites:
        positions.setdefault(key, set()).add(position(site))
    before = _natures(entries)
    now = _natures({key: len(found) for key, found in positions.items()})
    fresh: dict[Nature, list[str]] = {}
    for file in sorted(now.keys() - before.keys() - {""}):
        fresh.setdefault(now[file], []).append(file)
    renames: dict[str, str] = {}
    gone = [file for file in sorted(before.keys() - now.keys() - {""}) if before[file] in fresh and not exists(file)]
    for same_name in (True, False):
        for file in gone:
            candidates = fresh[before[file]]
            chosen = next((one for one in candidates if not same_name or _name(one) == _name(file)), None)
            if chosen is not None and file not in renames:
                renames[file] = chosen
                candidates.remove(chosen)
    return renames


def _natures(entries: Mapping[Key, int]) -> dict[str, Nature]:
    below: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for key, count in entries.items():
        below.setdefault(key.file, []).append((key.nature, count))
    return {file: frozenset(natures) for file, natures in below.items()}


def _name(file: str) -> str:
    return file.rpartition("/")[2]
