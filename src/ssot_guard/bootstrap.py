"""From the environment to a guarded process: the whole body of a ``sitecustomize.py``.

Never raises, never stays silent: when a guard was asked for and cannot start, one line on stderr says why.
"""

from __future__ import annotations

import os


def start() -> bool:
    """Guard this process if ``SSOT_GUARD_POLICY`` asks for it; returns whether it is guarded now.

    ``SSOT_GUARD=off`` is looked at before anything else is imported. ``SSOT_GUARD_PROFILE``, ``SSOT_GUARD_MODE`` and
    ``SSOT_GUARD_SINKS`` choose profile, mode and additional sinks.
    """
    environ = os.environ
    if environ.get("SSOT_GUARD", "").strip().lower() == "off" or not environ.get("SSOT_GUARD_POLICY"):
        return False
    try:
        from ssot_guard import guard
        from ssot_guard.policy.modes import switched_off

        complaint = switched_off(environ)[1]
        if complaint:
            from ssot_guard.faults import say

            say(complaint)
        guard.install()
        return guard.active()
    except Exception as error:  # noqa: BLE001 - the host starts, whatever happens here
        from ssot_guard.faults import say

        say(f"NOT guarding this process: {'; '.join(str(error).splitlines())}")
        return False
