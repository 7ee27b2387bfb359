from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ssot_guard.errors import PolicyError
from ssot_guard.policy.load import load_data
from ssot_guard.policy.modes import (
    chosen_profile,
    effective_mode,
    environment_mode,
    session_mode,
    switched_off,
    weakest,
)

if TYPE_CHECKING:
    from ssot_guard.policy.model import Mode

WEAKEST = [
    (["strict", "warn"], "warn"),
    (["warn", None, "strict"], "warn"),
    (["observe", "off", "strict"], "off"),
    ([None], "strict"),
    ([], "strict"),
]


@pytest.mark.parametrize(("modes", "expected"), WEAKEST)
def test_the_weakest_mode_wins(modes: list[Mode | None], expected: Any) -> None:
    assert weakest(*modes) == expected


TAGGED = {"mode": "observe", "tag-modes": {"wave1": "strict", "wave2": "warn"}}

# (description, argument, environment, profile, top level, tags, mode)
SESSIONS = [
    ("nothing says anything", None, None, None, None, [], "warn"),
    ("the top level", None, None, None, "strict", [], "strict"),
    ("a profile beats the top level", None, None, {"mode": "observe"}, "strict", [], "observe"),
    ("a profile without a mode leaves it to the top level", None, None, {}, "strict", [], "strict"),
    ("a profile without a mode and no top level", None, None, {}, None, [], "warn"),
    ("the environment beats the profile", None, "warn", {"mode": "observe"}, "strict", [], "warn"),
    ("the argument beats the environment", "strict", "warn", {"mode": "observe"}, "off", [], "strict"),
    ("a tag's mode may be stronger than the profile's", None, None, TAGGED, None, ["wave1"], "strict"),
    ("other tags change nothing", None, None, TAGGED, None, ["agents"], "observe"),
    ("of several tags the weakest counts", None, None, TAGGED, None, ["wave1", "wave2"], "warn"),
    (
        "tags count where the profile has no mode itself",
        None,
        None,
        {"tag-modes": {"w": "off"}},
        "strict",
        ["w"],
        "off",
    ),
    ("tags do not count where the environment decides", None, "warn", TAGGED, None, ["wave1"], "warn"),
    ("tags do not count where the argument decides", "observe", None, TAGGED, None, ["wave1"], "observe"),
]


@pytest.mark.parametrize(("description", "argument", "environ", "profile", "top", "tags", "mode"), SESSIONS)
def test_the_session_mode_comes_from_the_first_that_has_one(
    description: str, argument: Any, environ: Any, profile: Any, top: Any, tags: list[str], mode: Any
) -> None:
    data = ({"mode": top} if top else {}) | ({"profiles": {"p": profile}} if profile is not None else {})
    data["journeys"] = [{"id": "j", "target": 1, "tags": ["wave1", "wave2", "w"]}]
    policy = load_data(data)
    chosen = policy.profiles.get("p")
    assert session_mode(argument, environ, chosen, policy, tags) == mode, description


FILE = "tests/a/test_x.py"
# description · session · overrides · keywords · mode
EFFECTIVE = [
    ("the session alone", "strict", [], {}, "strict"),
    ("the rule's max-mode lowers", "strict", [], {"max_mode": "observe"}, "observe"),
    ("the rule's max-mode never raises", "observe", [], {"max_mode": "strict"}, "observe"),
    ("what is known never raises an error", "strict", [], {"caps": ["known"]}, "warn"),
    ("retiring is capped alike", "strict", [], {"caps": ["retiring"]}, "warn"),
    ("suppressed is capped alike", "strict", [], {"caps": ["suppressed"]}, "warn"),
    ("contested is never above observe", "strict", [], {"caps": ["known", "contested"]}, "observe"),
    ("caps never raise", "off", [], {"caps": ["contested"]}, "off"),
    ("an override by path", "strict", [{"paths": ["tests/**"], "max-mode": "warn"}], {}, "warn"),
    ("an override of other paths", "strict", [{"paths": ["src/**"], "max-mode": "warn"}], {}, "strict"),
    ("an override without paths", "strict", [{"select": ["r"], "max-mode": "warn"}], {}, "warn"),
    ("an override without paths, for no file", "strict", [{"max-mode": "warn"}], {"file": None}, "warn"),
    (
        "an override with paths, for no file",
        "strict",
        [{"paths": ["tests/"], "max-mode": "off"}],
        {"file": None},
        "strict",
    ),
    ("an override by code", "strict", [{"select": ["SSG101"], "max-mode": "warn"}], {}, "warn"),
    ("an override of another code", "strict", [{"select": ["SSG102"], "max-mode": "warn"}], {}, "strict"),
    ("an override by tag", "strict", [{"select": ["tag:wave2"], "max-mode": "warn"}], {}, "warn"),
    ("a tag is not a rule's id", "strict", [{"select": ["tag:r"], "max-mode": "warn"}], {}, "strict"),
    ("an override by the rule's owner", "strict", [{"select": ["owner:@b"], "max-mode": "warn"}], {}, "warn"),
    ("an override by the file's owner", "strict", [{"select": ["owner:@a"], "max-mode": "warn"}], {}, "warn"),
    (
        "nobody's rule has no owner of that name",
        "strict",
        [{"select": ["owner:None"], "max-mode": "off"}],
        {"owner": None},
        "strict",
    ),
    (
        "both select and paths must match",
        "strict",
        [{"select": ["r"], "paths": ["src/**"], "max-mode": "warn"}],
        {},
        "strict",
    ),
    (
        "the first match wins, also where a later one is weaker",
        "strict",
        [{"paths": ["tests/**"], "max-mode": "warn"}, {"max-mode": "off"}],
        {},
        "warn",
    ),
    ("an override only lowers", "observe", [{"max-mode": "strict"}], {}, "observe"),
    ("paths can be taken back", "strict", [{"paths": ["tests/**", "!tests/a"], "max-mode": "off"}], {}, "off"),
]


@pytest.mark.parametrize(("description", "session", "overrides", "keywords", "mode"), EFFECTIVE)
def test_the_effective_mode_is_the_weakest(
    description: str, session: Mode, overrides: list[dict[str, Any]], keywords: dict[str, Any], mode: Any
) -> None:
    policy = load_data({"overrides": overrides, "imports": [{"id": "r", "deprecated": "a.old"}]})
    about = {"file": FILE, "code": "SSG101", "rule_id": "r", "tags": ["wave2"], "owner": "@a", "rule_owner": "@b"}
    assert effective_mode(session, overrides=policy.overrides, **(about | keywords)) == mode, description


def test_the_environment_sets_the_mode() -> None:
    assert environment_mode({"SSOT_GUARD_MODE": "strict"}) == "strict"
    assert environment_mode({"SSOT_GUARD_MODE": ""}) is None
    assert environment_mode({}) is None


@pytest.mark.parametrize("text", ["stric", "STRICT", "1"])
def test_a_mode_of_the_environment_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(PolicyError, match=r"SSOT_GUARD_MODE: .* is not a mode"):
        environment_mode({"SSOT_GUARD_MODE": text})


@pytest.mark.parametrize(("value", "off"), [("off", True), (" OFF ", True), ("", False), (None, False)])
def test_the_switch_is_off_or_unset(value: Any, *, off: bool) -> None:
    assert switched_off({} if value is None else {"SSOT_GUARD": value}) == (off, None)


@pytest.mark.parametrize("value", ["0", "on", "strict", "false"])
def test_any_other_value_of_the_switch_is_told_and_changes_nothing(value: Any) -> None:
    off, problem = switched_off({"SSOT_GUARD": value})
    assert not off
    assert "`off` is its only value" in str(problem)


def test_a_profile_is_chosen_by_name() -> None:
    policy = load_data({"profiles": {"canary": {"mode": "strict"}}})
    assert chosen_profile(policy, "canary") is policy.profiles["canary"]
    assert chosen_profile(policy, None) is None
    assert chosen_profile(policy, "") is None


def test_an_unknown_profile_is_an_error() -> None:
    policy = load_data({"profiles": {"canary": {}}})
    with pytest.raises(PolicyError, match="did you mean `canary`"):
        chosen_profile(policy, "canari")
