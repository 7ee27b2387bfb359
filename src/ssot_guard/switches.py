"""What may lower ``strict`` to ``warn`` while a process runs: canary share, readiness, circuit breaker, kill file.

They only ever lower. Each is looked at when something is about to be blocked, and at no other time.
"""

from __future__ import annotations

import os
from _blake2 import blake2b
from time import monotonic

from ssot_guard.apart import apart
from ssot_guard.policy.modes import session_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssot_guard.policy.model import Mode, Policy, Profile

_TRUE = frozenset(("1", "true", "yes", "on"))
_LOOK_EVERY = 1.0  # seconds between two looks at the kill file


class Settings:
    """How a policy is applied in this process: the profile, its name, and modes from caller and environment."""

    __slots__ = ("_policy", "argument", "environ", "environ_mode", "mode", "name", "profile")

    def __init__(
        self,
        policy: Policy,
        *,
        name: str | None,
        profile: Profile | None,
        argument: Mode | None,
        environ_mode: Mode | None,
        environ: Mapping[str, str],
    ) -> None:
        self.name = name
        self.profile = profile
        self.argument = argument
        self.environ_mode = environ_mode
        self.environ = environ
        self._policy = policy
        self.mode = self.mode_for(())

    def mode_for(self, tags: Iterable[str]) -> Mode:
        """The session mode for a rule with these tags."""
        return session_mode(self.argument, self.environ_mode, self.profile, self._policy, tags)


class Switches:
    """The switches of one profile in one process. ``reason`` says why blocking was last refused."""

    __slots__ = ("_blocked", "_kill_seen", "_looked", "_profile", "canary", "is_ready", "reason", "started")

    def __init__(self, profile: Profile | None, environ: Mapping[str, str]) -> None:
        self._profile = profile
        self._blocked: list[float] = []
        self._looked = float("-inf")
        self._kill_seen = False
        self.started = monotonic()
        self.is_ready = False
        self.canary = canary(profile.canary if profile else None, environ)
        self.reason: str | None = None

    def may_block(self) -> bool:
        """Whether this process may block right now."""
        profile = self._profile
        self.reason = None if profile is None else self._refusal(profile)
        return self.reason is None

    def status(self) -> dict[str, object]:
        """The switches that the profile uses, as they stand now."""
        profile, known = self._profile, dict[str, object]()
        if profile is None:
            return known
        if profile.block_from == "ready":
            known["ready"] = self.is_ready
        if profile.max_blocks:
            known["breaker"] = "open" if self._tripped(profile.max_blocks) else "closed"
        if profile.kill_file:
            known["kill_file"] = profile.kill_file
            known["kill_file_exists"] = os.path.exists(profile.kill_file)
        return known

    def _refusal(self, profile: Profile) -> str | None:
        if not self.canary:
            return "canary: this process is not in the share"
        if profile.block_from == "ready" and not self.is_ready:
            return "block-from: the application is not ready yet"
        if isinstance(profile.block_from, int | float) and monotonic() - self.started < profile.block_from:
            return "block-from: the process is too young"
        if profile.kill_file and self._killed(profile.kill_file):
            return f"kill-file: {profile.kill_file} exists"
        if profile.max_blocks and self._tripped(profile.max_blocks):
            return "max-blocks: the circuit breaker is open"
        return None

    @apart
    def _killed(self, path: str) -> bool:
        now = monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._kill_seen = os.path.exists(path)
        return self._kill_seen

    def _tripped(self, limit: Mapping[str, float]) -> bool:
        since = monotonic() - limit["seconds"]
        self._blocked = [moment for moment in self._blocked if moment >= since]
        return len(self._blocked) >= limit["count"]

    def blocked(self) -> None:
        """Count one block for the breaker."""
        if self._profile is not None and self._profile.max_blocks:
            self._blocked.append(monotonic())


def canary(setting: Mapping[str, object] | None, environ: Mapping[str, str]) -> bool:
    """Whether this process belongs to the canary share; an empty or missing key never does.

    The share is monotone: a bucket of 10,000 is derived from the key alone, so raising the percentage removes nobody.
    """
    if setting is None:
        return True
    when = setting.get("when")
    if when is not None:
        return _expand(str(when), environ).strip().lower() in _TRUE
    bucket = canary_bucket(_expand(str(setting["hash-of"]), environ))
    return bucket is not None and bucket < float(str(setting["percent"])) * 100


def canary_bucket(key: str) -> int | None:
    """0 … 9,999, the same in every process and on every Python; None for an empty key."""
    return (
        int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") % 10_000
        if key
        else None
    )


def _expand(text: str, environ: Mapping[str, str]) -> str:
    return environ.get(text[1:], "") if text.startswith("$") else text
