"""One emitter, or one override of it: what its calls mean."""

from __future__ import annotations

from _functools import partial

from ssot_guard.watch.events.calls import Call, current, finish, reach, sends
from ssot_guard.watch.events.futures import came_to
from ssot_guard.watch.events.parameters import NOWHERE, event_of, parameter, text_of
from ssot_guard.watch.events.places import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ssot_guard.watch.events.contract import Contract
    from ssot_guard.watch.events.parameters import Parameter
    from ssot_guard.watch.events.places import Place

_current, _set_current = current.get, current.set


class Emitter:
    """Looks at the calls of one function. ``model`` is the function that it overrides.

    What is passed by position, or by name, as plain text is read on the spot; anything else goes the long way.
    """

    __slots__ = (
        "_callee", "_contract", "_event", "_event_at", "_event_name", "_event_of", "_names", "_open", "_run_at",
        "_run_name", "_run_of", "_tenant_of",
    )  # fmt: skip

    def __init__(
        self, contract: Contract, function: Any, event: str | None, *, method: bool, model: Any = None
    ) -> None:
        def reader(path: str) -> Parameter:
            return parameter(path, function, method=method, model=model)

        rule = contract.rule
        self._contract = contract
        self._names = contract.names
        self._open = contract.runs.open
        self._callee = place_of(function)
        self._event = event
        self._event_of = reader(rule.event) if type(rule.event) is str else None
        self._run_of = reader(rule.run)
        self._tenant_of = None if rule.tenant is None else reader(rule.tenant)
        self._event_at, self._event_name = _plain(self._event_of if event is None else None)
        self._run_at, self._run_name = _plain(self._run_of)

    # In one piece: each function that it called would cost as much as a fifth of it.
    def enter(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:  # noqa: C901, PLR0912, PLR0915
        """A call begins; None where it is of no interest. Raises the verdict where it must not be sent."""
        contract = self._contract
        if not contract.on:
            return None
        verdict = None
        try:
            outer = _current()
            if outer is not None:
                if outer.contract is None:  # the one before, which is over
                    outer = None
                else:
                    reach(outer, contract)
            event = args[self._event_at] if len(args) > self._event_at else kwargs.get(self._event_name)
            if type(event) is not str:
                event = self._named(args, kwargs)
            event = self._names.get(event)
            if event is None:
                return None
            key = args[self._run_at] if len(args) > self._run_at else kwargs.get(self._run_name)
            if type(key) is not str or not key:
                key = self._run(args, kwargs)
                if not key:
                    return None
            call = Call()
            call.contract = contract
            call.key = key
            call.event = event
            call.outer = outer
            call.sent = call.serves = None
            call.counted = False
            if outer is not None and self._serves(call, outer):
                return call
            if self._tenant_of is not None:
                tenant = self._tenant_of.of(args, kwargs)
                run = self._open.get(key)
                if run is not None and type(tenant) is str and tenant == run.owner:
                    call.owner = tenant
                else:
                    call.owner, verdict = contract.deliver(key, event, tenant, run, self._callee)
            if verdict is None:
                _set_current(call)
                return call
        except Exception as error:  # noqa: BLE001 - contained
            contract.contain(error)
            return None
        raise verdict

    def leave(self, call: Call, result: object) -> None:  # noqa: C901 - as above
        """A call returned: unless it says False, the event was sent. Raises what the host's filters make an error."""
        contract, key, event, outer = self._contract, call.key, call.event, call.outer
        verdict = None
        try:
            # A look at what most emitters answer is cheaper than one at its type.
            if not (result is None or result is True or result is False) and hasattr(type(result), "add_done_callback"):
                result = self._wait(call, result)
                if result is call:
                    return
            sent = result is not False and call.sent is not False
            if outer is None:
                call.contract = None
            elif not finish(call, sent=sent):
                return
            if not sent or event is None or call.counted:
                return
            run = self._open.get(key)
            if run is None:
                owner = None if self._tenant_of is None else call.owner
                verdict = contract.begun(key, event, owner, self._callee, outer)
            elif event in (moves := run.at.moves):
                # Since it was read no other thread came in between: no call, no jump back.
                state = run.at = moves[event]
                past = run.past
                past.append(event)
                if state.over or len(past) > contract.longest:
                    verdict = contract.moved(key, event, run)
            else:
                verdict = contract.stepped(key, event, run, self._callee, outer)
        except Exception as error:  # noqa: BLE001 - contained
            contract.contain(error)
        if verdict is not None:
            raise verdict

    def _wait(self, call: Call, future: Any) -> object:
        """A call gave back a task or a future: what that came to where it is done, else the call itself."""
        if future.done():
            return came_to(future)
        contract, run = self._contract, self._open.get(call.key)
        place = contract.places.caller(self._callee)
        contract.futures.add(call, contract.automaton.start if run is None else run.at)
        future.add_done_callback(partial(self._done, call, place))
        self.pause(call)
        return call

    def _done(self, call: Call, place: Place, future: Any) -> None:
        """What a call gave back is done: recorded, and not raised, for nobody waits here."""
        contract = self._contract
        try:
            sent, state = came_to(future), contract.futures.remove(call)
            if finish(call, sent=sent, here=False) and contract.on:
                owner = None if self._tenant_of is None else call.owner
                contract.came(call, place, owner, state, sent=sent and call.sent is not False)
        except Exception as error:  # noqa: BLE001 - contained
            contract.contain(error)

    def fail(self, call: Call) -> None:
        """A call ended with an exception: nothing was sent."""
        try:
            finish(call, sent=False)
        except Exception as error:  # noqa: BLE001 - contained
            self._contract.contain(error)

    @staticmethod
    def pause(call: Call) -> None:
        """A call answered with a coroutine, which somebody may await."""
        if call.serves is None:
            _set_current(call.outer)

    @staticmethod
    def resume(call: Call) -> None:
        """The coroutine is awaited."""
        if call.serves is None:
            _set_current(call)

    def _named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """The event of a call; empty where that cannot be told, or where it has none."""
        if self._event_of is None or self._event is not None:
            return self._event or ""
        text = event_of(self._event_of.of(args, kwargs))
        if text is None:
            self._contract.breaks.unknown("SSG401")
        return text or ""

    def _run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
        """The run of a call; None where it cannot be told."""
        run = self._run_of.of(args, kwargs)
        text = self._contract.name(run) if self._contract.rule.run == "self" else text_of(run)
        if text is None:
            self._contract.breaks.unknown("SSG401")
        return text

    def _serves(self, call: Call, outer: Call) -> bool:
        call.serves = sends(self._contract, call.key, call.event or "", outer)
        return call.serves is not None


def _plain(of: Parameter | None) -> tuple[int, str]:
    """Position and name of a parameter that is what is looked for itself; else what no call has."""
    return (NOWHERE, "") if of is None or of.attributes else (of.index, of.name)
