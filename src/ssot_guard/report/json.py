"""The report as JSON, ``schema: 1``. Keys are added, never renamed or removed, while the schema's number stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssot_guard._version import __version__
from ssot_guard.report.model import SCHEMA

if TYPE_CHECKING:
    from ssot_guard.report import Options
    from ssot_guard.report.model import Report, Row


def render(report: Report, options: Options) -> str:
    """One JSON document; only the summary and the rules with ``quiet``."""
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
        },
        "rules": report.rules(),
        "violations": [] if options.quiet else [_violation(row) for row in report.violations()],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


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
        "verdict": row.detail("verdict"),
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
