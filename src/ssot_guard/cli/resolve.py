"""``check-policy --import``: do the names that a policy relies on exist? Asked in a child process, by importing them.

The guard itself never imports a name of the application; an operator may, once, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from ssot_guard.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssot_guard.policy.model import Policy, RoleRule

    Reference = tuple[str, str]  # (key path, "a.b" or "a.b:Name.attribute")

_SECONDS = 600
# Writes one line before and one after each name, so that a name whose import kills the process is known.
_CHILD = """
import importlib, inspect, json, sys
paths, names, emitters, out = json.loads(sys.argv[1])
sys.path[:0] = paths

def given(value):
    try:
        parameters = inspect.signature(value).parameters.values()
    except Exception:
        return None
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
        return None
    return [one.name for one in parameters]

with open(out, "w", encoding="utf-8") as results:
    for name in names:
        print(json.dumps([name, "start"]), file=results, flush=True)
        try:
            module, _, attributes = name.partition(":")
            value = importlib.import_module(module)
            for attribute in attributes.split(".") if attributes else ():
                value = getattr(value, attribute)
            problem = None
        except BaseException as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            parameters = given(value) if name in emitters else None
        print(json.dumps([name, problem, None if problem else parameters]), file=results, flush=True)
"""


def unresolved(policy: Policy) -> list[Problem]:
    """A problem for each name of the policy that cannot be imported, and each parameter that an emitter has not."""
    found = [(key, name) for key, name in _references(policy) if "*" not in name]
    problems, parameters = _ask(policy, list(dict.fromkeys(name for _, name in found)))
    return [
        *(
            Problem(policy.source, None, key, f"{name} cannot be imported: {problems[name]}")
            for key, name in found
            if problems.get(name) is not None
        ),
        *(Problem(policy.source, None, key, text) for key, text in _without(policy, parameters)),
    ]


def _without(policy: Policy, parameters: dict[str, list[str]]) -> Iterator[Reference]:
    """(key, text) for each path of an event rule that begins nowhere."""
    for index, rule in enumerate(policy.events):
        paths = {"event": rule.event if isinstance(rule.event, str) else None, "run": rule.run, "tenant": rule.tenant}
        for key, path in paths.items():
            first = (path or "self").partition(".")[0]
            for name in rule.emitter:
                if first != "self" and name in parameters and first not in parameters[name]:
                    known = ", ".join(parameters[name]) or "none"
                    yield f"events[{index}].{key}", f"{name} has no parameter {first!r}; it has: {known}"


def _references(policy: Policy) -> Iterator[Reference]:
    for index, rule in enumerate(policy.imports):
        place = f"imports[{index}]"
        for _, canonical in rule.pairs:
            if canonical is not None:
                yield f"{place}.canonical", canonical.removesuffix(".**")
        for name, target in rule.names.items():
            yield f"{place}.names.{name}", target
        for name in rule.contested:
            yield f"{place}.contested", name
    for index, role in enumerate(policy.roles):
        yield from _role(f"roles[{index}]", role)
    for index, event in enumerate(policy.events):
        for name in event.emitter:
            yield f"events[{index}].emitter", name
    for name in policy.tenant_sources:
        # What follows the first attribute is looked up in a value that only exists inside a request.
        yield "tenant.current", name.partition(":")[0] + ":" + name.partition(":")[2].partition(".")[0]


def _role(place: str, role: RoleRule) -> Iterator[Reference]:
    singles = {"canonical": role.canonical, "interface": role.interface, "registered-in": role.registered_in}
    for key, single in singles.items():
        if single is not None:
            yield f"{place}.{key}", single
    lists = {
        "contested": role.contested,
        "subclass-of": role.subclass_of,
        "factory": role.factory,
        "released-by": role.released_by,
        "share": role.share,
    }
    for key, names in lists.items():
        for name in names:
            yield f"{place}.{key}", name


def _ask(policy: Policy, names: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Name → what went wrong with it, for those that did not resolve; emitter → its parameters, where they are all."""
    roots = [os.path.join(policy.root, root) for root in policy.source_roots] or [policy.root]
    with tempfile.TemporaryDirectory(prefix="ssot-guard-") as folder:
        results = os.path.join(folder, "results")
        emitters = [name for rule in policy.events for name in rule.emitter]
        arguments = json.dumps([roots, names, emitters, results])
        command = [sys.executable, "-c", _CHILD, arguments]
        with suppress(subprocess.TimeoutExpired):  # the name that it hangs in is the one without an answer
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, timeout=_SECONDS)  # noqa: S603 - ourselves
        return _answers(results)


def _answers(results: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    problems: dict[str, str] = {}
    parameters: dict[str, list[str]] = {}
    with open(results, encoding="utf-8") as lines:
        for line in lines:
            name, problem, *more = json.loads(line)
            if more and more[0] is not None:
                parameters[name] = more[0]
            if problem == "start":
                problems[name] = "the process ended, or hung, while importing it"
            elif problem is None:
                del problems[name]
            else:
                problems[name] = problem
    return problems, parameters
