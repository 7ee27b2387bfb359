"""Every example of the README and the docs is run, and prints what the page says that it prints.

A page is one story in an empty folder. A block with ``title="path"`` writes that file; a ``console`` block runs its
``$`` lines and must print the lines below them. There, a line ``...`` stands for any number of lines, ``[...]`` for
any text within a line. Other blocks are prose. A folder of the page's name holds files that it links to instead of
showing them; they are there from the start.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')


def steps(page: Path) -> list[tuple[str, str, str]]:
    """(kind, path or command, content or expected output) of a page's blocks."""
    found = []
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        title = TITLE.search(block["info"])
        if title:
            found.append(("file", title[1], block["body"]))
        elif block["language"] == "console" and "no-run" not in block["info"]:
            for part in re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]:
                command, _, expected = part.partition("\n")
                found.append(("run", command, expected))
    return found


def begin(page: Path, folder: Path) -> None:
    if page.with_suffix("").is_dir():
        shutil.copytree(page.with_suffix(""), folder, dirs_exist_ok=True)


def matches(expected: str, printed: str) -> bool:
    pattern = ""
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += re.escape(line.rstrip()).replace(re.escape("[...]"), ".*") + r" *\n"
    return re.fullmatch(pattern, printed.rstrip() + "\n" if printed.strip() else "") is not None


def run(command: str, folder: Path) -> str:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("SSOT", "PYTHON", "PYTEST"))}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    environ.pop("CI", None)  # there pytest prints whole lines, whatever the width
    environ["COLUMNS"] = "100"
    environ["PYTEST_ADDOPTS"] = "-p no:asyncio -p no:randomly"  # of our environment, not of the pages' readers
    done = subprocess.run(  # noqa: S602 - the docs' commands are shell lines
        command,
        shell=True,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)], ids=lambda page: page.stem)
def test_the_examples_of_a_page_print_what_it_says(page: Path, tmp_path: Path) -> None:
    begin(page, tmp_path)
    for kind, what, text in steps(page):
        if kind == "file":
            path = tmp_path / what
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            continue
        printed = run(what, tmp_path)
        assert matches(text, printed), f"$ {what}\n{printed}\n--- the page says\n{text}"


def test_the_matcher_can_fail() -> None:
    assert matches("a\n...\nz [...]\n", "a\nb\nc\nz 12 ms\n")
    assert not matches("a\n", "a\nb\n")
    assert not matches("", "something\n")


def rewrite(page: Path, folder: Path) -> None:
    """Put what the commands really print into a page (``python tests/docs/test_examples.py``); then read the diff."""
    text = page.read_text(encoding="utf-8")
    begin(page, folder)

    def fresh(block: re.Match[str]) -> str:
        title = TITLE.search(block["info"])
        if title:
            (folder / title[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / title[1]).write_text(block["body"], encoding="utf-8")
        elif block["language"] == "console" and "no-run" not in block["info"]:
            commands = re.findall(r"^\$ (.*)$", block["body"], flags=re.MULTILINE)
            shown = "".join(f"$ {one}\n{run(one, folder).replace(f'{folder}/', '[...]')}" for one in commands)
            return f"```console{block['info']}\n{shown.rstrip()}\n```"
        return block[0]

    page.write_text(BLOCK.sub(fresh, text), encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    for changed in PAGES:
        with tempfile.TemporaryDirectory() as scratch:
            rewrite(changed, Path(scratch).resolve())
