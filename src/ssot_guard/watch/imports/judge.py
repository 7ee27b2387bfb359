"""What the policy says about one import: pure look-ups, no frames and no state.

One statement is one finding per rule. Its target is the module if that is deprecated (or lies below something that
is), else the first name in source order that is.
"""

from __future__ import annotations

from ssot_guard.names import Pattern, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssot_guard.policy.model import Home, ImportRule, ImportRules, Policy


_NO_ALIASES: Mapping[str, str] = {}


class Finding:
    """One rule that one import breaks. ``write`` is the line to write instead, None without a successor."""

    __slots__ = ("canonical", "code", "home", "kind", "target", "write")

    def __init__(self, code: str, home: Home, target: str, canonical: str | None, kind: str, write: str | None) -> None:
        self.code = code
        self.home = home
        self.target = target
        self.canonical = canonical
        self.kind = kind
        self.write = write

    def message(self) -> str:
        """What was done, why it is wrong, and what to write instead."""
        rule = self.home.rule
        text = f"{'reads' if self.kind == 'attribute' else 'imports'} {self.target}, which is deprecated"
        if rule.contested:
            text += f"; nobody has decided yet between {', '.join(rule.contested)}"
        elif self.write:
            text += f"; write: {self.write}"
        elif self.canonical is None:
            text += " and has no successor"
        return f"{text} ({rule.reason})" if rule.reason else text


class Judge:
    """The import rules of one policy, ready to be asked about statements, calls and attribute reads."""

    def __init__(self, policy: Policy, rules: ImportRules) -> None:
        self._policy = policy
        self._rules = rules
        self._allowed: dict[str, tuple[Pattern, ...]] = {}
        self.overdue: frozenset[str] = frozenset()  # ids of rules whose `allow` holds no more: tests past their `due`
        self.matched: set[str] = set()  # ids of rules that had anything to say, allowed importers included

    def statement(
        self, module: str, names: tuple[str, ...] | None, aliases: Mapping[str, str] = _NO_ALIASES
    ) -> Iterator[Finding]:
        """Findings of ``import module`` (``names`` is None) or ``from module import names``; ``aliases`` are kept."""
        seen: set[str] = set()
        for finding in self._statement(module, names, aliases):
            if finding.home.rule.id not in seen:
                seen.add(finding.home.rule.id)
                yield finding

    def _statement(self, module: str, names: tuple[str, ...] | None, aliases: Mapping[str, str]) -> Iterator[Finding]:
        found = self._deprecated(module)
        if found is not None:
            path, home = found
            write = self._write(home, module, names, aliases)
            yield Finding("SSG101", home, path, self._rules.canonical(home, path), "import", write)
        for name in names or ():
            home_of_name = self._rules.name(module, name)
            if home_of_name is not None:
                yield self.name(home_of_name, module, name, "name", aliases.get(name))
            if found is None and name != "*":
                submodule = self._rules.module(f"{module}.{name}")
                if submodule is not None:
                    yield self.submodule(submodule, module, name, "import", aliases.get(name))

    def _deprecated(self, module: str) -> tuple[str, Home] | None:
        """The imported module, or the nearest of its parents, that a rule deprecates: importing it loads them all."""
        while module:
            home = self._rules.module(module)
            if home is not None:
                return module, home
            module = module.rpartition(".")[0]
        return None

    def call(self, module: str) -> Iterator[Finding]:
        """Findings of ``import_module("module")`` and its like."""
        found = self._deprecated(module)
        if found is not None:
            path, home = found
            canonical = self._rules.canonical(home, path)
            yield Finding("SSG101", home, path, canonical, "dynamic", canonical and f'import_module("{canonical}")')

    def attribute(self, module: str, name: str) -> Iterator[Finding]:
        """Findings of ``module.name``, read as an attribute."""
        home = self._rules.name(module, name)
        if home is not None:
            yield self.name(home, module, name, "attribute")
        submodule = self._rules.module(f"{module}.{name}")
        if submodule is not None and self._rules.module(module) is None:
            yield self.submodule(submodule, module, name, "attribute")

    def name(self, home: Home, module: str, name: str, kind: str, alias: str | None = None) -> Finding:
        """SSG102 for one deprecated name."""
        canonical = self._rules.canonical(home, module, name)
        return Finding("SSG102", home, f"{module}:{name}", canonical, kind, _from_line(canonical, alias or name))

    def submodule(self, home: Home, module: str, name: str, kind: str, alias: str | None = None) -> Finding:
        """SSG101 for a deprecated submodule that is taken from its parent."""
        target = f"{module}.{name}"
        canonical = self._rules.canonical(home, target)
        parent, _, leaf = (canonical or "").rpartition(".")
        write = _from_line(f"{parent}:{leaf}" if parent and ":" not in leaf else canonical, alias or name)
        return Finding("SSG101", home, target, canonical, kind, write)

    def _write(self, home: Home, module: str, names: tuple[str, ...] | None, aliases: Mapping[str, str]) -> str | None:
        """The statement to write instead of one whose module is deprecated."""
        if not names or names == ("*",):
            canonical = self._rules.canonical(home, module)
            if names and canonical is not None and ":" not in canonical:
                return f"from {canonical} import *"
            return _from_line(canonical, next(iter(aliases.values()), None))
        lines: dict[str, list[str]] = {}
        for name in names:
            path, _, new = (self._rules.canonical(home, module, name) or ":").partition(":")
            local = aliases.get(name, name)
            lines.setdefault(path, []).append(local if (new or name) == local else f"{new or name} as {local}")
        homeless = lines.pop("", [])
        written = "; ".join(f"from {path} import {', '.join(parts)}" for path, parts in lines.items())
        return f"{written}  ({', '.join(homeless)}: no successor)" if homeless and written else written or None

    def counts(self, finding: Finding, importer: str) -> bool:
        """Whether this importer may not do it: bound by the rule, neither allowed nor inside the deprecated subtree."""
        rule = finding.home.rule
        self.matched.add(rule.id)
        if finding.code == "SSG101" and _inside(rule, importer):
            return False
        if rule.id not in self.overdue and any(pattern.matches(importer) for pattern in self._allow(rule)):
            return False
        module = finding.target.partition(":")[0]
        return self._policy.governs(module) or not self._policy.packages or self._counts_outside(importer)

    def allows_file(self, finding: Finding, file: str | None) -> bool:
        """Whether ``allow`` names the importer's file (entries with a slash or ``.py`` are paths)."""
        rule = finding.home.rule
        paths = [text for text in rule.allow if "/" in text or text.endswith(".py")]
        if not paths or file is None or rule.id in self.overdue:
            return False
        from ssot_guard.policy.globs import Globs

        return Globs(paths).matches(file)

    def _counts_outside(self, importer: str) -> bool:
        """A target outside ``packages`` ("only our wrapper may use it") binds importers inside only."""
        return self._policy.governs(importer)

    def _allow(self, rule: ImportRule) -> tuple[Pattern, ...]:
        allowed = self._allowed.get(rule.id)
        if allowed is None:
            allowed = tuple(parse(text) for text in rule.allow if "/" not in text and not text.endswith(".py"))
            self._allowed[rule.id] = allowed
        return allowed


def _inside(rule: ImportRule, importer: str) -> bool:
    """Imports inside the deprecated subtree itself never count for a module rule."""
    return any(
        parse(deprecated).matches(importer) for deprecated, _ in rule.pairs if deprecated and ":" not in deprecated
    )


def _from_line(canonical: str | None, name: str | None) -> str | None:
    """``from a.b import New as name`` for ``a.b:New``; ``import a.b`` for a module."""
    if canonical is None:
        return None
    path, _, new = canonical.partition(":")
    if not new:
        return f"import {path}" if name in (None, path) else f"import {path} as {name}"
    return f"from {path} import {new}" if name in (None, new) else f"from {path} import {new} as {name}"
