from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.violation import Site, Violation


@pytest.fixture
def violation() -> Callable[..., Violation]:
    """The violation of the README's sample, with chosen fields; those of its site by name too."""

    def make(**changes: Any) -> Violation:
        site: dict[str, Any] = {
            "path": "/srv/src/acme/services/bridge.py",
            "line": 276,
            "column": 1,
            "module": "acme.services.bridge",
        }
        site |= {key: changes.pop(key) for key in list(changes) if key in Site.__slots__}
        fields: dict[str, Any] = {
            "code": "SSG101",
            "rule": "registry",
            "message": "imports acme.agents.registry",
            "target": "acme.agents.registry",
            "canonical": "acme.agents.supervisor.agent_registry",
            "fingerprint": "00112233445566aa",
            "file": "src/acme/services/bridge.py",
            "owner": "@agents",
            "tags": ("wave1",),
        }
        return Violation(site=Site(**site), **fields | changes)

    return make
