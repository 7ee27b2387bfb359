"""Rules that cannot hold together: one id twice, one path with two homes, homes that lead back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssot_guard.names import parse
from ssot_guard.policy.kinds import meant
from ssot_guard.policy.model import ImportRule, ImportRules
from ssot_guard.policy.report import key_path

if TYPE_CHECKING:
    from ssot_guard.names import Pattern
    from ssot_guard.policy.report import Place, Report

    Plain = dict[str, Any]

SIDES = ("runtime", "audit")
KINDS = ("imports", "roles", "events", "journeys")


def find(data: Plain, report: Report) -> None:
    """Report the contradictions of a policy in the model's shape; rules with problems of their own are left out."""
    ids = _duplicate_ids(data, report)
    _selections(data, ids, report)
    _tag_modes(data, report)
    _duplicate_patterns(data, report)
    _duplicate_roles(data, report)
    told: set[str] = set()
    for side in SIDES:
        _loops(data, side, told, report)


def _duplicate_ids(data: Plain, report: Report) -> set[str]:
    first: dict[str, str] = {}
    for kind in KINDS:
        for index, rule in enumerate(data[kind]):
            place = key_path((kind, index))
            known = first.setdefault(rule["id"], place)
            if known != place:
                report.at(kind, index, "id").problem(f"{rule['id']!r} is already the id of {known}; ids are unique")
    return set(first)


def _selections(data: Plain, ids: set[str], report: Report) -> None:
    for index, override in enumerate(data["overrides"]):
        for position, text in enumerate(override["select"]):
            code = text.startswith("SSG") and text[3:].isdigit() and len(text) == len("SSG101")
            if ":" not in text and not code and text not in ids:
                at = report.at("overrides", index, "select", position)
                at.problem(f"{text!r} is no rule's id and no code (a tag is written `tag:{text}`){meant(text, ids)}")


def _tag_modes(data: Plain, report: Report) -> None:
    for kind in KINDS:
        unread = report.broken(kind) and not data[kind]
        if unread or any(report.broken(kind, index, "tags") for index, _ in enumerate(data[kind])):
            return  # any tag may be among those
    tags = {tag for kind in KINDS for rule in data[kind] for tag in rule["tags"]}
    for name, profile in data["profiles"].items():
        for tag in profile["tag-modes"]:
            if tag not in tags:
                at = report.at("profiles", name, "tag-modes", tag)
                at.problem(f"no rule has the tag {tag!r}{meant(tag, tags)}")


def _duplicate_patterns(data: Plain, report: Report) -> None:
    first: dict[object, tuple[int, int, str | None]] = {}
    for index, rule in enumerate(data["imports"]):
        for position, (old, new) in enumerate(rule["pairs"]):
            here = (index, position, new)
            known = {first.setdefault((side, _identity(parse(old))), here) for side in rule["sides"]}
            for other, _, home in sorted(known - {here}, key=str):
                what = "the same home" if _same(home, new) else f"another home, `{home}`" if home else "no home"
                where = f"already by {key_path(('imports', other))}, with {what}" if other != index else "twice"
                report.at("imports", index, "deprecated").problem(f"`{old}` is deprecated {where}; keep one of the two")


def _identity(pattern: Pattern) -> tuple[object, ...]:
    return (pattern.segments, pattern.reach, pattern.name)


def _same(one: str | None, other: str | None) -> bool:
    return one == other or (one is not None and other is not None and _identity(parse(one)) == _identity(parse(other)))


def _duplicate_roles(data: Plain, report: Report) -> None:
    first: dict[str, str] = {}
    for index, rule in enumerate(data["roles"]):
        if rule["canonical"] is not None:
            place = key_path(("roles", index))
            known = first.setdefault(rule["canonical"], place)
            if known != place:
                report.at("roles", index, "canonical").problem(
                    f"`{rule['canonical']}` is already the home of {known}; one object plays one role"
                )


def _loops(data: Plain, side: str, told: set[str], report: Report) -> None:
    """Follow every rule's chain; a loop is reported once: ``told`` are the patterns of those that were."""
    rules = [ImportRule(rule) for rule in data["imports"]]
    compiled = ImportRules(tuple(rules), side)
    for index, rule in enumerate(rules):
        if side in rule.sides:
            for old, _ in rule.pairs:
                pattern = parse(old)
                for name in (pattern.name,) if pattern.name else (None, *rule.names):
                    _loop(compiled, pattern.module, name, told, report.at("imports", index, "deprecated"))


def _loop(rules: ImportRules, module: str, name: str | None, told: set[str], at: Place) -> None:
    home = (rules.name(module, name) if name else None) or rules.module(module)
    if home is None:
        return
    steps = [f"{module}:{name}" if name else module]
    passed = {home}
    for target, following in rules.chain(home, module, name):
        steps.append(str(target))
        patterns = {one.deprecated.text for one in passed}
        if following in passed and told.isdisjoint(patterns):
            at.problem(f"{' → '.join(steps)} never ends; one of the rules must point at the real home")
            told.update(patterns)
        elif following is not None:
            passed.add(following)
