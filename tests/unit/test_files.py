"""Which file of the tree a site lies in, wherever the code is deployed."""

from pathlib import Path
from typing import Any

import pytest

from ssot_guard.files import Files
from ssot_guard.policy.load import load_data

SRC = {"packages": ["shop", "!shop.tests"], "source-roots": ["src"]}
FLAT = {"packages": ["shop"]}
TWO = SRC | {"source-roots": ["lib", "src"]}


def files(policy: dict[str, Any], root: Path) -> Files:
    return Files(load_data(policy, root=root))


# (policy, the code's path from the folder around the policy's, its module, the file in the tree)
ANYWHERE = [
    (SRC, "app/shop/report.py", "shop.report", "src/shop/report.py"),
    (SRC, "app/shop/report/__init__.py", "shop.report", "src/shop/report/__init__.py"),
    (SRC, "app/shop/__init__.py", "shop", "src/shop/__init__.py"),
    (SRC, "app.zip/shop/report.py", "shop.report", "src/shop/report.py"),
    (SRC, "app/shop/tests/test_report.py", "shop.tests.test_report", "src/shop/tests/test_report.py"),
    (SRC, "v/site-packages/shop/report.py", "shop.report", "src/shop/report.py"),
    (SRC, "v/site-packages/shop/tests/a.py", "shop.tests.a", "src/shop/tests/a.py"),
    (SRC, "v/site-packages/shopping/report.py", "shopping.report", "shopping/report.py"),
    (SRC, "tree/srv/shop/report.py", "shop.report", "src/shop/report.py"),
    (SRC, "tree/src/shop/report.py", "shop.report", "src/shop/report.py"),
    (FLAT, "app/shop/report.py", "shop.report", "shop/report.py"),
    (FLAT, "tree/srv/shop/report.py", "shop.report", "srv/shop/report.py"),
    (FLAT | {"source-roots": ["../app"]}, "app/shop/report.py", "shop.report", "../app/shop/report.py"),
    (TWO, "app/shop/report.py", "shop.report", "lib/shop/report.py"),
]


@pytest.mark.parametrize(("policy", "path", "module", "expected"), ANYWHERE)
def test_the_module_tells_the_file_where_its_path_cannot(
    policy: dict[str, Any], path: str, module: str, expected: str, tmp_path: Path
) -> None:
    assert files(policy, tmp_path / "tree").key(str(tmp_path / path), module) == expected


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("app/shop/report.py", "__main__"),  # a script, or python -m
        ("app/shop/report.py", "report"),  # its own folder is on the path
        ("app/shop/report.py", "shop.other"),
        ("app/workshop/report.py", "shop.report"),
        ("app/other/report.py", "other.report"),
        ("app/report.py", ""),
    ],
)
def test_a_path_that_says_something_else_stays(path: str, module: str, tmp_path: Path) -> None:
    whole = (tmp_path / path).as_posix()
    assert files(SRC, tmp_path / "tree").key(whole, module) == whole


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("tests/conftest.py", "conftest"),
        ("tests/test_report.py", "tests.test_report"),
        ("tests/shop/test_report.py", "shop.test_report"),  # the suite mirrors the package
        ("serve.py", "__main__"),
        ("src/shop/generated/shop/report.py", "shop.report"),
    ],
)
def test_in_a_checkout_the_path_holds(path: str, module: str, tmp_path: Path) -> None:
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/report.py").touch()
    assert files(SRC, tmp_path).key(str(tmp_path / path), module) == path


def test_a_copy_in_a_checkout_is_named_after_its_source(tmp_path: Path) -> None:
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/report.py").touch()
    copy = str(tmp_path / "build/lib/shop/report.py")
    assert files(SRC, tmp_path).key(copy, "shop.report") == "src/shop/report.py"


def test_the_source_root_that_holds_the_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "tree/src/shop").mkdir(parents=True)
    (tmp_path / "tree/src/shop/report.py").touch()
    deployed = files(TWO, tmp_path / "tree")
    assert deployed.key(str(tmp_path / "app/shop/report.py"), "shop.report") == "src/shop/report.py"


def test_below_an_absolute_source_root_the_path_holds(tmp_path: Path) -> None:
    policy = SRC | {"source-roots": ["src", str(tmp_path / "app")]}
    whole = (tmp_path / "app/shop/report.py").as_posix()
    assert files(policy, tmp_path / "tree").key(whole, "shop.report") == whole


@pytest.mark.parametrize("order", [("__main__", "shop.report"), ("shop.report", "__main__")])
def test_who_was_asked_about_first_changes_nothing(order: tuple[str, str], tmp_path: Path) -> None:
    whole = (tmp_path / "app/shop/report.py").as_posix()
    deployed = files(SRC, tmp_path / "tree")
    found = {module: deployed.key(whole, module) for module in order}
    assert found == {"__main__": whole, "shop.report": "src/shop/report.py"}
