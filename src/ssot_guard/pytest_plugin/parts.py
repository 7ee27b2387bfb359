"""What a session asks of the parts that watch more than imports: loaded only where its policy has some."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssot_guard.engine import Engine
    from ssot_guard.pytest_plugin.session import GuardedSession


def attend(session: GuardedSession, engine: Engine) -> None:
    """The engine is about to watch."""
    journeys, construction, events = _known(engine)
    if journeys is not None:
        from ssot_guard.pytest_plugin import rates

        rates.listen(session, journeys)
    if construction is not None:
        from ssot_guard.pytest_plugin import instances

        instances.listen(session, construction)
    if events is not None:
        from ssot_guard.pytest_plugin import runs

        runs.listen(session, events)


def release(engine: Engine) -> None:
    """The session is over; the guard may go on."""
    journeys, construction, events = _known(engine)
    if journeys is not None:
        from ssot_guard.pytest_plugin import rates

        rates.forget(journeys)
    if construction is not None:
        from ssot_guard.pytest_plugin import instances

        instances.forget(construction)
    if events is not None:
        from ssot_guard.pytest_plugin import runs

        runs.forget(events)


def _known(engine: Engine) -> tuple[Any, Any, Any]:
    parts: dict[str, Any] = {part.name: part for part in engine.parts.parts}
    return parts.get("journeys"), getattr(parts.get("roles"), "construction", None), parts.get("events")
