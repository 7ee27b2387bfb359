"""What a definition is to a role that has a home: the home itself, fine, or a competitor."""

from __future__ import annotations

import os

from ssot_guard.apart import apart
from ssot_guard.watch.classes import MISSING, bases_of, key_of, mro_of
from ssot_guard.watch.source.origin import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.watch.classes import Key
    from ssot_guard.watch.roles.homes import Home
    from ssot_guard.watch.roles.role import Kin, Role

MEMBER = "member"  # of a role without a home
HOME = "home"
EXTENDS = "extends"  # a subclass of the home
BASE = "base"  # a class above the home
CANDIDATE = "candidate"  # one home of a contest
COMPETES = "competes"
JOINS = "joins"  # inherits from two homes
WAITS = "waits"  # nobody can tell before the home is loaded
VIOLATIONS = frozenset((CANDIDATE, COMPETES, JOINS))


class Standing:
    """One definition in one role. ``name`` is the qualified name that it goes by.

    ``other`` is the competitor that it inherits from, or the second home; ``proven`` says that the role's home was
    really found, loaded or in its source: what is not proven is never raised.
    """

    __slots__ = ("kin", "module", "name", "other", "proven", "role", "what")

    def __init__(self, role: Role, kin: Kin, module: str, name: str) -> None:
        self.role = role
        self.kin = kin
        self.module = module
        self.name = name
        self.what = MEMBER
        self.other: Key | None = kin.rival
        self.proven = True

    def judge(self, cls: type | None, governs: Callable[[str], bool]) -> None:
        """Find out; ``cls`` is None for functions and values, which inherit nothing."""
        role, kin = self.role, self.kin
        if not role.homes:
            return
        if kin.is_home:
            self.what = CANDIDATE if role.contested else HOME
        elif cls is not None and kin.extends:
            self.what = JOINS if self._joins(cls) else EXTENDS
        elif kin.is_base:
            self.what = BASE
        else:
            self._against_homes((self.module, self.name) if cls is None else key_of(cls), governs)

    def _joins(self, cls: type) -> bool:
        """Whether it is the one that brings two homes together, and not a subclass of that one."""
        first = self.kin.extends[0]
        second = next((home for home in self.kin.extends if home is not first), None)
        others = [self.other] if second is None else second.keys
        if others == [None]:
            return False
        if second is not None:
            self.other = (second.module, second.name)
        for base in bases_of(cls):
            keys = {key_of(one) for one in mro_of(base)}
            if not keys.isdisjoint(first.keys) and not keys.isdisjoint(others):
                return False
        return True

    def _against_homes(self, key: Key, governs: Callable[[str], bool]) -> None:
        """It looks like a competitor: whether it is one depends on what the homes are."""
        self.what = COMPETES
        for home in self.role.homes:
            if home.look() is MISSING and home.draw(governs) is None:
                self.proven = False
                if home.may_come():
                    self.what = WAITS
            elif not home.whole:
                self.what = WAITS
        for home in self.role.homes:
            if key in home.keys or _is_same_source(key, home):
                self.what = CANDIDATE if self.role.contested else HOME
                self.proven = True
            elif key in home.bases:
                self.what = BASE


def is_same(found: Any, home: Home) -> bool:
    """Whether a value is the home's own; what compares by value only (``None``, ``3``, ``"a"``) never is."""
    return found is home.find() and not is_atom(found)


def is_atom(found: object) -> bool:
    """Whether the identity of a value says nothing: equal ones may be one object."""
    return any(type(found) is kind for kind in _ATOMS)  # a metaclass may forbid to hash its classes


_ATOMS = (type(None), bool, int, float, complex, str, bytes, tuple, frozenset, type(...))


@apart
def _is_same_source(key: Key, home: Home) -> bool:
    """Whether it is the same definition in the same file, executed under another module name (SSG113)."""
    for module, name in home.keys:
        if name == key[1] and module != key[0]:
            mine, its = path_of(key[0]), path_of(module)
            if mine is not None and its is not None and os.path.realpath(mine) == os.path.realpath(its):
                return True
    return False
