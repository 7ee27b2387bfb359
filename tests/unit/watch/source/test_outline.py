"""Where definitions stand in a source file, in every way that Python has to write them."""

import sys
import textwrap
import warnings

import pytest

from ssot_guard.watch.source import outline


def read(tmp_path, source):
    path = tmp_path / "module.py"
    path.write_bytes(textwrap.dedent(source).removeprefix("\n").encode() if isinstance(source, str) else source)
    return outline.of(str(path))


PLACES = [
    ("class A: ...", "A", (1, 1, 1)),
    ("\n\nclass A:\n    x = 1", "A", (2, 1, 2)),
    ("@one\n@two\nclass A(\n    B,\n    C,\n):\n    x = 1", "A", (3, 1, 6)),
    ("if x:\n    class A:\n        pass", "A", (2, 5, 2)),
    ("try:\n    pass\nexcept ImportError:\n    class A: ...", "A", (4, 5, 4)),
    ("match x:\n    case 1:\n        class A: ...", "A", (3, 9, 3)),
    ("class A:\n    class B:\n        class C: ...", "A.B.C", (3, 9, 3)),
    ("def f():\n    async def g():\n        class C: ...", "f.g.C", (3, 9, 3)),
    ("class A:\n    # why\n    @one\n    def f(self): ...", "A", (1, 1, 2)),
    ("def f(): ...", "f", (1, 1, 1)),
    ("@one\nasync def f(): ...", "f", (2, 1, 2)),
]


@pytest.mark.parametrize(("source", "name", "place"), PLACES)
def test_a_definition_stands_where_its_own_keyword_is(tmp_path, source, name, place):
    node = read(tmp_path, source).definitions[name][-1]
    assert (node.line, node.column, node.head) == place


def test_all_definitions_of_one_name_are_kept_in_order(tmp_path):
    source = "if x:\n    class A: a = 1\nelse:\n    class A: b, *c = 1, 2\n"
    nodes = read(tmp_path, source).definitions["A"]
    assert [(node.line, sorted(node.names)) for node in nodes] == [(2, ["a"]), (4, ["b", "c"])]


BINDINGS = [
    ("import a.b", "a", ("a", None, 0), None),
    ("import a.b as c", "c", ("a.b", None, 0), None),
    ("from ..a import b as c", "c", ("a", "b", 2), None),
    ("from . import c", "c", ("", "c", 1), None),
    ("from a import *", "*", ("a", "*", 0), None),
    ("c = a.b", "c", None, "a.b"),
    ("c = a[int]", "c", None, "a"),
    ("c = f()", "c", None, None),
    ("c: int = 3", "c", None, None),
    ("a, (b, *c) = x", "c", None, None),
    ("if x:\n    c = y", "c", None, "y"),
    ("print(c := 3)", "c", None, None),
]


@pytest.mark.parametrize(("source", "name", "origin", "alias"), BINDINGS)
def test_how_a_module_binds_a_name(tmp_path, source, name, origin, alias):
    binding = read(tmp_path, source).binding(name)
    assert (binding.origin, binding.alias) == (origin, alias)


@pytest.mark.parametrize("source", ["c: int", "def f():\n    c = 3", "class A:\n    c = 3", "a.c = 3", "a[c] = 3"])
def test_what_binds_nothing(tmp_path, source):
    assert read(tmp_path, source).binding("c") is None


def test_bases_are_dotted_names_or_unknown(tmp_path):
    node = read(tmp_path, "class A(b.C, D[int], f(), metaclass=M): ...").definitions["A"][0]
    assert node.bases == ["b.C", "D", None]


def test_calls_that_name_what_they_make(tmp_path):
    found = read(tmp_path, "A = type('A', (), {})\ndef f():\n    return make('B')\nprint('no name')")
    made = {name: [(scope, node.line) for scope, node in found.makers(name)] for name in ("A", "B", "no name", "C")}
    assert made == {"A": [((), 1)], "B": [(("f",), 3)], "no name": [], "C": []}


UNREADABLE = [b"class A(:", b"\x00", b"\xff\xfe class", b"# coding: nonsense\nclass A: ...", b"(" * 100_000]


@pytest.mark.parametrize("content", UNREADABLE)
def test_what_is_no_python_has_no_outline(tmp_path, content):
    assert read(tmp_path, content) is None


def test_files_that_are_not_there_or_no_source_have_none(tmp_path):
    assert [outline.of(one) for one in (None, str(tmp_path / "no.py"), str(tmp_path), sys.executable, "\0.py")] == [
        None
    ] * 5


def test_a_changed_file_is_read_again(tmp_path):
    assert list(read(tmp_path, "class A: ...").definitions) == ["A"]
    assert list(read(tmp_path, "class Another: ...").definitions) == ["Another"]


def test_warnings_of_the_parser_are_not_shown_and_the_filters_stay(tmp_path):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("error")
        before = list(warnings.filters)
        assert read(tmp_path, "class A: x = '\\d'\n1 is 1\n") is not None
        assert warnings.filters == before
    assert seen == []
