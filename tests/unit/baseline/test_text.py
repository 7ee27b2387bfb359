"""The file: what it looks like, what survives it, and what is said of a damaged one."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssot_guard.baseline import Baseline, Key, key_of
from ssot_guard.errors import BaselineError
from ssot_guard.violation import Site, Violation

WORDS = st.text() | st.sampled_from(
    ["", "ü", "\udc80", 'a"b', "a\\b", "\n", "\r", "\u2028", "\x00", "<string>", "\ud83d\ude00"]
)
KEYS = st.builds(Key, st.sampled_from(["SSG101", "SSG999"]), WORDS, WORDS, WORDS, WORDS)
ENTRIES = st.dictionaries(KEYS, st.integers(1, 10**6))
ONE = '{"version": 1, "known": [\n\n"a.py",\n  {"code": "SSG101", "rule": "r", "target": "old"},\n\nnull]}\n'


def test_the_file_is_sorted_with_one_entry_a_line_below_its_file() -> None:
    baseline = Baseline(
        "",
        {
            Key("SSG102", "registry", "src/b.py", "acme.old:Old", "Bridge.start"): 2,
            Key("SSG101", "registry", "src/b.py", "acme.old"): 1,
            Key("SSG101", "registry", "src/a.py", "acme.old", "main"): 1,
        },
    )
    assert baseline.dump() == (
        '{"version": 1, "known": [\n'
        "\n"
        '"src/a.py",\n'
        '  {"code": "SSG101", "rule": "registry", "target": "acme.old", "scope": "main"},\n'
        "\n"
        '"src/b.py",\n'
        '  {"code": "SSG101", "rule": "registry", "target": "acme.old"},\n'
        '  {"code": "SSG102", "rule": "registry", "target": "acme.old:Old", "scope": "Bridge.start", "sites": 2},\n'
        "\n"
        "null]}\n"
    )


@given(ENTRIES)
def test_what_is_dumped_is_loaded_again_by_either_reader(tmp_path_factory, entries) -> None:
    path = tmp_path_factory.mktemp("b") / "b.json"
    Baseline(str(path), entries).write()
    assert Baseline.load(path).entries == entries
    assert Baseline.load(path).dump() == Baseline("", entries).dump()
    assert json.loads(path.read_bytes())["version"] == 1
    lines = path.read_bytes().split(b"\n")
    assert sum(line.startswith(b"  {") for line in lines) == len(entries)


@pytest.mark.parametrize("reader", ["orjson", "json"])
def test_both_readers_agree(reader: str, tmp_path) -> None:
    pytest.importorskip(reader)
    path = tmp_path / "b.json"
    path.write_text(ONE.replace("old", "\\udc80").replace('"a.py"', '"\\u00fc.py"'))
    code = (
        f"import {reader}\nfrom ssot_guard.baseline import Baseline\nprint(ascii(Baseline.load({str(path)!r}).entries))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii({Key("SSG101", "r", "ü.py", "\udc80"): 1})


def test_a_missing_file_is_an_empty_baseline(tmp_path) -> None:
    assert Baseline.load(tmp_path / "none.json").entries == {}


def test_the_order_of_a_file_and_its_line_ends_do_not_matter(tmp_path) -> None:
    path = tmp_path / "b.json"
    entry = '{"code": "SSG101", "target": "old", "rule": "r"}'
    path.write_bytes(f'\ufeff{{"known": ["b.py",\r\n{entry}, "a.py", {entry}, null], "version": 1}}'.encode())
    assert list(Baseline.load(path).entries) == [Key("SSG101", "r", "b.py", "old"), Key("SSG101", "r", "a.py", "old")]


@pytest.mark.parametrize(
    ("what", "text", "line", "said"),
    [
        ("empty", "", 1, "is no JSON"),
        ("cut off", ONE[:60], 4, "is no JSON"),
        ("last line missing", ONE.replace("\nnull]", '\n"z.py"]'), None, "does not end with null"),
        ("another document", "[1]", 1, "is no baseline"),
        ("a number", "12", 1, "is no baseline"),
        ("of a later version", ONE.replace("1,", "2,"), 1, "has version 2"),
        ("with more", ONE.replace('"version"', '"total": 3, "version"'), 1, "nothing else"),
        ("entry without target", ONE.replace(', "target": "old"', ""), 4, "has code, rule and target"),
        ("entry with a typo", ONE.replace('"target"', '"scop": "x", "target"'), 4, "nothing else"),
        ("a number as scope", ONE.replace('"target"', '"scope": 1, "target"'), 4, "has code, rule and target"),
        ("no sites", ONE.replace('"target"', '"sites": 0, "target"'), 4, "whole number from 1"),
        ("true sites", ONE.replace('"target"', '"sites": true, "target"'), 4, "whole number from 1"),
        ("entry of another shape", ONE.replace('{"code"', '[{"code"').replace('"},', '"}],'), 4, "an entry looks like"),
        ("entry above all files", ONE.replace('"a.py",\n', ""), 3, "above the first file"),
        (
            "entry twice",
            ONE.replace("\n\nnull", '\n  {"code":"SSG101","rule":"r","target":"old"},\nnull'),
            5,
            "stands twice",
        ),
        ("file twice", ONE.replace("null", '"a.py",\nnull'), 6, "stands twice"),
        ("deep", ONE.replace("null", "[" * 100_000), 1, "is no JSON"),
        ("a merge", f"{ONE[:26]}<<<<<<< HEAD\n=======\n>>>>>>> b\nnull]}}", 2, "in the middle of a merge"),
        ("two documents", ONE + ONE, 7, "is no JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
@pytest.mark.parametrize("reader", ["orjson", "json"])
def test_a_damaged_file_is_named_with_its_line(what, text, line, said, reader, tmp_path, monkeypatch) -> None:
    if reader == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.delitem(sys.modules, "orjson", raising=False)
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(BaselineError, match=said) as caught:
        Baseline.load(path)
    if what != "deep":  # which line that is depends on the parser
        assert (caught.value.file, caught.value.line) == (str(path), line)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path) -> None:
    (tmp_path / "b.json").write_bytes(ONE.encode().replace(b"old", b"\xff"))
    with pytest.raises(BaselineError, match=r"b\.json:4: is not UTF-8"):
        Baseline.load(tmp_path / "b.json")


def test_a_folder_is_no_baseline(tmp_path) -> None:
    with pytest.raises(BaselineError, match="cannot be read"):
        Baseline.load(tmp_path)


# -- keys ------------------------------------------------------------------------------------------------------------


def test_the_live_process_and_its_json_lines_make_the_same_key() -> None:
    from ssot_guard.report.model import Report

    site = Site("/srv/\udc80.py", 3, 1, module="m", scope="Caf\u00e9.\udc81")
    found = Violation("SSG101", "r", "", site, "old.\udcff", file="src/\udc80.py", fingerprint="f")
    [row] = Report([found]).rows.values()
    assert key_of(found) == key_of(row) == Key("SSG101", "r", "src/\\udc80.py", "old.\\udcff", "Caf\u00e9.\\udc81")


def test_what_is_unknown_is_empty_in_a_key() -> None:
    assert key_of(Violation("SSG101", "r", "", Site(), "old")) == Key("SSG101", "r", "", "old", "")


@given(KEYS)
def test_keys_travel_between_processes(key: Key) -> None:
    for twin in (pickle.loads(pickle.dumps(key)), copy.deepcopy(key)):  # noqa: S301
        assert (type(twin), twin, hash(twin)) == (Key, key, hash(key))
    assert (key.code, key.rule, key.file, key.target, key.scope) == tuple(key)


# -- writing ---------------------------------------------------------------------------------------------------------


def test_a_file_keeps_its_line_when_its_last_entry_goes_and_all_go_with_the_very_last(tmp_path) -> None:
    path = tmp_path / "b.json"
    keys = [Key("SSG101", "r", file, "old") for file in ("a.py", "b.py")]
    Baseline(str(path), dict.fromkeys(keys, 1)).write()
    for gone, left in ((keys[0], ['"a.py",', '"b.py",']), (keys[1], [])):
        baseline = Baseline.load(path)
        baseline.pruned([(gone, 1)]).write()
        assert [line for line in path.read_text().splitlines() if line.startswith('"')] == left


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes and links")
def test_writing_keeps_the_mode_and_the_link_and_leaves_nothing_behind(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "b.json", tmp_path / "b.json"
    real.write_text(ONE)
    real.chmod(0o640)
    link.symlink_to(real)
    assert Baseline.load(link).extended([(Key("SSG101", "r", "z.py", "old"), Site())]).write()
    assert (link.is_symlink(), real.stat().st_mode & 0o777, b"\r" in real.read_bytes()) == (True, 0o640, False)
    assert sorted(tmp_path.rglob("*")) == [link, tmp_path / "real", real]


def test_the_same_text_is_not_written_again(tmp_path) -> None:
    path = tmp_path / "b.json"
    path.write_text(ONE)
    os.utime(path, (1, 1))
    assert Baseline.load(path).write() is False
    assert path.stat().st_mtime == 1


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "b.json"
    path.write_text(ONE)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        Baseline(str(path)).write()
    assert (path.read_text(), [file.name for file in tmp_path.iterdir()]) == (ONE, ["b.json"])


def test_importing_the_baseline_costs_a_live_process_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import ssot_guard.baseline; print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                            env={"PYTHONPATH": os.pathsep.join(sys.path)}).stdout.split()  # fmt: skip
    assert {name for name in loaded if not name.startswith("ssot_guard")} <= {"__future__", "_operator"}
