"""The planted faults, read from their labels in the source, and the table of the README that is made from them.

A label `# fault: <code> <rule>` stands in the first line of the statement, `# canonical: <what to write>` beside it;
`, known` at its end says that the baseline has it.
`python faults.py --write` puts the table into the README.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

Place = tuple[str, int, str, str, str]  # path, line, code, rule, status

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
LABEL = re.compile(r"# fault: (SSG\d{3}) ([\w-]+)(?:, (known))?")
CANONICAL = re.compile(r"# canonical: (.+)")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TABLE = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- end of faults -->)", re.DOTALL)


class Fault(NamedTuple):
    """One labelled line. ``scope`` is the function around it; ``hidden``: a `try` around it catches ImportError."""

    path: str
    line: int
    code: str
    rule: str
    status: str
    text: str
    canonical: str
    scope: str
    hidden: bool

    @property
    def place(self) -> Place:
        return self.path, self.line, self.code, self.rule, self.status

    @property
    def blocks(self) -> bool:
        """Whether `strict` stops it: a new use of a deprecated path that no `except ImportError` would swallow."""
        return self.code in {"SSG101", "SSG102"} and self.status == "new" and not self.hidden


def planted(*folders: str) -> list[Fault]:
    """The faults of these folders, by place."""
    return [fault for folder in folders for path in sorted((HERE / folder).rglob("*.py")) for fault in _in_file(path)]


def _in_file(path: Path) -> list[Fault]:
    lines = path.read_text(encoding="utf-8").splitlines()
    tree = ast.parse("\n".join(lines))
    found = []
    for number, line in enumerate(lines, 1):
        label = LABEL.search(line)
        if label:
            around = _around(tree, number)
            scope = ".".join(node.name for node in around if isinstance(node, _SCOPES))
            hidden = any(isinstance(node, ast.Try) and _swallows(node) for node in around)
            text = line[: label.start()].strip()
            where = path.relative_to(HERE).as_posix()
            status = label[3] or "new"
            canonical = _canonical(lines, number)
            found.append(Fault(where, number, label[1], label[2], status, text, canonical, scope, hidden))
    return found


def _canonical(lines: list[str], number: int) -> str:
    """What stands in the comment just above the fault, or below a definition."""
    beside = (CANONICAL.search(line) for line in (lines[number - 2], *lines[number : number + 1]))
    return next(match[1] for match in beside if match)


def _around(tree: ast.Module, line: int) -> list[ast.stmt]:
    """The statements whose bodies hold this line, outermost first."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno < line <= (node.end_lineno or 0) and hasattr(node, "body")
    ]


def _swallows(node: ast.Try) -> bool:
    return any("ImportError" in ast.unparse(handler.type) for handler in node.handlers if handler.type)


def table() -> str:
    """The README's index."""
    rows = ["| code | rule | where | planted | the canonical way | baseline |", "|---|---|---|---|---|---|"]
    for fault in sorted(planted("helpdesk", "tests"), key=lambda fault: (fault.code, fault.rule, fault.path)):
        code = f"[{fault.code}](../../docs/codes/{fault.code}.md)"
        where = f"[`{fault.path}:{fault.line}`]({fault.path}#L{fault.line})"
        rows.append(f"| {code} | `{fault.rule}` | {where} | `{fault.text}` | `{fault.canonical}` | {fault.status} |")
    return "\n".join(rows) + "\n"


def written() -> str:
    """The index as the README has it."""
    found = TABLE.search(README.read_text(encoding="utf-8"))
    return found[0] if found else ""


if __name__ == "__main__":
    if "--write" in sys.argv:
        README.write_text(TABLE.sub(lambda _: table(), README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(written() != table())
