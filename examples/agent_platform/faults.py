"""The planted faults, read from their labels in the source, and the table of the README that is made from them.

A label `# fault: <code> <rule>` stands in the line that the guard is to name, `# canonical: <what to write>` beside it;
`, known` at its end says that the baseline has it. Several faults of one line are separated by `;`.
`python faults.py --write` puts the table into the README.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Place = tuple[str, int, str, str, str]  # path, line, code, rule, status

PACKAGE = "helpdesk"
HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
LABEL = re.compile(r"# fault: (.+)")
ONE = re.compile(r"(SSG\d{3}) ([\w-]+)(?:, (known))?(?:; |$)")
CANONICAL = re.compile(r"# canonical: (.+)")
# What only shows when somebody uses it; everything else shows when its module loads, or at a look at the process.
IN_USE = {"SSG202", "SSG203", "SSG204", "SSG206", "SSG301", "SSG302", "SSG401", "SSG402", "SSG403", "SSG501"}
BLOCKING = {"SSG101", "SSG102", "SSG201", "SSG202", "SSG203", "SSG301", "SSG403"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TABLE = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- end of faults -->)", re.DOTALL)


class Fault(NamedTuple):
    """One fault of a line. ``scope`` is the function around it; ``hidden``: a `try` around it catches ImportError."""

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
        """Whether `strict` stops it: it is new, and no `except ImportError` would swallow the error."""
        return self.code in BLOCKING and self.status == "new" and not self.hidden

    @property
    def in_use(self) -> bool:
        return self.code in IN_USE


def place(found: dict[str, Any]) -> Place:
    """The place of a violation of a report."""
    return found["path"], found["line"], found["code"], found["rule"], found["status"]


def places(planted: Iterable[Fault]) -> list[Place]:
    return sorted(fault.place for fault in planted)


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
            hidden = any(isinstance(node, ast.Try) and _swallows(node) for node in around)
            text = line[: label.start()].strip()
            where = path.relative_to(HERE).as_posix()
            canonical = _canonical(lines, number)
            for code, rule, status in ONE.findall(label[1]):
                # What is seen in use has the scope of what is used.
                held = around if code not in IN_USE else [*around, *_at(tree, number)]
                scope = ".".join(node.name for node in held if isinstance(node, _SCOPES))
                found.append(Fault(where, number, code, rule, status or "new", text, canonical, scope, hidden))
    return found


def _canonical(lines: list[str], number: int) -> str:
    """What stands in the comment just above the fault, or below a definition."""
    beside = (CANONICAL.search(line) for line in (lines[number - 2], *lines[number : number + 1]))
    return next(match[1] for match in beside if match)


def _around(tree: ast.Module, line: int) -> list[ast.stmt]:
    """The statements whose bodies hold this line, outermost first."""
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and hasattr(node, "body") and _holds(node, line)
    ]


def _at(tree: ast.Module, line: int) -> list[ast.stmt]:
    """What is defined in this line."""
    return [node for node in ast.walk(tree) if isinstance(node, _SCOPES) and node.lineno == line]


def _holds(node: ast.stmt, line: int) -> bool:
    """Whether a line is one of the body or of the decorators."""
    decorators = {decorator.lineno for decorator in getattr(node, "decorator_list", ())}
    return node.lineno < line <= (node.end_lineno or 0) or line in decorators


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
