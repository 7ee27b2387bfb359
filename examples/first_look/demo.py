"""The guard on an ordinary script that uses today's SQLAlchemy, requests and jsonschema: `make demo`.

Runs `app.py` unguarded, then in `observe`, `warn` and `strict`, then its repaired twin `app_fixed.py`, and compares
what the guard says with the labels in `app.py`. Exits with 0 only if exactly the expected was seen.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for what the examples share

from story import Story, tell  # noqa: E402

APP, FIXED = "app.py", "app_fixed.py"
LABEL = re.compile(r"# deprecated: ([\w-]+)")
# `sqlalchemy.ext.declarative` wraps some functions of `sqlalchemy.orm`, to warn: under one name there are two objects.
SHIM = ("SSG104", "declarative", "sqlalchemy/ext/declarative/__init__.py")


class Label(NamedTuple):
    """A statement of `app.py` that uses a deprecated path."""

    line: int
    rule: str
    code: str


class Run(NamedTuple):
    """How a program ended, and what the guard's report says about it."""

    status: int
    out: str
    err: str
    violations: list[dict]

    def sites(self, file: str = APP) -> list[tuple[int, str]]:
        """(line, rule) of each violation in a file."""
        return [(found["line"], found["rule"]) for found in self.violations if found["path"].endswith(file)]


def run(story: Story, program: str, mode: str | None = None, *, keep: bool = True) -> Run:
    """Run a program of this folder, guarded in a mode or not at all; ``keep`` its records for the merged report."""
    report = story.folder / "report.json"
    command, environ = [sys.executable, program], clean()
    if mode is not None:
        guard = ["-m", "ssot_guard", "run", "--mode", mode, "--policy", str(HERE / "ssot-guard.toml"), "--quiet"]
        command = [sys.executable, *guard, "--report", str(report), program]
        if keep:
            environ["SSOT_GUARD_SINKS"] = f"jsonl:{story.folder / 'records'}"
    done = subprocess.run(command, cwd=HERE, env=environ, capture_output=True, text=True, check=False)
    violations = json.loads(report.read_text())["violations"] if mode is not None and report.exists() else []
    report.unlink(missing_ok=True)
    return Run(done.returncode, done.stdout, done.stderr, violations)


def clean() -> dict[str, str]:
    """The environment without anybody's own guard, warnings or colours."""
    unwanted = ("SSOT_GUARD", "PYTHONWARNINGS", "PYTHONDEVMODE", "FORCE_COLOR")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return environ | {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}


def labels() -> list[Label]:
    """The labelled statements, in order of lines."""
    lines = (HERE / APP).read_text(encoding="utf-8").splitlines()
    found = ((number, line, LABEL.search(line)) for number, line in enumerate(lines, 1))
    return [Label(number, match[1], line[: match.start()].strip()) for number, line, match in found if match]


def alone(label: Label) -> str:
    """A program with the app's harmless imports, and then this one statement."""
    source = (HERE / APP).read_text(encoding="utf-8")
    bad = {other.line for other in labels()}
    tree = ast.parse(source)
    harmless = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno not in bad]
    statement = next(node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno == label.line)
    if isinstance(statement, ast.Return):
        statement = ast.Expr(statement.value)
    names = {"SCHEMA": {}, "shop": "example"}
    given = [f"{name} = {value!r}" for name, value in names.items()]
    # Whatever the statement would load: is it there afterwards?
    probe = "import atexit, sys; atexit.register(lambda: print('sqlalchemy.ext.declarative' in sys.modules))"
    return "\n".join([*map(ast.unparse, harmless), *given, probe, ast.unparse(statement), "print('it ran')"]) + "\n"


def unguarded(story: Story) -> Run:
    story.title("1. The script by itself")
    story.say(f"{APP} checks orders (jsonschema), stores them (SQLAlchemy), prepares a request (requests).\n")
    plain = run(story, APP)
    story.say(indented(plain.out))
    warnings = len(set(re.findall(rf"{APP}:(\d+): \w+Warning", plain.err)))
    story.say(f"\nIt works. Python's own warnings name {warnings} of its lines.")
    story.check("the script succeeds", 0, plain.status)
    return plain


def observe(story: Story, plain: Run, expected: list[Label]) -> None:
    story.title("2. observe: what does it really import?")
    seen = run(story, APP, "observe")
    details = {found["line"]: found for found in seen.violations if found["path"].endswith(APP)}
    for label in expected:
        found = details.get(label.line)
        if found:
            story.say(f"  {found['code']}  {APP}:{label.line}  {label.code}")
            story.say(f"          {found['message']}\n")
    claim = f"all {len(expected)} deprecated uses are named, once each, and no other line"
    story.check(claim, pairs(expected), sorted(seen.sites()))
    story.check("same output, same warnings, same exit status", plain[:3], seen[:3])
    others = [found for found in seen.violations if not found["path"].endswith(APP)]
    story.say("\n  And what no search for text finds: the old path serves another `declarative_base` than the new one.")
    story.check("SSG104 in SQLAlchemy's own file, and nothing else", {SHIM}, {shim(found) for found in others})


def warn(story: Story, plain: Run, expected: list[Label]) -> None:
    story.title("3. warn: tell the developer, break nothing")
    seen = run(story, APP, "warn")
    lines = [int(line) for line in re.findall(rf"{APP}:(\d+): SsotWarning", seen.err)]
    story.say(next((f"    {line[line.find(APP) :]}" for line in seen.err.splitlines() if "SsotWarning" in line), ""))
    story.check(
        "one warning for each deprecated use, at its own line", [label.line for label in expected], sorted(lines)
    )
    story.check("same output, same exit status", (plain.out, plain.status), (seen.out, seen.status))


def strict(story: Story, expected: list[Label]) -> None:
    story.title("4. strict: stop it before the old code runs")
    seen = run(story, APP, "strict")
    story.say(indented("\n".join(seen.err.replace(str(HERE) + os.sep, "").splitlines()[-4:])))
    claim = "the script stops at its first deprecated use, without output"
    story.check(claim, (pairs(expected)[:1], 1, ""), (seen.sites(), seen.status, seen.out))
    story.say("\n  Each deprecated use alone, in a program of its own:")
    for label in expected:
        program = story.folder / "alone.py"
        program.write_text(alone(label), encoding="utf-8")
        done = run(story, str(program), "strict", keep=False)
        last = (done.err.strip().splitlines() or [""])[-1]
        blocked = last.partition(": ")[0].endswith("DeprecatedImportError") and f" {label.rule}: " in last
        story.check(
            f"blocked  {APP}:{label.line}  {label.code}", (True, 1, "False\n"), (blocked, done.status, done.out)
        )


def fixed(story: Story, plain: Run) -> None:
    story.title("5. The repaired script, in strict")
    story.say(
        f"{FIXED} writes what the guard said. `urllib3` and `idna` are the very objects of `requests.packages`.\n"
    )
    done = run(story, FIXED, "strict")
    story.check(
        "same output, no violation, exit status 0", (plain.out, [], 0), (done.out, done.violations, done.status)
    )


def merged(story: Story, expected: list[Label]) -> None:
    story.title("6. One report of all these processes")
    records = str(story.folder / "records")
    command = [sys.executable, "-m", "ssot_guard", "report", "--color", "never"]
    text = subprocess.run([*command, records], cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    story.say(indented(text.stdout))
    command += ["--format", "json"]
    data = subprocess.run([*command, records], cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    sites = [(v["line"], v["rule"]) for v in json.loads(data.stdout)["violations"] if v["path"].endswith(APP)]
    story.check("merged, too, each line is named once", pairs(expected), sorted(sites))
    story.check("`report` exits with 1: there are new violations", 1, text.returncode)


def shim(found: dict) -> tuple[str, str, str]:
    """Code, rule, and the end of the path that does not depend on where packages are installed."""
    path = found["path"].replace(os.sep, "/")
    return found["code"], found["rule"], path[path.rfind("sqlalchemy/") :]


def indented(text: str) -> str:
    return textwrap.indent(text.rstrip(), "    ")


def pairs(expected: list[Label]) -> list[tuple[int, str]]:
    return [(label.line, label.rule) for label in expected]


def steps(story: Story) -> None:
    expected = labels()
    plain = unguarded(story)
    observe(story, plain, expected)
    warn(story, plain, expected)
    strict(story, expected)
    fixed(story, plain)
    merged(story, expected)


if __name__ == "__main__":
    sys.exit(tell(steps, "SQLAlchemy", "requests", "jsonschema"))
