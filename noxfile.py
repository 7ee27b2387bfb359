"""The checks in environments of their own: ``nox`` for all of them, ``nox -s tests-3.13`` for one.

``make`` runs the same commands in one shared environment, which is faster.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
PYPROJECT = nox.project.load_toml("pyproject.toml")
INSTALL_LINE = 'pip install "ssot-guard[cli]"'

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True


def install(session: nox.Session, group: str) -> None:
    """Install the project, editable and with all extras, and one of its dependency groups."""
    session.install("--editable", ".[all]", *nox.project.dependency_groups(PYPROJECT, group))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the test suite."""
    install(session, "test")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, and the direction of imports."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo", env={"PYTHONPATH": "src"})


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types, strictly."""
    install(session, "dev")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken link is an error."""
    install(session, "docs")
    session.run("mkdocs", "build", "--strict", "--quiet")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build wheel and sdist, and use the wheel as its users do: bare first, then with all extras."""
    session.install("build")
    dist = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), silent=True)
    (built,) = dist.glob("*.whl")
    (source,) = dist.glob("*.tar.gz")
    check_contents(session, built, source)

    bare = dist.parent / "bare"
    session.run("python", "-m", "venv", "--clear", str(bare))
    python, command = bare / "bin" / "python", bare / "bin" / "ssot-guard"
    with session.chdir(dist):  # not the checkout: the installed package has to serve
        run(session, python, "-m", "pip", "install", "-qq", str(built))
        run(session, python, "-c", "import ssot_guard")
        said = run(session, command, "--help", status=2)
        if INSTALL_LINE not in said:
            session.error(f"without its extra the command must print {INSTALL_LINE!r}, not:\n{said}")
        run(session, python, "-m", "pip", "install", "-qq", f"{built}[all]")
        run(session, command, "--help")
        run(session, python, "-m", "pip", "check")


def run(session: nox.Session, *command: Path | str, status: int = 0) -> str:
    """Run a command of another environment, expect its exit status, and return what it printed."""
    return str(session.run(*map(str, command), external=True, silent=True, success_codes=[status]))


def check_contents(session: nox.Session, built: Path, source: Path) -> None:
    """Check that the wheel holds the typed package alone, and the sdist what a packager tests with."""
    with zipfile.ZipFile(built) as package, tarfile.open(source) as sdist:
        names = set(package.namelist())
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    strangers = {name for name in names if not name.startswith(("ssot_guard/", "ssot_guard-"))}
    if strangers or "ssot_guard/py.typed" not in names:
        session.error(f"the wheel must hold the package with its py.typed and nothing else, not {sorted(strangers)}")
    missing = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "tests/conftest.py"} - inside
    if missing:
        session.error(f"the sdist lacks {sorted(missing)}")
