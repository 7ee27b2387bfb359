"""The report as JSON, ``schema: 1``. Keys are added, never renamed or removed, while the schema's number stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssot_guard._version import __version__
from ssot_guard.report.model import SCHEMA
from ssot_guard.report.triage import MEANING, verdicts_of

if TYPE_CHECKING:
    from ssot_guard.report import Options
    from ssot_guard.report.model import Report, Row
    from ssot_guard.report.triage import Group


def render(report: Report, options: Options) -> str:
    """One JSON document; only the summary and the rules with ``quiet``."""
    violations = [] if options.quiet else [_violation(row) for row in report.violations()]
    return _document(report, {"violations": violations})


def triage(report: Report, groups: list[Group], options: Options) -> str:
    """The same document, with groups instead of violations; the best group first."""
    meanings = {verdict: MEANING[verdict] for verdict in verdicts_of(groups)}
    found = [] if options.quiet else [_group(group) for group in groups]
    return _document(report, {"verdicts": meanings, "groups": found})


def _document(report: Report, body: dict[str, Any]) -> str:
    inputs = report.inputs
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": "ssot-guard",
        "version": __version__,
        "summary": report.summary(),
        "inputs": {
            "processes": len(inputs.processes),
            "lines": inputs.lines,
            "damaged": inputs.damaged,
            "foreign": inputs.foreign,
            "lost": inputs.lost,
            "internal_errors": inputs.internal_errors,
            "notes": [*([inputs.unseen] if inputs.unseen else []), *inputs.notes],
        },
        "rules": report.rules(),
        **body,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _group(group: Group) -> dict[str, Any]:
    return {
        "rule": group.rule,
        "verdict": group.verdict,
        "owner": group.owner,
        "codes": group.codes,
        "reason": group.reason,
        "edits": group.edits,
        "files": group.files,
        "tests": group.tests,
        "tests_freed": group.freed,
        "tests_exact": group.exact,
        "executions": group.executions,
        **{status: group.with_status(status) for status in ("new", "known", "contested")},
        "places": [
            {"path": row.path, "line": row.line, "target": row.target, "count": row.count, "tests": row.test_count}
            for row in group.places()
        ],
        "next": group.commands,
    }


def _violation(row: Row) -> dict[str, Any]:
    return {
        "code": row.code,
        "rule": row.rule,
        "path": row.path,
        "line": row.line,
        "column": row.column,
        "end_line": row.end_line,
        "end_column": row.end_column,
        "kind": row.kind,
        "context": row.detail("context"),
        "scope": row.scope,
        "target": row.target,
        "canonical": row.canonical,
        "verdict": row.verdict,
        "see": row.see,
        "owner": row.owner,
        "rule-owner": row.detail("rule-owner"),
        "message": row.message,
        "fingerprint": row.fingerprint,
        "status": row.status,
        "count": row.count,
        "tags": row.tags,
        "module": row.module,
        "mode": row.mode,
        "action": row.action,
        "tests": row.test_count,
        "first_test": next(iter(row.tests), None),
        "details": row.details,
    }
