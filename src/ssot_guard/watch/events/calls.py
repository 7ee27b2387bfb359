"""Which emitters and foreign calls are on the way: one context variable, so tasks and greenlets do not mix."""

from __future__ import annotations

from _contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.watch.events.contract import Contract


class Call:
    """A call while it lasts: of an emitter, or of a foreign callable where ``event`` is None.

    Without ``__init__``: that would double what it costs. Once it is over it has no ``contract``: tasks that it started
    keep it in their contexts, and the context that it ran in keeps it until the next one.
    """

    __slots__ = ("contract", "counted", "event", "key", "outer", "owner", "reached", "sent", "serves")

    contract: Contract | None
    key: str
    event: str | None
    outer: Call | None  # the call around
    serves: Call | None  # the call around that sends the same event, by means of this one
    sent: bool | None  # by an emitter that serves this one
    owner: str | None  # of the run that it may begin, where the rule knows tenants
    counted: bool  # its event was taken for sent before it returned
    reached: bool  # an emitter, by a foreign call


current: ContextVar[Call | None] = ContextVar("ssot_guard.events", default=None)


def foreign_call(contract: Contract, outer: Call | None) -> Call:
    """The call of a foreign callable begins."""
    call = Call()
    call.contract = contract
    call.key = ""
    call.event = call.serves = call.sent = None
    call.outer = outer
    call.reached = call.counted = False
    current.set(call)
    return call


def around(call: Call | None) -> Call | None:
    """The innermost call that is still on its way."""
    return None if call is None or call.contract is None else call


def reach(call: Call | None, contract: Contract) -> None:
    """An emitter was reached, from each foreign call around it."""
    while call is not None:
        if call.event is None and call.contract is contract:
            call.reached = True
        call = call.outer


def sends(contract: Contract, key: str, event: str, outer: Call | None) -> Call | None:
    """The call around that sends this very event of this very run: nested emitters count once."""
    while outer is not None:
        if outer.contract is contract and outer.event is event and outer.key == key:
            return outer
        outer = outer.outer
    return None


def pending(contract: Contract, key: str, outer: Call | None) -> list[Call]:
    """The calls around that are about to send other events of a run, the outermost first."""
    found = []
    while outer is not None:
        if outer.contract is contract and outer.event is not None and outer.key == key and outer.serves is None:
            found.extend([] if outer.counted else [outer])
        outer = outer.outer
    return found[::-1]


def inside_emitter(contract: Contract, outer: Call | None) -> bool:
    """Whether an emitter of this rule is on its way."""
    while outer is not None:
        if outer.contract is contract and outer.event is not None:
            return True
        outer = outer.outer
    return False


def finish(call: Call, *, sent: bool, here: bool = True) -> bool:
    """A call is over; True where it stood for itself, False where it served another one.

    Not ``here``: its context goes on without it, and this one is somebody else's.
    """
    call.contract = None
    serves, outer = call.serves, call.outer
    if outer is not None:
        call.outer = None  # who keeps this call must not keep all those around it
        if serves is None and here:
            current.set(outer)  # not by a token: an awaitable may be driven in several contexts
    if serves is None:
        return True
    serves.sent = sent or serves.sent is True
    return False
