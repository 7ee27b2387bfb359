"""Calls that send an event of the contract by some other way (SSG402)."""

from __future__ import annotations

from ssot_guard.watch.events.calls import around, current, finish, foreign_call, inside_emitter
from ssot_guard.watch.events.places import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ssot_guard.watch.events.calls import Call
    from ssot_guard.watch.events.contract import Contract


class Foreign:
    """Looks at the calls of one function that is to end in an emitter; ``name`` is what reports call it."""

    __slots__ = ("_callee", "_contract", "_name")

    def __init__(self, contract: Contract, function: Any, name: str) -> None:
        self._contract = contract
        self._callee = place_of(function)
        self._name = name

    def enter(self, _args: tuple[Any, ...], _kwargs: Mapping[str, Any]) -> Call | None:
        """A call begins; None for what an emitter itself calls."""
        contract = self._contract
        if not contract.on:
            return None
        try:
            outer = around(current.get())
            return None if inside_emitter(contract, outer) else foreign_call(contract, outer)
        except Exception as error:  # noqa: BLE001 - contained
            contract.contain(error)
            return None

    def leave(self, call: Call, result: object) -> None:
        """A call returned. Raises what the host's filters make an error."""
        verdict = None
        contract = self._contract
        try:
            finish(call, sent=False)
            if not call.reached:
                contract.called = True
                if _goes_on(result):
                    contract.breaks.unknown("SSG402")
                else:
                    verdict = contract.breaks.foreign(contract.places.caller(self._callee), self._name)
        except Exception as error:  # noqa: BLE001 - contained
            contract.contain(error)
        if verdict is not None:
            raise verdict

    def fail(self, call: Call) -> None:
        """A call ended with an exception: whether it would have sent anything, nobody knows."""
        try:
            finish(call, sent=False)
        except Exception as error:  # noqa: BLE001 - contained
            self._contract.contain(error)

    @staticmethod
    def pause(call: Call) -> None:
        """A call answered with a coroutine, which somebody may await."""
        current.set(call.outer)

    @staticmethod
    def resume(call: Call) -> None:
        """The coroutine is awaited."""
        current.set(call)


def _goes_on(result: object) -> bool:
    """Whether a task or a future was returned: what it will do, nobody knows yet."""
    return hasattr(type(result), "add_done_callback") or hasattr(type(result), "__await__")
