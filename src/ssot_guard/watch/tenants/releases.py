"""``released-by``: calls after which an object belongs to nobody, until the next tenant uses it."""

from __future__ import annotations

from ssot_guard.watch.classes import MISSING
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.replacements import own
from ssot_guard.watch.tenants.methods import alike
from ssot_guard.watch.tenants.owners import Free
from ssot_guard.watch.tenants.paths import read_path
from ssot_guard.watch.tenants.pseudonym import identity
from ssot_guard.watch.tenants.uses import COMPONENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.policy.model import RoleRule
    from ssot_guard.watch.replacements import Replacements
    from ssot_guard.watch.tenants.current import Tenants
    from ssot_guard.watch.tenants.uses import Uses

_COROUTINE = 0x80
_FUNCTION = type(lambda: None)


class _Giving:
    """One call that gives an object back. It is free from the start: a pool may hand it on before the call returns."""

    __slots__ = ("free", "given", "instance", "rule")

    def __init__(self, rule: RoleRule, given: Any, instance: Any, free: Free | None) -> None:
        self.rule = rule
        self.given = given
        self.instance = instance
        self.free = free  # None where another tenant gives it back, which is for the check to judge

    def end(self) -> None:
        """The call has returned."""
        if self.free is None:
            self.instance.tenant = _free(self.rule, self.given, self.instance)
        elif self.instance.tenant is self.free:
            self.free.told = _told(self.rule, self.given)
            self.free.is_settled = True


class Releases:
    """Wraps what the rules name, when its module has loaded."""

    def __init__(
        self, rules: Iterable[RoleRule], uses: Uses, tenants: Tenants, faults: Faults, replacements: Replacements
    ) -> None:
        self._uses = uses
        self._tenants = tenants
        self._faults = faults
        self._replacements = replacements
        self._ours: list[Any] = []
        self._named: dict[str, list[tuple[str, RoleRule]]] = {}
        for rule in rules:
            for text in rule.released_by:
                module, _, path = text.partition(":")
                self._named.setdefault(module, []).append((path, rule))

    def bind(self, name: str, module: ModuleType) -> None:
        """A module was executed: wrap what is named in it."""
        for path, rule in self._named.get(name, ()):
            *outer, last = path.split(".")
            owner: Any = module
            for part in outer:
                owner = own(owner, part) if isinstance(owner, type) or loaded.is_module(owner) else MISSING
            found = _found(owner, last)
            ours = None if any(found is known for known in self._ours) else self._wrapped(found, rule)
            if ours is not None and self._replacements.put(owner, last, ours):
                self._ours.append(ours)

    def forget(self, ours: list[Any]) -> None:
        """These do not stand anywhere any more."""
        self._ours = [one for one in self._ours if not any(one is gone for gone in ours)]

    def _wrapped(self, found: Any, rule: RoleRule) -> Any:
        """What is put in its place; None for what is no function."""
        if type(found) in (staticmethod, classmethod):
            inner = self._wrapped(found.__func__, rule)
            return None if inner is None else type(found)(inner)
        if type(found) is not _FUNCTION:
            return None
        begin, end = self._begin, self._end
        called: Any = found
        check: Any
        if found.__code__.co_flags & _COROUTINE:

            async def check(*args: Any, **kwargs: Any) -> Any:
                giving = begin(rule, args, kwargs)
                try:
                    return await called(*args, **kwargs)
                finally:
                    end(giving)
        else:

            def check(*args: Any, **kwargs: Any) -> Any:
                giving = begin(rule, args, kwargs)
                try:
                    return called(*args, **kwargs)
                finally:
                    end(giving)

        return alike(check, found)

    def _begin(self, rule: RoleRule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Giving | None:
        try:
            for given in (*args, *kwargs.values()):
                instance = self._uses.table.live.get(id(given))
                if instance is not None and instance.rule_id == rule.id and instance.tenant is not None:
                    return self._given(rule, given, instance)
        except Exception as error:  # noqa: BLE001 - contained
            self._faults.note(COMPONENT, error)
        return None

    def _given(self, rule: RoleRule, given: Any, instance: Any) -> _Giving | None:
        if type(instance.tenant) is Free:
            return None
        owner, now = identity(instance.tenant), identity(self._tenants.current())
        if owner is not None and now is not None and owner != now:
            return _Giving(rule, given, instance, None)
        free = instance.tenant = _free(rule, given, instance)
        free.is_settled = False
        return _Giving(rule, given, instance, free)

    def _end(self, giving: _Giving | None) -> None:
        if giving is not None:
            try:
                giving.end()
            except Exception as error:  # noqa: BLE001 - contained
                self._faults.note(COMPONENT, error)


def _free(rule: RoleRule, given: Any, instance: Any) -> Free:
    return Free(identity(instance.tenant), _told(rule, given))


def _told(rule: RoleRule, given: Any) -> str | None:
    """What ``tenant-from`` says by now."""
    return identity(read_path(rule.tenant_from, {"self": given})) if rule.tenant_from else None


def _found(owner: Any, name: str) -> Any:
    """An attribute as it stands in a namespace; of a class also what it inherits."""
    if owner is MISSING:
        return MISSING
    for place in owner.__mro__ if isinstance(owner, type) else (owner,):
        found = own(place, name)
        if found is not MISSING:
            return found
    return MISSING
