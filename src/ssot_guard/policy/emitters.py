"""Which callables of an event rule send which event."""

from __future__ import annotations


def emitters(references: list[str], event: str | dict[str, str]) -> dict[str, str | None]:
    """``pkg.mod:Class.method`` → the event that it always sends; None where a parameter names the event.

    In a table, ``Class.method`` stands beside an emitter in its class, or in the class that is named as the emitter.
    """
    if isinstance(event, str):
        return dict.fromkeys(references)
    found: dict[str, str | None] = {}
    for reference in references:
        module, _, name = reference.partition(":")
        owner = name.rpartition(".")[0]
        for method, sent in event.items():
            if method == name or method.rpartition(".")[0] in {owner, name} - {""}:
                found[f"{module}:{method}"] = sent
        found.setdefault(reference, None)  # sends no event of its own, and is the way to send all the same
    return found
