"""Other import hooks, before us and after us: all of them work, and ours still sees."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.conftest import Kit

HOOK = {
    "beartype": """
from beartype.claw import beartype_package
beartype_package("acme")
""",
    "typeguard": """
from typeguard import install_import_hook
install_import_hook("shapes")
""",
    "wrapt": """
import wrapt
hooked = []
wrapt.register_post_import_hook(lambda module: hooked.append(module.__name__), "acme.old")
""",
    "guard": """
import ssot_guard
guard = ssot_guard.install(mode="observe", policy={"packages": ["acme", "shapes"], "imports": [
    {"id": "old", "deprecated": ["acme.old", "shapes.old"]}, {"id": "name", "deprecated": "acme.names:Old"}]})
""",
}
USE = """
def caught(action, *arguments):
    try: action(*arguments)
    except Exception as error: return type(error).__name__
import acme.old
from acme.names import Old
import shapes.old
import acme.old
print(caught(acme.old.double, "text"), caught(shapes.old.double, "text"), hooked, type(acme.old).__name__)
print(type(acme.old.__spec__.loader).__name__, type(shapes.old.__spec__.loader).__name__)
"""
TREE = {
    "acme/__init__.py": "",
    "acme/names.py": "Old = 1\n",
    "acme/old.py": "def double(number: int) -> int:\n    return number * 2\n",
    "shapes/__init__.py": "",
    "shapes/old.py": "def double(number: int) -> int:\n    return number * 2\n",
}
PATHS = "import sys, os\nsys.path[:0] = [os.environ['TREE'], os.environ['SRC']]\n"
REPORT = """
for v in guard.violations(): print(v.code, v.target, v.count)
print(guard.status()["internal_errors"])
guard.uninstall()
"""


def _kit(kit: Kit, hooks: Path) -> tuple[Kit, dict[str, str]]:
    for name, text in TREE.items():
        (kit.folder / name).parent.mkdir(exist_ok=True)
        (kit.folder / name).write_text(text, "utf-8")
    env = kit.plain | {"TREE": str(kit.folder), "SRC": str(kit.source), "PYTHONDONTWRITEBYTECODE": "1"}
    return kit.with_python(hooks), env


ORDERS = [order for order in permutations(("beartype", "typeguard", "wrapt")) if order[0] < order[1]]


@pytest.mark.parametrize("others", ORDERS, ids="-".join)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_hooks_work_together_in_any_order(others: tuple[str, ...], place: int, kit: Kit, hooks: Path) -> None:
    kit, env = _kit(kit, hooks)
    order = [*others[:place], "guard", *others[place:]]
    plain = kit.run("-c", PATHS + "".join(HOOK[name] for name in others) + USE, env=env)
    guarded = kit.run("-c", PATHS + "".join(HOOK[name] for name in order) + USE + REPORT, env=env)
    assert (plain.returncode, guarded.returncode) == (0, 0), plain.stderr + guarded.stderr
    assert "BeartypeCallHintParamViolation TypeCheckError ['acme.old']" in plain.stdout
    ours = guarded.stdout.removeprefix(plain.stdout)
    assert guarded.stdout.startswith(plain.stdout)
    # A finder that goes in front of ours afterwards and claims a module is not asked about it: doctor tells.
    behind = order.index("typeguard") > order.index("guard")
    shapes = [] if behind else ["SSG101 shapes.old 1"]
    assert ours.splitlines() == ["SSG101 acme.old 1", "SSG102 acme.names:Old 1", *shapes, "SSG101 acme.old 1", "{}"]


def test_pytest_rewrites_the_asserts_of_a_plugin_that_is_governed(kit: Kit, hooks: Path) -> None:
    kit, _ = _kit(kit, hooks)
    (kit.folder / "acme" / "checks.py").write_text("def check(value):\n    assert value == [1, 2]\n", "utf-8")
    (kit.folder / "conftest.py").write_text('import pytest\npytest.register_assert_rewrite("acme.checks")\n', "utf-8")
    (kit.folder / "test_it.py").write_text(
        "from acme.checks import check\nfrom acme import old\n\ndef test_it():\n    check([1, 3])\n", "utf-8"
    )
    policy = """
    packages = ["acme", "test_it", "conftest"]
    mode = "observe"
    [[imports]]
    id = "old"
    deprecated = ["acme.checks", "acme.old"]
    """
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    plain, guarded = kit.run(*command), kit.run(*command, env=kit.guarded(policy))
    said = [[line for line in run.stdout.splitlines() if " in 0." not in line] for run in (plain, guarded)]
    assert "At index 1 diff: 3 != 2" in plain.stdout
    assert said[0] == said[1]
    seen = [
        (record["target"], record["line"], record["path"])
        for record in kit.sightings().records
        if record["record"] == "violation"
    ]
    assert sorted(entry[:2] for entry in seen) == [("acme.checks", 1), ("acme.old", 2)], seen
