"""Two branches' baselines into one. There is never a conflict: each entry is a number, and numbers can be merged."""

from __future__ import annotations

from ssot_guard.baseline import Baseline


def merged(base: Baseline, ours: Baseline, theirs: Baseline) -> Baseline:
    """What both branches know, given where they parted.

    Where both repaired, or both added, the larger change counts: they may have touched the same site. An entry too many
    is found as stale.
    """
    counts = {
        key: _count(base.allowance(key), ours.allowance(key), theirs.allowance(key))
        for key in {**ours.entries, **theirs.entries}
    }
    files = (ours.files & theirs.files) | (ours.files ^ theirs.files) - base.files
    return Baseline(ours.path, {key: count for key, count in counts.items() if count > 0}, files)


def _count(base: int, ours: int, theirs: int) -> int:
    if ours < base and theirs < base:
        return min(ours, theirs)
    if ours > base and theirs > base:
        return max(ours, theirs)
    return ours + theirs - base
