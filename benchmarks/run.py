"""All benchmarks, one table: ``python benchmarks/run.py [--only PART] [--rounds FACTOR] [--write]``.

A missed target is shown and nothing fails: machines differ, and this one may be busy.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import application
import construction
import crowd
import events
import imports
import instructions
import isolation
import report
import rules
import session
import startup
from measure import RunError, facts
from scene import Scene
from table import Row, markdown, text

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
# Part → rounds. Odd numbers: then the median is a round that was really measured.
PARTS = {
    "imports": 11,
    "startup": 41,
    "application": 9,
    "rules": 11,
    "report": 7,
    "session": 9,
    "construction": 9,
    "isolation": 9,
    "crowd": 1,
    "events": 9,
    "instructions": 1,
}


def main() -> int:
    """Measure, print, and write the page if asked to."""
    options = _options()
    if not hasattr(os, "wait4"):
        print("these benchmarks need a system with wait4(): Linux, macOS, BSD")
        return 0
    began = time.monotonic()
    rows: list[Row] = []
    plots: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ssot-guard-bench-") as folder:
        scene = Scene(Path(folder), HERE)
        for part in options.only or PARTS:
            rounds = max(1, round(PARTS[part] * options.rounds))
            _say(f"{part}: {rounds} rounds")
            try:
                _part(part, scene, rounds, rows, plots)
            except (RunError, OSError) as error:
                _say(f"left out: {part}: {error}")
    note = f"{facts()}. Measured in {(time.monotonic() - began) / 60:.0f} minutes."
    print("\n".join(["", text(rows), *plots, "", note]))
    if options.write:
        _write(rows, plots, note)
    return 0


def _part(part: str, scene: Scene, rounds: int, rows: list[Row], plots: list[str]) -> None:
    if part == "rules":
        more, plot = rules.measure(scene, rounds, _say)
        rows += more
        plots.append(plot)
        return
    parts = {
        "imports": imports,
        "startup": startup,
        "application": application,
        "report": report,
        "session": session,
        "construction": construction,
        "isolation": isolation,
        "crowd": crowd,
        "events": events,
        "instructions": instructions,
    }
    rows += parts[part].measure(scene, rounds, _say)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure ssot-guard against no guard and against peers.")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part (may be repeated)")
    parser.add_argument(
        "--rounds", type=float, default=1.0, metavar="FACTOR", help="more or fewer rounds (0.2: a look)"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _write(rows: list[Row], plots: list[str], note: str) -> None:
    """Between the markers; everything else on the page is written by hand."""
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(START)
    _, _, tail = rest.partition(END)
    drawn = [f"```text\n{plot}\n```" for plot in plots]
    body = "\n\n".join([f"*{note}*", markdown(rows), *drawn])
    PAGE.write_text(f"{head}{START}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
