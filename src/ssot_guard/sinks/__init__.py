"""Where violations go: one file per destination, all with the interface of :class:`Sink`.

The ledger calls ``publish`` on first sight, and again with ``repeat=True`` when a count passes 10, 100, 1000 … A sink
never raises and never waits: what it could not deliver it counts in ``dropped``.
"""

from __future__ import annotations

from ssot_guard._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    from ssot_guard.violation import Violation

    class Sink(Protocol):
        """A destination. ``dropped`` counts records that did not reach it.

        ``safe_in_import``: takes no lock and imports nothing, so it may be called while an import lock is held.
        """

        name: str
        safe_in_import: bool
        dropped: int

        def publish(self, violation: Violation, *, repeat: bool = False) -> None:
            """Deliver one violation as it stands now (its ``count`` is this process's so far)."""

        def internal_error(self, component: str, text: str) -> None:
            """Tell that a part of the guard failed, and how; the application went on as if nothing had happened."""

        def close(self, final: Iterable[Violation] = ()) -> None:
            """Deliver the final counts and let go of every resource; twice is harmless."""


class Context:
    """What a sink tells about the process it runs in: plain data from the policy in force."""

    __slots__ = ("labels", "mode", "policy", "policy_digest", "profile", "version")

    def __init__(
        self,
        policy: str | None = None,
        policy_digest: str | None = None,
        mode: str | None = None,
        profile: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.policy = policy
        self.policy_digest = policy_digest
        self.mode = mode
        self.profile = profile
        self.labels = dict(labels or {})
        self.version = __version__


class SinkSpecError(ValueError):
    """A sink specification that cannot be used; the message says what to write instead."""


def build(spec: str, context: Context) -> Sink | None:
    """The sink for ``log``, ``jsonl:-``, ``jsonl:/folder`` or ``jsonl:/file.jsonl``.

    None for ``warnings``: the ledger issues Python warnings itself, because only it knows the importer's frame.
    Nothing is opened or written before the first violation.
    """
    name, _, argument = spec.strip().partition(":")
    if name == "jsonl" and argument:
        from ssot_guard.sinks.jsonl import JsonlSink

        return JsonlSink(argument, context)
    if name == "log" and not argument:
        from ssot_guard.sinks.log import LogSink

        return LogSink(context)
    if name == "warnings" and not argument:
        return None
    known = '"log", "warnings", "jsonl:-", "jsonl:/folder" or "jsonl:/file.jsonl"'
    raise SinkSpecError(f"{spec!r} is no sink: write {known}")
