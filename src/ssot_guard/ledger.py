"""The one place that records and decides.

``sight`` takes the first sight of a violation: fingerprint, decision, publication. A repeat is one integer increment.
There is no lock here: a dictionary's ``setdefault`` elects the first of two threads, and ``+=`` on a slot runs between
two looks of CPython at its switch flag. So nothing can be held while a sink runs, while a finaliser re-enters, or
while a process forks. (On a free-threaded build counts may come out low; nothing else changes.)
"""

from __future__ import annotations

import sys

from ssot_guard.errors import DeprecatedImportError, SsotViolationError
from ssot_guard.policy.modes import effective_mode, weakest
from ssot_guard.violation import Site, Violation, fingerprint
from ssot_guard.warned import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ssot_guard.files import Files
    from ssot_guard.policy.model import Mode, Policy, Rule
    from ssot_guard.publisher import Publisher
    from ssot_guard.switches import Settings, Switches

    class Accepted(Protocol):
        """What need not fail: asked once per distinct violation, outside of contests."""

        def status(self, facts: Facts, file: str | None) -> str:
            """``new``, or one of :data:`~ssot_guard.policy.modes.CAPS`; may add to the details."""

        def after_fork(self) -> None:
            """A child counts for itself."""


_MOST = 10_000  # distinct violations; beyond that only counts by rule
_IMPORTS = ("SSG101", "SSG102")
_STATEMENTS = ("import", "name")
_NEVER = sys.maxsize


class Entry:
    """One distinct violation: what was seen first, and how often since; ``recorded`` unless the ledger was full."""

    __slots__ = ("blocks", "count", "next_notice", "recorded", "violation")

    def __init__(self, violation: Violation, *, blocks: bool) -> None:
        self.violation = violation
        self.blocks = blocks
        self.count = 1
        self.next_notice = 10
        self.recorded = True

    def snapshot(self) -> Violation:
        """The violation with its count as of now."""
        return self.violation if self.count == 1 else self.violation.replace(count=self.count)


class Unknown:
    """How often nobody could tell; counted on a slot, as entries are."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Facts:
    """What a watcher knows about one sight; the ledger adds what the policy says."""

    __slots__ = (
        "canonical", "code", "details", "kind", "message", "namespace", "quiet", "rule", "rule_id", "site",
        "status", "swallowed", "target", "tenant",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - one argument per fact
        self,
        code: str,
        rule: Rule | str,
        site: Site,
        target: str,
        message: str,
        *,
        canonical: str | None = None,
        kind: str = "import",
        details: dict[str, Any] | None = None,
        namespace: dict[str, Any] | None = None,
        swallowed: Callable[[], bool] | None = None,
        quiet: bool = False,
        tenant: str | None = None,
        status: str = "new",
    ) -> None:
        self.tenant = tenant  # a pseudonym, never the tenant's own name
        self.status = status  # what it is without a baseline: "known" where the policy itself knows it
        self.quiet = quiet  # kept in the ledger only: no sink, no warning
        self.code = code
        self.rule = None if isinstance(rule, str) else rule
        self.rule_id = rule if isinstance(rule, str) else rule.id
        self.site = site
        self.target = target
        self.message = message
        self.canonical = canonical
        self.kind = kind
        self.details = details or {}
        self.namespace = namespace  # the importer's globals, for the registry of warnings
        self.swallowed = swallowed  # None: this sight can never be blocked


class Ledger:
    """Violations of one guard, in order of first sight."""

    def __init__(
        self, policy: Policy, files: Files, switches: Switches, publisher: Publisher, settings: Settings
    ) -> None:
        self._policy = policy
        self._files = files
        self._switches = switches
        self._publisher = publisher
        self._settings = settings
        self.warns = True  # Python warnings; the pytest plugin reports instead
        self.raises = True  # the pytest plugin waits for the end of the collection
        self.witness: Callable[[Entry], None] | None = None  # told of each execution, before the verdict
        self.spares: Callable[[Entry], bool] | None = None  # a running test may do, or expects, what would be blocked
        self.accepted: Accepted | None = None  # the baseline and the comments of the sources
        self.overflow: dict[str, int] = {}
        self._unknown: dict[str, Unknown] = {}
        self.blocked = 0  # verdicts that were raised
        self._entries: dict[tuple[object, ...], Entry] = {}

    # -- recording -----------------------------------------------------------------------------------------------

    def sight(self, facts: Facts) -> tuple[Entry, BaseException | None]:
        """Record a violation; returns its entry and the verdict to raise, if any. Recorded before raised, always."""
        site = facts.site
        # A statement is one violation per rule; a call or a file is one for each target.
        is_statement = facts.code in _IMPORTS and facts.kind in _STATEMENTS and site.line is not None
        target = None if is_statement else facts.target
        if site.path is not None and site.path.startswith("<"):  # generated code: its place says little
            target = f"{site.module}:{facts.target}"
        key = (facts.code, facts.rule_id, site.path, site.line, site.column, target)
        entry = self._entries.get(key)
        if entry is not None:
            return entry, self.repeat(entry, facts.swallowed)
        if len(self._entries) >= _MOST:
            return self._beyond(facts)
        violation, blocks = self._decide(facts)
        mine = Entry(violation, blocks=blocks)
        entry = self._entries.setdefault(key, mine)
        if entry is not mine:  # another thread was first
            return entry, self.repeat(entry, facts.swallowed)
        if self.witness is not None:
            self.witness(entry)
        return entry, self._announce(entry, facts)

    def _beyond(self, facts: Facts) -> tuple[Entry, BaseException | None]:
        """What a full ledger counts by rule only; the verdict is the same."""
        self.overflow[facts.rule_id] = self.overflow.get(facts.rule_id, 0) + 1
        violation, blocks = self._decide(facts)
        entry = Entry(violation, blocks=blocks)
        entry.next_notice, entry.recorded = _NEVER, False
        raises = violation.mode == "strict" and not self._spared(entry)
        return entry, self._verdict(violation) if raises else None

    def repeat(self, entry: Entry, swallowed: Callable[[], bool] | None = None) -> BaseException | None:
        """One more execution of a recorded violation."""
        entry.count += 1
        if self.witness is not None:
            self.witness(entry)
        if entry.count >= entry.next_notice:
            entry.next_notice *= 10
            self._publisher.publish(entry.snapshot(), repeat=True)
        return self.verdict(entry, swallowed)

    def unknown(self, code: str, rule_id: str) -> None:
        """A question that nobody here can answer (no tenant, a run not seen from its start): counted, never failing."""
        key = f"{code} {rule_id}"
        known = self._unknown.get(key)
        if known is None:
            known = self._unknown.setdefault(key, Unknown())
        known.count += 1

    def may_raise(self, rule: Rule) -> bool:
        """Whether a new violation of a rule could be raised here: then it must be judged before it is too late."""
        mode = weakest(self._settings.mode_for(tuple(rule.tags)), rule.max_mode)
        return mode == "strict" and not getattr(rule, "contested", None)

    def only_counts(self, entry: Entry) -> Entry | None:
        """The entry, if nobody wants to know of its repeats: until its next notice whoever has it may count them."""
        return entry if not entry.blocks and self.witness is None else None

    def verdict(self, entry: Entry, swallowed: Callable[[], bool] | None) -> BaseException | None:
        """The error to raise for a recorded violation, without counting it again."""
        if not entry.blocks or swallowed is None or self._spared(entry):
            return None
        return self._verdict(entry.violation) if self._may_block(swallowed) else None

    def _decide(self, facts: Facts) -> tuple[Violation, bool]:
        """The violation as it is recorded (file, owner, status, effective mode, action); whether it may ever block.

        A switch that forbids blocking now may allow it later: readiness comes, a kill file goes.
        """
        rule = facts.rule
        file = self._files.key(facts.site.path, facts.site.module)
        tags = tuple(rule.tags) if rule is not None else ()
        session = self._settings.mode_for(tags)
        status = self._status(facts, file, session)
        owner = self._files.owner(file)
        if rule is not None:
            facts.details.update(
                (key, text) for key, text in (("rule-owner", rule.owner), ("reason", rule.reason)) if text
            )
        mode = effective_mode(
            session,
            overrides=self._policy.overrides,
            file=file,
            code=facts.code,
            rule_id=facts.rule_id,
            tags=tags,
            owner=owner,
            rule_owner=rule.owner if rule is not None else None,
            max_mode=rule.max_mode if rule is not None else None,
            caps=() if status == "new" else (status,),
        )
        blocks = mode == "strict" and facts.swallowed is not None
        if mode == "strict" and (facts.swallowed is None or not self._may_block(facts.swallowed)):
            mode = "warn"
            if self._switches.reason:
                facts.details["not-blocked"] = self._switches.reason
        violation = Violation(
            facts.code, facts.rule_id, facts.message, facts.site, facts.target, facts.canonical, facts.kind, 1, mode,
            {"strict": "blocked", "warn": "warned"}.get(mode, "recorded"),
            fingerprint(facts.code, facts.rule_id, file, facts.target, facts.site.scope),
            file, "new" if status == "unread" else status, owner, tags, facts.tenant, None, facts.details,
        )  # fmt: skip
        return violation, blocks

    def _status(self, facts: Facts, file: str | None, session: Mode) -> str:
        """Whether it is news, or why it is never raised."""
        if getattr(facts.rule, "contested", None):
            return "contested"
        if self.accepted is None or facts.quiet:
            return facts.status
        status = self.accepted.status(facts, file)
        if facts.status != "new" and status in ("new", "unread"):
            return facts.status
        if status == "unread" and session == "strict":
            facts.details["not-blocked"] = "the baseline cannot be read"
        return status

    def _spared(self, entry: Entry) -> bool:
        return self.spares is not None and self.spares(entry)

    def _may_block(self, swallowed: Callable[[], bool]) -> bool:
        return self.raises and self._switches.may_block() and not swallowed()

    def _announce(self, entry: Entry, facts: Facts) -> BaseException | None:
        """Publish the first sight; the warning comes last, because the host's filters may turn it into an error."""
        violation = entry.violation
        if facts.quiet:
            return None
        self._publisher.publish(violation, repeat=False)
        if violation.mode == "strict":
            return None if self._spared(entry) else self._verdict(violation)
        if violation.mode != "warn" or not self.warns:
            return None
        return warn(violation, facts.namespace, self._publisher.postpone)

    def _verdict(self, violation: Violation) -> SsotViolationError:
        """A fresh error for each block: a shared one would collect tracebacks."""
        self._switches.blocked()
        self.blocked += 1
        error: SsotViolationError
        text = f"{violation.code} {violation.rule}: {violation.message}"
        if violation.code.startswith("SSG1"):
            error = DeprecatedImportError(text, name=violation.target.partition(":")[0], path=violation.site.path)
        else:
            error = SsotViolationError(text)
        error.violation = violation
        return error

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def unknowns(self) -> dict[str, int]:
        """``SSG301 engine`` → how often nobody could tell."""
        return {key: known.count for key, known in list(self._unknown.items())}

    def violations(self) -> tuple[Violation, ...]:
        """All distinct violations with their counts, in order of first sight."""
        return tuple(entry.snapshot() for entry in list(self._entries.values()))

    def after_fork(self) -> None:
        """A child starts at zero: what the parent saw is the parent's."""
        self._entries.clear()
        self.overflow.clear()
        self._unknown.clear()
        if self.accepted is not None:
            self.accepted.after_fork()
