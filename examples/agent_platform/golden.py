"""The golden path, log in → WebSocket events → answer: its steps of the demo."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import client
import crowd
import faults
from server import HERE, Server

if TYPE_CHECKING:
    from story import Story


def wave2() -> set[str]:
    """The rules that the profile `isolation` enforces."""
    policy = tomllib.loads((HERE / "ssot-guard.toml").read_text(encoding="utf-8"))
    return {rule["id"] for rule in [*policy["roles"], *policy["events"]] if "wave2" in rule.get("tags", ())}


def outcomes(server: Server) -> crowd.Outcomes:
    return crowd.walk(server.address)[0] if server.address else {}


def tell(story: Story, seen: crowd.Outcomes) -> None:
    """The questions to which not everybody got the right answer."""
    for question, counts in seen.items():
        if set(counts) != {crowd.RIGHT}:
            ordered = sorted(counts.items(), key=lambda one: (one[0] != crowd.RIGHT, -one[1]))
            what = ", ".join(f"{number} {outcome}" for outcome, number in ordered)
            story.say(f"    {question:<28}{what}")
    story.say()


def canonical_ways(story: Story) -> None:
    story.title("4. The canonical ways: the golden path is whole")
    with Server(story.folder, "staging", "canonical", HELPDESK_WAYS="canonical") as server:
        visited = client.visit(server.address) if server.address else {}
        seen, health = outcomes(server), server.health()
    story.check("every answer is right, as before", client.expected(), visited)
    story.check("each of these runs is served", crowd.as_it_should_be(), seen)
    rate(story, health, seen, visited)
    left = faults.places(fault for fault in faults.planted(faults.PACKAGE) if not fault.in_use)
    story.check("of what only use can show nothing is left, SSG501 neither", left, server.places)


def isolation(story: Story) -> None:
    story.title("6. strict where users must be kept apart: an error instead of somebody else's data")
    with Server(story.folder, "isolation") as server:
        seen, errors = crowd.walk(server.address) if server.address else ({}, {})
    for question in ("find shim", "tell me my customer number", "a report on sales"):
        story.say(f"  {question}\n      {errors.get(question, 'NO ERROR')}\n")
    right = crowd.kept_apart()
    del right["find shim"]  # how many are refused is a matter of how fast they come
    searches = seen.pop("find shim", {})
    tell(story, seen)
    story.check("who would have got somebody else's data is refused; the shared cache is only named", right, seen)
    claim = "the first index is built, and who tries to build another one is refused"
    story.check(claim, {crowd.RIGHT, crowd.REFUSED}, set(searches))
    in_use, rules = [fault for fault in faults.planted(faults.PACKAGE) if fault.in_use], wave2()
    planted = [fault for fault in in_use if fault.blocks and fault.rule in rules]
    stopped = [found for found in server.violations if found["action"] == "blocked"]
    story.check("nothing else is blocked", faults.places(planted), sorted(map(faults.place, stopped)))
    named = [place for place in server.places if place[2] in faults.IN_USE]
    story.check("and everything that only use can show is named here, too", faults.places(in_use), named)


def rate(story: Story, health: dict[str, Any], seen: crowd.Outcomes, visited: client.Transcript) -> None:
    """The journey as the service's health page has it: the crowd's runs, and those of a visit, which are all served."""
    counted = health.get("census", {}).get("golden-path", {"runs": 0, "rate": 0, "interval": [0, 1], "target": 1})
    shares = [f"{100 * share:.1f}" for share in (counted["rate"], *counted["interval"], counted["target"])]
    text = "{} % of {} runs are served (95 % interval {} - {} %), the target is {} %"
    story.say(f"\n  /health says of the golden path: {text.format(shares[0], counted['runs'], *shares[1:])}")
    visits = sum(channel == "ws" for _, channel, _ in visited)
    saw = visits + len(client.PASSWORDS) * len(crowd.ASKED), visits + crowd.right(seen)
    story.check("that is what the users saw", saw, (counted["runs"], counted.get("succeeded")))
