"""From what a policy file says to what :mod:`.model` is built from: checked, with every default filled in.

The result is plain data (dict, list, str, int, float, bool, None), so a cache can keep it. Every problem is
collected; one :class:`~ssot_guard.errors.PolicyError` lists them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssot_guard.errors import Problem
from ssot_guard.names import ModuleIndex, parse
from ssot_guard.policy import combinations, contradictions
from ssot_guard.policy.fields import POLICY
from ssot_guard.policy.kinds import INVALID
from ssot_guard.policy.report import Report, key_path
from ssot_guard.policy.tables import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ssot_guard.policy.model import ImportRule, Policy, RoleRule
    from ssot_guard.policy.report import LineFinder

    Plain = dict[str, Any]

RULES = ("imports", "roles", "events", "journeys")  # the sections that hold rules


def normalise(raw: object, *, file: str, lines: LineFinder) -> Plain:
    """The policy as plain data in the shape that ``model.Policy`` takes; PolicyError with every problem.

    ``file`` and ``lines`` only serve the problems. The policy's folder plays no part, so a cached policy can move.
    """
    report = Report(file, lines)
    data: Plain = read(POLICY, raw, report.at())
    if data is not INVALID:
        combinations.find(data, raw, report)
        _shape(data, report)
        contradictions.find(data, report)
    report.raise_any()
    return data


def overdue(policy: Policy, today: date) -> list[Problem]:
    """Contests that are still open on or past their ``decide-by`` day. Only check-policy fails on them."""
    found = []
    sections: tuple[tuple[str, tuple[ImportRule | RoleRule, ...]], ...] = (
        ("imports", policy.imports),
        ("roles", policy.roles),
    )
    for section, rules in sections:
        for index, rule in enumerate(rules):
            if rule.contested and rule.decide_by is not None and rule.decide_by <= today.isoformat():
                message = f"`{rule.id}` was to be decided by {rule.decide_by}; replace `contested` with `canonical`"
                found.append(Problem(policy.source, None, key_path((section, index, "decide-by")), message))
    return found


def _shape(data: Plain, report: Report) -> None:
    """Bring everything into the model's shape; what has problems of its own may come out empty."""
    names = _derived_ids(data)
    for kind in RULES:
        for rule in data[kind]:
            rule["id"] = rule["id"] or next(names)
    outside = _outside(data["packages"])
    for index, rule in enumerate(data["imports"]):
        rule["pairs"] = [] if report.broken("imports", index) else _pairs(rule["deprecated"], rule["canonical"])
        pairs = rule["pairs"]
        rule["audit-only"] = bool(pairs) and not rule["sides"] and all(outside(pair[0]) for pair in pairs)
        if rule["audit-only"]:
            rule["sides"] = ["audit"]
        del rule["deprecated"], rule["canonical"]
    for rule in data["roles"]:
        rule["excepted"] = [
            {"class": entry, "reason": None} if isinstance(entry, str) else entry for entry in rule.pop("except")
        ]
    for kind in RULES:
        for rule in data[kind]:
            rule["sides"] = rule["sides"] or ["runtime", "audit"]
    for profile in data["profiles"].values():
        if profile["canary"] is not None:
            profile["canary"] = {key: value for key, value in profile["canary"].items() if value is not None}


def _pairs(deprecated: str | list[str], canonical: str | list[str] | None) -> list[tuple[str, str | None]]:
    """``(deprecated, canonical)`` for each deprecated pattern; one canonical may serve them all."""
    olds = [deprecated] if isinstance(deprecated, str) else deprecated
    news = canonical if isinstance(canonical, list) else [canonical] * len(olds)
    return list(zip(olds, news, strict=True))


class _outside:  # noqa: N801 - a function that keeps its index
    """Whether an import pattern reaches nothing in ``packages``: such a rule guards a wrapper, in the audit only."""

    def __init__(self, packages: list[str]) -> None:
        self._index: ModuleIndex[bool] = ModuleIndex()
        for text in packages:
            self._index.add(parse(text.removeprefix("!")), not text.startswith("!"))
        self._packages = [text for text in packages if not text.startswith("!")]

    def __call__(self, text: str) -> bool:
        module = parse(text).module
        if not self._packages:  # nothing to be outside of
            return False
        return self._index.get(module) is not True and not any(
            package.startswith(module + ".") for package in self._packages
        )


def _derived_ids(data: Plain) -> Iterator[str]:
    """Ids for the rules without one, in order: what the rule is about, numbered where that is taken."""
    taken = {rule["id"] for kind in RULES for rule in data[kind]}
    for kind in RULES:
        for rule in data[kind]:
            if rule["id"] is None:
                base = _base(kind, rule)
                name, number = base, 1
                while name in taken:
                    number += 1
                    name = f"{base}-{number}"
                taken.add(name)
                yield name


def _base(kind: str, rule: Plain) -> str:
    """``acme.old:Name`` → ``acme.old.Name``: readable, and the same as long as the rule's first pattern is."""
    keys = {"imports": ("deprecated",), "roles": ("canonical", "contested", "subclass-of", "match")}
    for key in keys.get(kind, ("emitter",)):
        value = rule.get(key)
        if value:
            text: str = value if isinstance(value, str) else value[0]
            name = "".join(char if char.isalnum() or char in "._-" else "_" for char in text.replace(":", "."))
            return name.strip("_." if text[:1] in "*?[" else ".").removesuffix(".__").removesuffix("._") or kind
    return kind
