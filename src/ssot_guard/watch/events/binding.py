"""Finds emitters and foreign callables in what modules define, and puts wrappers in their places."""

from __future__ import annotations

from ssot_guard.names import parse
from ssot_guard.policy.emitters import emitters
from ssot_guard.watch.classes import MISSING, is_class, module_of, mro_of, namespace_of, qualname_in_code
from ssot_guard.watch.events.emitter import Emitter
from ssot_guard.watch.events.foreign import Foreign
from ssot_guard.watch.events.tap import can_wrap, is_open, wrap
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.patterns import NameGlob
from ssot_guard.watch.replacements import Replacements, own
from ssot_guard.watch.wrapped import facing, layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from ssot_guard.watch.events.contract import Contract
    from ssot_guard.watch.events.tap import Watch


class Binding:
    """The places of one rule: emitters with their overrides, and foreign callables."""

    def __init__(self, contract: Contract, replacements: Replacements, cares: Callable[[str], bool]) -> None:
        self._contract = contract
        self._replacements = replacements
        self._cares = cares  # whether a module is ours to touch
        found = emitters(contract.rule.emitter, contract.rule.event)
        self._emitters = [(*reference.partition(":")[::2], event) for reference, event in found.items()]
        self._foreign = [_Pattern(text) for text in contract.rule.foreign]
        self._methods: list[tuple[type, str, str | None, Any]] = []  # emitters that subclasses may override
        self._ours: dict[int, Any] = {}  # every wrapper of this rule, by id

    def emitters_in(self, name: str, module: ModuleType) -> Iterator[tuple[Any, Any]]:
        """Wrap the emitters of a module that has loaded; its functions, with what stands for them now."""
        for home, path, event in self._emitters:
            if home != name:
                continue
            *owners, attribute = path.split(".")
            function, wrapper = own(module, attribute), None
            try:
                if owners:
                    self._method(loaded.namespace(module), owners, attribute, event)
                else:
                    wrapper = self._put(module, attribute, function, event, None)
            except Exception as error:  # noqa: BLE001 - contained
                self._contract.contain(error)
            if wrapper is not None:
                yield function, wrapper
        self.overrides()

    def overrides(self) -> None:
        """Wrap what subclasses have put in the place of an emitter."""
        for cls, attribute, event, model in self._methods:
            for below in _below(cls):
                if self._cares(module_of(below)):
                    self._put(below, attribute, own(below, attribute), event, model)

    def foreign_in(self, name: str, module: ModuleType) -> Iterator[tuple[Any, Any]]:
        """Wrap the foreign callables of a module that has loaded; its functions, with what stands for them now."""
        for key, value in list(loaded.namespace(module).items()) if self._foreign else ():
            wrapper = None
            try:
                if is_class(value):
                    if module_of(value) == name:
                        self._foreign_methods(value)
                elif self._is_foreign([(name, key)]) and is_open(value) and _home(value) == name:
                    wrapper = self._put_foreign(module, key, value, f"{name}:{key}")
            except Exception as error:  # noqa: BLE001 - contained
                self._contract.contain(error)
            if wrapper is not None:
                yield value, wrapper

    def _method(self, scope: dict[str, Any], owners: list[str], attribute: str, event: str | None) -> None:
        """Wrap a method of a class; of an object in the module, that of its class."""
        owner = scope.get(owners[0])
        for name in owners[1:]:
            owner = getattr(owner, name, None)
        if owner is None:
            return
        cls = owner if is_class(owner) else type(owner)
        function = next((found for one in mro_of(cls) if (found := own(one, attribute)) is not MISSING), MISSING)
        if self._put(cls, attribute, function, event, None) is not None:
            self._methods.append((cls, attribute, event, _plain(function)))

    def _put(self, owner: Any, attribute: str, found: Any, event: str | None, model: Any) -> Any:
        """Wrap an emitter where it is none yet; None where nothing was put."""
        if found is MISSING or self._is_ours(found) or not can_wrap(found):
            return None
        method = is_class(owner) and not isinstance(found, staticmethod)
        watch = Emitter(self._contract, _plain(found), event, method=method, model=model)
        return self._replace(owner, attribute, found, watch)

    def _put_foreign(self, owner: Any, attribute: str, found: Any, name: str) -> Any:
        if not can_wrap(found) or self._is_ours(found) or not hasattr(facing(_plain(found)), "__code__"):
            return None  # what is written in C belongs to somebody else
        return self._replace(owner, attribute, found, Foreign(self._contract, _plain(found), name))

    def _replace(self, owner: Any, attribute: str, found: Any, watch: Watch) -> Any:
        wrapper = wrap(found, watch)
        if not self._replacements.put(owner, attribute, wrapper):
            return None
        for one in (wrapper, _plain(wrapper)):
            self._ours[id(one)] = one
        return wrapper

    def forget(self, name: str, gone: list[Any]) -> None:
        """These wrappers, of a module that is another one now, stand nowhere any more."""
        for wrapper in gone:
            for one in (wrapper, _plain(wrapper)):
                self._ours.pop(id(one), None)
        self._methods = [method for method in self._methods if module_of(method[0]) != name]

    def _is_ours(self, found: Any) -> bool:
        """Whether it is a wrapper of this rule already, perhaps inside of another rule's."""
        return any(id(one) in self._ours for one in layers(_plain(found)))

    def _foreign_methods(self, cls: type) -> None:
        module, qualname = module_of(cls), qualname_in_code(cls)
        for attribute, value in list(namespace_of(cls).items()):
            if is_class(value):
                if qualname_in_code(value) == f"{qualname}.{attribute}":
                    self._foreign_methods(value)
            elif attribute == "__call__" or not attribute.startswith("__"):
                names = [(module_of(one), f"{qualname_in_code(one)}.{attribute}") for one in mro_of(cls)]
                if self._is_foreign(names) and is_open(_plain(value)):
                    self._put_foreign(cls, attribute, value, f"{module}:{qualname}.{attribute}")

    def _is_foreign(self, names: list[tuple[str, str]]) -> bool:
        return any(pattern.matches(module, qualname) for pattern in self._foreign for module, qualname in names)


class _Pattern:
    """An entry of ``foreign``: modules, or globs of (qualified) names in them."""

    def __init__(self, text: str) -> None:
        self._modules = parse(text)
        self._names = None if self._modules.name is None else NameGlob(self._modules.name)

    def matches(self, module: str, qualname: str) -> bool:
        return (self._names is None or self._names.matches(qualname)) and self._modules.matches(module)


def _plain(found: Any) -> Any:
    return found.__func__ if issubclass(type(found), (staticmethod, classmethod)) else found


def _home(value: Any) -> Any:
    """The module that something says it was defined in."""
    try:
        return getattr(value, "__module__", None)
    except Exception:  # noqa: BLE001 - the application's property
        return None


def _below(cls: type) -> Iterator[type]:
    """All subclasses, each once."""
    seen: set[int] = set()
    waiting: list[type] = [cls]
    while waiting:
        below: type
        for below in type.__subclasses__(waiting.pop()):
            if id(below) not in seen:
                seen.add(id(below))
                waiting.append(below)
                yield below
