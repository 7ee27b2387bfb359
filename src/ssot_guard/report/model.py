"""The model behind all formats: distinct violations, merged from live objects, audits and JSONL records.

One row is one (fingerprint, path, line, rule), however many processes, hosts and tests met it; counts add up. Memory
follows the number of distinct rows, not the number of lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssot_guard.report import verdicts
from ssot_guard.sinks import record
from ssot_guard.sinks.plain import plain, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssot_guard.violation import Violation

    Key = tuple[str, str, int | None, str]

SCHEMA = 1
STATUSES = ("new", "contested", "known", "suppressed")  # strongest first: what is new anywhere is new
_MODES = ("strict", "warn", "observe", "off")
_ACTIONS = ("blocked", "warned", "recorded")
_MOST_TESTS = 1000  # per row: enough to rank by, and bounded


@dataclass(slots=True)
class Row:
    """One distinct violation. ``details`` is the first sight's; ``tests`` are those that are known to reach it.

    ``verdict`` and ``see`` are :mod:`.verdicts`' answer to what lies at the canonical path.
    """

    code: str
    rule: str
    fingerprint: str
    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    kind: str
    scope: str | None
    target: str
    canonical: str | None
    owner: str | None
    message: str
    status: str
    mode: str
    action: str
    module: str | None
    tags: tuple[str, ...]
    details: dict[str, Any]
    count: int
    tests: dict[str, None] = field(default_factory=dict)
    counted_tests: int = 0
    verdict: str | None = None
    see: str | None = None

    @property
    def key(self) -> Key:
        """What makes it distinct."""
        return self.fingerprint, self.path, self.line, self.rule

    def detail(self, name: str) -> str | None:
        """A text among the details, or None."""
        value = self.details.get(name)
        return value if isinstance(value, str) else None

    @property
    def test_count(self) -> int:
        """How many tests reach it, at least: what one producer counted, or those that are known by name."""
        return max(self.counted_tests, len(self.tests))

    @property
    def place(self) -> str:
        """``path:line``, as editors and terminals open it."""
        path = self.path or "(unknown file)"
        return path if self.line is None else f"{path}:{self.line}"

    def merge(self, other: Row) -> None:
        """Take in another sight of the same violation."""
        self.count += other.count
        self.status = _strongest(STATUSES, self.status, other.status)
        self.mode = _strongest(_MODES, self.mode, other.mode)
        self.action = _strongest(_ACTIONS, self.action, other.action)
        self.counted_tests = max(self.counted_tests, other.counted_tests)
        if len(self.tests) < _MOST_TESTS:
            self.tests |= other.tests


def _strongest(order: tuple[str, ...], one: str, other: str) -> str:
    return min(one, other, key=lambda value: order.index(value) if value in order else len(order))


def row(data: Mapping[str, Any]) -> Row:
    """A row from the fields of a ``violation`` record; raises ``ValueError`` where one that identifies it is missing.

    Paths are relative to the policy's folder where the writer knew it (``file``), else as the interpreter had them.
    """
    code, rule = data.get("code"), data.get("rule")
    if not (isinstance(code, str) and isinstance(rule, str)):
        raise ValueError("a violation without code and rule")  # noqa: TRY004 - data, not an argument
    tags, details = data.get("tags"), data.get("details")
    details = plain(details) if isinstance(details, dict) else {}
    tests, counted = _tests(data, details)
    return Row(
        code=text(code),
        rule=text(rule),
        fingerprint=_text(data, "fingerprint") or "",
        path=path(data),
        line=_number(data, "line"),
        column=_number(data, "column"),
        end_line=_number(data, "end_line"),
        end_column=_number(data, "end_column"),
        kind=_text(data, "kind") or "import",
        scope=_text(data, "scope"),
        target=_text(data, "target") or "",
        canonical=_text(data, "canonical"),
        owner=_text(data, "owner"),
        message=_text(data, "message") or "",
        status=_text(data, "status") or "new",
        mode=_text(data, "mode") or "observe",
        action=_text(data, "action") or "recorded",
        module=_text(data, "module"),
        tags=tuple(text(tag) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        details=details,
        count=added(data),
        tests=tests,
        counted_tests=counted,
    )


def _tests(data: Mapping[str, Any], details: Mapping[str, Any]) -> tuple[dict[str, None], int]:
    """Tests by name, and how many there are: ``details["tests"]`` may be their names or their number."""
    reached = details.get("tests")
    names = [data.get("test"), *(reached if isinstance(reached, list) else ())]
    counted = reached if isinstance(reached, int) and not isinstance(reached, bool) else 0
    return dict.fromkeys(text(name) for name in names if isinstance(name, str)), counted


def path(data: Mapping[str, Any]) -> str:
    """The path that reports show."""
    return _text(data, "file") or _text(data, "path") or ""


def added(data: Mapping[str, Any]) -> int:
    """How many executions a record stands for."""
    value = data.get("added", data.get("count"))
    return value if isinstance(value, int) and value >= 0 else 1


def key(data: Mapping[str, Any]) -> Key:
    """The key of the row that a ``count`` record belongs to."""
    return _text(data, "fingerprint") or "", path(data), _number(data, "line"), _text(data, "rule") or ""


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return text(value) if isinstance(value, str) else None  # JSON can spell what UTF-8 cannot


def _number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class Inputs:
    """What a report was made from. An audit counts source files, ``report`` JSONL files.

    ``unparsable``: ``{"path", "reason"}`` each. ``damaged`` and ``foreign`` are lines; ``lost`` are counts whose
    violation was never seen. ``notes`` tell what whoever asked for the report may not have meant.
    """

    files: int = 0
    parsed: int = 0
    excluded: int = 0
    unparsable: list[dict[str, str]] = field(default_factory=list)
    stale: int = 0
    lines: int = 0
    damaged: int = 0
    foreign: int = 0
    lost: int = 0
    internal_errors: dict[str, int] = field(default_factory=dict)  # "component: error" → processes that met it
    processes: set[str] = field(default_factory=set)
    unseen: str = ""  # that nothing of any guarded process was read, where that is so: no violations would be a guess
    notes: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Lines that a guarded process wrote, chosen or not."""
        return self.lines - self.damaged - self.foreign


class Report:
    """Rows by key, in order of first sight. ``rules`` are ids of the policy, so that those without a match show up."""

    def __init__(self, violations: Iterable[Violation] = (), *, rules: Iterable[str] = ()) -> None:
        self.rows: dict[Key, Row] = {}
        self.inputs = Inputs()
        self._rules = tuple(rules)
        for violation in violations:
            self.add(row(plain(record.violation(_HERE, violation, {}))))

    def add(self, found: Row) -> Row:
        """Merge one row in; returns the row that stands for it from now on."""
        known = self.rows.setdefault(found.key, found)
        if known is not found:
            known.merge(found)
        return known

    def violations(self) -> list[Row]:
        """All rows by place."""
        return sorted(self.rows.values(), key=lambda found: (found.path, found.line or 0, found.code, found.rule))

    def judge(self) -> None:
        """Give each use of something deprecated its verdict. Again after more was added."""
        verdicts.settle(self.rows.values())

    def select(self, keep: Iterable[Row]) -> Report:
        """A report of these rows only, made from the same inputs."""
        self.judge()  # what proves a verdict may not be among the chosen
        chosen = Report(rules=self._rules)
        chosen.inputs = self.inputs
        chosen.rows = {found.key: found for found in keep}
        return chosen

    def summary(self) -> dict[str, Any]:
        """The numbers of schema 1."""
        inputs = self.inputs
        totals = dict.fromkeys(("new", "known", "contested"), 0)
        for found in self.rows.values():
            if found.status in totals:
                totals[found.status] += 1
        return {
            "files": inputs.files,
            "parsed": inputs.parsed,
            "excluded": inputs.excluded,
            "unparsable": inputs.unparsable,
            "violations": len(self.rows),
            **totals,
            "stale": inputs.stale,
        }

    def rules(self) -> list[dict[str, Any]]:
        """``{id, matched}`` of each rule, by id."""
        matched = dict.fromkeys(self._rules, 0)
        for found in self.rows.values():
            matched[found.rule] = matched.get(found.rule, 0) + 1
        return [{"id": rule, "matched": matched[rule]} for rule in sorted(matched)]

    def failing(self) -> bool:
        """Whether anything is new: then commands exit with 1."""
        return any(found.status == "new" for found in self.rows.values())


_HERE = record.Origin(0)
