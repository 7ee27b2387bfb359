"""2,400 modules of SciPy, scikit-learn, SymPy and NetworkX, more than a hundred rules, and an independent witness.

The witness (`fixtures/science/tracer.py`) wraps `builtins.__import__` in a process without the guard and writes down
each import statement that is executed; which of them break a rule is worked out here, from the policy's text. The guard
must name the same (path, line, rule), and beyond that only what an `__import__` wrapper cannot see: each kind of it is
looked up in the source.
"""

from __future__ import annotations

import ast
import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.timeout(900)  # the first run makes an environment


class Place(NamedTuple):
    path: str
    line: int
    rule: str


class Policy:
    """The fixture's policy, read without ssot-guard: `a.b`, `a.b.**` and `a.b:Name` are all that it uses."""

    def __init__(self, path: Path) -> None:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        self.packages = set(data["packages"])
        self.rules = {rule["deprecated"].removesuffix(".**"): rule["id"] for rule in data["imports"]}

    def broken(self, importer: str, module: str, names: list[str] | None) -> Iterator[str]:
        """Rules that `import module` or `from module import names` breaks in the module `importer`."""
        deprecated = next((path for path in _upward(module) if path in self.rules), None)
        paths = [f"{module}.{name}" for name in names or ()] if deprecated is None else [deprecated]
        yield from (self.rules[path] for path in paths if path in self.rules and path not in _upward(importer))
        if importer.partition(".")[0] in self.packages:
            yield from (self.rules[f"{module}:{name}"] for name in names or () if f"{module}:{name}" in self.rules)


def _upward(module: str) -> list[str]:
    """`a.b.c`, `a.b` and `a`."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


@pytest.fixture(scope="module")
def science(application: Callable[[str], Any]) -> Any:
    return application("science")


@pytest.fixture(scope="module")
def witnessed(science: Any, tmp_path_factory: pytest.TempPathFactory) -> set[Place]:
    """What the witness saw, as far as it breaks a rule."""
    out = tmp_path_factory.mktemp("witness") / "statements.json"
    done = science.run("tracer.py", out, science.folder / "app.py")
    assert done.returncode == 0, done.stderr
    policy = Policy(science.folder / "ssot-guard.toml")
    return {
        Place(path, line, rule)
        for path, line, importer, module, names in json.loads(out.read_text(encoding="utf-8"))
        for rule in policy.broken(importer or "", module, names)
    }


@pytest.fixture(scope="module")
def guarded(science: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("guarded")
    done = science.run(
        "-m", "ssot_guard", "run", "--quiet", "--mode", "observe", "--report", folder / "report.json",
        science.folder / "app.py", SSOT_GUARD_SINKS=f"jsonl:{folder}",
    )  # fmt: skip
    records = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    return done, [record for record in records if record["record"] == "violation"]


@pytest.fixture(scope="module")
def reported(guarded: Any) -> dict[Place, dict[str, Any]]:
    """What the guard says about imports, at the importer's own line."""
    _, records = guarded
    found = [
        (Place(one["path"], one["line"], one["rule"]), one) for one in records if one["code"] in {"SSG101", "SSG102"}
    ]
    assert len(found) == len(dict(found)), "a line is named twice"
    return dict(found)


def test_the_application_is_large_and_does_not_notice(science: Any, guarded: Any) -> None:
    done, _ = guarded
    plain = science.run("app.py")
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout) == (0, plain.stdout)
    modules = [int(text.stderr.splitlines()[-1].split()[0]) for text in (plain, done)]
    assert min(modules) >= 2000


def test_the_guard_names_what_the_witness_saw(witnessed: set[Place], reported: dict[Place, dict[str, Any]]) -> None:
    """At the same place, or, where a lazy module `__getattr__` imported, at the place that read the attribute."""
    through = {
        Place(path, int(line), place.rule)
        for place, one in reported.items()
        for path, _, line in [str(one["details"].get("through", "")).rpartition(":")]
        if line
    }
    assert len({place.rule for place in witnessed}) >= 100
    assert sorted(witnessed - reported.keys() - through) == []
    assert through <= witnessed


def test_whatever_the_guard_names_beyond_that_stands_in_the_source(
    witnessed: set[Place], reported: dict[Place, dict[str, Any]]
) -> None:
    unexplained = {
        place: one for place, one in reported.items() if place not in witnessed and not _explained(place, one)
    }
    assert unexplained == {}


def _explained(place: Place, one: dict[str, Any]) -> bool:
    """Whether the line really does it, in a way that no wrapper of `__import__` meets."""
    if "through" in one["details"]:  # compared above; the reader may be code that was compiled from a string
        return True
    nodes = [node for node in ast.walk(_parsed(place.path)) if getattr(node, "lineno", None) == place.line]
    if one["kind"] == "attribute":
        module, _, name = one["target"].partition(":")
        return any(isinstance(node, ast.Attribute) and ast.unparse(node) == f"{module}.{name}" for node in nodes)
    if one["kind"] == "dynamic":
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        return any(ast.unparse(call.func) == "importlib.import_module" for call in calls)
    return False


def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_bytes())


def test_all_kinds_of_extras_occur(witnessed: set[Place], reported: dict[Place, dict[str, Any]]) -> None:
    """Else the explanations above would prove nothing."""
    extras = [one for place, one in reported.items() if place not in witnessed]
    kinds = {"through" if "through" in one["details"] else one["kind"] for one in extras}
    assert kinds == {"through", "dynamic", "attribute"}
    by_name = {one["target"] for one in extras if one["kind"] == "dynamic"}
    assert by_name == {"scipy.special.basic", "scipy.optimize.zeros", "numpy.core.numeric"}


def test_annotations_are_uses_only_where_python_evaluates_them(reported: dict[Place, dict[str, Any]]) -> None:
    """From 3.14 on annotations are lazy: SymPy's `typing.Callable` in a signature is never read."""
    in_signature = [place for place in reported if place.path.endswith(("smtlib.py", "backends.py"))]
    assert bool([place for place in in_signature if place.rule == "typing-Callable"]) == (sys.version_info < (3, 14))
