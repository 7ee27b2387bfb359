"""Inline ignores: which comments are one, and on which lines of a statement they count."""

from __future__ import annotations

import os

import pytest

from ssot_guard.ignores import Ignores, parse

COMMENTS = [
    ("# ssot: ignore[SSG101] moved in May", [(("SSG101",), "moved in May")]),
    ("#ssot:ignore[SSG101]moved", [(("SSG101",), "moved")]),
    ("# ssot: ignore[SSG101, registry] two of them", [(("SSG101", "registry"), "two of them")]),
    ("# ssot: ignore[SSG101]", [(("SSG101",), "")]),
    ("# ssot: ignore[SSG101] -- ", [(("SSG101",), "")]),
    ("# ssot: ignore[SSG101]: see #845", [(("SSG101",), "see #845")]),
    ("# ssot: ignore[SSG101] #845", [(("SSG101",), "#845")]),
    ("# ssot: ignore[SSG101]  # noqa: F401", [(("SSG101",), "")]),
    ("# ssot: ignore[SSG101] #noqa", [(("SSG101",), "")]),
    ("# ssot: ignore[SSG101] moved  # noqa: F401", [(("SSG101",), "moved")]),
    ("# noqa: F401  # ssot: ignore[SSG101] moved", [(("SSG101",), "moved")]),
    ("# ssot: ignore[SSG101] one # ssot: ignore[SSG102] two", [(("SSG101",), "one"), (("SSG102",), "two")]),
    ("# ssot: ignore moved", [((), "")]),
    ("# ssot: ignore[] moved", [((), "moved")]),
    ("# ssot: ignore[SSG101 moved", [(("SSG101 moved",), "")]),
    ("# ssot: keep", []),
    ("# see ssot: ignore[SSG101] is for other lines", []),
    ("# the ssot", []),
]


@pytest.mark.parametrize(("comment", "found"), COMMENTS, ids=[row[0] for row in COMMENTS])
def test_what_a_comment_says(comment, found) -> None:
    assert [(one.names, one.reason) for one in parse(comment)] == found


SOURCES = [
    ("on its line", "import old  # ssot: ignore[X] r\n", (1, 1), 1),
    ("on the line above", "# ssot: ignore[X] r\nimport old\n", (2, 2), 0),
    ("on the line below", "import old\n# ssot: ignore[X] r\n", (1, 1), 0),
    ("on the first of several", "from old import (  # ssot: ignore[X] r\n  a,\n)\n", (1, 3), 1),
    ("on one in the middle", "from old import (\n  a,  # ssot: ignore[X] r\n)\n", (1, 3), 1),
    ("on the last", "from old import (\n  a,\n)  # ssot: ignore[X] r\n", (1, 3), 1),
    ("on two", "from old import (  # ssot: ignore[X] r\n  a,  # ssot: ignore[Y] r\n)\n", (1, 3), 2),
    ("in a string", "import old; x = '# ssot: ignore[X] r'\n", (1, 1), 0),
    ("in a text over lines", 'x = """\nimport old  # ssot: ignore[X] r\n"""\n', (2, 2), 0),
    ("behind a string", "import old; x = '#'  # ssot: ignore[X] r\n", (1, 1), 1),
    ("behind a semicolon", "x = 1; import old  # ssot: ignore[X] r\n", (1, 1), 1),
    ("with an unknown end", "import old  # ssot: ignore[X] r\n", (1, None), 1),
    ("before a later mistake", "import old  # ssot: ignore[X] r\nx = (\n", (1, 1), 1),
    ("after a form feed and a tab", "if 1:\n\timport old\t# ssot: ignore[X] r\n\f\n", (2, 2), 1),
    ("with Windows lines", "\r\nimport old  # ssot: ignore[X] r\r\n", (2, 2), 1),
]


@pytest.mark.parametrize(("source", "lines", "count"), [row[1:] for row in SOURCES], ids=[row[0] for row in SOURCES])
def test_comments_count_on_the_lines_of_the_statement(source, lines, count, tmp_path) -> None:
    file = tmp_path / "m.py"
    file.write_bytes(source.encode())
    assert len(Ignores().at(str(file), *lines)) == count


def test_an_f_string_that_looks_like_one_does_not_count(tmp_path) -> None:
    file = tmp_path / "m.py"
    file.write_text('x = f"""\n{mod.Old} # ssot: ignore[X] r\n"""\n')
    assert Ignores().at(str(file), 2) == []


@pytest.mark.parametrize(
    "content",
    [
        b"# coding: latin-1\nx = '\xfc'; import old  # ssot: ignore[X] r\n",
        b"\xef\xbb\xbf#\nimport old  # ssot: ignore[X] r\xc3\xbc\n",
    ],
)
def test_encodings_are_followed(content, tmp_path) -> None:
    (tmp_path / "m.py").write_bytes(content)
    assert len(Ignores().at(str(tmp_path / "m.py"), 2)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"# coding: klingon\nimport old  # ssot: ignore[X] r\n",
        b"\xff\nimport old  # ssot: ignore[X] r\n",
        b"(" * 10_000 + b"\nimport old  # ssot: ignore[X] r\n",
        b"  x\n y\nimport old  # ssot: ignore[X] r\n",
        b"\0\0 ssot:",
    ],
)
def test_what_cannot_be_read_as_python_has_none_and_raises_nothing(content, tmp_path) -> None:
    (tmp_path / "m.py").write_bytes(content)
    assert Ignores().at(str(tmp_path / "m.py"), 1, 1) == []


@pytest.mark.parametrize("path", ["<string>", "/no/such/file.py", "x\0y", "/app.zip/acme/a.py", None])
def test_a_source_that_is_not_there_has_none(path) -> None:
    assert Ignores().at(path, 1) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_named_pipe_is_not_opened(tmp_path) -> None:
    os.mkfifo(tmp_path / "m.py")
    assert Ignores().at(str(tmp_path / "m.py"), 1) == []


def test_a_file_is_read_once_and_parsed_only_where_it_holds_a_mark(tmp_path, monkeypatch) -> None:
    import tokenize

    parsed = []
    real = tokenize.tokenize

    def spy(readline):
        parsed.append(1)
        return real(readline)

    monkeypatch.setattr(tokenize, "tokenize", spy)
    plain, marked = tmp_path / "plain.py", tmp_path / "marked.py"
    plain.write_text("import old\n" * 9)
    marked.write_text("import old  # ssot: ignore[X] r\n" * 9)
    ignores = Ignores()
    assert [len(ignores.at(str(file), line)) for file in (plain, marked) for line in (1, 2, 3)] == [0, 0, 0, 1, 1, 1]
    assert parsed == [1]
