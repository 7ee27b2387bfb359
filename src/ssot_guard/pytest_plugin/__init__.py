"""The pytest plugin: violations fail the session that met them.

This file is all that a session pays for without a policy: options, markers and the fixture ``ssot`` exist, and nothing
else is imported. With a policy, :mod:`.session` takes over before the first conftest is imported.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from ssot_guard.pytest_plugin.fixture import Ssot
    from ssot_guard.pytest_plugin.session import GuardedSession

SESSION: pytest.StashKey[GuardedSession | None] = pytest.StashKey()
OFF = pytest.StashKey[str]()  # why a session with a policy is not guarded

_BROKEN = "NOT GUARDED, by an internal error"
_MODES = ("off", "observe", "warn", "strict")  # not from the policy: an inert plugin imports nothing
_MARKERS = (
    "ssot_allow(code_or_rule, ..., reason): the test may do this; a reason is required (ssot-guard)",
    "ssot_journey(id, runs=, users=): run so often, as so many tenants at once; fails below the journey's target",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options exist also when the plugin is inert."""
    group = parser.getgroup("ssot", "ssot-guard: one source of truth")
    add = group.addoption
    add("--ssot", dest="ssot_mode", metavar="MODE", choices=_MODES, help="mode: off, observe, warn or strict")
    add("--ssot-policy", metavar="PATH", help="policy file (default: looked for upward from the working directory)")
    add("--ssot-profile", metavar="NAME", help="profile of the policy (default: test, where the policy has it)")
    add("--ssot-baseline", metavar="PATH", help="baseline of known violations (default: the policy's)")
    add("--ssot-update-baseline", action="store_true", help="write the baseline: new ones in, fixed ones out")
    add("--ssot-report", metavar="FILE", help="write a report; the suffix says the format (.json, .txt, ...)")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any conftest: what they import is seen."""
    _begin(early_config, early_config.known_args_namespace, late=False)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Markers exist also when the plugin is inert; a conftest that names the plugin comes too late for the rest."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    if SESSION not in config.stash:
        _begin(config, config.option, late=True)


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line, where there is a policy."""
    session = config.stash.get(SESSION, None)
    if session is not None:
        return session.header()
    off = config.stash.get(OFF, None)
    return f"ssot-guard: {off}" if off else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Silence would look like success."""
    off = terminalreporter.config.stash.get(OFF, "")
    if off.startswith(_BROKEN):
        terminalreporter.write_sep("=", "ssot-guard", red=True)
        terminalreporter.write_line(off, red=True)


@pytest.fixture
def ssot(request: pytest.FixtureRequest) -> Ssot:
    """The guard from inside a test: ``violations``, ``expect()``, ``tenant()``, ``run_as_tenants()``, ``check()``."""
    from ssot_guard.pytest_plugin.fixture import Ssot

    return Ssot(request.config.stash.get(SESSION, None), request.node)


def _begin(config: pytest.Config, options: Namespace, *, late: bool) -> None:
    config.stash[SESSION] = None
    _have_ours_read_as_written(config)
    wanted = {
        name.replace("_", "-"): value
        for name in ("ssot_mode", "ssot_policy", "ssot_profile", "ssot_baseline", "ssot_update_baseline", "ssot_report")
        if (value := getattr(options, name, None))
    }
    place = wanted.get("ssot-policy") or os.environ.get("SSOT_GUARD_POLICY") or _discovered(config)
    if os.environ.get("SSOT_GUARD", "").strip().lower() == "off":
        config.stash[OFF] = "off, by SSOT_GUARD=off" if place else ""
    elif wanted.get("ssot-mode") == "off":
        config.stash[OFF] = "off, by --ssot off" if place else ""
    elif place:
        _guard(config, options, str(place), late=late)
    elif wanted:
        given = ", ".join("--ssot" if name == "ssot-mode" else f"--{name}" for name in wanted)
        raise pytest.UsageError(f"{given}: no policy found, so nothing would be guarded; name one with --ssot-policy")


def _have_ours_read_as_written(config: pytest.Config) -> None:
    """Take our modules out of what pytest rewrites assertions in: the whole package of a plugin.

    None of them asserts anything. Rewritten ones are read by a loader that takes five times as long, and each of them
    refers to it, so that what must outlive the session (fork hooks) would keep the session alive, with all its tests.
    """
    marked = getattr(config.pluginmanager.rewrite_hook, "_must_rewrite", None)  # its only name: there is no way to ask
    if isinstance(marked, set):
        marked.difference_update([name for name in marked if name.partition(".")[0] == "ssot_guard"])


def _guard(config: pytest.Config, options: Namespace, place: str, *, late: bool) -> None:
    """A bug of ours costs the guard, not the session."""
    try:
        from ssot_guard.pytest_plugin.session import begin

        config.stash[SESSION] = begin(config, options, place, late=late)
    except pytest.UsageError:
        raise
    except Exception as error:
        if os.environ.get("SSOT_GUARD_DEBUG") == "1":
            raise
        config.stash[OFF] = f"{_BROKEN}: {type(error).__name__}: {error}"


def _discovered(config: pytest.Config) -> str | None:
    from ssot_guard.discover import discover
    from ssot_guard.errors import PolicyError

    try:
        return discover(config.invocation_params.dir) or discover(config.rootpath)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from None
