"""pytest-xdist: every worker guards itself and writes down what it sees; the controller alone says what it means.

A worker hands its book over when it ends. What a lost one saw stands in its spool file (:mod:`.spool`).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ssot_guard.pytest_plugin.book import Line


class Workers:
    """In the controller: who was started, and what came back."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._expected: dict[str, str] = {}  # worker → its spool file
        self._came: dict[str, dict[str, Any]] = {}

    def expect(self, node: Any) -> None:
        """Tell a worker where to write."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="ssot-guard-")
        name = str(node.gateway.id)
        self._expected[name] = node.workerinput["ssot_guard"] = os.path.join(self._folder, f"{name}.jsonl")

    def ended(self, node: Any) -> None:
        """Take what a worker hands over; a lost one hands over nothing."""
        sent = getattr(node, "workeroutput", {}).get("ssot_guard")
        if sent is not None:
            self._came[str(node.gateway.id)] = json.loads(sent)

    def lines(self) -> Iterator[Line]:
        """What all workers saw."""
        if not self._expected:
            return
        from ssot_guard.pytest_plugin.spool import spooled, unpacked

        for name, path in self._expected.items():
            packed = self._came[name]["lines"] if name in self._came else spooled(path)
            for data in packed:
                yield unpacked(data)

    def facts(self) -> list[dict[str, Any]]:
        """What they say about themselves."""
        return [came["facts"] for came in self._came.values()]

    def lost(self) -> list[str]:
        """Workers that never came to their end."""
        return [name for name in self._expected if name not in self._came]

    def clear(self) -> None:
        """Remove the spool."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
