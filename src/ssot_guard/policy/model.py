"""What must hold, as plain frozen objects: one class per section of a policy, one attribute per key (kebab → snake).

Built from *normalised* data only (:mod:`ssot_guard.policy.check` validates and fills every default), so the
constructors neither check nor guess, and a cached policy is ready in microseconds. Starts with every guarded
process: no ``dataclasses``, ``typing`` or ``re`` here.
"""

from __future__ import annotations

from ssot_guard.names import ModuleIndex, Pattern, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal, NoReturn

    Mode = Literal["off", "observe", "warn", "strict"]
    Report = Literal["report", "off"]

MODES: tuple[Mode, ...] = ("off", "observe", "warn", "strict")


class Section:
    """A frozen section; its annotations name the keys."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        for key, value in data.items():
            self.__dict__[key.replace("-", "_")] = value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a policy is read-only: {type(self).__name__}.{name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__!r})"


class Rule(Section):
    """What every rule of every kind has."""

    id: str
    reason: str | None
    owner: str | None
    tags: list[str]
    max_mode: Mode | None
    due: str | None  # ISO date
    sides: list[str]  # "runtime", "audit"


class ImportRule(Rule):
    """``[[imports]]``: a deprecated module or name, and its canonical home.

    ``pairs`` holds one ``(deprecated, canonical | None)`` pattern text per deprecated pattern.
    """

    pairs: list[tuple[str, str | None]]
    names: dict[str, str]
    never_fix: list[str]
    allow: list[str]
    type_checking: Literal["report", "allow"]
    block_in_try: bool
    contested: list[str]
    decide_by: str | None
    audit_only: bool  # because it is about code outside of `packages`, and names no sides


class RoleRule(Rule):
    """``[[roles]]``: one capability, its home, and how many of it may live."""

    kind: Literal["class", "function", "value"]
    canonical: str | None
    contested: list[str]
    decide_by: str | None
    match: list[str]
    subclass_of: list[str]
    excepted: list[dict[str, str | None]]  # key "except": {class, reason}
    retiring: list[dict[str, str | None]]  # {class, until, owner}
    instances: dict[str, Any] | None  # {max, per}
    factory: list[str]
    interface: str | None
    registered_in: str | None
    isolated: bool
    tenant_from: str | None
    released_by: list[str]
    share: list[str]
    construct_budget: dict[str, float | int | None]  # {seconds, bytes}


class EventRule(Rule):
    """``[[events]]``: the events that every run must send, in order."""

    emitter: list[str]
    event: str | dict[str, str]
    run: str
    tenant: str | None
    sequence: str
    foreign: list[str]
    literals: bool
    within: float | None


class JourneyRule(Rule):
    """``[[journeys]]``: a critical path with a success target."""

    target: float
    max_seconds: float | None
    min_runs: int


class Profile(Section):
    """``[profiles.NAME]``: how one kind of process applies the policy."""

    mode: Mode | None
    tag_modes: dict[str, Mode]
    fail: Literal["test", "session", "never"]
    canary: dict[str, Any] | None  # {percent, hash-of} or {when}
    block_from: str | float  # "start", "ready" or seconds after start
    max_blocks: dict[str, float] | None  # {count, seconds}
    kill_file: str | None
    sinks: list[str]


class Override(Section):
    """``[[overrides]]``: lowers the mode of selected violations by the file of their site."""

    paths: list[str]
    select: list[str]
    max_mode: Mode


class ModuleHealth(Section):
    """``[modules]``: health of governed modules."""

    failed_imports: Report
    cycles: Report
    double_imports: Report
    re_executions: Report
    import_budget: dict[str, float | None]  # {seconds}


class Policy:
    """A whole policy. ``root`` is its folder (absolute): relative paths in it and in reports start there."""

    def __init__(self, data: Mapping[str, Any], *, source: str, root: str, digest: str) -> None:
        self.source = source
        self.root = root
        self.digest = digest
        self.packages: list[str] = data["packages"]
        self.source_roots: list[str] = data["source-roots"]
        self.exclude: list[str] = data["exclude"]
        self.baseline: str = data["baseline"]
        self.mode: Mode | None = data["mode"]
        self.labels: dict[str, str] = data["labels"]
        self.owners: dict[str, str] = data["owners"]
        self.profiles = {name: Profile(section) for name, section in data["profiles"].items()}
        self.overrides = tuple(map(Override, data["overrides"]))
        self.imports = tuple(map(ImportRule, data["imports"]))
        self.roles = tuple(map(RoleRule, data["roles"]))
        self.events = tuple(map(EventRule, data["events"]))
        self.journeys = tuple(map(JourneyRule, data["journeys"]))
        self.tenant_sources: list[str] = data["tenant"]["current"]
        self.modules = ModuleHealth(data["modules"])
        self._governed: ModuleIndex[bool] = ModuleIndex()
        for text in self.packages:
            self._governed.add(parse(text.removeprefix("!")), not text.startswith("!"))

    def governs(self, module: str) -> bool:
        """Whether the module lies in ``packages`` (the most specific entry decides)."""
        return self._governed.get(module) is True

    def tops(self) -> set[str]:
        """The top-level packages that ``packages`` names."""
        return {text.partition(".")[0] for text in self.packages if not text.startswith("!")}

    def deprecated_tops(self) -> set[str]:
        """The top-level packages of what is deprecated at runtime."""
        return {
            deprecated.partition(":")[0].partition(".")[0]
            for rule in self.imports
            if "runtime" in rule.sides
            for deprecated, _ in rule.pairs
            if deprecated
        }

    def named(self) -> set[str]:
        """The modules of the objects that roles and events name: what they are about, governed or not."""
        references = {
            text
            for role in self.roles
            for text in (role.canonical or "", *role.contested, *role.subclass_of, *role.factory, *role.released_by)
        }
        references.update(text for rule in self.events for text in rule.emitter)
        return {text.partition(":")[0] for text in references if text}

    def rules(self) -> Iterator[Rule]:
        """Every rule of every kind, in the order of the policy's sections."""
        yield from self.imports
        yield from self.roles
        yield from self.events
        yield from self.journeys


class Home:
    """Where a deprecated pattern points: the rule, its pattern and the canonical pattern (None = no successor)."""

    __slots__ = ("canonical", "deprecated", "rule")

    def __init__(self, rule: ImportRule, deprecated: Pattern, canonical: Pattern | None) -> None:
        self.rule = rule
        self.deprecated = deprecated
        self.canonical = canonical

    def successor(self, module: str) -> str | None:
        """The canonical path of a deprecated module (``a.b`` or ``a.b:Name``), carrying the tail over."""
        if self.canonical is None:
            return None
        if self.canonical.name is not None:
            return self.canonical.text
        parts = zip(self.deprecated.segments, module.split("."), strict=False)
        stars = iter([part for want, part in parts if want == "*"])
        head = ".".join(next(stars, "*") if part == "*" else part for part in self.canonical.segments)
        tail = self.deprecated.tail(module)
        return f"{head}.{tail}" if tail and self.canonical.reach == self.deprecated.reach else head


_LONGEST_CHAIN = 100
_MOST = 100_000  # answers that are remembered: generated names have no end


class ImportRules:
    """All import rules, compiled: dotted module → :class:`Home`, module and name → :class:`Home`."""

    def __init__(self, rules: tuple[ImportRule, ...], side: str) -> None:
        self.modules: ModuleIndex[Home] = ModuleIndex()
        self.names: ModuleIndex[dict[str, Home]] = ModuleIndex()
        # Answers: a process asks for the same few thousand names again and again.
        self._known: dict[str, Home | None] = {}
        self._watched: dict[str, dict[str, Home]] = {}
        for rule in rules:
            if side in rule.sides:
                for deprecated, canonical in rule.pairs:
                    self._add(Home(rule, parse(deprecated), None if canonical is None else parse(canonical)))

    def _add(self, home: Home) -> None:
        pattern = home.deprecated
        if pattern.name is None:
            self.modules.add(pattern, home)
        else:
            self.names.add(pattern, {}).setdefault(pattern.name, home)

    def module(self, name: str) -> Home | None:
        """The rule that deprecates this module path."""
        try:
            return self._known[name]
        except KeyError:
            home = self.modules.get(name)
            if len(self._known) < _MOST:
                self._known[name] = home
            return home

    def name(self, module: str, name: str) -> Home | None:
        """The rule that deprecates ``name`` of ``module``."""
        return self.watched(module).get(name)

    def watched(self, module: str) -> dict[str, Home]:
        """Deprecated names of one module → their homes; of two rules for one name the more specific wins."""
        try:
            return self._watched[module]
        except KeyError:
            watched: dict[str, Home] = {}
            for names in self.names.matches(module):
                watched = {**names, **watched}
            if len(self._watched) < _MOST:
                self._watched[module] = watched
            return watched

    def chain(self, home: Home, module: str, name: str | None = None) -> Iterator[tuple[str | None, Home | None]]:
        """The links of ``a → b → c``: each target (None = no successor), and the rule that deprecates it in turn.

        Stops where it has been before, or after many links: a checked policy has no loops, but an endless one inside
        somebody's import must be impossible.
        """
        passed: set[tuple[str, str | None]] = set()
        following: Home | None = home
        while following is not None and (module, name) not in passed and len(passed) < _LONGEST_CHAIN:
            passed.add((module, name))
            target = _step(following, module, name)
            following = None
            if target is not None:
                module, _, attribute = target.partition(":")
                name = attribute or None
                following = (self.name(module, name) if name else None) or self.module(module)
            yield target, following

    def canonical(self, home: Home, module: str, name: str | None = None) -> str | None:
        """The end of the chain ``a → b → c`` for a deprecated module, or for one name of it; None without successor."""
        return [target for target, _ in self.chain(home, module, name)][-1]


def _step(home: Home, module: str, name: str | None) -> str | None:
    """One link of the chain, as ``a.b`` or ``a.b:Name``."""
    if home.deprecated.name is not None:
        return None if home.canonical is None else home.canonical.text
    if name is not None:
        moved = home.rule.names.get(name)
        if moved is not None:
            return moved
    successor = home.successor(module)
    if successor is None or name is None:
        return successor
    if ":" in successor:  # a module that became one name: only that name has a successor
        return successor if successor.rpartition(":")[2] == name else None
    return f"{successor}:{name}"
