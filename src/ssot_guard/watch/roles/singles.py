"""Roles of kind "function" and "value": one home for a utility, a context variable, a singleton.

Functions know where they were defined. Values do not: what a module's body imports and what it makes looks the same in
its namespace, so the source decides, and it is read only for a name that a rule claims. Where even that cannot tell
(``try: from a import N`` with a plain ``N = 3`` behind ``except``), nobody is accused.
"""

from __future__ import annotations

import sys

from ssot_guard.watch.classes import MISSING
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.roles import definitions
from ssot_guard.watch.roles.role import Kin
from ssot_guard.watch.roles.standing import VIOLATIONS, WAITS, Standing, is_atom, is_same
from ssot_guard.watch.source import place
from ssot_guard.watch.source.origin import outline_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.ledger import Ledger
    from ssot_guard.watch.roles.claiming import Claiming
    from ssot_guard.watch.roles.competing import Competing
    from ssot_guard.watch.roles.role import Role
    from ssot_guard.watch.source.outline import Binding, Outline

    Found = tuple[str, Any, str | None]


class Singles:
    """The roles of one of these kinds."""

    def __init__(
        self,
        roles: list[Role],
        claiming: Claiming,
        competing: Competing,
        ledger: Ledger,
        governs: Callable[[str], bool],
    ) -> None:
        self.kind = roles[0].rule.kind
        self.matched: set[str] = set()
        self._roles = roles
        self._claiming = claiming
        self._competing = competing
        self._ledger = ledger
        self._governs = governs
        self._named = {key for role in roles for _, home, _ in role.references() for key in home.keys}
        self._waiting: set[str] = set()  # modules with what looks like a competitor

    def loaded(self, name: str, module: ModuleType, *, refusable: bool, fresh: bool = True) -> BaseException | None:
        """Look at what a module defines; ``fresh`` says that it was executed."""
        verdict = None
        for role in self._roles:
            if any(home.module == name and home.look() is not MISSING for home in role.homes):
                self.matched.add(role.rule.id)
        for defined, found, alias in self._definitions(name, module) if self._governs(name) else ():
            for standing in self._standings(name, defined, found, alias):
                error = self._take(standing, found, refusable=refusable, fresh=fresh)
                verdict = verdict or error
        return verdict

    def check(self) -> None:
        """Look again at those that wait for the home of their role."""
        waiting = list(self._waiting)
        self._waiting.clear()
        for name in waiting:
            module = sys.modules.get(name)
            if loaded.is_module(module):
                self.loaded(name, module, refusable=False, fresh=False)

    def _definitions(self, name: str, module: ModuleType) -> Iterator[Found]:
        namespace = loaded.namespace(module)
        if self.kind == "function":
            return definitions.of_functions(name, namespace)
        return ((bound, found, None) for bound, found in definitions.of_values(namespace))

    def _standings(self, module: str, name: str, found: Any, alias: str | None) -> Iterator[Standing]:
        claims, goes_by = self._claiming.on(module, name, alias)
        if not claims and (module, goes_by) not in self._named:
            return
        named = [role for role in self._roles if _names(role, (module, goes_by), found)]
        if named:
            yield from (self._stand(role, module, goes_by, found) for role in named)
        elif not self._claiming.is_tie(claims, module, goes_by):
            role = claims[0].owner
            if not self._claiming.excepts(role, module, goes_by) and self._is_defined(role, module, goes_by, found):
                yield self._stand(role, module, goes_by, found)

    def _stand(self, role: Role, module: str, name: str, found: Any) -> Standing:
        kin = Kin()
        kin.is_home = any((module, name) in home.keys or is_same(found, home) for home in role.homes)
        kin.retires = next((entry for home, entry in role.retiring if (module, name) in home.keys), None)
        standing = Standing(role, kin, module, name)
        standing.judge(None, self._governs)
        return standing

    def _is_defined(self, role: Role, module: str, name: str, found: Any) -> bool:
        """Whether the module's body makes the value, and does not take it from somewhere else."""
        if self.kind == "function":
            return True
        read = outline_of(module)
        bindings = [] if read is None else read.bindings.get(name, [])
        if read is not None and bindings:
            made = [_makes(read, binding) for binding in bindings]
            if all(made) or not any(made) or not is_atom(found):
                return any(made)
        elif read is not None and "*" in read.bindings:
            return False
        self._ledger.unknown("SSG201", role.rule.id)
        return False

    def _take(self, standing: Standing, found: Any, *, refusable: bool, fresh: bool) -> BaseException | None:
        self.matched.add(standing.role.rule.id)
        if standing.what == WAITS:
            self._waiting.add(standing.module)
        if standing.what not in VIOLATIONS or (not fresh and self._competing.is_told(standing)):
            return None
        is_function = self.kind == "function"
        module, name = standing.module, standing.name
        site = place.of(found, module, name) if is_function else place.of_value(module, name)
        return self._competing.report(standing, site, kind=self.kind, refusable=refusable)


def _names(role: Role, key: tuple[str, str], found: Any) -> bool:
    """Whether a role names a definition, or has it for its home under whatever name."""
    homes = [*role.homes, *(home for home, _ in role.retiring)]
    return any(key in home.keys or is_same(found, home) for home in homes)


def _makes(read: Outline, binding: Binding, steps: int = 5) -> bool:
    """Whether an assignment makes its value; ``name = _private`` does where ``_private = …`` does."""
    if binding.origin is not None or binding.alias is None or not steps:
        return binding.origin is None and binding.alias is None
    return any(_makes(read, other, steps - 1) for other in read.bindings.get(binding.alias, ()))
