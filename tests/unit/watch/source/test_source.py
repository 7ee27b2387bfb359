"""The source of modules that are loaded, not loaded, or have none."""

import sys

import pytest

from ssot_guard.watch.source import origin as source


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "roles_tree" / "inner").mkdir(parents=True)
    (tmp_path / "roles_tree" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "roles_tree" / "inner" / "deep.py").write_text("@print\nclass A:\n    class B: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "roles_tree"


def test_the_file_of_a_module_is_found_without_importing_anything(tree):
    assert source.path_of("roles_tree.inner.deep") == str(tree / "inner" / "deep.py")
    assert list(source.outline_of("roles_tree.inner.deep").definitions) == ["A", "A.B"]
    assert not [name for name in sys.modules if name.startswith("roles_tree")]


@pytest.mark.parametrize(("name", "line"), [("A", 1), ("A.B", 3), ("C", None)])
def test_the_compiled_code_knows_lines_too(tree, name, line):
    assert source.line_of("roles_tree.inner.deep", name) == line


@pytest.mark.parametrize(
    "module", ["sys", "_json", "roles_nowhere", "roles_nowhere.deep", "json.nowhere", "", "roles..odd"]
)
def test_what_has_no_source_has_neither_outline_nor_lines(module):
    assert source.outline_of(module) is None
    assert source.line_of(module, "A") is None


def test_a_finder_that_fails_is_passed_over(tree, monkeypatch):
    class Broken:
        @staticmethod
        def find_spec(*_):
            raise ValueError("broken")

    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    assert source.path_of("roles_tree") == str(tree / "__init__.py")
