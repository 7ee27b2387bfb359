"""A class that is sent to another process by value (cloudpickle does) takes along what stands in front of it.

There it counts nothing, and lets everything through.
"""

from __future__ import annotations

from ssot_guard.watch.construction.instances import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Elsewhere:
    """Stands for populations, kinds, and whatever else belongs to one process."""

    def __init__(self) -> None:
        self.table = Table()
        self.shared = self

    @staticmethod
    def begin(*_anything: Any) -> None:
        """Nothing is known of any object."""

    begin_again = opened = playing = note = begin
    plays = bare = False

    def of(self, _cls: type) -> Elsewhere:
        """Every class is as good as any other."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return elsewhere, ()


def elsewhere() -> Elsewhere:
    """The only one of its process."""
    return _here


_here = Elsewhere()
