"""Which mode holds: the session's, from its sources in order, and a violation's own, which is never higher.

Starts with every guarded process; path patterns compile when the first violation meets an override.
"""

from __future__ import annotations

from ssot_guard.policy.model import MODES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssot_guard.policy.globs import Globs
    from ssot_guard.policy.model import Mode, Override, Policy, Profile

# What is known, or not decided, is never raised; nor what may be known, while the baseline cannot be read.
CAPS: dict[str, Mode] = {
    "known": "warn",
    "retiring": "warn",
    "suppressed": "warn",
    "unread": "warn",
    "contested": "observe",
}

_globs: dict[int, tuple[Override, Globs]] = {}  # by identity; holding the override keeps its id from being reused


def weakest(*modes: Mode | None) -> Mode:
    """The weakest of some modes, None meaning no opinion; without any opinion ``strict``.

    >>> weakest("strict", None, "observe")
    'observe'
    """
    ranks = [MODES.index(mode) for mode in modes if mode is not None]
    return MODES[min(ranks)] if ranks else "strict"


def session_mode(
    argument: str | None, environ_mode: str | None, profile: Profile | None, policy: Policy, tags: Iterable[str] = ()
) -> Mode:
    """The first of: argument, environment, profile, the policy's top level, ``warn``.

    ``tags`` are those of a rule: the profile's ``tag-modes`` speak for it where the profile decides, and of several
    the weakest. The two strings come from :func:`mode_argument` and :func:`environment_mode`, which check them.
    """
    for given in (argument, environ_mode):
        if given is not None:
            return mode_argument(given)
    if profile is not None:
        tagged = [profile.tag_modes[tag] for tag in tags if tag in profile.tag_modes]
        if tagged:
            return weakest(*tagged)
        if profile.mode is not None:
            return profile.mode
    return policy.mode or "warn"


def effective_mode(  # noqa: PLR0913 - each is one thing that may lower it
    session: Mode,
    *,
    overrides: Iterable[Override] = (),
    file: str | None = None,
    code: str = "",
    rule_id: str = "",
    tags: Iterable[str] = (),
    owner: str | None = None,
    rule_owner: str | None = None,
    max_mode: Mode | None = None,
    caps: Iterable[str] = (),
) -> Mode:
    """The weakest of the session mode, the first matching override, the rule's ``max-mode`` and the caps.

    ``file`` is the POSIX path of the violation's site relative to the policy's folder; ``owner`` is the file's,
    ``rule_owner`` the rule's, and ``owner:x`` selects either. ``caps`` are states from :data:`CAPS`.
    """
    wanted = {code, rule_id, *(f"tag:{tag}" for tag in tags)}
    wanted.update(f"owner:{name}" for name in (owner, rule_owner) if name is not None)
    override = next((one for one in overrides if _applies(one, file, wanted)), None)
    lowered = override.max_mode if override is not None else None
    return weakest(session, lowered, max_mode, *(CAPS[cap] for cap in caps))


def _applies(override: Override, file: str | None, wanted: set[str]) -> bool:
    if override.select and wanted.isdisjoint(override.select):
        return False
    if "**" in override.paths:  # also what has no file
        return True
    return file is not None and _paths(override).matches(file)


def _paths(override: Override) -> Globs:
    known = _globs.get(id(override))
    if known is None:
        from ssot_guard.policy.globs import Globs

        known = _globs[id(override)] = (override, Globs(override.paths))
    return known[1]


def mode_argument(text: str, source: str = "mode") -> Mode:
    """A mode by its name; PolicyError for anything else, naming where it came from."""
    for mode in MODES:
        if mode == text:
            return mode
    from ssot_guard.errors import PolicyError, Problem
    from ssot_guard.policy.kinds import meant

    raise PolicyError([Problem(source, None, "", f"{text!r} is not a mode{meant(str(text), MODES)}")])


def environment_mode(environ: Mapping[str, str]) -> Mode | None:
    """``SSOT_GUARD_MODE``, or None where it is unset or empty; PolicyError where it is no mode."""
    text = environ.get("SSOT_GUARD_MODE", "")
    return mode_argument(text, "SSOT_GUARD_MODE") if text else None


def switched_off(environ: Mapping[str, str]) -> tuple[bool, str | None]:
    """Whether ``SSOT_GUARD=off``, and what is wrong with any other value: a switch must not fail, but be seen."""
    text = environ.get("SSOT_GUARD", "")
    if text.strip().lower() in ("off", ""):
        return bool(text.strip()), None
    return False, f"SSOT_GUARD={text!r} changes nothing; `off` is its only value, SSOT_GUARD_MODE sets the mode"


def chosen_profile(policy: Policy, name: str | None) -> Profile | None:
    """The profile of this name, None without one; PolicyError where the policy has none of this name."""
    if not name:
        return None
    found = policy.profiles.get(name)
    if found is None:
        from ssot_guard.errors import PolicyError, Problem
        from ssot_guard.policy.kinds import meant

        message = f"there is no profile {name!r}{meant(name, policy.profiles)}"
        raise PolicyError([Problem(policy.source, None, "profiles", message)])
    return found
