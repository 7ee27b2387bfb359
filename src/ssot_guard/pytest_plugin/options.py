"""What the options, the environment and the policy ask for, checked before anything is installed."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from ssot_guard.errors import BaselineError, PolicyError
from ssot_guard.policy import cache as _cache
from ssot_guard.policy import load
from ssot_guard.policy.modes import chosen_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Literal

    from ssot_guard.policy.model import Policy

RECORDS = ".jsonl"  # the suffix of a report that is one record for each test that reached a violation

_PROFILE = "test"


class Options:
    """The settings of one session."""

    def __init__(self, config: pytest.Config, given: Namespace, place: str) -> None:
        folder = str(config.invocation_params.dir)
        try:
            self.policy = _policy(place, folder, _kept(config))
            self.profile = self._chosen(getattr(given, "ssot_profile", None))
            profile = chosen_profile(self.policy, self.profile)
        except PolicyError as error:
            raise pytest.UsageError(str(error)) from None
        self.mode: str | None = getattr(given, "ssot_mode", None)
        self.fail: Literal["test", "session", "never"] = profile.fail if profile is not None else "test"
        self.sinks = bool((profile is not None and profile.sinks) or os.environ.get("SSOT_GUARD_SINKS"))
        self.update = bool(getattr(given, "ssot_update_baseline", False))
        self.has_baseline = False
        self.homeless: frozenset[tuple[str, ...]] = frozenset()  # entries whose file is gone, maybe renamed
        self.baseline = self._baseline(getattr(given, "ssot_baseline", None), folder)
        self.report = self._report(getattr(given, "ssot_report", None), folder)
        today = datetime.now(UTC).date().isoformat()
        self.overdue = {rule.id: rule.due for rule in self.policy.rules() if rule.due is not None and rule.due <= today}

    def _chosen(self, given: str | None) -> str | None:
        named = given or os.environ.get("SSOT_GUARD_PROFILE") or None
        return named or (_PROFILE if _PROFILE in self.policy.profiles else None)

    def _baseline(self, given: str | None, folder: str) -> str:
        """The baseline's path; a damaged one is said before the session, not after it."""
        from ssot_guard.baseline import Baseline

        path = os.path.join(folder, given) if given else os.path.join(self.policy.root, self.policy.baseline)
        if given and not self.update and not os.path.exists(path):
            raise pytest.UsageError(f"--ssot-baseline: there is no {path}; write it with --ssot-update-baseline")
        try:
            known = Baseline.load(path)
        except BaselineError as error:
            raise pytest.UsageError(str(error)) from None
        self.has_baseline = bool(known.entries)
        gone = {file for file in known.files if not os.path.exists(os.path.join(self.policy.root, file))}
        self.homeless = frozenset(key.nature for key in known.entries if key.file in gone)
        return path

    @staticmethod
    def _report(given: str | None, folder: str) -> tuple[str, str] | None:
        """(path, format) of the report to write."""
        if not given:
            return None
        if given.endswith(RECORDS):
            return os.path.join(folder, given), RECORDS
        from ssot_guard.report import UnknownFormatError, format_of

        try:
            return os.path.join(folder, given), format_of(given)
        except UnknownFormatError as error:
            raise pytest.UsageError(f"--ssot-report: {error}") from None


def _kept(config: pytest.Config) -> str:
    """A folder of pytest's cache; empty as long as there is none, which means: nowhere."""
    if not config.pluginmanager.has_plugin("cacheprovider"):
        return ""
    folder = config.rootpath / config.getini("cache_dir") / "d"
    if not folder.parent.is_dir():
        return ""
    (folder / "ssot-guard").mkdir(parents=True, exist_ok=True)
    return str(folder / "ssot-guard")


def _policy(place: str, folder: str, kept: str) -> Policy:
    """The policy that an option, the environment or the discovery names."""
    if place.startswith(load.ENTRY_POINT):
        return load.from_environment({**os.environ, load.VARIABLE: place}) or load.load(place)
    # A test session leaves nothing beside the policy: what is parsed is kept where pytest keeps such things.
    environ = {**os.environ, _cache.VARIABLE: os.environ.get(_cache.VARIABLE, kept)}
    return load.load(os.path.join(folder, place), environ=environ)
