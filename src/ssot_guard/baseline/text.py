"""The baseline's text: JSON for machines, and lines that git can merge.

One entry is one line below its file's line, and every entry ends with a comma because ``null`` ends the list: whoever
removes an entry touches that line only. A blank line ends each file, and a file keeps its line when its last entry
goes, because git merges two changes only where an untouched line lies between them.
"""

from __future__ import annotations

import sys

from ssot_guard.baseline.key import Key
from ssot_guard.errors import BaselineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

VERSION = 1
_FIRST, _LAST = '{{"version": {}, "known": [\n\n', "null]}\n"
_KEYS = frozenset(("code", "rule", "target", "scope", "sites"))
_MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_CONFLICT = (
    "is in the middle of a merge: keep both sides' lines without the markers, then let a run prune it "
    "(`ssot-guard baseline --help` shows the merge driver that makes this unnecessary)"
)
_REPAIR = "restore it from version control, or remove it and write it anew (ssot-guard baseline --from ...)"


def dump(entries: Mapping[Key, int], files: Iterable[str] = ()) -> str:
    """The text of entries; ``files`` keep their line also without any, unless there is no entry at all."""
    from json import dumps

    below: dict[str, list[Key]] = {file: [] for file in files} if entries else {}
    for key in entries:
        below.setdefault(key.file, []).append(key)
    lines = [_FIRST.format(VERSION)]
    for file in sorted(below):
        lines.append(f"{dumps(file, ensure_ascii=False)},\n")
        for key in sorted(below[file], key=lambda key: key.nature):
            entry: dict[str, Any] = {"code": key.code, "rule": key.rule, "target": key.target}
            if key.scope:
                entry["scope"] = key.scope
            if entries[key] != 1:
                entry["sites"] = entries[key]
            lines.append(f"  {dumps(entry, ensure_ascii=False)},\n")
        lines.append("\n")
    return "".join([*lines, _LAST])


def parse(content: bytes, name: str) -> tuple[dict[Key, int], set[str]]:
    """The entries in a baseline's bytes, and its files; BaselineError with ``name`` and line for what is none."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    entries: dict[Key, int] = {}
    files: set[str] = set()
    file: str | None = None
    for number, item in enumerate(_items(content, name)):
        if type(item) is str:
            problem = f"{item!r} stands twice: put its entries together" if item in files else None
            file = item
            files.add(file)
        elif file is None:
            problem = "an entry stands above the first file"
        else:
            problem = _add(entries, file, item)
        if problem is not None:
            raise BaselineError(name, _line(content, number), problem)
    return entries, files


def _add(entries: dict[Key, int], file: str, item: Any) -> str | None:
    """Take one entry in; what is wrong with it, or None."""
    if type(item) is not dict:
        return 'an entry looks like {"code": "SSG101", "rule": "…", "target": "…"}'
    sites, scope = item.get("sites", 1), item.get("scope", "")
    code, rule, target = item.get("code"), item.get("rule"), item.get("target")
    if not type(code) is type(rule) is type(target) is type(scope) is str or not item.keys() <= _KEYS:
        return "an entry has code, rule and target, may have scope and sites, and nothing else"
    if type(sites) is not int or sites < 1:
        return "sites is a whole number from 1 on"
    key = Key(code, rule, file, target, scope)
    if key in entries:
        return "this entry stands twice: remove one line"
    entries[key] = sites
    return None


def _items(content: bytes, name: str) -> list[Any]:
    document = _decode(content, name)
    if type(document) is not dict or "version" not in document:
        raise BaselineError(name, 1, 'is no baseline: it must begin with {"version": 1, "known": [')
    if document["version"] != VERSION:
        text = f"has version {document['version']!r}, and this ssot-guard knows {VERSION}: update it"
        raise BaselineError(name, 1, text)
    items = document.get("known")
    if type(items) is not list or set(document) != {"version", "known"}:
        raise BaselineError(name, 1, "must hold version and known, a list, and nothing else")
    if not items or items.pop() is not None:
        raise BaselineError(name, None, "does not end with null: its last lines are missing")
    return items


def _decode(content: bytes, name: str) -> Any:
    """JSON, by orjson where the host has loaded it: its own import would cost more than it saves."""
    loads = getattr(sys.modules.get("orjson"), "loads", None)
    if loads is not None:
        try:
            return loads(content)
        except ValueError:  # the standard library reads what orjson refuses, and knows where a mistake is
            pass
    import json

    try:
        return json.loads(content.decode())
    except UnicodeDecodeError as error:
        line, problem = content.count(b"\n", 0, error.start) + 1, f"is not UTF-8: {error.reason}"
    except json.JSONDecodeError as error:
        line, problem = error.lineno, f"is no JSON: {error.msg}"
    except (ValueError, RecursionError) as error:
        line, problem = 1, f"is no JSON: {error}"
    marked = [number for number, text in enumerate(content.splitlines(), 1) if text.startswith(_MARKERS)]
    if marked:
        raise BaselineError(name, marked[0], _CONFLICT)
    raise BaselineError(name, line, f"{problem}; {_REPAIR}")


def _line(content: bytes, number: int) -> int | None:
    """The line of an item, where each has a line of its own, as we write it."""
    lines = [at for at, line in enumerate(content.splitlines(), 1) if line.strip()]
    items = lines[1:-1]
    return items[number] if number < len(items) else None
