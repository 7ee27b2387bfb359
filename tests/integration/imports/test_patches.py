"""``mock.patch("a.old.X")`` and ``monkeypatch.setattr("a.old.X", …)`` are uses of whoever patches, loaded or not."""

import pytest

POLICY = {"packages": ["acme"], "imports": [{"id": "m", "deprecated": "acme.old", "canonical": "acme.new"}]}
TREE = {"acme/__init__.py": "", "acme/old.py": "X = 1\n", "acme/new.py": "X = 1\n"}
START = "import sys, lab\nlab.install()\nimport acme\nfrom unittest import mock\nfrom _pytest.monkeypatch import MonkeyPatch\n"

PATCHES = {
    "with": "with mock.patch('acme.old.X', 2): pass  # <-",
    "decorator": "@mock.patch('acme.old.X', 2)  # <-\ndef f(): pass\nf()",
    "two decorators": "@mock.patch('sys.argv', [])  # <-\n@mock.patch('acme.old.X', 2)\ndef f(): pass\nf()",
    "coroutine": "import asyncio\n@mock.patch('acme.old.X', 2)  # <-\nasync def f(): pass\nasyncio.run(f())",
    "class": "@mock.patch('acme.old.X', 2)\nclass T:\n    def test_f(self): pass  # <-\nT().test_f()",
    "start": "patcher = mock.patch('acme.old.X', 2)\npatcher.start()  # <-\npatcher.stop()",
    "multiple": "with mock.patch.multiple('acme.old', X=2): pass  # <-",
    "monkeypatch": "patch = MonkeyPatch()\npatch.setattr('acme.old.X', 2)  # <-\npatch.undo()",
    "monkeypatch, gone name": "patch = MonkeyPatch()\npatch.setattr('acme.old.Y', 2, raising=False)  # <-\npatch.undo()",
    "monkeypatch, delete": "patch = MonkeyPatch()\npatch.delattr('acme.old.X')  # <-\npatch.undo()",
}
OTHER = "exec(compile('import acme.old', 'other.py', 'exec'))\n"


@pytest.mark.parametrize("loaded", [False, True], ids=["first", "cached"])
@pytest.mark.parametrize("mode", ["observe", "warn"])
@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_counts_at_the_line_that_patches(lab, marked, name, mode, loaded):
    start = START + (OTHER if loaded else "")
    source = "import warnings\nwarnings.simplefilter('ignore')\n" + start + PATCHES[name]
    answer = lab.run(TREE | {"main.py": source}, POLICY, mode=mode)
    mine = [row for row in answer.violations if row["path"] != "other.py"]

    assert (answer.error, answer.internal_errors) == (None, {})
    assert [(row["code"], row["path"].rpartition("/")[2], row["line"]) for row in mine] == [
        ("SSG101", "main.py", line) for line in marked(source)
    ]


def test_each_patched_function_counts_for_itself(lab):
    source = (
        START
        + "".join(f"@mock.patch('acme.old.X', 2)\ndef f{n}(): pass\n" for n in range(3))
        + "f0(); f1(); f2(); f1()"
    )
    answer = lab.run(TREE | {"main.py": source}, POLICY)

    assert [(row["line"], row["scope"], row["count"]) for row in answer.violations] == [
        (6, "f0", 1),
        (8, "f1", 2),
        (10, "f2", 1),
    ]


def test_a_patch_of_a_name_by_its_module_object_only_looks(lab):
    policy = POLICY | {"imports": [{"id": "n", "deprecated": "acme.new:X"}]}
    source = (
        START
        + "import acme.new\nwith mock.patch.object(acme.new, 'X', 2): pass\nMonkeyPatch().setattr(acme.new, 'X', 1)\n"
    )
    answer = lab.run(TREE | {"main.py": source}, policy)

    assert (answer.error, answer.violations) == (None, [])
