"""Policies from files, texts, mappings and the environment.

Starts with every guarded process. With a warm cache nothing but :mod:`.model` and :mod:`.cache` is imported; the
TOML parser and the checks load when there is something to parse.
"""

from __future__ import annotations

import marshal
import os

from ssot_guard.policy import cache as _cache
from ssot_guard.policy.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

VARIABLE = "SSOT_GUARD_POLICY"
ENTRY_POINT = "entry-point:"


def policy_of(given: Any, environ: Mapping[str, str]) -> Policy:
    """The policy behind a path, a mapping, or a policy; behind None, what ``SSOT_GUARD_POLICY`` names."""
    if isinstance(given, Policy):
        return given
    if given is not None:
        return load_data(given) if isinstance(given, dict) else load(given)
    found = from_environment(environ)
    if found is None:
        from ssot_guard.errors import PolicyError, Problem

        raise PolicyError([Problem(VARIABLE, None, "", "is not set: set it, or call install(policy=…)")])
    return found


def load(path: str | os.PathLike[str], *, cache: bool = True, environ: Mapping[str, str] = os.environ) -> Policy:
    """The policy in a ``pyproject.toml`` (its ``[tool.ssot-guard]``) or any other TOML file (its top level).

    ``cache=False`` neither reads nor writes the cache. Raises PolicyError with every problem.
    """
    name = os.fspath(path)
    try:
        source = os.path.abspath(name)
        content = _content(source)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        _fail(name, _reason(error))
    digest = _cache.digest(content)
    kept = _cache.location(source, environ) if cache else None
    data = _cache.read(kept, digest)
    if data is None:
        from ssot_guard.policy.parse import parse

        data = parse(content, source)
        _cache.write(kept, source, digest, data)
    return _policy(data, source, os.path.dirname(source), digest, environ)


def load_text(text: str, name: str = "ssot-guard.toml", *, environ: Mapping[str, str] = os.environ) -> Policy:
    """The policy in a text; ``name`` says what it would be called (``pyproject.toml`` reads the table)."""
    from ssot_guard.policy.parse import parse

    content = text.encode("utf-8", "surrogatepass")
    source = os.path.abspath(name)
    return _policy(parse(content, source), source, os.path.dirname(source), _cache.digest(content), environ)


def load_data(
    data: Mapping[str, Any],
    *,
    source: str = "<policy>",
    root: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Policy:
    """The policy in a mapping with the keys of ``ssot-guard.toml``; ``root`` defaults to the working directory."""
    from ssot_guard.policy.check import normalise
    from ssot_guard.policy.lines import no_lines

    plain = normalise(data, file=source, lines=no_lines)
    folder = os.path.abspath("." if root is None else root)
    return _policy(plain, source, folder, _cache.digest(marshal.dumps(plain, _cache.MARSHAL)), environ)


def from_environment(environ: Mapping[str, str] = os.environ, *, cache: bool = True) -> Policy | None:
    """The policy that ``SSOT_GUARD_POLICY`` names, as a path or as ``entry-point:NAME``; None where it is not set."""
    value = environ.get(VARIABLE, "")
    if not value:
        return None
    if value.startswith(ENTRY_POINT):
        from ssot_guard.policy.packaged import load_entry_point

        return load_entry_point(value.removeprefix(ENTRY_POINT), environ=environ)
    return load(value, cache=cache, environ=environ)


def _policy(data: dict[str, Any], source: str, root: str, digest: str, environ: Mapping[str, str]) -> Policy:
    # Here and not in the cache: a label such as the release differs from start to start, and a policy may move.
    labels = {
        name: environ.get(value[1:], "") if value.startswith("$") else value for name, value in data["labels"].items()
    }
    profiles = {
        name: profile | {"kill-file": os.path.join(root, profile["kill-file"])} if profile["kill-file"] else profile
        for name, profile in data["profiles"].items()
    }
    return Policy(data | {"labels": labels, "profiles": profiles}, source=source, root=root, digest=digest)


def _content(source: str) -> bytes:
    # Looked at first: opening a named pipe would wait for ever.
    if os.stat(source).st_mode & _cache.FILE_TYPE != _cache.REGULAR:
        _fail(source, "is not a file; name a pyproject.toml or an ssot-guard.toml")
    with open(source, "rb") as stream:
        return stream.read()


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def _fail(file: str, message: str) -> NoReturn:
    from ssot_guard.errors import PolicyError, Problem

    raise PolicyError([Problem(file, None, "", message)])
