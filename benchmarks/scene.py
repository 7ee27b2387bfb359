"""What is measured: a tree of small modules, policies, and one ``sitecustomize`` per way to hook into imports.

Everything lies in one temporary folder. Children get an environment of their own: bytecode is compiled (into that
folder, whatever this shell says about it), and neither their working directory nor their script's folder is importable,
so that no stray file of a shared machine is ever run.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import TYPE_CHECKING

from measure import Usage, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PARTS = 1000  # governed modules that are loaded once
OTHERS = 300  # ungoverned ones
SITES = 500  # statements that break a rule, each for the first time
_BODY = "import sys\n\nVALUE = 1\n\n\ndef function():\n    return VALUE\n"

_WRAPPER = """\
import builtins

_original = builtins.__import__


def hooked(name, globals=None, locals=None, fromlist=(), level=0):
    return _original(name, globals, locals, fromlist, level)


builtins.__import__ = hooked
"""
_CHECKING = """\
import builtins

_original = builtins.__import__
counts = {}


def hooked(name, globals=None, locals=None, fromlist=(), level=0):
    if name.startswith(("app.old", "legacy")):
        counts[name] = counts.get(name, 0) + 1
    return _original(name, globals, locals, fromlist, level)


builtins.__import__ = hooked
"""
_FINDER = """\
import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None


sys.meta_path.insert(0, Finder())
"""
# How a process is hooked; the text is its sitecustomize.
HOOKS = {
    "nothing": "",
    "ssot-guard": "from ssot_guard import bootstrap\n\nbootstrap.start()\n",
    "empty __import__ wrapper": _WRAPPER,
    "checking __import__ wrapper": _CHECKING,
    "empty finder": _FINDER,
    "wrapt hook": "import wrapt\n\nwrapt.when_imported('app.old')(print)\n",
    "typeguard hook": "from typeguard import install_import_hook\n\ninstall_import_hook('app')\n",
    "beartype.claw": "from beartype.claw import beartype_packages\n\nbeartype_packages('app')\n",
}
PEERS = {"wrapt hook": "wrapt", "typeguard hook": "typeguard", "beartype.claw": "beartype"}


class Scene:
    """The temporary folder, and how to run something in it."""

    def __init__(self, folder: Path, here: Path) -> None:
        self.folder = folder
        self.here = here
        self.lib = folder / "lib"
        self.bytecode = folder / "bytecode"
        (folder / "home").mkdir()
        self._modules()
        for name, text in HOOKS.items():
            self._file(self.hook(name) / "sitecustomize.py", text)
        self.policy = self.write_policy("policy", ["app", "legacy"], [("legacy", "app.new"), ("app.old", "app.new")])

    def hook(self, name: str) -> Path:
        """The folder of a ``sitecustomize``."""
        return self.folder / "hooks" / name.replace(" ", "-")

    def hooks(self) -> list[str]:
        """All hooks whose package is installed."""
        return [name for name in HOOKS if name not in PEERS or importlib.util.find_spec(PEERS[name])]

    def write_policy(
        self, name: str, packages: Iterable[str], imports: Iterable[tuple[str, str]], extra: str = ""
    ) -> Path:
        """A policy in a folder of its own, because its cache is kept beside it."""
        path = self.folder / "policies" / name / "ssot-guard.toml"
        self._file(path, self.policy_text(packages, imports, extra))
        return path

    @staticmethod
    def policy_text(packages: Iterable[str], imports: Iterable[tuple[str, str]], extra: str = "") -> str:
        """A policy that observes."""
        lines = [f"packages = {list(packages)}", 'mode = "observe"', extra]
        for number, (deprecated, canonical) in enumerate(imports):
            lines.append(f'[[imports]]\nid = "r{number}"\ndeprecated = "{deprecated}"\ncanonical = "{canonical}"')
        return "\n".join(lines) + "\n"

    def environment(self, hook: str | None, policy: Path | None = None, **more: str) -> dict[str, str]:
        """A clean environment. ``hook`` None: no ``sitecustomize`` at all."""
        path = [str(self.lib)] if hook is None else [str(self.hook(hook)), str(self.lib)]
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONPYCACHEPREFIX": str(self.bytecode),
            "PYTHONSAFEPATH": "1",
            "DO_NOT_TRACK": "1",  # the application's and the peers' own telemetry would be on the bill
        }
        if hook == "ssot-guard":
            env["SSOT_GUARD_POLICY"] = str(policy or self.policy)
            env["SSOT_GUARD_SINKS"] = f"jsonl:{self.folder / 'records'}"
        return env | more

    def python(self, env: Mapping[str, str], *arguments: str, status: int = 0) -> Usage:
        """Run this interpreter, which is to end with this status."""
        return run([sys.executable, *arguments], env, self.folder / "home", status)

    def forget_bytecode(self) -> None:
        """As after a deployment: our own modules are not compiled yet, the standard library's are."""
        for found in self.bytecode.rglob("ssot_guard"):
            shutil.rmtree(found, ignore_errors=True)

    def _modules(self) -> None:
        for name in ("app/__init__", "app/new", "app/live", "app/old", "legacy", "other/__init__"):
            self._file(self.lib / f"{name}.py", _BODY)
        for number in range(PARTS):
            self._file(self.lib / f"app/part_{number:04}.py", _BODY)
        for number in range(OTHERS):
            self._file(self.lib / f"other/part_{number:04}.py", _BODY)
        sites = "".join(f"\n\ndef site_{number}():\n    from legacy import VALUE\n" for number in range(SITES))
        self._file(self.lib / "sites.py", f'"""Each function breaks a rule."""\n{sites}')

    @staticmethod
    def _file(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
