"""Counts runs."""

from __future__ import annotations

from collections import Counter

runs: Counter[str] = Counter()


def record_run(channel: str) -> None:
    runs[channel] += 1
