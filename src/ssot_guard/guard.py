"""Put a policy into force in this process, and take it out again without a trace.

Starts with every guarded process: the parts that watch load when the first governed module is looked for.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock

from ssot_guard import hooks
from ssot_guard.policy.modes import chosen_profile, environment_mode, mode_argument, session_mode, switched_off
from ssot_guard.watch.imports.finder import Finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self

    from ssot_guard.engine import Engine
    from ssot_guard.policy.model import Mode, Policy
    from ssot_guard.violation import Violation
    from ssot_guard.watch.imports.watcher import ImportWatcher

_active: Guard | None = None  # one guard per interpreter


class Guard:
    """A policy in force. Made by :func:`install`; a context manager that uninstalls at its end."""

    def __init__(self, policy: Policy, *, profile: str | None, mode: Mode | None, environ: Mapping[str, str]) -> None:
        self.policy = policy
        self.prepare: Callable[[Engine], None] | None = None  # given the engine before it watches
        self._environ = environ
        self._profile_name = profile
        self._profile = chosen_profile(policy, profile)
        self._argument = mode
        self._environ_mode = environment_mode(environ)
        self.mode: Mode = session_mode(mode, self._environ_mode, self._profile, policy)
        named = {module.partition(".")[0] for module in policy.named()}
        self._finder = Finder(frozenset(policy.tops() | policy.deprecated_tops() | named), self._wake)
        self._engine: Engine | None = None
        self._broken: str | None = None
        self._booted = self._installed = False
        self._building = allocate_lock()
        self.holds = 0
        self.kept = 0  # so many holds nobody gives up but who set it: a test session, which hands its guard out

    # -- the public part -----------------------------------------------------------------------------------------

    def violations(self) -> tuple[Violation, ...]:
        """Distinct violations in order of first sight, with their counts as of now."""
        if self._engine is None:
            return ()
        self._engine.publisher.drain()
        return self._engine.ledger.violations()

    def check(self) -> tuple[Violation, ...]:
        """Run the on-demand checks now; returns the violations that are new."""
        engine = self.engine()
        if engine is None:
            return ()
        before = len(engine.ledger.violations())
        engine.check()
        return engine.ledger.violations()[before:]

    def census(self) -> dict[str, Any]:
        """Counts by rule id, as plain data for a health endpoint: what lives, what was built, which runs are open."""
        engine = self.engine()
        return {} if engine is None else engine.census()

    def uninstall(self) -> None:
        """Leave the process exactly as it was before :func:`install`; twice is harmless."""
        global _active  # noqa: PLW0603 - one guard per interpreter
        if not self._installed:
            return
        if self.kept:
            self.holds = max(self.kept, self.holds - 1)
            return
        engine = self.engine() if self.prepare is None else self._engine  # who prepares also judges the rules
        self._installed = False
        if _active is self:
            _active = None
        self._serve_journeys(None)
        self._finder.detach()
        if engine is not None:
            engine.detach()
        hooks.not_at_exit(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.holds = max(self.kept, self.holds - 1)
        if not self.holds:
            self.uninstall()

    # -- for the rest of the house -------------------------------------------------------------------------------

    def start(self) -> None:
        """Attach; at once with all parts where governed modules are loaded already."""
        self._installed = True
        self._finder.attach()
        hooks.at_exit(self.close)
        hooks.at_fork(_before_fork, _after_fork)
        self._serve_journeys(self._journeys)
        if any(name.partition(".")[0] in self._finder.tops for name in list(sys.modules) if type(name) is str):
            self._wake()

    def close(self) -> None:
        """Deliver what waits and the final counts; the end of the process does it by itself."""
        if self._engine is not None:
            self._engine.close()

    def watching(self) -> bool:
        """Whether imports reach us: installed, neither displaced nor broken nor switched off."""
        if not self._installed or self._broken or self._finder.position() is None:
            return False
        return self._engine is None or not self._engine.imports.silent()

    def booted(self) -> None:
        """The application is ready: blocking may begin where the profile waits for it."""
        self._booted = True
        if self._engine is not None:
            self._engine.switches.is_ready = True
            self._engine.publisher.drain()

    def before_fork(self) -> None:
        """Let no thread of ours run while the process forks."""
        if self._engine is not None:
            self._engine.publisher.wait()

    def after_fork(self) -> None:
        """In the child: counters start fresh, and nobody holds our lock."""
        self._building = allocate_lock()
        if self._engine is not None:
            self._engine.after_fork()

    def drain(self) -> None:
        """A safe point: deliver what an import postponed."""
        if self._engine is not None:
            self._engine.publisher.drain()

    def status(self) -> dict[str, Any]:
        """What ``doctor`` says about this process, as plain data."""
        known: dict[str, Any] = {
            "active": self.watching(),
            "policy": self.policy.source,
            "policy_digest": self.policy.digest,
            "profile": self._profile_name,
            "mode": self.mode,
            "finder_position": self._finder.position(),
            "broken": self._broken,
        }
        engine = self.engine()
        if engine is not None:
            known.update(engine.status())
        return known

    def engine(self) -> Engine | None:
        """The running parts; None where the guard is not installed, or broken."""
        if self._engine is None and self._installed:
            self._wake()
        return self._engine

    def _serve_journeys(self, wake: Callable[[], Any] | None) -> None:
        """A run may be the first thing that there is to watch."""
        if self.policy.journeys:
            from ssot_guard.watch.journeys import runs

            runs.wake = wake

    def _journeys(self) -> Any:
        engine = self.engine()
        return None if engine is None else next(part for part in engine.parts.parts if part.name == "journeys")

    def _wake(self) -> ImportWatcher | None:
        """Build the parts that watch. Called by the finder, inside somebody's import: it never raises.

        Whoever comes while they are built goes on without: importlib calls finders one after the other, and waiting
        under its lock for somebody who imports would never end. A policy may govern what is imported for the building.
        """
        if self._engine is None and self._broken is None and self._building.acquire(blocking=False):
            try:
                self._build()
            except RecursionError:
                pass  # the host's stack is full; the next import may find room
            except Exception as error:  # noqa: BLE001 - contained
                from ssot_guard.faults import say

                self._broken = f"{type(error).__name__}: {error}"
                say(f"NOT guarding this process any more: {self._broken}")
            finally:
                self._building.release()
        return None if self._engine is None else self._engine.imports

    def _build(self) -> None:
        if self._engine is not None:  # by who was just before us
            return
        from ssot_guard.engine import Engine
        from ssot_guard.switches import Settings

        settings = Settings(
            self.policy,
            name=self._profile_name,
            profile=self._profile,
            argument=self._argument,
            environ_mode=self._environ_mode,
            environ=self._environ,
        )
        engine = Engine(self.policy, settings, self._finder)
        engine.switches.is_ready = self._booted
        if self.prepare is not None:
            self.prepare(engine)
        engine.attach()
        self._engine = engine
        self._finder.owner = engine.imports


def install(
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
    *,
    profile: str | None = None,
    mode: str | None = None,
) -> Guard:
    """Guard this process; idempotent, returns the :class:`Guard` that is in force.

    ``policy`` is a path (``pyproject.toml`` or ``ssot-guard.toml``), a mapping with the same keys, or None for
    ``SSOT_GUARD_POLICY``; the working directory is never searched. Raises :class:`~ssot_guard.PolicyError`, with every
    problem, before anything is installed, and RuntimeError where another policy is in force. With ``SSOT_GUARD=off``
    or in mode ``off`` the guard that is returned watches nothing.
    """
    return enforce(policy, profile=profile, mode=mode)


def enforce(
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None,
    *,
    profile: str | None,
    mode: str | None,
    prepare: Callable[[Engine], None] | None = None,
) -> Guard:
    """As :func:`install`; ``prepare`` is given the engine before it watches, unless a guard is in force already."""
    global _active  # noqa: PLW0603 - one guard per interpreter
    if _active is not None:
        if policy is not None:
            _refuse_another(_active.policy, _policy(policy))
        _active.holds += 1
        return _active
    loaded = _policy(policy)
    profile = profile or os.environ.get("SSOT_GUARD_PROFILE") or None
    guard = Guard(loaded, profile=profile, mode=None if mode is None else mode_argument(mode), environ=os.environ)
    guard.holds, guard.prepare = 1, prepare
    if not switched_off(os.environ)[0] and guard.mode != "off":
        _active = guard
        guard.start()
    return guard


def _refuse_another(mine: Policy, other: Policy) -> None:
    if mine.digest != other.digest:
        raise RuntimeError(
            f"this process is already guarded by {mine.source}; uninstall that guard before you install {other.source}"
        )


def _policy(given: Any) -> Policy:
    from ssot_guard.policy.load import policy_of

    return policy_of(given, os.environ)


def active() -> bool:
    """Whether this process is guarded, right now and really: for health checks."""
    if _active is None:
        return False
    _active.drain()
    return _active.watching()


def current_guard() -> Guard | None:
    """The guard in force, to ask it from anywhere; None where this process has none."""
    return _active


def ready() -> None:
    """Tell the guard that the application has booted: canaries with ``block-from = "ready"`` may block from now on."""
    if _active is not None:
        _active.booted()


def status() -> dict[str, Any]:
    """What ``doctor`` says about this process."""
    return {"active": False} if _active is None else _active.status()


def _before_fork() -> None:
    if _active is not None:
        _active.before_fork()


def _after_fork() -> None:
    if _active is not None:
        _active.after_fork()
