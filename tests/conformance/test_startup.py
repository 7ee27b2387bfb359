"""A guarded bare interpreter has imported nothing that its host, or gevent's monkey patching, could mind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.conftest import Kit

POLICY = """
packages = ["acme"]
mode = "warn"

[[imports]]
id = "registry"
deprecated = "acme.registry"
canonical = "acme.agents"
"""

DEAR = {
    *("logging", "re", "json", "threading", "typing", "dataclasses", "enum", "hashlib", "importlib.metadata"),
    *(
        "tomllib",
        "wrapt",
        "orjson",
        "importlib_metadata",
        "inspect",
        "traceback",
        "warnings",
        "collections",
        "functools",
    ),
    *("linecache", "datetime", "pathlib", "socket", "_socket", "subprocess", "ssl", "select", "selectors", "queue"),
}
MODULES = "import sys; print(*sorted(sys.modules))"
# Our own: half a dozen small ones are some milliseconds, each further one costs.
MOST_OF_OURS = 30


def test_a_warm_start_imports_nothing_dear(kit: Kit) -> None:
    env = kit.guarded(POLICY)
    env["SSOT_GUARD_SINKS"] = ""
    (kit.folder / "guarded" / "site" / "sitecustomize.py").write_text(
        "from ssot_guard import bootstrap\nassert bootstrap.start()\n", "utf-8"
    )
    bare = set(kit.run("-c", MODULES).stdout.split())
    cold = kit.run("-c", MODULES, env=env)
    warm = set(kit.run("-c", MODULES, env=env).stdout.split())
    assert cold.stderr == ""
    assert "ssot_guard.guard" in warm
    added = warm - bare - {"sitecustomize"}
    ours = {name for name in added if name.partition(".")[0] == "ssot_guard"}
    assert added & DEAR == set()
    assert sorted(added - ours - ALLOWED) == [], "the standard library's share of a start"
    assert len(ours) <= MOST_OF_OURS


# What a bare interpreter has not imported and we do: C modules and tables, no module with a start-up of its own.
ALLOWED = {
    *("_blake2", "_collections", "_functools", "_opcode", "_weakref", "atexit", "itertools", "marshal", "opcode"),
    *("_opcode_metadata", "time", "_warnings", "builtins", "_weakrefset", "__future__", "_typing"),
}


@pytest.mark.parametrize("order", ["guard-first", "gevent-first"])
def test_gevents_monkey_patching_stays_silent(order: str, kit: Kit, hooks: Path) -> None:
    kit = kit.with_python(hooks)
    env = kit.guarded(POLICY)
    kit.run("-c", "pass", env=env)  # the policy's cache is warm, as it is in production
    if order == "gevent-first":
        start = "from gevent import monkey; monkey.patch_all()\nfrom ssot_guard import bootstrap\nbootstrap.start()\n"
        (kit.folder / "guarded" / "site" / "sitecustomize.py").write_text(start, "utf-8")
    (kit.folder / "acme").mkdir()
    (kit.folder / "acme" / "registry.py").write_text("")
    program = kit.folder / "program.py"
    program.write_text(GEVENT, "utf-8")
    done = kit.run("-W", "error", program, env=env)
    assert (done.stdout.split(), done.stderr) == (["10", "True"], ""), done
    seen = [record for record in kit.sightings().records if record["record"] == "violation"]
    assert [(record["target"], record["line"]) for record in seen] == [("acme.registry", 6)]


GEVENT = """
import warnings; warnings.filterwarnings("ignore", message="SSG101")
from gevent import monkey; monkey.patch_all()
import gevent, ssot_guard
def work():
    import acme.registry
    gevent.sleep(0)
    return 1
jobs = [gevent.spawn(work) for _ in range(10)]
gevent.joinall(jobs, raise_error=True)
print(sum(job.value for job in jobs), ssot_guard.active())
"""

if sys.platform == "win32":
    ALLOWED |= {"nt", "winreg"}
