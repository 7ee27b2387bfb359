"""The marker ``ssot_allow("SSG101", "registry", reason="…")``: what a test may do, and why."""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssot_guard.policy.model import Policy
    from ssot_guard.pytest_plugin.session import GuardedSession
    from ssot_guard.violation import Violation

_MARKER, _JOURNEY = "ssot_allow", "ssot_journey"
# Rules that every policy has: its section [modules].
_BUILT_IN = ("failed-imports", "cycles", "double-imports", "re-executions", "import-budget")


def selects(selectors: Iterable[object], found: Violation) -> bool:
    """Whether codes, rule ids or ``tag:…`` name a violation."""
    return not {found.code, found.rule, *(f"tag:{tag}" for tag in found.tags)}.isdisjoint(selectors)


def refuse_unknown(policy: Policy, selectors: Iterable[object], where: str) -> None:
    """A UsageError for what names nothing: it would allow, or expect, nothing for ever."""
    from ssot_guard.catalogue import CATALOGUE

    known = {*CATALOGUE, *_BUILT_IN, *(rule.id for rule in policy.rules())}
    known.update(f"tag:{tag}" for rule in policy.rules() for tag in rule.tags)
    for one in selectors:
        if one not in known:
            from ssot_guard.policy.kinds import meant

            raise pytest.UsageError(f"{where}: {one!r} is no code and no rule of this policy{meant(str(one), known)}")


def allowed(item: pytest.Item, found: Violation) -> str:
    """The reason for which a test may do this; empty where it may not."""
    return allows(item, found.code, found.rule, found.tags)


def allows(item: pytest.Item, code: str, rule: str, tags: Iterable[str]) -> str:
    """The reason for which a test may violate a rule; empty where it may not."""
    names = {code, rule, *(f"tag:{tag}" for tag in tags)}
    for mark in item.iter_markers(_MARKER):
        reason = _reason(mark)
        if reason and not names.isdisjoint(mark.args):
            return f"allowed: {reason}"
    return ""


def check_markers(guarded: GuardedSession, items: list[pytest.Item]) -> None:
    """Let tests fail whose marker cannot be understood: an exception without a reason is none."""
    refused, journeys = {}, {}
    policy, register = guarded.options.policy, guarded.config.pluginmanager.register
    for item in _marked(items):
        problem = _problem(item, policy)
        if problem is None and item.get_closest_marker(_JOURNEY) is not None:
            from ssot_guard.pytest_plugin.journeys import Asked, read

            asked = read(item, policy)
            if isinstance(asked, Asked):
                journeys[item] = asked
            else:
                problem = asked
        if problem is not None:
            refused[item.nodeid] = problem
    if refused:
        register(_Refusals(refused), "ssot_guard_refusals")
    if journeys:
        from ssot_guard.pytest_plugin.journeys import JourneyTests

        register(JourneyTests(guarded, journeys), "ssot_guard_journeys")


class _Refusals:
    def __init__(self, refused: dict[str, str]) -> None:
        self._refused = refused

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        problem = self._refused.get(item.nodeid)
        if problem is not None:
            pytest.fail(f"usage error: {problem}", pytrace=False)


def _marked(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Items that have one of the markers, from wherever; of 10,000 items most have none, and share their parents."""
    known: dict[pytest.Item | pytest.Collector, bool] = {}

    def marked(node: pytest.Item | pytest.Collector) -> bool:
        if node.own_markers and any(mark.name in (_MARKER, _JOURNEY) for mark in node.own_markers):
            return True
        parent = node.parent
        if parent is None:
            return False
        answer = known.get(parent)
        if answer is None:
            answer = known[parent] = marked(parent)
        return bool(answer)

    return (item for item in items if marked(item))


def _problem(item: pytest.Item, policy: Policy) -> str | None:
    """What is wrong with the markers of a test, or None."""
    for mark in item.iter_markers(_MARKER):
        reason, names = _reason(mark), ", ".join(map(repr, mark.args))
        if not reason:
            return f'{_MARKER} needs a reason: @pytest.mark.{_MARKER}({names or "code"}, reason="...")'
        if not names:
            return f'{_MARKER} needs codes or rule ids: @pytest.mark.{_MARKER}("SSG101", reason={reason!r})'
        try:
            refuse_unknown(policy, mark.args, _MARKER)
        except pytest.UsageError as error:
            return str(error)
    return None


def _reason(mark: pytest.Mark) -> str:
    reason = mark.kwargs.get("reason")
    return reason.strip() if isinstance(reason, str) else ""
