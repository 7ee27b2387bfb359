"""Judges the concrete classes of a role against its interface, as soon as both are loaded."""

from __future__ import annotations

from _functools import partial
from _weakref import ref

from ssot_guard.ledger import Facts
from ssot_guard.watch.classes import is_class, is_protocol, key_of, mro_of
from ssot_guard.watch.interfaces.interface import demands, mismatches
from ssot_guard.watch.source import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.interfaces.interface import Demand
    from ssot_guard.watch.interfaces.traits import Album
    from ssot_guard.watch.roles.role import Role


class Conforming:
    """The interfaces of all roles that have one. The interface is never imported: classes wait for it."""

    def __init__(self, ledger: Ledger, files: Files, album: Album, governs: Callable[[str], bool]) -> None:
        self._ledger = ledger
        self._files = files
        self._album = album
        self._governs = governs
        self._waiting: dict[Role, dict[int, tuple[ref[type], str]]] = {}
        self._demands: dict[Role, tuple[ref[type], list[Demand]]] = {}

    def joined(self, role: Role, cls: type, name: str) -> None:
        """A class plays the role under this name; looked at now, because others are going to wrap its members."""
        for one in mro_of(cls):
            self._album.of(one)
        if role.interface is not None:
            waiting = self._waiting.setdefault(role, {})
            waiting[id(cls)] = (ref(cls, partial(waiting.pop, id(cls))), name)

    def settle(self) -> None:
        """Judge those whose interface is there."""
        for role, waiting in list(self._waiting.items()):
            interface = role.interface.find() if waiting and role.interface is not None else None
            if is_class(interface):
                for key in list(waiting):
                    entry = waiting.pop(key, None)  # a class may go at any time
                    cls = None if entry is None else entry[0]()
                    if entry is not None and cls is not None and cls is not interface:
                        self._judge(role, cls, entry[1], interface)

    def _judge(self, role: Role, cls: type, name: str, interface: type) -> None:
        known = self._demands.get(role)
        if known is None or known[0]() is not interface:
            known = self._demands[role] = (ref(interface), demands(interface, self._album, self._governs))
        if is_protocol(cls) or self._album.is_abstract(cls):
            return
        wrong = mismatches(cls, known[1], self._album)
        if wrong:
            self._report(role, cls, name, interface, wrong)

    def _report(self, role: Role, cls: type, name: str, interface: type, wrong: list[str]) -> None:
        rule = role.rule
        module = key_of(cls)[0]
        at = place.text(place.of(interface, *key_of(interface)), self._files)
        text = f"{module}:{name} does not satisfy {rule.interface} ({at}): {'; '.join(wrong)}"
        facts = Facts(
            "SSG205", rule, place.of(cls, module, name), f"{module}:{name}",
            f"{text} ({rule.reason})" if rule.reason else text,
            canonical=rule.canonical, kind="class", details={"mismatches": wrong},
        )  # fmt: skip
        self._ledger.sight(facts)
