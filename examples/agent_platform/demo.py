"""A multi-tenant agent service under guard: `make demo`, second part.

Runs the service by itself, its test session under the plugin, the service in `warn`, with everything done the canonical
way, as a strict canary, and behind a strict gate, each time with several users over HTTP and WebSockets, and compares
what the guard says with the labels in the source. Exits with 0 only if exactly the expected was seen. With the
argument `warn` it shows that step only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap

import httpx

import client
import crowd
import faults
import golden
import session
from faults import PACKAGE
from server import HERE, Server, clean

sys.path.append(str(HERE.parent))  # for what the examples share

from story import Story, tell

# What of a visit runs into the faults inside functions: (channel, question or path) by the function's name.
REACHED_BY = {
    "look_up": [("http", "show me my orders"), ("ws", "show me my orders")],
    "asked": [("http", "/history")],
    "legacy_registry": [("http", "/plugins")],
}
AT_LOG_IN = "_keep"  # a function with a fault that a look at the process finds, once two users have logged in


def unguarded(story: Story) -> None:
    story.title("1. The service by itself")
    with Server(story.folder) as server:
        seen = client.visit(server.address) if server.address else {}
        outcomes = golden.outcomes(server)
    story.say(f"{len(client.ORDERS)} users at the same time, {len(seen)} answers over HTTP and WebSockets:\n")
    place = ("Ada", "ws", "define shim")
    story.say(f"    {' '.join(place)}\n    {seen.get(place)}\n")
    story.check("every answer is right, and every run tells its steps in order", client.expected(), seen)
    users, runs = len(client.PASSWORDS), len(client.PASSWORDS) * len(crowd.ASKED)
    story.say(f"\n{users} users at the same time, {runs} runs from log in to answer; of these, not all were served:\n")
    golden.tell(story, outcomes)
    story.check(f"{runs - crowd.right(outcomes)} of them fail, and nobody is told", crowd.as_grown(), outcomes)


def tests(story: Story) -> None:
    story.title("2. Its tests, under the pytest plugin")
    done = session.run(story.folder, str(story.folder / "records" / "tests"))
    story.say(_indented(done.summary))
    claims = session.expected()
    story.check("the session fails, and without the guard it would not", (1, 0), (done.status, done.status_without))
    story.check("each file with a fault at module level is one failure", claims.files, done.files)
    story.check("each test that runs into a fault inside a function fails, and no other", claims.tests, done.tests)
    everything = len(faults.planted(PACKAGE, "tests"))
    claim = f"the {len(claims.places)} faults (of {everything}) that it meets are in its report, once each"
    story.check(claim, claims.places, done.places)


def warn(story: Story) -> list[faults.Place]:
    story.title("3. warn, as in staging: every line is named, nothing changes")
    with Server(story.folder, "staging") as server:
        seen = client.visit(server.address) if server.address else {}
        outcomes, health = golden.outcomes(server), server.health()
    planted = faults.planted(PACKAGE)
    details = {faults.place(found): found for found in server.violations}
    for fault in planted:
        known = " (known)" if fault.status == "known" else ""
        story.say(f"  {fault.code}  {fault.path}:{fault.line}{known}  {fault.text}")
        story.say(f"          {details.get(fault.place, {}).get('message', 'NOT SEEN')}\n")
    story.check(f"all {len(planted)} planted faults are named, once each", faults.places(planted), server.places)
    story.check("every answer is right, as without a guard", client.expected(), seen)
    story.check("and the same runs fail, as without a guard", crowd.as_grown(), outcomes)
    warned = re.findall(r"^(\S+):(\d+): SsotWarning: (SSG\d+)", server.log, re.MULTILINE)
    lines = sorted((fault.path, str(fault.line), fault.code) for fault in planted)
    story.check("one warning for each in the server's log, at its own line", lines, sorted(warned))
    canonical = {fault.place: fault.canonical for fault in planted if fault.code in {"SSG101", "SSG102"}}
    write = {place: details.get(place, {}).get("details", {}).get("write") for place in canonical}
    story.check("what it says to write is the canonical way that stands beside each", canonical, write)
    golden.rate(story, health, outcomes, seen)
    return server.places_in_order


def canary(story: Story) -> None:
    story.title("5. strict, on a canary that is ready: old code is stopped before it runs")
    with Server(story.folder, "canary", HELPDESK_CANARY="yes") as server:
        seen = client.visit(server.address) if server.address else {}
    late = [fault for fault in faults.planted(PACKAGE) if fault.blocks and fault.scope and not fault.in_use]
    hit = {(name, *reached) for fault in late for reached in REACHED_BY[fault.scope] for name in client.ORDERS}
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
        faults.places(late),
        sorted(map(faults.place, stopped)),
    )
    reached = faults.places(fault for fault in faults.planted(PACKAGE) if not fault.in_use or fault.scope == AT_LOG_IN)
    story.check(f"the {len(reached)} faults that this visit can meet are named here, too", reached, server.places)


def gate(story: Story, order: list[faults.Place]) -> None:
    story.title("7. strict from the start, as a deployment's gate: it does not come up")
    with Server(story.folder, "gate") as server:
        pass
    story.say(_indented("\n".join(server.log.splitlines()[-4:])))
    blocking = {fault.place for fault in faults.planted(PACKAGE) if fault.blocks}
    until = next((number for number, place in enumerate(order, 1) if place in blocking), 0)
    story.check("the boot ends with an error, before anything is served", (None, 1), (server.address, server.status))
    story.check(
        "at the first new line that can be blocked; what is known passes", order[:until], server.places_in_order
    )
    stopped = [faults.place(found) for found in server.violations if found["action"] == "blocked"]
    story.check("and nothing else is blocked", order[until - 1 : until], stopped)


def merged(story: Story) -> None:
    story.title("8. One report of all these processes")
    command = [sys.executable, "-m", "ssot_guard", "report", "--color", "never", str(story.folder / "records")]
    text = subprocess.run(command, cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    story.say(_indented(text.stdout))
    command += ["--format", "json"]
    data = subprocess.run(command, cwd=HERE, env=clean(), capture_output=True, text=True, check=False)
    found = sorted(faults.place(one) for one in json.loads(data.stdout)["violations"])
    story.check("merged, too, each fault is named once", faults.places(faults.planted(PACKAGE, "tests")), found)
    story.check("`report` exits with 1: there are new violations", 1, text.returncode)


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


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip().replace(str(HERE) + os.sep, ""), "    ")


def steps(story: Story) -> None:
    unguarded(story)
    tests(story)
    order = warn(story)
    golden.canonical_ways(story)
    canary(story)
    golden.isolation(story)
    gate(story, order)
    merged(story)
    story.check("the README's index is what the labels say", faults.table(), faults.written())


if __name__ == "__main__":
    sys.exit(tell(warn if "warn" in sys.argv else steps, "FastAPI", "uvicorn", "websockets"))
