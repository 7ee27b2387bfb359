"""What is known or suppressed, in real processes: recorded, reported, never raised; what is beyond it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ssot_guard.baseline import Baseline, Key

TREE = {
    "acme/__init__.py": "",
    "acme/old.py": "N = 1\nM = 2\n",
    "acme/older.py": "N = 1\n",
    "acme/new.py": "N = 1\nM = 2\n",
}
POLICY = {
    "packages": ["acme"],
    "imports": [
        {"id": "r", "deprecated": "acme.old", "canonical": "acme.new"},
        {"id": "s", "deprecated": "acme.older", "canonical": "acme.new"},
    ],
}
START = "import lab, sys\nlab.install()\ndef again():\n    sys.modules.pop('acme.old', None)\n"


def baseline(*keys, **counts):
    return Baseline(
        "", dict.fromkeys(keys, 1) | {Key("SSG101", "r", "main.py", "acme.old", k): n for k, n in counts.items()}
    ).dump()


@pytest.fixture
def run(lab):
    def run(source, known="", mode="strict", **policy):
        files = {"ssot-baseline.json": known} if known else {}
        return lab.run(TREE | files | {"main.py": START + source}, POLICY | policy, mode=mode)

    return run


def shown(answer, *fields):
    return [tuple(row[field] for field in fields) for row in answer.of("SSG101")]


TWO = "def f():\n    import acme.old\n    again()\n    from acme.old import N\nlab.out(error=lab.attempt(f))\n"


@pytest.mark.parametrize(
    ("sites", "seen", "error"),
    [
        (2, [("known", "warn"), ("known", "warn")], None),
        (1, [("known", "warn"), ("new", "strict")], "DeprecatedImportError"),
        (0, [("new", "strict")], "DeprecatedImportError"),
    ],
)
def test_strict_raises_only_for_sites_beyond_the_allowance(run, sites, seen, error):
    answer = run(TWO, baseline(f=sites) if sites else "")
    assert shown(answer, "status", "mode") == seen
    assert (answer.out["error"] or {}).get("type") == error
    assert answer.internal_errors == {}


def test_one_site_that_is_executed_again_stays_one_site(run):
    answer = run("for _ in range(5):\n    import acme.old\n", baseline(Key("SSG101", "r", "main.py", "acme.old")))
    assert shown(answer, "status", "count") == [("known", 5)]
    assert answer.error is None


def test_a_known_violation_is_still_reported_in_warn(run):
    source = "def f():\n    import acme.old\nf()\n"
    for known, status in (("", "new"), (baseline(f=1), "known")):
        answer = run(source, known, mode="warn")
        assert shown(answer, "status", "action") == [(status, "warned")]
        assert [category for category, *_ in answer.warned] == ["SsotWarning"]


def test_observe_stays_observe(run):
    assert shown(run(TWO, baseline(f=1), mode="observe"), "status", "mode") == [
        ("known", "observe"),
        ("new", "observe"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        Key("SSG102", "r", "main.py", "acme.old"),
        Key("SSG101", "s", "main.py", "acme.old"),
        Key("SSG101", "r", "other.py", "acme.old"),
        Key("SSG101", "r", "main.py", "acme.older"),
        Key("SSG101", "r", "main.py", "acme.old", "f"),
    ],
)
def test_another_entry_is_of_no_help(run, other):
    answer = run("import acme.old\n", baseline(other))
    assert (answer.error["type"], shown(answer, "status")) == ("DeprecatedImportError", [("new",)])


def test_the_policy_names_the_baseline(lab):
    files = TREE | {
        "main.py": START + "import acme.old\n",
        "known/b.json": baseline(Key("SSG101", "r", "main.py", "acme.old")),
    }
    answer = lab.run(files, POLICY | {"baseline": "known/b.json"}, mode="strict")
    assert (answer.error, shown(answer, "status")) == (None, [("known",)])


def test_what_is_contested_is_not_looked_up(run):
    rule = {"id": "r", "deprecated": "acme.old", "contested": ["acme.old", "acme.new"]}
    answer = run("import acme.old\n", "{", imports=[rule])
    assert (shown(answer, "status"), answer.internal_errors) == ([("contested",)], {})


# -- a damaged baseline ----------------------------------------------------------------------------------------------


def test_a_damaged_baseline_is_said_once_and_strict_only_warns(run):
    answer = run(TWO, "{")
    assert shown(answer, "status", "mode") == [("new", "warn"), ("new", "warn")]
    assert {row["details"]["not-blocked"] for row in answer.of("SSG101")} == {"the baseline cannot be read"}
    assert answer.stderr.count("ssot-guard: no baseline, so `strict` only warns:") == 1
    assert "ssot-baseline.json:1: is no JSON" in answer.stderr
    assert "BaselineError" in answer.internal_errors["baseline"]


@pytest.mark.parametrize("name", ["Accepted._suppressed", "Accepted._known", "Accepted._number", "Accepted._load"])
def test_a_fault_of_ours_never_raises_a_known_violation(run, name):
    fault = f"import ssot_guard.accepted as a\ndef fail(*_): raise RuntimeError('planted')\na.{name} = fail\n"
    answer = run(fault + TWO, baseline(f=2))
    assert (answer.error, answer.out["error"]) == (None, None)
    assert "planted" in answer.internal_errors["baseline"]


# -- processes -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="POSIX only")
def test_a_forked_child_counts_its_own_sites(run):
    source = (
        "import os\ndef f():\n    import acme.old\nf()\nagain()\npid = os.fork()\nif not pid:\n"
        "    def g():\n        import acme.old\n    g.__code__ = g.__code__.replace(co_qualname='f')\n"
        "    os._exit(9 if lab.attempt(g) else 0)\nlab.out(status=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    assert run(source, baseline(f=1)).out["status"] == 0


def test_sixteen_threads_at_one_site_use_one_allowance(run):
    source = (
        "import threading\nerrors = []\nstart = threading.Barrier(16)\ndef f():\n    import acme.old\n"
        "def work():\n    start.wait()\n    errors.append(lab.attempt(f))\n"
        "ts = [threading.Thread(target=work) for _ in range(16)]\n"
        "[t.start() for t in ts]; [t.join() for t in ts]\nlab.out(errors=[e for e in errors if e])\n"
    )
    answer = run(source, baseline(f=1))
    assert (answer.out["errors"], shown(answer, "status")) == ([], [("known",)])


def test_the_baseline_is_not_read_before_the_first_violation(run):
    answer = run(
        "import acme.new\nlab.out(loaded='ssot_guard.baseline' in sys.modules, errors=lab.guard.status()['internal_errors'])\n",
        "{",
    )
    assert answer.out["errors"] == {}
    assert answer.stderr == ""


def test_a_key_of_the_live_process_is_the_key_of_its_json_lines(tmp_path):
    """Written by one run, known to the next: for a file name that is no text, too."""
    pytest.importorskip("click")
    for name, content in {**TREE, "ssot-guard.toml": TOML, "m\udcff.py": "import acme.old\n"}.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        try:
            file.write_text(content)
        except OSError:
            pytest.skip("this file system takes no such name")

    def ssot(*args):
        return subprocess.run(
            [sys.executable, "-m", "ssot_guard", *args], cwd=tmp_path, capture_output=True, check=False, env=ENV
        )

    guarded = [sys.executable, "m\udcff.py"]
    first = subprocess.run(guarded, cwd=tmp_path, env=ENV | {"PYTHONPATH": f"{hook(tmp_path)}:{SOURCE}"}, check=False)
    assert first.returncode == 1
    done = ssot("baseline", "--from", "spool")
    assert b"1 added" in done.stdout, done
    second = subprocess.run(guarded, cwd=tmp_path, env=ENV | {"PYTHONPATH": f"{hook(tmp_path)}:{SOURCE}"}, check=False)
    assert second.returncode == 0
    records = [json.loads(line) for file in (tmp_path / "spool").iterdir() for line in file.read_bytes().splitlines()]
    assert {record["status"] for record in records if record["record"] == "violation"} == {"new", "known"}


SOURCE = str(Path(sys.modules["ssot_guard"].__file__).parents[1])
TOML = 'packages = ["acme"]\n[[imports]]\nid = "r"\ndeprecated = "acme.old"\ncanonical = "acme.new"\n'
ENV = {"PATH": "/usr/bin:/bin", "PYTHONPATH": SOURCE, "SSOT_GUARD_POLICY": "ssot-guard.toml", "SSOT_GUARD_MODE": "strict", "SSOT_GUARD_SINKS": "jsonl:spool"}  # fmt: skip


def hook(folder):
    (folder / "hook").mkdir(exist_ok=True)
    (folder / "hook" / "sitecustomize.py").write_text("from ssot_guard import bootstrap\nbootstrap.start()\n")
    return folder / "hook"


# -- inline ignores --------------------------------------------------------------------------------------------------

IGNORES = [
    ("its code", "import acme.old  # ssot: ignore[SSG101] moved in May", "suppressed"),
    ("its rule", "import acme.old  # ssot: ignore[r] moved in May", "suppressed"),
    ("several", "import acme.old  # ssot: ignore[SSG999, SSG101] moved in May", "suppressed"),
    ("behind noqa", "import acme.old  # noqa: F401  # ssot: ignore[SSG101] moved in May", "suppressed"),
    ("first line", "from acme.old import (  # ssot: ignore[SSG101] moved in May\n    N,\n    M,\n)", "suppressed"),
    ("middle line", "from acme.old import (\n    N,\n    M,  # ssot: ignore[SSG101] moved in May\n)", "suppressed"),
    ("last line", "from acme.old import (\n    N,\n    M,\n)  # ssot: ignore[SSG101] moved in May", "suppressed"),
    ("another code", "import acme.old  # ssot: ignore[SSG102] moved in May", "new"),
    ("another rule", "import acme.old  # ssot: ignore[s] moved in May", "new"),
    ("no reason", "import acme.old  # ssot: ignore[SSG101]", "new"),
    ("no code", "import acme.old  # ssot: ignore moved in May", "new"),
    ("in a string", "import acme.old; '# ssot: ignore[SSG101] moved in May'", "new"),
    ("line above", "# ssot: ignore[SSG101] moved in May\nimport acme.old", "new"),
    ("line below", "import acme.old\n# ssot: ignore[SSG101] moved in May", "new"),
]


@pytest.mark.parametrize(("source", "status"), [row[1:] for row in IGNORES], ids=[row[0] for row in IGNORES])
def test_a_comment_with_a_reason_suppresses(run, source, status):
    answer = run(source + "\n")
    assert shown(answer, "status") == [(status,)]
    assert (answer.error is None) == (status == "suppressed")
    assert answer.internal_errors == {}
    [row] = answer.of("SSG101")
    assert row["details"].get("suppressed-by") == ("moved in May" if status == "suppressed" else None)


WHY_NOT = [
    ("no reason", "# ssot: ignore[SSG101]", "has no reason, so it ignores nothing"),
    ("another code", "# ssot: ignore[SSG102] moved", "names SSG102, so it ignores no SSG101 of r"),
    ("no such code", "# ssot: ignore[SSG1O1, s] moved", "names SSG1O1, s, so it ignores no SSG101 of r"),
    ("no brackets", "# ssot: ignore SSG101 moved", "names no code in brackets, so it ignores nothing"),
    ("empty brackets", "# ssot: ignore[] moved", "names no code in brackets, so it ignores nothing"),
    ("two of them", "# ssot: ignore[r] # ssot: ignore[SSG102] moved", "has no reason, so it ignores nothing"),
    ("the other way round", "# ssot: ignore[SSG102] moved # ssot: ignore[r]", "has no reason, so it ignores nothing"),
    ("the second holds", "# ssot: ignore[SSG102] moved # ssot: ignore[r] moved", None),
    ("none", "# moved", None),
]


@pytest.mark.parametrize(("comment", "why"), [row[1:] for row in WHY_NOT], ids=[row[0] for row in WHY_NOT])
def test_why_a_comment_does_not_count_is_said(run, comment, why):
    [row] = run(f"import acme.old  {comment}\n", mode="warn").of("SSG101")
    assert row["details"].get("ignore") == (why and f"{why}: # ssot: ignore[SSG101] <reason>")


def test_one_comment_for_one_of_two_rules_on_a_line(run):
    answer = run("import acme.older, acme.old  # ssot: ignore[s] still needed\n")
    assert sorted(shown(answer, "rule", "status")) == [("r", "new"), ("s", "suppressed")]
    assert answer.error["type"] == "DeprecatedImportError"


def test_a_suppressed_site_uses_no_allowance(run):
    source = (
        "def f():\n    import acme.old  # ssot: ignore[SSG101] r\n    again()\n    import acme.old\n    again()\nf()\n"
    )
    answer = run(source, baseline(f=1))
    assert (shown(answer, "status"), answer.error) == ([("suppressed",), ("known",)], None)


def test_a_source_in_a_zip_has_no_comments(lab):
    program = (
        "import zipfile, sys, lab\n"
        "with zipfile.ZipFile('z.zip', 'w') as z:\n    z.writestr('zipped.py', 'import acme.old  # ssot: ignore[SSG101] r\\n')\n"
        "sys.path.insert(0, 'z.zip')\nlab.install()\nimport zipped\n"
    )
    answer = lab.run(TREE | {"main.py": program}, POLICY, mode="warn")
    assert shown(answer, "status") == [("new",)]


def test_comments_are_read_at_the_first_sight_only(run):
    source = (
        "import ssot_guard.ignores as i\nreal, calls = i.read, []\ni.read = lambda path: calls.append(path) or real(path)\n"
        "for _ in range(1000):\n    import acme.old  # ssot: ignore[SSG101] r\n"
        "def f():\n    import acme.old\nf()\nlab.out(calls=len(calls))\n"
    )
    assert run(source, mode="observe").out["calls"] == 1
