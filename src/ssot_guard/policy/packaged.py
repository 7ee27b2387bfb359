"""Policies that installed packages ship, under the entry point group ``ssot_guard.policies``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ssot_guard.errors import PolicyError, Problem
from ssot_guard.policy.kinds import meant
from ssot_guard.policy.load import load, load_data

if TYPE_CHECKING:
    from typing import NoReturn

    from ssot_guard.policy.model import Policy

GROUP = "ssot_guard.policies"


def load_entry_point(name: str, *, environ: Mapping[str, str] = os.environ) -> Policy:
    """The policy behind an entry point, which loads to a path, a mapping, or a callable that returns one of them."""
    source = f"entry-point:{name}"
    entry = _entry(name, source)
    try:
        found = entry.load()
        found = found() if callable(found) else found
    except Exception as error:
        message = f"{entry.value} raised {type(error).__name__}: {error}"
        raise PolicyError([Problem(source, None, "", message)]) from error
    if isinstance(found, (str, os.PathLike)):
        return load(found, environ=environ)
    if not isinstance(found, Mapping):
        _fail(source, f"{entry.value} is a {type(found).__name__}; it must be a path, a mapping, or a callable for one")
    return load_data(found, source=source, root=_folder(entry.value), environ=environ)


def _entry(name: str, source: str) -> Any:
    entries = {(entry.name, entry.value): entry for entry in _entry_points()}
    named = [entry for (known, _), entry in sorted(entries.items()) if known == name]
    if not named:
        names = {known for known, _ in entries}
        _fail(source, f"no installed package has an entry point of this name in `{GROUP}`{meant(name, names)}")
    if len(named) > 1:
        _fail(source, f"is ambiguous: {', '.join(entry.value for entry in named)}")
    return named[0]


def _entry_points() -> Any:
    try:
        metadata = import_module("importlib_metadata")
    except ImportError:  # a vendored or minimal installation
        metadata = import_module("importlib.metadata")
    return metadata.entry_points(group=GROUP)


def _folder(value: str) -> str | None:
    """The folder of the module that holds the policy: what relative paths in it can mean."""
    file = getattr(sys.modules.get(value.partition(":")[0].strip()), "__file__", None)
    return os.path.dirname(os.path.abspath(file)) if file else None


def _fail(source: str, message: str) -> NoReturn:
    raise PolicyError([Problem(source, None, "", message)])
