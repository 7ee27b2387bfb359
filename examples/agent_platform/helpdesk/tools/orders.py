"""Who ordered what."""

from __future__ import annotations

import importlib

from helpdesk.tools import prices

_ORDERS = {"Ada": ["book", "lamp"], "Grace": ["lamp"], "Linus": ["book", "book", "book"]}


def ordered_by(name: str) -> list[str]:
    return list(_ORDERS.get(name, ()))


def bill(items: list[str]) -> str:
    cents = sum(prices.PRICES[item].cents for item in items)
    return f"{len(items)} orders, {cents / 100:.2f} in total"


def refresh() -> int:
    """Read the prices again; returns how many there are."""
    # canonical: prices.reset()
    importlib.reload(prices)  # fault: SSG114 re-executions, known
    return len(prices.PRICES)
