"""A page per code, in Markdown: what ``explain`` prints and what stands in ``docs/codes``.

``python -m ssot_guard.cli.pages docs/codes`` writes them again after a change of the catalogue.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ssot_guard.catalogue import CATALOGUE
from ssot_guard.cli.examples import EXAMPLES

if TYPE_CHECKING:
    from ssot_guard.catalogue import Entry


def page(entry: Entry) -> str:
    """The page of one code."""
    example = EXAMPLES[entry.code]
    return f"""\
# {entry.code} {entry.name}

{entry.what}

{_seen(entry)}

## Why it matters

{entry.why}

## Example

Wrong:

```{example.language}
{example.bad}
```

Right:

```{example.language}
{example.good}
```

## What to do

{entry.write}
{_allow(entry)}"""


def index() -> str:
    """The page that links to all others."""
    rows = "".join(
        f"| [{entry.code}]({entry.code}.md) | {entry.name} | {entry.what}{' *(not yet)*' if entry.later else ''} |\n"
        for entry in CATALOGUE.values()
    )
    return f"""\
# Codes

Every violation has a stable code, the same at runtime and in the audit. `ssot-guard explain SSG101` prints its page.
What this version does not look for yet says so.

| code | name | what is wrong |
|---|---|---|
{rows}"""


def write(folder: Path) -> None:
    """Write the page of every code, and their index, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.md").write_text(index(), encoding="utf-8", newline="\n")
    for entry in CATALOGUE.values():
        (folder / f"{entry.code}.md").write_text(page(entry), encoding="utf-8", newline="\n")


def _seen(entry: Entry) -> str:
    audited = entry.audit and not entry.audit_later
    sides = [side for side, there in (("at runtime", entry.runtime), ("by the audit", audited)) if there]
    blocks = " In `strict` it is blocked before the wrong code runs." if entry.blocks else ""
    later = " **This version does not look for it yet.**" if entry.later else ""
    later = " **The audit's part comes with a later version.**" if entry.audit_later else later
    return f"Seen {' and '.join(sides)}.{blocks}{later}"


def _allow(entry: Entry) -> str:
    """How to live with it; the codes about the policy itself are repaired, not allowed."""
    if entry.code.startswith("SSG9"):
        return ""
    ways = [f'- in tests: `@pytest.mark.ssot_allow("{entry.code}", reason="…")`'] if entry.runtime else []
    if entry.audit:
        ways.insert(0, f"- at the line: `# ssot: ignore[{entry.code}] <reason>`")
    if entry.code in {"SSG101", "SSG102", "SSG103"}:
        ways.append("- for an importer: its module in the rule's `allow`")
    ways.append('- for a rule while it is new: `max-mode = "observe"`')
    return "\n## How to allow it\n\n" + "\n".join(ways) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
