"""Watching the events of runs: SSG401, SSG402 and SSG403."""

from __future__ import annotations

import sys

from ssot_guard.watch.events.binding import Binding
from ssot_guard.watch.events.contract import Contract
from ssot_guard.watch.events.places import Places
from ssot_guard.watch.imports import loaded
from ssot_guard.watch.replacements import Replacements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from ssot_guard.faults import Faults
    from ssot_guard.files import Files
    from ssot_guard.ledger import Ledger
    from ssot_guard.policy.model import Policy
    from ssot_guard.watch.tenants.current import Tenants


class EventWatcher:
    """All event rules that watch this process."""

    name = "events"

    def __init__(
        self,
        policy: Policy,
        ledger: Ledger,
        files: Files,  # noqa: ARG002 - every part gets the same
        faults: Faults,
        tenants: Tenants,
    ) -> None:
        self._policy = policy
        self._places = Places()
        self._replacements = Replacements()
        self._named = policy.named()
        self._shown: set[str] = set()
        self._replaced: dict[int, tuple[Any, Any]] = {}  # functions of modules, by id → themselves and their wrappers
        self.contracts: list[Contract] = []
        self._bindings: list[Binding] = []
        for rule in policy.events:
            if "runtime" in rule.sides:
                contract = Contract(rule, ledger, faults, tenants, self._places)
                if any(text.partition(":")[0] in sys.modules for text in rule.emitter):  # runs may be under way
                    contract.runs.blind()
                self.contracts.append(contract)
                self._bindings.append(Binding(contract, self._replacements, self._is_ours))

    @property
    def matched(self) -> set[str]:
        """Rules whose emitters were called, or past which something was sent."""
        return {contract.rule.id for contract in self.contracts if contract.called}

    def loaded(self, name: str, module: ModuleType) -> BaseException | None:
        """A module was executed (again), or was there before."""
        self._leave(name)
        self._shown.add(name)
        before = len(self._replaced)
        for binding in self._bindings:
            for function, wrapper in binding.emitters_in(name, module):
                self._replaced[id(function)] = function, wrapper
        for binding in self._bindings if self._policy.governs(name) else ():
            for function, wrapper in binding.foreign_in(name, module):
                self._replaced[id(function)] = function, wrapper
        self._hand_over(module)
        for other in list(self._shown) if len(self._replaced) > before else ():  # they loaded first, or in a circle
            self._hand_over(sys.modules.get(other))
        return None

    def check(self) -> None:
        """Runs without an end, and overrides in classes that no module defines."""
        for binding in self._bindings:
            binding.overrides()
        for contract in self.contracts:
            contract.check()

    def close(self) -> None:
        """Runs that have taken too long."""
        for contract in self.contracts:
            if contract.on:
                contract.check()

    def detach(self) -> None:
        """Judge what is open, and leave every object of the host as it was; twice is harmless."""
        self.close()
        for contract in self.contracts:
            contract.on = False
        self._replacements.restore()

    def after_fork(self) -> None:
        """A child counts for itself, and runs may be under way."""
        self._places.after_fork()
        for contract in self.contracts:
            contract.called = False
            contract.runs.forget(late=True)
            contract.futures.forget()

    def census(self) -> dict[str, Any]:
        """Rule id → the counts of its runs."""
        return {contract.rule.id: contract.census() for contract in self.contracts}

    def _leave(self, name: str) -> None:
        """What stands in the module that this one replaces, if any, goes back."""
        gone = self._replacements.leave(name)
        if gone:
            numbers = {id(one) for one in gone}
            self._replaced = {key: pair for key, pair in self._replaced.items() if id(pair[1]) not in numbers}
            for binding in self._bindings:
                binding.forget(name, gone)

    def _is_ours(self, module: str) -> bool:
        return module in self._named or self._policy.governs(module)

    def _hand_over(self, module: Any) -> None:
        """Put wrappers in the places where a governed module holds the functions themselves."""
        for key, value in list(loaded.namespace(module).items()) if self._replaced else ():
            wrapper = value
            while id(wrapper) in self._replaced:  # a function of two rules has two
                wrapper = self._replaced[id(wrapper)][1]
            if wrapper is not value:
                self._replacements.put(module, key, wrapper)
