"""From events to violations: who is behind an event, and what the policy says about the statement."""

from __future__ import annotations

import sys

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.imports import bytecode, importer, loaded, machinery, names
from ssot_guard.watch.imports.sightings import NOTHING, Sighting
from ssot_guard.watch.imports.spec import READ_CAN_RAISE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ssot_guard.files import Files
    from ssot_guard.ledger import Entry, Ledger
    from ssot_guard.watch.imports.importer import Importer
    from ssot_guard.watch.imports.judge import Finding, Judge
    from ssot_guard.watch.imports.lazy import LazyImports, LazyStatement
    from ssot_guard.watch.imports.sightings import Sightings

# 3.11 reads the flag again after it looked in vain for `__path__` on a plain module.
_READS_TWICE = sys.version_info < (3, 12)
_WITH_FROMLIST = 4  # arguments of an __import__ that takes names


class Events:
    """The events of modules and of watched names."""

    def __init__(
        self, judge: Judge, ledger: Ledger, files: Files, lazy: LazyImports, sightings: Sightings, *, blocks: bool
    ) -> None:
        self.judge = judge
        self._ledger = ledger
        self._files = files
        self._lazy = lazy
        self._sightings = sightings
        self._blocks = blocks
        self._imported_in: set[tuple[str, str]] = set()  # (file, rule): files that import what they use

    def forget(self) -> None:
        """The next executions are first sights again."""
        self._sightings.clear()
        self._imported_in.clear()

    def module(self, token: str, frame: FrameType, *, read: bool = False, waited: bool = False) -> BaseException | None:
        """A module of interest is loaded, missed, read or waited for: find who does it, judge the whole statement."""
        found = importer.find(frame)
        if found is None:
            return self._program(token) if machinery.nobody_left(frame) else None
        is_lazy = found.kind in (bytecode.LAZY, bytecode.ATTRIBUTE) or (found.statement and found.statement.lazy)
        if self._lazy.statements and is_lazy:
            statement = self._lazy.statement(found, token)
            if statement is not None:
                return self._lazy_use(found, statement)
        found.can_block = not waited and (READ_CAN_RAISE or not read or machinery.is_machinery(frame))
        if found.statement is not None and bytecode.imports_at(found.code, found.offset):
            return self._statement(found, token, read=read)
        return self._call(found, token, read=read)

    def name(self, holder: str, name: str, frame: FrameType) -> BaseException | None:
        """A watched name of a module is read, by a part of an import statement or as an attribute."""
        found = importer.Importer(frame, None)
        if found.kind == bytecode.LAZY:
            statement = self._lazy.statement(found, f"{holder}.{name}")
            return None if statement is None else self._lazy_use(found, statement)
        if found.statement is None:
            return self._take(found, self._attribute(found, holder, name), (found.offset, name), name)
        if found.statement.names == ("*",) and name != "__path__":
            findings = list(self.judge.attribute(holder, name))
            for finding in findings:
                finding.kind = "name"
            return self._take(found, findings, (found.offset, name), name)
        return self._statement(found, name)

    def _attribute(self, found: Importer, holder: str, name: str) -> list[Finding]:
        """Findings of ``module.name``; not for uses of what the file imports, nor for a submodule's namesake."""
        module = sys.modules.get(f"{holder}.{name}")
        is_submodule = module is not None and loaded.namespace(sys.modules.get(holder)).get(name) is module
        path = found.code.co_filename
        return [
            finding
            for finding in self.judge.attribute(holder, name)
            if finding.code != "SSG101" or (is_submodule and (path, finding.home.rule.id) not in self._imported_in)
        ]

    def _statement(self, found: Importer, token: str, *, read: bool = False) -> BaseException | None:
        statement, module = found.statement, found.imported()
        if statement is None or module is None:
            return None
        if read and not READ_CAN_RAISE and statement.names and names.blocks(sys.modules.get(module)):
            self._sightings.slot(found.code)[found.offset, token] = NOTHING  # `__path__` is read next, and can raise
            return None
        key = (statement.offset, "statement")
        known = self._sightings.slot(found.code).get(key)
        if known is not None:
            self._sightings.slot(found.code)[found.offset, token] = known
            verdict = self._sightings.again(known, token, read=read)
        else:
            aliases = bytecode.aliases_of(found.code, statement)
            findings = list(self.judge.statement(module, statement.names, aliases))
            verdict = self._take(found, findings, key, token)
        if _READS_TWICE and statement.names and verdict is None and _is_same(token, module):
            self._sightings.expect_echo(found.code, key)
        return verdict

    def _call(self, found: Importer, token: str, *, read: bool) -> BaseException | None:
        spelled = found.spelled or (_spelled_in_call(found, token) if read else token)
        key = (found.offset, spelled)
        verdict = self._take(found, list(self.judge.call(spelled)), key, token)
        if _READS_TWICE and token == spelled and verdict is None and found.kind == bytecode.CALL:
            callee, _ = bytecode.call_at(found.code, found.offset)
            if callee == "__import__" and bytecode.arguments_at(found.code, found.offset) >= _WITH_FROMLIST:
                self._sightings.expect_echo(found.code, key)
        return verdict

    def _program(self, name: str) -> BaseException | None:
        """``python -m name``: there is no importer, only the command line."""
        verdict = None
        for finding in self.judge.call(name):
            self.judge.matched.add(finding.home.rule.id)
            text = f"{name} is run as a program, but it is deprecated"
            if finding.canonical:
                text += f"; run: python -m {finding.canonical}"
            facts = Facts(
                finding.code, finding.home.rule, Site(), finding.target, text,
                canonical=finding.canonical, kind="dynamic", swallowed=_never,
            )  # fmt: skip
            verdict = self._ledger.sight(facts)[1] or verdict
        return verdict

    def _lazy_use(self, found: Importer, statement: LazyStatement) -> BaseException | None:
        """A lazily imported name is used for the first time: its statement is the site, and this its execution."""
        fresh = statement.used != statement.executions
        statement.used = statement.executions
        known = statement.sighting
        if known is not None:
            verdict = None
            for entry in known.entries:
                again = self._ledger.repeat if fresh else self._ledger.verdict
                verdict = again(entry, known.swallowed) or verdict
            return verdict
        verdict = None
        entries = []
        swallowed = self._swallowed(found)
        for finding in self.judge.statement(statement.imported, statement.names or None):
            if self._counts(finding, statement.importing, statement.site.path):
                facts = self._facts(finding, found.frame, swallowed)
                facts.site = statement.site
                facts.details["used-at"] = f"{found.code.co_filename}:{found.frame.f_lineno}"
                self._imported_in.add((statement.site.path or "", finding.home.rule.id))
                entry, error = self._ledger.sight(facts)
                entries.append(entry)
                verdict = verdict or error
        statement.sighting = Sighting(tuple(entries), swallowed)
        return verdict

    # -- recording -----------------------------------------------------------------------------------------------

    def _take(self, found: Importer, findings: list[Finding], key: tuple[int, str], token: str) -> BaseException | None:
        """Record findings once per statement; later events of the same statement find its sighting."""
        slot = self._sightings.slot(found.code)
        sighting = slot.get(key)
        if sighting is not None:
            slot[found.offset, token] = sighting
            return self._sightings.again(sighting, token)
        entries: list[Entry] = []
        verdict: BaseException | None = None
        acted_for_others = False
        swallowed = self._swallowed(found)
        for finding in findings:
            if not self._counts(finding, found.module, found.code.co_filename):
                continue
            responsible = importer.responsible(found, finding.target)
            if responsible is not None:
                acted_for_others = True
                verdict = self._take_for(responsible, found, finding, token) or verdict
                continue
            entry, error = self._ledger.sight(self._facts(finding, found.frame, swallowed))
            if found.statement is not None and found.statement.names is None:
                self._imported_in.add((found.code.co_filename, finding.home.rule.id))
            entries.append(entry)
            verdict = verdict or error
        if not acted_for_others:  # else the next execution may act for somebody else
            sighting = slot[key] = slot[found.offset, token] = Sighting(
                tuple(entries), swallowed, found.imported() or key[1]
            )
            sighting.seen.add(token)
            self._sightings.simplify(sighting, token)
        return verdict

    def _take_for(self, frame: FrameType, found: Importer, finding: Finding, token: str) -> BaseException | None:
        """The importer only acts for this frame's code: it is a lazy ``__getattr__``, or an import helper."""
        if not self._counts(finding, importer.module_name(frame), frame.f_code.co_filename):
            return None
        if self._breaks_by_itself(frame, finding):
            return None
        slot = self._sightings.slot(frame.f_code)
        key = (frame.f_lasti, f"for {finding.target}")
        sighting = slot.get(key)
        if sighting is not None:
            return self._sightings.again(sighting, token)
        swallowed = self._swallowed(found)
        facts = self._facts(finding, frame, swallowed)
        facts.details["through"] = f"{found.code.co_filename}:{found.frame.f_lineno}"
        entry, verdict = self._ledger.sight(facts)
        sighting = slot[key] = Sighting((entry,), swallowed)
        sighting.seen.add(token)
        return verdict

    def _breaks_by_itself(self, frame: FrameType, finding: Finding) -> bool:
        """Whether the statement at which the frame stands has broken this rule already, by its own words."""
        code, offset = frame.f_code, frame.f_lasti
        if bytecode.kind_at(code, offset) != bytecode.STATEMENT:
            return False
        statement = bytecode.statement_at(code, offset)
        sighting = None if statement is None else self._sightings.slot(code).get((statement.offset, "statement"))
        rule = finding.home.rule.id
        return sighting is not None and any(entry.violation.rule == rule for entry in sighting.entries)

    def _counts(self, finding: Finding, module: str, path: str | None) -> bool:
        """Whether this importer may not do it, by module and by file."""
        if not self.judge.counts(finding, module):
            return False
        file = self._files.key(path, module)
        return not self._files.excluded(file) and not self.judge.allows_file(finding, file)

    def _swallowed(self, found: Importer) -> Callable[[], bool] | None:
        """Whether a block would be swallowed, as a question; None where nothing can be blocked."""
        if not found.can_block:
            return None
        return importer.would_swallow(found) if self._blocks else _never

    def _facts(self, finding: Finding, frame: FrameType, swallowed: Callable[[], bool] | None) -> Facts:
        details: dict[str, Any] = {"write": finding.write} if finding.write else {}
        if swallowed is None and self._blocks:
            details["not-blocked"] = (
                "an error would not reach this statement (a cached import, or another thread's load)"
            )
        return Facts(
            finding.code,
            finding.home.rule,
            importer.site(frame),
            finding.target,
            finding.message(),
            canonical=finding.canonical,
            kind=finding.kind,
            details=details,
            namespace=frame.f_globals,
            swallowed=_never if finding.home.rule.block_in_try and swallowed is not None else swallowed,
        )


def _never() -> bool:
    return False


def _is_same(token: str, module: str) -> bool:
    """Whether two names stand for one module."""
    return token == module or sys.modules.get(token) is sys.modules.get(module) is not None


def _spelled_in_call(found: Importer, token: str) -> str:
    """A cached ``__import__("…")`` leaves no frame behind; its literal tells two names of one module apart."""
    literal = bytecode.call_at(found.code, found.offset)[1] if found.kind == bytecode.CALL else None
    module = None if literal is None else sys.modules.get(literal)
    return literal if literal is not None and module is not None and module is sys.modules.get(token) else token
