"""Merging the JSON lines of a fleet: time for each line, and memory as the lines grow.

The fleet: processes that meet the same few hundred violations in the same release. Each describes what it meets once,
then counts: at 10, 100, 1,000 executions, and what is left at its end.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from measure import Variant, interleaved
from table import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scene import Scene

LINES, FEW = 1_000_000, 200_000
_VIOLATIONS = 400  # distinct ones
_MET = 60  # by each process
_PREFIX = """
import json, resource, sys, time
from collections import Counter
from orjson import loads
from ssot_guard.report.model import Report
from ssot_guard.report.read import read
began = time.process_time()
"""
_SUFFIX = """
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": time.process_time() - began, "memory": usage.ru_maxrss, "lines": lines}))
"""
_READ = """
lines = 0
with open(sys.argv[1], "rb", buffering=0) as stream:
    while chunk := stream.read(1 << 18):
        lines += chunk.count(b"\\n")
"""
_PARSE = """
counts, lines = Counter(), 0
with open(sys.argv[1], "rb") as stream:
    for line in stream:
        record = loads(line)
        lines += 1
        if record["record"] != "header":
            counts[record["fingerprint"], record["file"], record["line"]] += record["added"]
"""
_REPORT = """
report = Report()
read([sys.argv[1]], report)
lines = report.inputs.lines
"""
_OURS, _BASE = "ssot-guard report", "read the file, count line ends"
_PROGRAMS = {_BASE: _READ, _OURS: _REPORT, "parse each line, add up": _PARSE}


def measure(scene: Scene, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Rows in CPU time for each line, and in memory."""
    many, few = (_fleet(scene.folder / f"fleet-{lines}.jsonl", lines) for lines in (LINES, FEW))
    variants = [_variant(scene, name, program, many) for name, program in _PROGRAMS.items()]
    less = f"{_OURS}, {FEW:,} lines"
    found = interleaved([*variants, _variant(scene, less, _REPORT, few)], rounds, say)
    seconds, memory = found["seconds"], found["memory"]
    section = f"Merging {LINES:,} JSON lines, CPU time for each line"
    rows = [
        Row(section, name, "µs", values, {} if name == _BASE else seconds[_BASE], _fast() if name == _OURS else None)
        for name, values in seconds.items()
        if name != less
    ]
    section = "Memory of the same, peak"
    target = Target("ratio", 1.05, "constant (≤ 1.05)")
    rows.append(Row(section, less, "MB", memory[less]))
    rows.append(Row(section, f"{_OURS}, {LINES:,} lines", "MB", memory[_OURS], memory[less], target))
    return rows


def _fast() -> Target:
    return Target("value", 1.0, "≤ 1 µs: 1 M lines/s")


def _variant(scene: Scene, name: str, program: str, file: Path) -> Variant:
    def once(_round: int) -> dict[str, float]:
        said = scene.python(scene.environment(None), "-c", _PREFIX + program + _SUFFIX, str(file)).output
        measured = json.loads(said)
        return {"seconds": measured["seconds"] / measured["lines"], "memory": measured["memory"] / 1024}

    return Variant(name, once)


def _fleet(path: Path, lines: int) -> Path:
    """One file with about this many lines, written by the sink's own records; the same in every run but for times."""
    from ssot_guard.sinks.record import Codec

    codec, random = Codec(), Random(1)  # noqa: S311 - no secret
    written = 0
    with path.open("wb") as stream:
        while written < lines:
            records = [codec.line(record) for record in _process(random)]
            stream.writelines(records)
            written += len(records)
    return path


def _process(random: Random) -> Iterator[dict[str, Any]]:
    from ssot_guard.sinks import Context, record

    origin = record.Origin(random.randrange(2, 99_999))
    yield record.header(origin, Context(policy="/srv/acme/ssot-guard.toml", labels=_LABELS))
    ends = []
    for number in random.sample(range(_VIOLATIONS), _MET):
        found = _violation(number)
        total = int(10 ** random.uniform(0, 5))
        yield record.violation(origin, found, _LABELS)
        sent = 1
        for notice in (10, 100, 1_000, 10_000):
            if notice <= total:
                yield record.count(origin, found.replace(count=notice), notice - sent)
                sent = notice
        if total > sent:
            ends.append(record.count(origin, found.replace(count=total), total - sent))
    yield from ends


_LABELS = {"release": "7f3c2a1", "region": "eu"}


def _violation(number: int) -> Any:
    from ssot_guard.violation import Site, Violation, fingerprint

    file = f"src/acme/area_{number % 37}/module_{number}.py"
    old, new = f"acme.agents.registry_{number % 20}", f"acme.agents.supervisor.agent_registry_{number % 20}"
    write = f"from {new} import AgentRegistry"
    line = 10 + number % 90
    return Violation(
        "SSG101",
        "registry",
        f"imports {old}, which is deprecated; write: {write}",
        Site(f"/srv/app/{file}", line, 1, line, 60, file[4:-3].replace("/", "."), ""),
        old,
        new,
        fingerprint=fingerprint("SSG101", "registry", file, old, ""),
        file=file,
        owner="@agents",
        tags=("wave1",),
        details={"write": write, "rule-owner": "@core", "reason": "two registries lost WebSocket events (#845)"},
    )
