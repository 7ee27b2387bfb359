"""Whose an object is: a tenant, or one of the states in which it is nobody's.

An instance's ``tenant`` is None until its construction has ended, then a tenant as the application knows it, UNKNOWN
where nobody could tell, or :class:`Free`.
"""

from __future__ import annotations

from ssot_guard.watch.tenants.paths import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Free:
    """Nobody's: given back to a pool, or built before it is given to anybody. The next tenant that uses it owns it.

    ``last`` is the one before, as text; ``told`` what ``tenant-from`` said when it became free. While the call that
    gives it back still runs (``is_settled`` false) the last tenant may use it on without becoming its owner again.
    """

    __slots__ = ("is_settled", "last", "told")

    def __init__(self, last: str | None = None, told: str | None = None, *, is_settled: bool = True) -> None:
        self.last = last
        self.told = told
        self.is_settled = is_settled


def is_known(owner: Any) -> bool:
    """Whether an instance's ``tenant`` is a tenant."""
    return owner is not None and owner is not UNKNOWN and type(owner) is not Free
