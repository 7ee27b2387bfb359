"""A session's report as the records that ``ssot-guard report`` reads: one for each test that reached a violation.

Sinks cannot name the tests: they write each violation once per process, on first sight.
"""

from __future__ import annotations

import os

from ssot_guard.sinks import Context, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.violation import Violation


def lines(guarded: GuardedSession, seen: Iterable[Violation]) -> Iterator[bytes]:
    """A header, and the violations."""
    policy, guard = guarded.options.policy, guarded.guard
    mode = None if guard is None else guard.mode
    codec, origin = record.Codec(), record.Origin(os.getpid())
    context = Context(policy.source, policy.digest, mode, guarded.options.profile, policy.labels)
    yield codec.line(record.header(origin, context))
    for found in seen:
        yield codec.line(record.violation(origin, found, context.labels))
