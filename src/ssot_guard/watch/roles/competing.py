"""SSG201: a second definition plays a role that has a home.

The site is the definition's own line, whoever imports it. Where its module is being imported right now, ``strict``
refuses the module, unless a ``try`` around the import would swallow that; what was there before, what a look at the
whole process finds, and what ran past importlib's own way is recorded and warned about.
"""

from __future__ import annotations

import sys
from time import gmtime, strftime

from ssot_guard.errors import SsotViolationError
from ssot_guard.ledger import Facts
from ssot_guard.watch.classes import MISSING
from ssot_guard.watch.imports import importer, loaded, machinery
from ssot_guard.watch.imports import spec as tripwire
from ssot_guard.watch.roles.homes import Home
from ssot_guard.watch.roles.standing import CANDIDATE, JOINS
from ssot_guard.watch.source import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.violation import Site
    from ssot_guard.watch.roles.standing import Standing

_getframe = sys._getframe  # noqa: SLF001 - inspect costs a thousand times as much


class Competing:
    """Records competitors, with both homes in the message."""

    def __init__(self, ledger: Ledger, files: Files) -> None:
        self._ledger = ledger
        self._files = files
        self._told: set[tuple[str, str, str]] = set()
        self._homes: dict[str, str] = {}  # with their places: a file is not read for each of its competitors

    def is_told(self, standing: Standing) -> bool:
        """Whether it was recorded before: a look at the whole process does not count it again."""
        return (standing.role.rule.id, standing.module, standing.name) in self._told

    def report(self, standing: Standing, site: Site, *, kind: str, refusable: bool) -> BaseException | None:
        """Record one; returns the verdict where its module is being imported and may be refused."""
        rule, entry = standing.role.rule, standing.kin.retires
        self._told.add((rule.id, standing.module, standing.name))
        details: dict[str, Any] = {}
        swallowed = None
        if rule.canonical and not standing.proven:
            details["not-blocked"] = f"the home {rule.canonical} was not found"
        elif any(standing.module == module for home in standing.role.homes for module, _ in home.keys):
            details["not-blocked"] = "its module is the home's own"
        elif entry is not None:
            details["retiring"] = f"until {entry['until']}" + (f", by {entry['owner']}" if entry["owner"] else "")
        elif refusable:
            swallowed = refusal(_getframe(1))
        facts = Facts(
            "SSG201", rule, site, f"{standing.module}:{standing.name}", self._message(standing, site),
            canonical=rule.canonical, kind=kind, details=details, swallowed=swallowed,
            namespace=loaded.namespace(sys.modules.get(standing.module)) or None,
            status="known" if _retires(standing) else "new",
        )  # fmt: skip
        verdict = self._ledger.sight(facts)[1]
        return None if swallowed is None else verdict

    def _message(self, standing: Standing, site: Site) -> str:
        role, rule = standing.role, standing.role.rule
        mine = f"{standing.module}:{standing.name} ({place.text(site, self._files)})"
        homes = " and ".join(self._home(home) for home in role.homes)
        other = self._home(Home(":".join(standing.other))) if standing.other else ""
        if standing.what == JOINS:
            first = self._home(standing.kin.extends[0])
            text = f"{mine} inherits from two homes of the role {rule.id}, {first} and {other}"
        elif standing.what == CANDIDATE:
            text = f"{mine} is one of the homes of the role {rule.id}; nobody has decided yet between {homes}"
        elif role.contested:
            text = f"{mine} is one more home of the role {rule.id}; nobody has decided yet between {homes}"
        else:
            through = f", through its base {other}," if other else ""
            text = f"{mine} is a second home of the role {rule.id}{through} beside {homes}: use or extend that one"
        return f"{text} ({rule.reason})" if rule.reason else text

    def _home(self, home: Home) -> str:
        told = self._homes.get(home.text)
        if told is None:
            told = f"{home.text} ({place.of_home(home, self._files)})"
            if home.blueprint is not None or home.find() is not MISSING:
                self._homes[home.text] = told
        return told


def refusal(frame: FrameType) -> Callable[[], bool] | None:
    """Whether the importer would swallow a refusal, as a question; None where no import of the module can be refused.

    That is all but importlib's own loads: who executes a module by hand, or reloads it, has it already.
    """
    outer: FrameType | None = frame
    loads = False
    while outer is not None and machinery.is_machinery(outer) and not loads:
        above = outer.f_back
        loads = (
            outer.f_code is tripwire.write_flag.__code__
            and above is not None
            and above.f_code.co_name == "_load_unlocked"
        )
        outer = above
    if not loads or outer is None:
        return None
    found = importer.find(outer)
    if found is not None:
        return importer.would_swallow(found, SsotViolationError)
    return _never if machinery.nobody_left(outer) else None  # a probe (pydoc, pytest's collection) wants no errors


def _never() -> bool:
    return False


def _retires(standing: Standing) -> bool:
    """Whether it is on its way out, and still has time."""
    entry = standing.kin.retires
    return entry is not None and strftime("%Y-%m-%d", gmtime()) <= (entry["until"] or "")
