"""Keys of one section that cannot stand together. Silent where a key of the combination has a problem of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssot_guard.names import CHILDREN, Pattern, parse
from ssot_guard.policy.emitters import emitters
from ssot_guard.policy.kinds import meant
from ssot_guard.policy.positions import positions_of
from ssot_guard.policy.sequence import parse as parse_sequence

if TYPE_CHECKING:
    from ssot_guard.policy.report import Place, Report

    Plain = dict[str, Any]


def find(data: Plain, raw: Any, report: Report) -> None:
    """Report the impossible combinations of a policy whose single values have been read."""
    for index, rule in enumerate(data["imports"]):
        at = report.at("imports", index)
        if not report.broken(*at.path):
            _undecided(rule, at)
            _import(rule, at)
    for index, rule in enumerate(data["roles"]):
        at = report.at("roles", index)
        if not report.broken(*at.path):
            _undecided(rule, at)
            _role(rule, raw["roles"][index], at)
    for index, rule in enumerate(data["events"]):
        at = report.at("events", index)
        if not report.broken(*at.path):
            _event(rule, at)
    for name, profile in data["profiles"].items():
        at = report.at("profiles", name, "canary")
        if profile["canary"] is not None and not report.broken(*at.path):
            _canary(profile["canary"], at)
    _packages(data, report)


def _packages(data: Plain, report: Report) -> None:
    packages = data["packages"]
    if packages and all(text.startswith("!") for text in packages):
        report.at("packages").problem("only takes away; name a package without `!` first")
    for index, rule in enumerate(data["roles"]):
        if rule["match"] and not packages and not report.broken("packages"):
            report.at("roles", index, "match").problem("looks into `packages`, and there are none; name them")


def _undecided(rule: Plain, at: Place) -> None:
    if rule["canonical"] is not None and rule["contested"]:
        at.child("contested").problem("stands beside `canonical`; keep one of the two")
    if rule["decide-by"] is not None and not rule["contested"]:
        at.child("decide-by").problem("needs `contested`; without it everything is decided")


def _import(rule: Plain, at: Place) -> None:
    olds = rule["deprecated"]
    news = rule["canonical"]
    count = 1 if isinstance(olds, str) else len(olds)
    if isinstance(news, list) and (isinstance(olds, str) or len(news) != count):
        at.child("canonical").problem(f"has {len(news)} entries for {count} deprecated; write as many, or one for all")
        return
    patterns = [parse(text) for text in ([olds] if isinstance(olds, str) else olds)]
    for index, old in enumerate(patterns):
        new = news[index] if isinstance(news, list) else news
        if new is not None:
            place = at.child("canonical")
            wrong = _mismatch(old, parse(new))
            if wrong is not None:
                (place.child(index) if isinstance(news, list) else place).problem(wrong)
    _names(rule["names"], patterns, at)


def _mismatch(old: Pattern, new: Pattern) -> str | None:
    """Why a deprecated pattern cannot have this canonical."""
    if old.name is not None and new.name is None:
        return f"`{new.text}` is a module, but `{old.text}` is a name; write `{new.module}:{old.name}`"
    if (old.segments, old.reach, old.name) == (new.segments, new.reach, new.name):
        return f"`{new.text}` is deprecated by this very rule; name its new home, or remove the key"
    if _covers(old, new):
        return f"`{new.text}` lies in the deprecated `{old.text}` itself; name a home outside of it"
    if new.name is not None and "*" in new.segments:
        return f"`{new.text}` must be one place; a name's home has no wildcards"
    if new.segments.count("*") > old.segments.count("*") or (new.reach == CHILDREN != old.reach):
        return f"`{new.text}` has wildcards that `{old.text}` cannot fill; write both in the same shape"
    return None


def _covers(old: Pattern, new: Pattern) -> bool:
    """Whether the deprecated pattern matches its own canonical."""
    same_kind = old.name is None or old.name == new.name
    return same_kind and old.matches(new.module)


def _names(names: dict[str, str], patterns: list[Pattern], at: Place) -> None:
    modules = [pattern for pattern in patterns if pattern.name is None]
    if names and not modules:
        at.child("names").problem("needs a deprecated module; the names of a name rule stand in `deprecated`")
    for name, text in names.items():
        for old in modules:
            if _covers(old, parse(text)):
                at.child("names").child(name).problem(f"`{text}` lies in the deprecated `{old.text}` itself")


# Keys of roles that speak of classes and their objects.
OF_CLASSES = (
    "construct-budget", "factory", "instances", "interface", "isolated", "registered-in", "released-by", "share",
    "subclass-of", "tenant-from",
)  # fmt: skip
NEEDS_ISOLATED = ("released-by", "share", "tenant-from")


def _role(rule: Plain, raw: Any, at: Place) -> None:
    if rule["canonical"] is None and not (rule["contested"] or rule["match"] or rule["subclass-of"]):
        at.problem("has no member; write `canonical`, or `match`")
    for key in OF_CLASSES if rule["kind"] != "class" else ():
        if raw.get(key):
            at.child(key).problem(f'is about classes; the role\'s kind is "{rule["kind"]}"')
    _isolated(rule, raw, at)
    for key in ("retiring", "except"):
        for index, entry in enumerate(rule[key]):
            named = entry["class"] if isinstance(entry, dict) else entry
            if rule["canonical"] is not None and rule["canonical"] == named:
                at.child(key).child(index).problem(f"`{rule['canonical']}` is the role's `canonical`; keep one of them")


def _isolated(rule: Plain, raw: Any, at: Place) -> None:
    per_tenant = rule["instances"] is not None and rule["instances"]["per"] == "tenant"
    for key in NEEDS_ISOLATED:
        # An explicit `isolated = false` is a switch that somebody turned off for a while.
        if rule[key] and "isolated" not in raw and not (key == "tenant-from" and per_tenant):
            at.child(key).problem("needs `isolated = true`")
    if rule["tenant-from"] and not rule["tenant-from"].startswith("self."):
        at.child("tenant-from").problem(f"starts at the object; write `self.{rule['tenant-from']}`")
    for index, text in enumerate(rule["share"]):
        module, _, name = text.partition(":")
        if "*" in name:
            at.child("share").child(index).problem(f"{text!r} has wildcards in a name; write each name, or `{module}`")


def _event(rule: Plain, at: Place) -> None:
    if isinstance(rule["event"], str):
        return
    if not rule["event"]:
        at.child("event").problem("names no event; write the parameter that does, or a table of method = event")
    sent = set(emitters(rule["emitter"], rule["event"]))
    modules = {reference.partition(":")[0] for reference in rule["emitter"]}
    names = positions_of(parse_sequence(rule["sequence"])).alphabet()
    for method, event in rule["event"].items():
        place = at.child("event").child(method)
        if not any(f"{module}:{method}" in sent for module in modules):
            place.problem("is no method beside one of `emitter`, or of a class named there; write `Class.method`")
        elif event not in names:
            place.problem(f"{event!r} is not in `sequence`{meant(event, names)}")


def _canary(canary: Plain, at: Place) -> None:
    percent, hash_of, when = canary["percent"], canary["hash-of"], canary["when"]
    if when is not None and (percent is not None or hash_of is not None):
        at.problem("has `when` and `percent`; write `percent` with `hash-of`, or `when` alone")
    elif when is None and percent is None and hash_of is None:
        at.problem('is empty; write { percent = 5, hash-of = "$HOSTNAME" } or { when = "$NAME" }')
    elif when is None and hash_of is None:
        at.problem('needs `hash-of` beside `percent`, such as hash-of = "$HOSTNAME"')
    elif when is None and percent is None:
        at.problem("needs `percent` beside `hash-of`, such as percent = 5")
