"""What words mean. The home of `define`; its table is made when the first user asks."""

from __future__ import annotations

from functools import cache


@cache
def _terms() -> dict[str, str]:
    return {
        "ssot": "a single source of truth: one home for each thing",
        "shim": "a module that stands at an old path and hands out what moved",
        "tenant": "one customer among those that share a process",
    }


def define(term: str) -> str:
    """Case does not matter."""
    return f"{term} means {_terms().get(term.lower(), 'nothing to me')}"
