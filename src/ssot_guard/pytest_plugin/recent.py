"""What the running phase has met already: a repeat there is a count, without another look at the stack.

Only in a test's call, and only what was the test's own. It stays so until the phase ends, unless a module body or a
wide fixture runs in between: the first shows in the import locks, the second in its hook.
"""

from __future__ import annotations

import _frozen_importlib
from _thread import get_ident

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard.ledger import Entry
    from ssot_guard.pytest_plugin.book import Line

# Modules that any thread is importing right now. CPython's own; without it, each execution is looked at.
_open_imports = getattr(_frozen_importlib, "_module_locks", None)


class Recent:
    """By thread and entry, the line that a repeat counts for. ``lines`` is replaced, never cleared.

    So who looked at the stack before the end of a phase cannot leave a line behind for the next one.
    """

    def __init__(self) -> None:
        self.lines: dict[tuple[int, Entry], Line] = {}

    def line(self, entry: Entry) -> Line | None:
        """The line of an entry, where nothing can have come in between."""
        return None if _open_imports or _open_imports is None else self.lines.get((get_ident(), entry))

    def forget(self) -> None:
        """From now on, look again."""
        self.lines = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self) -> None:
        """A phase has ended."""
        self.forget()

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> None:
        """A test may ask for a wide fixture on its way."""
        if fixturedef.scope != "function":
            self.forget()
