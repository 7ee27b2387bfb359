"""What every demo here does: print its steps, check its claims, and say at the end whether all of them hold."""

from __future__ import annotations

import platform
import tempfile
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Story:
    """Prints the steps, and remembers what was not as expected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.differences: list[str] = []

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def title(self, text: str) -> None:
        self.say(f"\n{text}\n{'-' * len(text)}")

    def check(self, claim: str, expected: object, seen: object) -> None:
        """One claim: printed with a mark, and what differed with both sides."""
        holds = expected == seen
        self.say(f"  {'ok ' if holds else 'NO '} {claim}")
        if not holds:
            self.differences.append(claim)
            self.say(textwrap.indent(_difference(expected, seen), "      "))


def tell(steps: Callable[[Story], object], *packages: str) -> int:
    """A whole demo, with these packages named at its head; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="ssot-guard-demo-") as folder:
        story = Story(Path(folder).resolve())
        versions = ", ".join(f"{name} {version(name)}" for name in packages)
        story.say(f"ssot-guard {version('ssot-guard')} on Python {platform.python_version()}, with {versions}")
        steps(story)
    if story.differences:
        story.say(f"\nNOT as expected: {len(story.differences)} of these claims; see NO above.")
        return 1
    story.say("\nEverything was exactly as expected.")
    return 0


def _difference(expected: object, seen: object) -> str:
    """Of collections what one side has alone, of everything else both."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        keys = [key for key in expected | seen if expected.get(key) != seen.get(key)]
        return "\n".join(f"{key!r}: expected {expected.get(key)!r}, seen {seen.get(key)!r}" for key in keys)
    if isinstance(expected, list | set) and isinstance(seen, list | set):
        missing = [f"missing   {one!r}" for one in expected if one not in seen]
        return "\n".join([*missing, *(f"too much  {one!r}" for one in seen if one not in expected)]) or repr(seen)
    return f"expected  {expected!r}\nseen      {seen!r}"
