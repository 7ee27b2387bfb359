"""The one section at the end: what is new, known and fixed, who failed for what, and what was not checked."""

from __future__ import annotations

from ssot_guard.pytest_plugin.session import SUMMARY_ONLY
from ssot_guard.pytest_plugin.words import OURS, headline, listed, many, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from ssot_guard.pytest_plugin.conclusion import Conclusion, Place
    from ssot_guard.pytest_plugin.session import GuardedSession

_MOST = 20  # violations, without -v


def write(terminal: pytest.TerminalReporter, guarded: GuardedSession) -> None:
    """Write the section."""
    terminal.write_sep("=", "ssot-guard", bold=True)
    try:
        lines = list(_lines(terminal, guarded))
    except Exception as error:  # noqa: BLE001 - contained: the errors below must be seen
        guarded.faults.note("summary", error)
        lines = []
    for text, markup in [*lines, *((text, {"red": True}) for text in _internal_errors(guarded))]:
        terminal.write_line(text, **markup)


def _lines(terminal: pytest.TerminalReporter, guarded: GuardedSession) -> Iterator[tuple[str, dict[str, bool]]]:
    found = guarded.conclusion
    if found is None:
        return
    yield _counts(found), {"red": True} if found.failing else {"green": not found.with_status("new")}
    verbose = terminal.verbosity > 0
    shown = [one for one in found.places if verbose or one.violation.status == "new" or one in found.failing]
    most = len(shown) if verbose else _MOST
    for one in shown[:most]:
        yield _violation(one, guarded, fails=one in found.failing), {}
    if len(shown) > most:
        yield f"and {len(shown) - most} more: -v lists them, --ssot-report FILE writes them", {}
    yield _failures(terminal), {}
    for text in [*_journeys(guarded, found), *_rules(found), *_stale(found), *guarded.notes]:
        yield text, {}
    for text in [*_not_checked(guarded, found), *_never_run(guarded, found), *_unknown(found)]:
        yield f"not checked: {text}", {"yellow": True}


def _counts(found: Conclusion) -> str:
    new = [one for one in found.with_status("new") if not one.excused]
    excused = sum(one.excused for one in found.places)
    text = f"{many(len(new), 'new violation')}, {len(found.with_status('known'))} known, {_fixed(found)} fixed"
    for status in ("contested", "suppressed"):
        if number := len(found.with_status(status)):
            text += f", {number} {status}"
    return f"{text}, {excused} allowed or expected by tests" if excused else text


def _fixed(found: Conclusion) -> int:
    return sum(surplus for _, surplus in found.stale)


def _violation(one: Place, guarded: GuardedSession, *, fails: bool) -> str:
    text = f"{place(one.violation)}: {headline(one.lines[0])}"
    tests = one.tests()
    if tests:
        text += f" [{many(len(tests), 'test')}; first: {min(tests)}]"
    if one.violation.details.get("overdue"):
        text += f" [overdue since {one.violation.details['overdue']}]"
    if not fails:
        text += f" [fails nothing: {_why(one, guarded)}]"
    return text


def _why(one: Place, guarded: GuardedSession) -> str:
    found = one.violation
    if one.excused:
        return one.lines[0].excuse
    if found.status != "new":
        return found.status
    if found.code in SUMMARY_ONLY:
        return f"{found.code} never does in tests"
    if guarded.options.update:
        return "the baseline is being updated"
    return f"mode {found.mode}" if guarded.options.fail != "never" else 'fail = "never"'


def _failures(terminal: pytest.TerminalReporter) -> str:
    """The three numbers, by test: one that failed in two phases is one."""
    failed: dict[str, set[str]] = {}
    for report in [*terminal.stats.get("failed", ()), *terminal.stats.get("error", ())]:
        failed.setdefault(report.nodeid, set()).add(getattr(report, "ssot_guard", ""))
    own = sum(kinds == {""} for kinds in failed.values())
    ours = sum(kinds == {OURS} for kinds in failed.values())
    files = sum(nodeid.startswith("ssot::") for nodeid in failed)
    text = f"failures: {own} of the suite's own, {ours} only by ssot-guard"
    if files:
        text += f" ({many(files, 'file')})"
    return f"{text}, {len(failed) - own - ours} both"


def _journeys(guarded: GuardedSession, found: Conclusion) -> Iterator[str]:
    if guarded.options.policy.journeys:
        from ssot_guard.pytest_plugin.rates import told

        yield from told(guarded, found.facts)


def _never_run(guarded: GuardedSession, found: Conclusion) -> Iterator[str]:
    if guarded.options.policy.journeys:
        from ssot_guard.pytest_plugin.rates import never_run

        rules = never_run(guarded, found.facts)
        if rules:
            yield f"{many(len(rules), 'journey was', 'journeys were')} never run: {listed(rules)}"


def _rules(found: Conclusion) -> Iterator[str]:
    if found.partial or any(one["blocked"] for one in found.facts):
        return  # other tests, or what was blocked, may need them
    dead = sorted(_union(found, "chances") - _union(found, "matched"))
    if dead:
        yield f"SSG901 matched nothing, so misspelt, or done and ready to be deleted: {listed(dead, _MOST)}"


def _stale(found: Conclusion) -> Iterator[str]:
    if found.stale:
        entries = listed(f"{key.file} ({key.code} {key.rule})" for key, _ in found.stale)
        yield f"SSG902 fixed, take them out with --ssot-update-baseline: {entries}"
    if found.renames:
        yield f"renamed files keep their entries: {listed(f'{old} -> {new}' for old, new in found.renames.items())}"


def _not_checked(guarded: GuardedSession, found: Conclusion) -> Iterator[str]:
    rules = {rule.id for rule in guarded.options.policy.imports if "runtime" in rule.sides}
    seen = {one.violation.rule for one in found.places}  # also by a worker that was lost
    unseen = sorted(rules - _union(found, "chances") - _union(found, "matched") - seen)
    if unseen:
        yield f"{many(len(unseen), 'rule')} had no chance to match, their packages were never loaded: {listed(unseen)}"
    before = sorted(_union(found, "before"))
    if before:
        yield f"imports of {many(len(before), 'module')} loaded before the guard: {listed(before)}"
    if guarded.late:
        yield "conftests: the plugin was loaded by one of them; use -p ssot_guard, or install it"
    for name in found.lost:
        yield f"worker {name} was lost: what it did after its last line is unknown"
    asleep = sum(not one["watching"] for one in found.facts)
    if asleep:
        yield f"the guard was not active any more at the end of {many(asleep, 'process', 'processes')}"
    running = sorted(_union(found, "running"))
    if running:
        yield f"what {many(len(running), 'thread')} of tests will still do: {listed(running)}"
    after = sorted(_union(found, "after"))
    if after:
        yield f"pytest_unconfigure of {listed(after)}: it runs after this summary"
    overflow = sum(count for one in found.facts for count in one["overflow"].values())
    if overflow:
        yield f"{many(overflow, 'execution')} beyond the first 10,000 distinct violations of a process"
    if found.partial:
        yield f"the rest of the suite: {'; '.join(found.partial)}"


def _unknown(found: Conclusion) -> Iterator[str]:
    """Verdicts that nobody could give."""
    counts: dict[str, int] = {}
    for one in found.facts:
        for key, number in one["unknown"].items():
            counts[key] = counts.get(key, 0) + number
    if counts:
        rules = listed((f"{key} {many(number, 'time')}" for key, number in sorted(counts.items())), _MOST)
        yield f"what nobody could tell (no tenant, or a run that was not seen from its start): {rules}"
    unwatched = sum(one.get("unwatched", 0) for one in found.facts)
    if unwatched:
        yield f"copied and unpickled instances in {many(unwatched, 'test')}: there was no time to look for them"


def _union(found: Conclusion, name: str) -> set[str]:
    return {one for facts in found.facts for one in facts[name]}


def _internal_errors(guarded: GuardedSession) -> Iterator[str]:
    errors = guarded.faults.told()
    if guarded.conclusion is not None:
        for facts in guarded.conclusion.facts:
            errors.update(facts["errors"])
    for component, text in errors.items():
        yield f"INTERNAL ERROR of ssot-guard, in {component}; it changed no result, but something may be unseen: {text}"
