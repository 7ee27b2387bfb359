"""One policy and one baseline, written in a checkout, hold wherever the code is deployed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ssot_guard

TOML = "ssot-guard.toml"
POLICY = """\
packages = ["shop"]
source-roots = ["src"]

[[imports]]
id = "bell"
deprecated = "shop.gong"
canonical = "shop.bell"
"""
SHOP = {
    "__init__.py": "",
    "bell.py": "def ring(): ...\n",
    "gong.py": "from shop.bell import ring\n",
    "report.py": "def run():\n    from shop.gong import ring\n",
}
MAIN = "from shop.report import run\nrun()\nprint('served')\n"
# Where the code lies, and where the policy.
LAYOUTS = {
    "beside the policy's folder": ("app", "etc"),
    "beside the policy": ("etc/srv", "etc"),
    "a target folder": ("opt/python/lib", "etc"),
    "site-packages": ("venv/lib/site-packages", "etc"),
    "a checkout": ("work/src", "work"),
}


def write(root: Path, code: str, policy: str, text: str = POLICY) -> None:
    (root / code / "shop").mkdir(parents=True)
    for name, content in SHOP.items():
        (root / code / "shop" / name).write_text(content)
    (root / policy).mkdir(exist_ok=True)
    (root / policy / "ssot-guard.toml").write_text(text)
    (root / "main.py").write_text(MAIN)


def ssot(root: Path, code: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SSOT_", "PYTEST_", "PYTHON"))}
    package = str(Path(ssot_guard.__file__).parents[1])
    environ = kept | {"PYTHONPATH": os.pathsep.join([package, str(root / code)])} | env
    command = [sys.executable, "-m", "ssot_guard", *args]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def rows(root: Path, layout: str) -> Any:
    """What a strict run finds, and its status."""
    code, policy = LAYOUTS[layout]
    options = ["--policy", f"{policy}/ssot-guard.toml", "--mode", "strict", "--report", "report.json"]
    done = ssot(root, code, "run", *options, "main.py")
    return done.returncode, json.loads((root / "report.json").read_text())["violations"]


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """What guarded runs in a checkout leave behind."""
    checkout = tmp_path / "checkout"
    write(checkout, "src", ".")
    ssot(checkout, "src", "run", "--mode", "observe", "main.py", SSOT_GUARD_SINKS="jsonl:runs", SSOT_GUARD_POLICY=TOML)
    done = ssot(checkout, "src", "baseline", "--from", "runs", SSOT_GUARD_POLICY=TOML)
    assert "1 added" in done.stdout, done.stderr
    return checkout / "ssot-baseline.json"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_known_in_the_checkout_is_known_where_it_runs(layout: str, baseline: Path, tmp_path: Path) -> None:
    root = tmp_path / "deployed"
    write(root, *LAYOUTS[layout])
    shutil.copy(baseline, root / LAYOUTS[layout][1])
    status, found = rows(root, layout)
    assert [(row["path"], row["status"]) for row in found] == [("src/shop/report.py", "known")]
    assert status == 0


@pytest.mark.parametrize(
    ("top", "rule", "expected"),
    [
        ("", "", [(None, "strict")]),
        ('owners = { "src/shop/*.py" = "@shop" }\n', "", [("@shop", "strict")]),
        ('exclude = ["src/shop/report.py"]\n', "", []),
        ('overrides = [{ paths = ["src/shop/**"], max-mode = "observe" }]\n', "", [(None, "observe")]),
        ("", 'allow = ["src/shop/report.py"]\n', []),
    ],
    ids=["nothing", "owners", "exclude", "overrides", "allow"],
)
def test_paths_in_the_policy_mean_files_of_the_tree(top: str, rule: str, expected: list[Any], tmp_path: Path) -> None:
    layout = "beside the policy's folder"
    write(tmp_path / "deployed", *LAYOUTS[layout], top + POLICY + rule)
    _, found = rows(tmp_path / "deployed", layout)
    assert [(row["owner"], row["mode"]) for row in found] == expected
