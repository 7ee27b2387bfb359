"""What warns or logs "for its caller" names the same line with a guard around it as without."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ACME = """
import logging, warnings
from contextvars import ContextVar

user = ContextVar("user", default="alice")

def tell():
    warnings.warn("told", DeprecationWarning, stacklevel=3)
    logging.getLogger("acme").warning("told", stacklevel=3)

class Registry:
    def __init__(self): tell()
class Heir(Registry):
    def __init__(self): super().__init__()
class Engine:
    def run(self): tell()
    async def arun(self): tell()
    @property
    def state(self): tell()
def create_registry():
    tell()
    return object.__new__(Registry)
async def acreate_registry():
    tell()
    return object.__new__(Registry)
class Emitter:
    def emit(self, event, run): tell()
    async def aemit(self, event, run): tell()
def notify(event): tell()
"""

PROGRAM = """
import asyncio, json, logging, sys, warnings
import ssot_guard
guard = ssot_guard.install(json.loads(sys.argv[1]), mode="observe") if len(sys.argv) > 1 else None
import acme
seen = []
class Handler(logging.Handler):
    def emit(self, record): seen.append([record.filename, record.lineno])
logging.getLogger("acme").addHandler(Handler())
logging.getLogger("acme").propagate = False
@ssot_guard.journey("path")
def walk(): acme.tell()
engine, emitter = acme.Engine(), acme.Emitter()
async def later():
    await engine.arun()
    await emitter.aemit("end", "2")
    await acme.acreate_registry()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    acme.Registry()
    acme.Heir()
    engine.run()
    engine.state
    acme.create_registry()
    emitter.emit("start", "1")
    acme.notify("start")
    walk()
    asyncio.run(later())
seen += [[one.filename, one.lineno] for one in caught]
wrapped = [hasattr(f, "__wrapped__") for f in (
    acme.Registry.__init__, acme.Engine.run, acme.create_registry, acme.Emitter.emit, acme.notify)]
print(json.dumps([wrapped, seen]))
"""

POLICY = {
    "packages": ["acme"],
    "tenant": {"current": ["acme:user"]},
    "roles": [
        {"id": "registry", "match": ["Registry"], "factory": ["acme:create_registry", "acme:acreate_registry"]},
        {"id": "engine", "match": ["Engine"], "isolated": True},
    ],
    "events": [
        {"id": "run", "emitter": ["acme:Emitter.emit", "acme:Emitter.aemit"], "event": "event", "run": "run",
         "sequence": "start end", "foreign": ["acme:notify"]},
    ],
    "journeys": [{"id": "path", "target": 0.9}],
}  # fmt: skip


def _told(folder: Path, *policy: str) -> tuple[list[bool], list[list[object]]]:
    command = [sys.executable, "-W", "ignore", "program.py", *policy]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wrapped, places = json.loads(done.stdout)
    return wrapped, places


def test_what_is_told_for_the_caller_names_the_same_line(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(ACME, encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    bare, places = _told(tmp_path)
    wrapped, guarded = _told(tmp_path, json.dumps(POLICY))
    assert (any(bare), all(wrapped)) == (False, True)
    assert guarded == places
