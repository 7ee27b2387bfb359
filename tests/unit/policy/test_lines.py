from typing import Any

import pytest

from ssot_guard.policy.lines import Lines, key_lines

TEXT = (
    '''# a comment with [brackets] and = signs
packages = [
    "acme",   # one
    "b]=,",
]

[tool."odd.name"]
'single' = """
many
[lines]
"""
a . b = { c = 1, d = [ { e = 2 }, { f = "}" } ] }   # inline

[[rules]]
id = "x"
[rules.sub]
k = \'\'\'it's
'''
    "''''\n"
    """[[rules]]

id = 'y # no comment'
list = [
  [1, 2],
  { deep = true,
    # 1.1 of TOML allows this
    other = 2026-01-01 },
]
[[rules.inner]]
z = 1
[[rules.inner]]
z = 2
"""
)

WHERE = [
    ("a plain key", ("packages",), 2),
    ("items of an array over several lines", ("packages", 1), 4),
    ("a quoted part of a table's name", ("tool", "odd.name"), 7),
    ("a key after it", ("tool", "odd.name", "single"), 8),
    ("a dotted key after a long string", ("tool", "odd.name", "a", "b"), 12),
    ("a key in an inline table", ("tool", "odd.name", "a", "b", "c"), 12),
    ("a key in a table in an array", ("tool", "odd.name", "a", "b", "d", 1, "f"), 12),
    ("the first of an array of tables", ("rules", 0), 14),
    ("a sub-table of its first", ("rules", 0, "sub", "k"), 17),
    ("the second of an array of tables", ("rules", 1), 19),
    ("a key of the second", ("rules", 1, "id"), 21),
    ("a nested array", ("rules", 1, "list", 0, 1), 23),
    ("a table in an array over lines", ("rules", 1, "list", 1, "other"), 26),
    ("an array of tables in an array of tables", ("rules", 1, "inner", 1, "z"), 31),
    ("a missing key is at its table", ("rules", 1, "missing"), 19),
    ("a missing key of a key is at that key", ("packages", "x", 3), 2),
    ("what stands nowhere has no line", ("nowhere",), None),
    ("the document itself has no line", (), None),
]


@pytest.mark.parametrize(("description", "path", "line"), WHERE)
def test_a_key_path_has_a_line(description: str, path: Any, line: Any) -> None:
    assert Lines(TEXT)(path) == line, description


@pytest.mark.parametrize(("description", "path", "line"), WHERE)
def test_windows_line_ends_change_nothing(description: str, path: Any, line: Any) -> None:
    assert Lines(TEXT.replace("\n", "\r\n"))(path) == line, description


def test_a_prefix_stands_before_every_path() -> None:
    lines = Lines("[project]\nname = 'x'\n[tool.ssot-guard]\nmode = 'x'\n", ("tool", "ssot-guard"))
    assert (lines(("mode",)), lines(("packages",)), lines(())) == (4, 3, 3)


TOLERATED = [
    "[",
    "[[",
    "a",
    "a =",
    "a = [",
    "a = {",
    "= 1",
    "[a",
    "a = '",
    '"',
    "a = [[[[",
    "a.",
    "a = [}",
    "a = {]",
    "a = [=",
    "}",
    '"\\uD8" = 1',
    "]",
    '"\\q" = 1',
    '"\\UFFFFFFFF" = 1',
]


@pytest.mark.parametrize("text", [*TOLERATED, "a = " + "[" * 10_000])
def test_what_is_no_toml_never_raises(text: str) -> None:
    assert isinstance(key_lines("b = 1\n" + text), dict)
    assert key_lines("b = 1\n" + text)["b",] == 1
