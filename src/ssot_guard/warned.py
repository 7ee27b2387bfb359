"""Python warnings about violations, at the importer's own line."""

from __future__ import annotations

import sys
from _functools import partial
from _warnings import warn_explicit

from ssot_guard.errors import SsotWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssot_guard.violation import Violation


def warn(
    violation: Violation, namespace: dict[str, Any] | None, postpone: Callable[[Callable[[], object]], None]
) -> SsotWarning | None:
    """Warn; returns the warning where the host's filters say ``error``.

    ``namespace``: the importer's globals, whose registry remembers what was shown. ``postpone`` is for what must wait.
    """
    site = violation.site
    if site.path is None:
        return None
    text = f"{violation.code} {violation.rule}: {violation.message}"
    registry = {} if namespace is None else namespace.setdefault("__warningregistry__", {})
    show = partial(_show, text, site.path, site.line or 1, site.module, registry)
    if _goes_to_logging() and not _is_error(text, site.line or 1, site.module or ""):
        postpone(show)
        return None
    verdict: SsotWarning | None = show()
    return verdict


def _show(text: str, path: str, line: int, module: str | None, registry: Any) -> SsotWarning | None:
    """Issue a warning; returned where the host's filters say ``error``. What shows warnings is the host's."""
    try:
        warn_explicit(SsotWarning(text), SsotWarning, path, line, module, registry)
    except SsotWarning as warning:
        return warning.with_traceback(None)
    except Exception:  # noqa: BLE001, S110 - a closed stream, a `showwarning` that fails
        pass
    return None


def _goes_to_logging() -> bool:
    """Whether ``logging.captureWarnings`` is on: its handlers take locks, which must not happen inside an import."""
    logging, warnings = sys.modules.get("logging"), sys.modules.get("warnings")
    show = getattr(warnings, "showwarning", None)
    return show is not None and show is getattr(logging, "_showwarning", None)


def _is_error(text: str, line: int, module: str) -> bool:
    """Whether the host's filters make it an error: as ``warnings`` itself looks, first match wins."""
    warnings: Any = sys.modules.get("warnings")
    filters = warnings._get_filters() if hasattr(warnings, "_get_filters") else warnings.filters  # noqa: SLF001 - 3.14
    for action, message, category, where, at in filters:
        if (
            (message is None or message.match(text))
            and issubclass(SsotWarning, category)
            and (where is None or where.match(module))
            and at in (0, line)
        ):
            return bool(action == "error")
    return False
