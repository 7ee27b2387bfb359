"""A real guarded run, its JSON lines, and what the reports make of them; every printed command is executed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ssot_guard

pytest.importorskip("click")
pytest.importorskip("rich")

FILES = {
    ".git/HEAD": "",
    "ssot-guard.toml": """\
packages = ["acme"]
source-roots = ["src"]
mode = "observe"
labels = { release = "$RELEASE" }

[owners]
"src/acme/shop.py" = "@shop"

[[imports]]
id = "registry"
deprecated = "acme.registry"
canonical = "acme.home"
reason = "two registries lose events | #845"

[[imports]]
id = "broken"
deprecated = "acme.broken"
canonical = "acme.home"

[[imports]]
id = "removed"
deprecated = "acme.removed"
""",
    "src/acme/__init__.py": "",
    "src/acme/home.py": "class Registry: ...\nclass Event: ...\n",
    "src/acme/registry.py": "from acme.home import Event\nclass Registry: ...\n",
    "src/acme/broken.py": "1 / 0\n",
    "src/acme/removed.py": "X = 1\n",
    "src/acme/shop.py": """\
def different():
    from acme.registry import Registry


def unknown():
    from acme.registry import Event


def repair():
    import acme.broken


def awakens():
    try:
        from acme.broken import (
            Event,
        )
    except Exception:
        Event = None


def absent():
    from acme.removed import X
""",
    "main.py": """\
import contextlib
import acme.home
from acme import shop

for name in ("different", "unknown", "repair", "awakens", "absent"):
    for _ in range(12):
        with contextlib.suppress(ZeroDivisionError):
            getattr(shop, name)()
""",
}
# Line of the use in shop.py → its verdict.
EXPECTED = {2: "different", 6: "unknown", 10: "repair", 15: "awakens", 23: "absent"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application that has run guarded, first as release a, then as release b."""
    root = tmp_path_factory.mktemp("app")
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    code = "from ssot_guard import bootstrap; bootstrap.start(); exec(open('main.py').read())"
    for release in ("a", "b"):
        guard = {"SSOT_GUARD_POLICY": "ssot-guard.toml", "SSOT_GUARD_SINKS": "jsonl:found", "RELEASE": release}
        subprocess.run([sys.executable, "-c", code], cwd=root, env=environ(root) | guard, check=True)
        if release == "a":
            time.sleep(0.01)
            (root / "between").write_text(str(time.time()))
    return root


def environ(root: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SSOT_", "PYTEST_", "GITHUB_"))}
    return kept | {"PYTHONPATH": os.pathsep.join([str(Path(ssot_guard.__file__).parents[1]), str(root / "src")])}


def ssot(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ssot_guard", *args]
    return subprocess.run(
        command, cwd=root, env=environ(root), capture_output=True, text=True, encoding="utf-8", check=False
    )


def triage(root: Path, *args: str) -> dict[tuple[str, str | None, str | None], dict]:
    done = ssot(root, "report", "found", "--triage", "--format", "json", *args)
    assert done.stderr == ""
    groups = json.loads(done.stdout)["groups"]
    return {(group["rule"], group["verdict"], group["owner"]): group for group in groups}


def test_each_use_has_the_verdict_that_the_run_proves(app: Path) -> None:
    document = json.loads(ssot(app, "report", "found", "--format", "json").stdout)
    found = {row["line"]: row["verdict"] for row in document["violations"] if row["code"] in ("SSG101", "SSG102")}
    assert found == EXPECTED


def test_groups_are_rule_verdict_and_owner(app: Path) -> None:
    groups = triage(app)
    assert set(groups) == {
        ("registry", "different", "@shop"),
        ("registry", "unknown", "@shop"),
        ("registry", None, None),
        ("broken", "repair", "@shop"),
        ("broken", "awakens", "@shop"),
        ("removed", "absent", "@shop"),
        ("failed-imports", None, "@shop"),
    }
    assert groups["removed", "absent", "@shop"]["executions"] == 24
    assert groups["registry", "different", "@shop"]["reason"] == "two registries lose events | #845"


@pytest.mark.parametrize("name", ["text", "json", "markdown"])
def test_each_printed_command_runs_today_and_lists_its_group(name: str, app: Path) -> None:
    text = ssot(app, "report", "found", "--triage", "--format", name).stdout
    shown = json.dumps([group["next"] for group in json.loads(text)["groups"]]) if name == "json" else text
    commands = set(re.findall(r"ssot-guard (?:report|explain|check-policy)[^`\n\"]*", shown))
    assert {command.split()[1] for command in commands} == {"report", "explain", "check-policy"}
    for command in commands:
        done = ssot(app, *shlex.split(command)[1:])
        assert done.returncode == int(command.startswith("ssot-guard report")), f"{command}\n{done.stderr}"
        assert done.stderr == ""
        assert done.stdout
    selections = [command.rpartition(" ")[2] for command in commands if "--select" in command]
    assert len(selections) == 7
    listed = [json.loads(ssot(app, "report", "found", "--format=json", "--select", each).stdout) for each in selections]
    assert sorted(document["summary"]["violations"] for document in listed) == [1, 1, 1, 1, 1, 1, 2]


def test_text_says_why_and_what_stands_against_it(app: Path) -> None:
    text = ssot(app, "report", "found").stdout
    assert "  reason   two registries lose events | #845\n" in text
    assert "  but      DIFFERENT object there: `fix` refuses; see src/acme/registry.py:2\n" in text


def test_markdown_is_written_by_suffix_and_links_into_the_tree(app: Path) -> None:
    assert ssot(app, "report", "found", "--output", "out.md").returncode == 1
    text = (app / "out.md").read_text(encoding="utf-8")
    assert "### `@shop`: 7 violations (7 new)" in text
    assert "| [`src/acme/shop.py:2`](src/acme/shop.py#L2) |" in text
    assert text.index("`@shop`") < text.index("Nobody's files")


def test_github_links_are_absolute(app: Path) -> None:
    names = {"SERVER_URL": "https://github.example", "REPOSITORY": "o/r", "SHA": "abc"}
    command = [sys.executable, "-m", "ssot_guard", "report", "found", "--format", "markdown"]
    env = environ(app) | {f"GITHUB_{name}": value for name, value in names.items()}
    done = subprocess.run(command, cwd=app, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert "(https://github.example/o/r/blob/abc/src/acme/shop.py#L2)" in done.stdout


def test_labels_choose_processes(app: Path) -> None:
    key = ("removed", "absent", "@shop")
    assert triage(app, "--label", "release=a")[key]["executions"] == 12
    assert triage(app, "--label", "release=c") == {}


def test_since_chooses_times(app: Path) -> None:
    key = ("removed", "absent", "@shop")
    assert triage(app, "--since", "1h")[key]["executions"] == 24
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(float((app / "between").read_text())))
    fraction = (app / "between").read_text().partition(".")[2][:3].ljust(3, "0")
    assert triage(app, "--since", f"{moment}.{fraction}")[key]["executions"] == 12


@pytest.mark.parametrize("args", [["--since", "soon"], ["--label", "release"], ["--select", "verdict:"]])
def test_options_that_mean_nothing_are_usage_errors(args: list[str], app: Path) -> None:
    done = ssot(app, "report", "found", *args)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ssot-guard report")
