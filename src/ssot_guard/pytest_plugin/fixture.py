"""The guard from inside a test: the fixture ``ssot``."""

from __future__ import annotations

import pytest

from ssot_guard.pytest_plugin.markers import refuse_unknown, selects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.violation import Violation


class Ssot:
    """What the fixture gives. Without a guard it sees nothing, and expects nothing."""

    def __init__(self, session: GuardedSession | None, item: pytest.Item) -> None:
        self._session = session
        self._item = item

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What this test has done so far, its fixtures included: distinct, in order, with counts."""
        if self._session is None:
            return ()
        test = self._item.nodeid
        return tuple(line.violation.replace(count=line.count, test=test) for line in self._session.book.of_test(test))

    def expect(self, *selectors: str) -> Expectation:
        """``with ssot.expect("SSG101", "registry"):`` each code or rule must be violated inside, and fails nothing."""
        if not selectors:
            raise pytest.UsageError("ssot.expect() needs codes or rule ids")
        if self._session is not None:
            refuse_unknown(self._session.options.policy, selectors, "ssot.expect")
        return Expectation(self._session, self._item, selectors)

    def check(self) -> tuple[Violation, ...]:
        """Run the on-demand checks now; returns the violations that are new. They belong to files, not to tests."""
        guard = None if self._session is None else self._session.guard
        return () if guard is None else guard.check()


class Expectation:
    """What must happen inside of a ``with`` block; ``violations`` is what did."""

    def __init__(self, session: GuardedSession | None, item: pytest.Item, selectors: tuple[str, ...]) -> None:
        self._session = session
        self._item = item
        self._selectors = selectors
        self.violations: list[Violation] = []
        self._others: list[Violation] = []

    def meets(self, found: Violation, item: pytest.Item | None) -> bool:
        """Whether a violation of a test (or of a file: None) was expected; asked while it happens.

        Whether a module is loaded here or was before is chance: what belongs to its file cannot be expected.
        """
        if not selects(self._selectors, found):
            return False
        (self.violations if item is self._item else self._others).append(found)
        return item is self._item

    def __enter__(self) -> Self:
        if self._session is not None:
            self._session.expectations.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._session is None:
            return
        self._session.expectations.remove(self)
        missing = [one for one in self._selectors if not any(selects((one,), found) for found in self.violations)]
        if missing and error is None:
            __tracebackhide__ = True
            happened = ", ".join(f"{found.code} {found.rule}" for found in self.violations) or "nothing"
            text = f"expected {', '.join(missing)} to be violated here; what happened: {happened}"
            text += "".join(
                f"; {found.code} {found.rule} in {found.file or found.target} does not belong to this test"
                for found in dict.fromkeys(self._others)
            )
            pytest.fail(text)
