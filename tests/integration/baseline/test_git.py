"""Two branches, one baseline, real git: with the merge driver nothing ever conflicts, and little without it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import ssot_guard
from ssot_guard.baseline import Baseline, Key

# Two processes for each merge: nothing in it depends on the version, so one does them all.
PAIRS = 200 if sys.version_info[:2] == (3, 11) else 20
FILES = [f"src/acme/{folder}/{name}.py" for folder in ("agents", "tools", "ws") for name in "abcdefghijklmnopqrst"]
DRIVER = f'"{sys.executable}" -m ssot_guard baseline merge %O %A %B'
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "PYTHONPATH": str(Path(ssot_guard.__file__).parents[1]),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Repository:
    """A repository with baselines, each in a folder of its own."""

    def __init__(self, folder: Path, *, driver: bool) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        (folder / ".gitattributes").write_text("ssot-baseline.json merge=ssot-baseline text eol=lf\n")
        if driver:
            self.git("config", "merge.ssot-baseline.driver", DRIVER)
        self.commit()

    def git(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["git", *args], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=240
        )
        assert not check or done.returncode == 0, done
        return done

    def file(self, number: int = 0) -> Path:
        return self.folder / str(number) / "ssot-baseline.json"

    def commit(self, *baselines: Baseline) -> None:
        for number, baseline in enumerate(baselines):
            self.file(number).parent.mkdir(exist_ok=True)
            baseline.write(self.file(number))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def branch_and_merge(self, ours: list[Baseline], theirs: list[Baseline]) -> list[Baseline | None]:
        """What the merge of two branches left of each baseline; None for a conflict."""
        self.git("checkout", "-q", "-b", "theirs")
        self.commit(*theirs)
        self.git("checkout", "-q", "main")
        self.commit(*ours)
        self.git("merge", "-q", "-m", "x", "theirs", check=False)
        unmerged = self.git("diff", "--name-only", "--diff-filter=U").stdout.splitlines()
        conflicts = {int(name.partition("/")[0]) for name in unmerged}
        return [None if number in conflicts else Baseline.load(self.file(number)) for number in range(len(ours))]


def start(chance: random.Random) -> Baseline:
    entries = {}
    for file in FILES:
        for number in range(chance.randint(1, 4)):
            scope = chance.choice(["", "start", "Bridge.stop"])
            entries[Key("SSG101", "registry", file, f"acme.old.m{number}", scope)] = chance.choice([1, 1, 1, 2])
    return Baseline("", entries)


def change(base: Baseline, files: list[str], chance: random.Random, *, add: bool) -> Baseline:
    """A branch that repairs these files; with ``add`` it repairs only half, and adds to them."""
    stale = [
        (key, count) for key, count in base.entries.items() if key.file in files and (not add or chance.random() < 0.5)
    ]
    new = [Key("SSG101", "registry", file, f"acme.new.m{chance.randint(0, 9)}") for file in files] if add else []
    return base.pruned(stale).extended((key, None) for key in new)


def branches(kind: str, base: Baseline, chance: random.Random) -> tuple[Baseline, Baseline]:
    """Two branches that touch different entries."""
    if kind.endswith("file"):
        file = chance.choice([key.file for key in base.entries if len(entries_of(base, key.file)) > 1])
        keys = entries_of(base, file)
        chance.shuffle(keys)
        parts = (keys[:1], keys[1:2]) if kind.startswith("one entry") else (keys[::2], keys[1::2])
        ours, theirs = (base.pruned((key, base.entries[key]) for key in part) for part in parts)
        if kind.startswith("all"):
            new = [Key("SSG101", "registry", file, f"acme.new.m{number}") for number in range(2)]
            ours, theirs = ours.extended([(new[0], None)]), theirs.extended([(new[1], None)])
        return ours, theirs
    first = chance.randrange(len(FILES) - 6)
    around = FILES[first : first + 6]
    mine = chance.sample(around, 3)
    others = [name for name in around if name not in mine]
    add = kind.endswith("added")
    return change(base, mine, chance, add=add), change(base, others, chance, add=add)


def entries_of(baseline: Baseline, file: str) -> list[Key]:
    return [key for key in baseline.entries if key.file == file]


def expected(base: Baseline, ours: Baseline, theirs: Baseline) -> dict[Key, int]:
    """Where the branches touched different entries, the merge holds both changes, exactly."""
    keys = {**base.entries, **ours.entries, **theirs.entries}
    sums = {key: ours.allowance(key) + theirs.allowance(key) - base.allowance(key) for key in keys}
    return {key: count for key, count in sums.items() if count > 0}


def conflicts(repository: Repository, *kinds: str) -> int:
    """Of many pairs of branches, divided among kinds; every merge without a conflict is checked to be exact."""
    chance = random.Random(str(kinds))  # noqa: S311 - a simulation
    bases = [start(chance) for _ in range(PAIRS)]
    pairs = [branches(kinds[number % len(kinds)], base, chance) for number, base in enumerate(bases)]
    repository.commit(*bases)
    merged = repository.branch_and_merge([ours for ours, _ in pairs], [theirs for _, theirs in pairs])
    for base, (ours, theirs), result in zip(bases, pairs, merged, strict=True):
        assert result is None or result.entries == expected(base, ours, theirs)
    return merged.count(None)


NEIGHBOURS = ["neighbouring files, all repaired", "neighbouring files, some repaired and some added"]


@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_pairs_of_branches_that_touch_different_files_merge_without_a_driver(kind, tmp_path) -> None:
    assert conflicts(Repository(tmp_path / "r", driver=False), kind) == 0


def test_pairs_of_branches_merge_with_the_driver(tmp_path) -> None:
    kinds = (*NEIGHBOURS, "one entry each of one file", "all entries of one file")
    assert conflicts(Repository(tmp_path / "r", driver=True), *kinds) == 0


def test_new_files_side_by_side_merge_with_the_driver(tmp_path) -> None:
    repository = Repository(tmp_path / "r", driver=True)
    base = Baseline("", {Key("SSG101", "r", "a.py", "old"): 1})
    ours, theirs = (base.extended([(Key("SSG101", "r", file, "old"), None)]) for file in ("b.py", "c.py"))
    repository.commit(base)
    [merged] = repository.branch_and_merge([ours], [theirs])
    assert merged.entries == expected(base, ours, theirs)


def test_both_branches_bring_the_first_baseline(tmp_path) -> None:
    repository = Repository(tmp_path / "r", driver=True)
    ours, theirs = (Baseline("", {Key("SSG101", "r", file, "old"): 1}) for file in ("b.py", "c.py"))
    [merged] = repository.branch_and_merge([ours], [theirs])
    assert merged.entries == {**ours.entries, **theirs.entries}


def test_a_damaged_side_is_a_conflict_and_stays_as_it_was(tmp_path) -> None:
    repository = Repository(tmp_path / "r", driver=True)
    base = Baseline("", {Key("SSG101", "r", file, "old"): 1 for file in ("a.py", "b.py")})
    repository.commit(base)
    repository.git("checkout", "-q", "-b", "theirs")
    repository.commit(Baseline("", dict(list(base.entries.items())[:1])))
    repository.git("checkout", "-q", "main")
    repository.file().write_text("{")
    repository.git("commit", "-q", "-a", "-m", "x")
    done = repository.git("merge", "-m", "x", "theirs", check=False)
    assert done.returncode == 1
    assert "is no JSON" in done.stdout + done.stderr
    assert repository.file().read_text() == "{"
