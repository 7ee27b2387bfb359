from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.errors import PolicyError
from ssot_guard.policy.check import normalise, overdue
from ssot_guard.policy.lines import no_lines
from ssot_guard.policy.load import load_data, load_text

PRODUCT = Path(__file__).parents[2] / "fixtures" / "product.toml"


def imports(**rule: Any) -> Any:
    return load_data({"packages": ["a"], "imports": [rule]}).imports[0]


def test_missing_keys_get_their_defaults() -> None:
    policy = load_data({})
    assert (policy.packages, policy.source_roots, policy.baseline, policy.mode) == (
        [],
        ["."],
        "ssot-baseline.json",
        None,
    )
    assert vars(policy.modules) == {
        "failed_imports": "report",
        "cycles": "report",
        "double_imports": "report",
        "re_executions": "report",
        "import_budget": {"seconds": None},
    }
    assert policy.tenant_sources == []


def test_a_profile_gets_its_defaults() -> None:
    profile = load_data({"profiles": {"x": {}}}).profiles["x"]
    assert (profile.mode, profile.tag_modes, profile.fail, profile.canary) == (None, {}, "test", None)
    assert (profile.block_from, profile.max_blocks, profile.kill_file, profile.sinks) == ("start", None, None, [])


def test_defaults_are_not_shared_between_policies() -> None:
    load_data({}).packages.append("x")
    assert load_data({}).packages == []


PAIRS = [
    ("one for one", "a.old", "a.new", [("a.old", "a.new")]),
    ("no successor", "a.old", None, [("a.old", None)]),
    ("one home for all", ["a.x", "a.y"], "a.z", [("a.x", "a.z"), ("a.y", "a.z")]),
    ("one home each", ["a.x", "a.y"], ["a.p", "a.q"], [("a.x", "a.p"), ("a.y", "a.q")]),
    ("a module became a name", "a.old", "a.new:N", [("a.old", "a.new:N")]),
    ("a method is a home", "a.old:n", "a.new:N.get", [("a.old:n", "a.new:N.get")]),
    ("wildcards carry over", "a.*.old", "a.*.new", [("a.*.old", "a.*.new")]),
    ("children map to one module", "a.plugins.*", "a.core", [("a.plugins.*", "a.core")]),
]


@pytest.mark.parametrize(("description", "deprecated", "canonical", "pairs"), PAIRS)
def test_deprecated_and_canonical_become_pairs(description: str, deprecated: Any, canonical: Any, pairs: Any) -> None:
    rule = imports(deprecated=deprecated, **({} if canonical is None else {"canonical": canonical}))
    assert rule.pairs == pairs, description


SIDES = [
    ("inside the packages both sides look", ["a"], "a.old", None, ["runtime", "audit"]),
    ("outside of them only the audit does", ["a"], "os:environ", None, ["audit"]),
    ("unless the rule says otherwise", ["a"], "os:environ", ["runtime"], ["runtime"]),
    ("a removed subtree is outside", ["a", "!a.tests"], "a.tests.x", None, ["audit"]),
    ("a parent of a package is inside", ["a.b"], "a", None, ["runtime", "audit"]),
    ("one target inside is enough", ["a"], ["os:environ", "a.old"], None, ["runtime", "audit"]),
    ("without packages nothing is outside", [], "os:environ", None, ["runtime", "audit"]),
    ("a sibling with the same prefix is outside", ["ab"], "a.x", None, ["audit"]),
]


@pytest.mark.parametrize(("description", "packages", "deprecated", "sides", "expected"), SIDES)
def test_sides_default_by_where_the_target_lies(
    description: str, packages: list[str], deprecated: Any, sides: Any, expected: Any
) -> None:
    rule = {"deprecated": deprecated} | ({"sides": sides} if sides else {})
    assert load_data({"packages": packages, "imports": [rule]}).imports[0].sides == expected, description


IDS = [
    ("a module names its rule", ["a.old"], ["a.old"]),
    ("a name pattern does so with a dot", ["a.old:Name"], ["a.old.Name"]),
    ("wildcards leave no trace at the end", ["a.old.**"], ["a.old"]),
    ("and none that a shell would expand in the middle", ["a.*.old"], ["a._.old"]),
    ("what is taken gets a number", ["a.old", "a.old.*"], ["a.old", "a.old-2"]),
    ("private modules keep their name", ["_a.b"], ["_a.b"]),
]


@pytest.mark.parametrize(("description", "deprecated", "ids"), IDS)
def test_ids_are_derived_from_the_first_pattern(description: str, deprecated: Any, ids: list[str]) -> None:
    policy = load_data({"imports": [{"deprecated": text} for text in deprecated]})
    assert [rule.id for rule in policy.imports] == ids, description


def test_a_derived_id_gives_way_to_a_written_one() -> None:
    rules = [{"deprecated": "a.old"}, {"deprecated": "a.other", "id": "a.old"}]
    assert [rule.id for rule in load_data({"imports": rules}).imports] == ["a.old-2", "a.old"]


def test_a_role_without_a_home_may_have_exceptions() -> None:
    data = {"packages": ["a"], "roles": [{"match": ["*Model"], "except": ["a.migrations"]}]}
    assert load_data(data).roles[0].excepted == [{"class": "a.migrations", "reason": None}]


def test_exceptions_of_a_role_become_one_shape() -> None:
    data = {"roles": [{"canonical": "a:C", "except": ["a.testing", {"class": "a.x:D", "reason": "no"}]}]}
    assert load_data(data).roles[0].excepted == [
        {"class": "a.testing", "reason": None},
        {"class": "a.x:D", "reason": "no"},
    ]


SIZES = [(1, 1), ("512", 512), ("64 MiB", 64 * 2**20), ("64MiB", 64 * 2**20), ("1.5 kB", 1500), (" 2 GB ", 2 * 10**9)]


@pytest.mark.parametrize(("written", "size"), SIZES)
def test_sizes_are_read_as_bytes(written: Any, size: int) -> None:
    data = {"roles": [{"canonical": "a:C", "construct-budget": {"bytes": written}}]}
    assert load_data(data).roles[0].construct_budget == {"seconds": None, "bytes": size}


@pytest.mark.parametrize("day", [date(2027, 3, 1), "2027-03-01"])
def test_days_are_read_as_iso_text(day: Any) -> None:
    assert imports(deprecated="a.old", due=day).due == "2027-03-01"


def test_the_two_kinds_of_canaries_keep_their_own_keys() -> None:
    policy = load_text(PRODUCT.read_text("utf-8"), "pyproject.toml")
    assert policy.profiles["canary"].canary == {"percent": 5.0, "hash-of": "$HOSTNAME"}
    assert policy.profiles["host"].canary == {"when": "$SSOT_GUARD_CANARY"}


ALLOWED = [
    ("two sides may have a rule each", [{"sides": ["runtime"]}, {"sides": ["audit"]}]),
]


@pytest.mark.parametrize(("description", "rules"), ALLOWED)
def test_what_is_no_contradiction_passes(description: str, rules: Any) -> None:
    load_data({"packages": ["a"], "imports": [{"deprecated": "a.old", **rule} for rule in rules]})


def test_a_switched_off_isolation_keeps_its_keys() -> None:
    load_data({"roles": [{"canonical": "a:C", "isolated": False, "share": ["a.config"]}]})


def test_a_chain_is_no_loop() -> None:
    rules = [{"deprecated": "a.b", "canonical": "a.c"}, {"deprecated": "a.c", "canonical": "a.d"}]
    load_data({"imports": rules})


def test_text_subclasses_come_out_as_plain_text() -> None:
    class Name(str):
        __slots__ = ()

    plain = normalise({"packages": (Name("a"),)}, file="x", lines=no_lines)
    assert type(plain["packages"]) is list
    assert type(plain["packages"][0]) is str


def test_a_policy_that_is_no_table_is_one_problem() -> None:
    with pytest.raises(PolicyError, match="must be a table, not a list"):
        load_data([])


DECIDE = {"deprecated": "a.old", "contested": ["a.x", "a.y"], "decide-by": "2027-01-15"}


@pytest.mark.parametrize(("today", "late"), [("2027-01-14", False), ("2027-01-15", True), ("2028-01-01", True)])
def test_a_contest_is_overdue_from_its_day_on(today: str, *, late: bool) -> None:
    policy = load_data({"imports": [DECIDE], "roles": [{"contested": ["a:X", "a:Y"]}]})
    found = overdue(policy, datetime.fromisoformat(today).date())
    assert [problem.key for problem in found] == (["imports[0].decide-by"] if late else [])
