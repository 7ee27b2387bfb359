"""The guard from inside a test: the fixture ``ssot``."""

from __future__ import annotations

import pytest

from ssot_guard.pytest_plugin.book import site_key
from ssot_guard.pytest_plugin.markers import refuse_unknown, selects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.violation import Violation
    from ssot_guard.watch.tenants.current import tenant


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
        """Run the on-demand checks now; returns what they find, also where another test met the same.

        What they find about instances, tenants and events belongs to the test, what about classes and modules to files.
        """
        guard = None if self._session is None else self._session.guard
        if guard is None:
            return ()
        before = {site_key(found): found.count for found in guard.violations()}
        guard.check()
        return tuple(found for found in guard.violations() if found.count > before.get(site_key(found), 0))

    def tenant(self, name: object) -> tenant:
        """``with ssot.tenant("alice"):`` what runs inside is done on behalf of this tenant."""
        from ssot_guard.watch.tenants.current import tenant

        return tenant(name)

    def run_as_tenants(self, function: Callable[..., Any], n: int = 10) -> Any:
        """Call a function for ``n`` tenants at once, ``user-1`` … ``user-n``; then look at isolation and sharing.

        It may take the tenant as its argument. Sync code runs in threads that are switched as often as CPython can,
        coroutine functions as tasks of one loop: ``await`` the call, where a loop is running already. Returns the
        results, in the order of the tenants; raises the first one's error, the others' are its notes.
        """
        __tracebackhide__ = True
        from ssot_guard.pytest_plugin.tenants import run_as_tenants

        return run_as_tenants(function, n, self.check)


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
