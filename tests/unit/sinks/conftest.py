from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.sinks import Context
from ssot_guard.violation import Site, Violation


@pytest.fixture
def violation() -> Callable[..., Violation]:
    """A violation with chosen fields; those of its site by name too."""

    def make(**changes: Any) -> Violation:
        site: dict[str, Any] = {
            "path": "/srv/acme/bridge.py",
            "line": 276,
            "column": 1,
            "module": "acme.bridge",
            "scope": "",
        }
        site |= {key: changes.pop(key) for key in list(changes) if key in Site.__slots__}
        fields: dict[str, Any] = {
            "code": "SSG101",
            "rule": "registry",
            "message": "imports acme.agents.registry",
            "target": "acme.agents.registry",
            "canonical": "acme.agents.supervisor.agent_registry",
            "mode": "warn",
            "action": "warned",
            "fingerprint": "00112233445566aa",
            "file": "src/acme/bridge.py",
            "tags": ("wave1",),
        }
        return Violation(site=Site(**site), **fields | changes)

    return make


@pytest.fixture
def context() -> Context:
    return Context("/srv/ssot-guard.toml", "d1635", "warn", "canary", {"release": "4f2c"})
