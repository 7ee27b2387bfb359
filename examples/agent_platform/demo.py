"""A multi-tenant agent service under guard: `make demo`, second part.

Runs the service by itself, its test session under the plugin, the service in `warn`, as a strict canary and behind a
strict gate, each time with several users over HTTP and WebSockets, and compares what the guard says with the labels in
the source. Exits with 0 only if exactly the expected was seen.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import textwrap
from importlib.metadata import version
from pathlib import Path

import httpx

import client
import faults
import session
from server import HERE, Server, clean

PACKAGE = "helpdesk"
# What of a visit runs into the faults inside functions: (channel, question or path) by the function's name.
REACHED_BY = {
    "look_up": [("http", "show me my orders"), ("ws", "show me my orders")],
    "asked": [("http", "/history")],
    "legacy_registry": [("http", "/plugins")],
}


class Story:
    """Prints the steps, and remembers what was not as expected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.differences: list[str] = []

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def title(self, text: str) -> None:
        self.say(f"\n{text}\n{'-' * len(text)}")

    def check(self, claim: str, expected: object, seen: object) -> None:
        """One claim: printed with a mark, and what differed with both sides."""
        holds = expected == seen
        self.say(f"  {'ok ' if holds else 'NO '} {claim}")
        if not holds:
            self.differences.append(claim)
            self.say(textwrap.indent(_difference(expected, seen), "      "))


def unguarded(story: Story) -> None:
    story.title("1. The service by itself")
    with Server(story.folder) as server:
        seen = client.visit(server.address) if server.address else {}
    story.say(f"{len(client.PASSWORDS)} users at the same time, {len(seen)} answers over HTTP and WebSockets:\n")
    place = ("Ada", "ws", "define shim")
    story.say(f"    {' '.join(place)}\n    {seen.get(place)}\n")
    story.check("every answer is right, and every run tells its steps in order", client.expected(), seen)


def tests(story: Story) -> None:
    story.title("2. Its tests, under the pytest plugin")
    done = session.run(story.folder, str(story.folder / "records" / "tests"))
    story.say(_indented(done.summary))
    claims = session.expected()
    story.check("the session fails, and without the guard it would not", (1, 0), (done.status, done.status_without))
    story.check("each file with a fault at module level is one failure", claims.files, done.files)
    story.check("each test that runs into a fault inside a function fails, and no other", claims.tests, done.tests)
    everything = places(faults.planted(PACKAGE, "tests"))
    story.check(f"all {len(everything)} faults are in the session's report, once each", everything, done.places)


def warn(story: Story) -> list[faults.Place]:
    story.title("3. warn, as in staging: every line is named, nothing changes")
    with Server(story.folder, "staging") as server:
        seen = client.visit(server.address) if server.address else {}
    planted = faults.planted(PACKAGE)
    details = {place(found): found for found in server.violations}
    for fault in planted:
        known = " (known)" if fault.status == "known" else ""
        story.say(f"  {fault.code}  {fault.path}:{fault.line}{known}  {fault.text}")
        story.say(f"          {details.get(fault.place, {}).get('message', 'NOT SEEN')}\n")
    story.check(f"all {len(planted)} planted faults are named, once each", places(planted), seen_places(server))
    story.check("every answer is right, as without a guard", client.expected(), seen)
    warned = re.findall(r"^(\S+):(\d+): SsotWarning: (SSG\d+)", server.log, re.MULTILINE)
    lines = sorted((fault.path, str(fault.line), fault.code) for fault in planted)
    story.check("one warning for each in the server's log, at its own line", lines, sorted(warned))
    canonical = {fault.place: fault.canonical for fault in planted if fault.code in {"SSG101", "SSG102"}}
    write = {place: details.get(place, {}).get("details", {}).get("write") for place in canonical}
    story.check("what it says to write is the canonical way that stands beside each", canonical, write)
    return in_order(server)


def canary(story: Story) -> None:
    story.title("4. strict, on a canary that is ready: old code is stopped before it runs")
    with Server(story.folder, "canary", HELPDESK_CANARY="yes") as server:
        seen = client.visit(server.address) if server.address else {}
    late = [fault for fault in faults.planted(PACKAGE) if fault.blocks and fault.scope]
    hit = {(name, *reached) for fault in late for reached in REACHED_BY[fault.scope] for name in client.PASSWORDS}
    blocked = {place: answer for place, answer in seen.items() if place in hit}
    story.say(_indented(_readable(server.log)))
    failed = blocked.get(("Ada", "ws", "show me my orders"), ("nothing", []))
    story.say(f"\n  and to the user at the socket, in the event `agent_failed`:\n\n{_indented(failed[0])}\n")
    right = {place: answer for place, answer in client.expected().items() if place not in hit}
    story.check(f"{len(right)} answers are right as before", right, without(seen, hit))
    story.check(f"{len(hit)} are refused: what runs into a fault inside a function", hit, refused(blocked))
    stopped = [found for found in server.violations if found["action"] == "blocked"]
    story.check(
        "the faults inside functions are blocked, and nothing else",
        places(late),
        sorted(map(place, stopped)),
    )
    story.check(
        "every fault is named here, too",
        places(faults.planted(PACKAGE)),
        seen_places(server),
    )


def gate(story: Story, order: list[faults.Place]) -> None:
    story.title("5. strict from the start, as a deployment's gate: it does not come up")
    with Server(story.folder, "gate") as server:
        pass
    story.say(_indented("\n".join(server.log.splitlines()[-4:])))
    blocking = {fault.place for fault in faults.planted(PACKAGE) if fault.blocks}
    until = next((number for number, place in enumerate(order, 1) if place in blocking), 0)
    story.check("the boot ends with an error, before anything is served", (None, 1), (server.address, server.status))
    story.check("at the first new line that can be blocked; what is known passes", order[:until], in_order(server))
    stopped = [place(found) for found in server.violations if found["action"] == "blocked"]
    story.check("and nothing else is blocked", order[until - 1 : until], stopped)


def merged(story: Story) -> None:
    story.title("6. One report of all these processes")
    command = [sys.executable, "-m", "ssot_guard", "report", "--color", "never", str(story.folder / "records")]
    text = subprocess.run(command, cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    story.say(_indented(text.stdout))
    command += ["--format", "json"]
    data = subprocess.run(command, cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    found = sorted(place(one) for one in json.loads(data.stdout)["violations"])
    story.check("merged, too, each fault is named once", places(faults.planted(PACKAGE, "tests")), found)
    story.check("`report` exits with 1: there are new violations", 1, text.returncode)


def place(found: dict) -> faults.Place:
    return found["path"], found["line"], found["code"], found["rule"], found["status"]


def places(planted: list[faults.Fault]) -> list[faults.Place]:
    return sorted(fault.place for fault in planted)


def seen_places(server: Server) -> list[faults.Place]:
    return sorted(place(found) for found in server.violations)


def in_order(server: Server) -> list[faults.Place]:
    """The violations of the server's process in order of first sight."""
    lines = [line for file in server.records.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    found = [one for one in map(json.loads, lines) if one["record"] == "violation"]
    return [place(one | {"path": one["file"]}) for one in sorted(found, key=lambda one: one["time_ns"])]


def without(seen: client.Transcript, hit: set) -> client.Transcript:
    return {place: answer for place, answer in seen.items() if place not in hit}


def refused(blocked: client.Transcript) -> set:
    """Requests that failed with status 500, and runs whose last event says that the import was blocked."""
    return {
        place
        for place, answer in blocked.items()
        if answer == httpx.codes.INTERNAL_SERVER_ERROR
        or (answer[0].startswith("DeprecatedImportError: SSG10") and answer[1][-1] == "agent_failed")
    }


def _readable(log: str) -> str:
    """The end of the first traceback that a block caused."""
    lines = log.splitlines()
    ends = [number for number, line in enumerate(lines) if "errors.DeprecatedImportError: " in line]
    return "\n".join(lines[max(0, ends[0] - 3) : ends[0] + 1]) if ends else "(nothing was blocked)"


def _difference(expected: object, seen: object) -> str:
    """Of collections what one side has alone, of everything else both."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return "\n".join(client.differences(expected, seen))
    if isinstance(expected, list | set) and isinstance(seen, list | set):
        missing = [f"missing   {one!r}" for one in expected if one not in seen]
        return "\n".join([*missing, *(f"too much  {one!r}" for one in seen if one not in expected)]) or repr(seen)
    return f"expected  {expected!r}\nseen      {seen!r}"


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip().replace(str(HERE) + os.sep, ""), "    ")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ssot-guard-demo-") as folder:
        story = Story(Path(folder).resolve())
        packages = ", ".join(f"{name} {version(name)}" for name in ("FastAPI", "uvicorn", "websockets"))
        story.say(f"ssot-guard {version('ssot-guard')} on Python {platform.python_version()}, with {packages}")
        unguarded(story)
        tests(story)
        order = warn(story)
        canary(story)
        gate(story, order)
        merged(story)
        story.check("the README's index is what the labels say", faults.table(), faults.written())
    if story.differences:
        story.say(f"\nNOT as expected: {len(story.differences)} of these claims; see NO above.")
        return 1
    story.say("\nEverything was exactly as expected.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
