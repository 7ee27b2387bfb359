"""What a session looked at, and what it did not: a partial run judges nothing that it did not see."""

from __future__ import annotations

import os
import sys

import pytest

from ssot_guard.files import Files
from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ssot_guard.policy.model import ImportRule, Policy
    from ssot_guard.pytest_plugin.session import GuardedSession

# Options that leave tests out, by their names in pytest's namespace.
_NARROWING = {
    "keyword": "-k",
    "markexpr": "-m",
    "lf": "--lf",
    "stepwise": "--stepwise",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "collectonly": "--collect-only",
}


def governed_modules(policy: Policy) -> list[str]:
    """Governed modules that are loaded now."""
    tops = policy.tops()
    return sorted(
        name
        for name in list(sys.modules)
        if type(name) is str and name.partition(".")[0] in tops and policy.governs(name)
    )


def reasons(guarded: GuardedSession, session: pytest.Session) -> list[str]:
    """Why this run is not the whole suite; empty for a whole one."""
    config = session.config
    found = [flag for option, flag in _NARROWING.items() if getattr(config.option, option, None)]
    if not _whole_suite(config):
        found.append("only a part of the suite was asked for")
    found += list(guarded.partial)
    for one in guarded.workers.facts():
        found += one["partial"]
    if session.shouldfail or session.shouldstop:
        found.append("it stopped early")
    found += [f"worker {name} was lost" for name in guarded.workers.lost()]
    return list(dict.fromkeys(found))


def _whole_suite(config: pytest.Config) -> bool:
    """Whether the arguments name everything: nothing, the root, or the configured paths."""
    here = config.invocation_params.dir
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return True
    asked = {(here / argument).resolve() for argument in config.args}
    return config.rootpath.resolve() in asked or asked == {
        (config.rootpath / path).resolve() for path in config.getini("testpaths")
    }


def facts(guarded: GuardedSession) -> dict[str, Any]:
    """What a process says about itself at its end, as plain data."""
    engine, guard, policy = guarded.engine, guarded.guard, guarded.options.policy
    errors = guarded.faults.told()
    matched: dict[str, bool] = {}
    overflow: dict[str, int] = {}
    if engine is not None:
        errors.update(engine.faults.told())
        overflow.update(engine.ledger.overflow)
        matched = engine.matched_rules()
    return {
        "partial": list(guarded.partial),
        "errors": errors,
        "watching": guard is not None and guard.watching(),
        "matched": [rule for rule, did in matched.items() if did],
        "chances": [rule.id for rule in policy.imports if "runtime" in rule.sides and _had_a_chance(rule)],
        "overflow": overflow,
        "blocked": engine.ledger.blocked if engine is not None else 0,
        "before": guarded.loaded_before,
        "running": [] if guarded.config.pluginmanager.hasplugin("dsession") else guarded.threads.running(),
        "after": _conftests_that_go_on(guarded.config),
        "files": _loaded_files(policy) if guarded.options.has_baseline else [],
        **_parts(guarded),
    }


def _parts(guarded: GuardedSession) -> dict[str, Any]:
    """What was counted beside violations."""
    engine = guarded.engine
    found: dict[str, Any] = {"unknown": {} if engine is None else dict(engine.ledger.unknowns), "journeys": {}}
    if guarded.options.policy.journeys:
        from ssot_guard.pytest_plugin import rates

        found.update(rates.facts(guarded))
    if guarded.options.policy.roles:
        from ssot_guard.pytest_plugin.instances import unwatched

        found["unwatched"] = unwatched(guarded)
    return found


def _conftests_that_go_on(config: pytest.Config) -> list[str]:
    """Conftests that do something after the summary was written."""
    here = str(config.invocation_params.dir) + os.sep
    plugins = [one.plugin for one in config.hook.pytest_unconfigure.get_hookimpls()]
    files = [getattr(plugin, "__file__", None) or "" for plugin in plugins]
    return sorted(file.removeprefix(here) for file in files if os.path.basename(file) == "conftest.py")


def _loaded_files(policy: Policy) -> list[str]:
    """Files of loaded modules, as baselines name them."""
    files = Files(policy)
    found = set()
    for name, module in list(sys.modules.items()):
        path = loaded.namespace(module).get("__file__")
        if type(path) is str and type(name) is str:
            found.add(files.key(path, name))
    return sorted(file for file in found if file is not None and not file.startswith(("/", "<")))


def _had_a_chance(rule: ImportRule) -> bool:
    """Whether anything of what a rule is about was loaded: else its silence means nothing."""
    return any(not home or home in sys.modules for home in _homes(rule))


def _homes(rule: ImportRule) -> Iterator[str]:
    """The module that holds a deprecated name, the package around a deprecated module: up to the first wildcard."""
    for deprecated, _ in rule.pairs:
        module, colon, _ = (deprecated or "").partition(":")
        literal = module.partition("*")[0]
        yield literal.rstrip(".") if colon or literal != module else module.rpartition(".")[0]
