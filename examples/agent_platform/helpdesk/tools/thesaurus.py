"""Words that mean the same, indexed for everybody who imports this."""

from __future__ import annotations

import time


def _index() -> dict[str, str]:
    time.sleep(1.2)  # what reading a large file would take
    return {"ssot": "home", "shim": "stand-in", "tenant": "customer"}


SYNONYMS = _index()


def synonym(term: str) -> str | None:
    return SYNONYMS.get(term.lower())
