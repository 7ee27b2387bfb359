"""What is said about instances: SSG202, SSG203, SSG204 and SSG206, once per place, and counted from then on."""

from __future__ import annotations

import gc

from ssot_guard.ledger import Facts
from ssot_guard.violation import Site
from ssot_guard.watch.construction.instances import place_of
from ssot_guard.watch.imports import bytecode, importer
from ssot_guard.watch.source import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

    from ssot_guard.files import Files
    from ssot_guard.ledger import Entry, Ledger
    from ssot_guard.watch.construction.builder import Builders
    from ssot_guard.watch.construction.instances import Instance

    # What it is about: an entry of the ledger, None where the place is excluded; the code is kept alive for its id.
    Seen = tuple[Entry | None, CodeType | None]

_MOST = 10_000
NEW: Any = object()  # nothing was said yet
_SCOPES = {"process": "per process", "thread": "per thread", "task": "per task", "tenant": "per tenant"}


class Verdicts:
    """Records what populations find."""

    __slots__ = ("_builders", "_files", "_ledger", "_seen")

    def __init__(self, ledger: Ledger, files: Files, builders: Builders) -> None:
        self._ledger = ledger
        self._files = files
        self._builders = builders
        self._seen: dict[tuple[Any, ...], Seen] = {}

    def forget(self) -> None:
        """Every place is new again."""
        self._seen.clear()

    def again(self, code: str, instance: Any) -> Any:
        """The verdict where this was said about the line that builds it, counted once more; NEW where it was not."""
        seen = self._seen.get(_key(code, instance))
        if seen is None:
            return NEW
        return None if seen[0] is None else self._ledger.repeat(seen[0], _never)

    # -- what is found -------------------------------------------------------------------------------------------

    def crowded(self, instance: Any, earlier: list[Instance], frame: FrameType) -> BaseException | None:
        """SSG202: an object too many, beside those before it."""
        verdict = self.again("SSG202", instance)
        if verdict is not NEW:
            return verdict  # type: ignore[no-any-return]
        population = instance.kind.population
        text = f"builds {_count(instance, earlier)} at {place_of(instance)}; {_allowed(population)}"
        facts = self._facts("SSG202", instance, frame, f"{text}; {_built(instance, earlier)}")
        facts.details.update(_details(population, earlier))
        return self._first("SSG202", instance, facts)

    def late(self, instance: Instance, earlier: list[Instance], way: str) -> None:
        """SSG202 for an object that nobody saw being built, or only its allocation; ``way``: how it came about."""
        kind = instance.kind
        there = "" if instance.code is None else f" at {place_of(instance)}"
        text = f"{_count(instance, earlier)} {way}{there}; {_allowed(kind.population)}; {_built(instance, earlier)}"
        facts = Facts(
            "SSG202", kind.population.rule, self._site(instance), kind.target, text,
            canonical=kind.population.rule.canonical, kind="call",
            details={**_details(kind.population, earlier), "seen": "late"},
        )  # fmt: skip
        self._ledger.sight(facts)

    def too_many(self, population: Any, live: int) -> None:
        """SSG202 where objects can only be counted: no weak reference to them is possible."""
        rule = population.rule
        text = (
            f"{live} of {rule.id} live, without weak references to tell where they were built; {_allowed(population)}"
        )
        details = {"max": population.limit, "per": population.per, "live": live, "seen": "late"}
        target = rule.canonical or rule.id
        self._ledger.sight(
            Facts("SSG202", rule, Site(), target, text, canonical=rule.canonical, kind="call", details=details)
        )

    def bypassed(self, instance: Any, frame: FrameType) -> BaseException | None:
        """SSG203: built outside of the factory."""
        verdict = self.again("SSG203", instance)
        if verdict is not NEW:
            return verdict  # type: ignore[no-any-return]
        factories = instance.kind.population.rule.factory
        text = f"builds {instance.kind.name} past its factory; call {' or '.join(factories)}"
        facts = self._facts("SSG203", instance, frame, text)
        facts.canonical = factories[0]
        return self._first("SSG203", instance, facts)

    def raced(self, one: Any, other: Any) -> None:
        """SSG204: two constructions overlapped. The site is the first of the two places, whoever was faster."""
        first, second = sorted((one, other), key=_in_order)
        places = place_of(first), place_of(second)
        key = ("SSG204", one.kind.population.rule.id, *places)
        seen = self._seen.get(key)
        if seen is not None:
            if seen[0] is not None:
                self._ledger.repeat(seen[0])
            return
        kind = first.kind
        where = f"twice at {places[0]}" if places[0] == places[1] else f"at {places[0]} and at {places[1]}"
        facts = Facts(
            "SSG204", kind.population.rule, self._site(first), kind.target,
            f"two constructions of {kind.name} overlapped in time: {where}",
            canonical=kind.population.rule.canonical, kind="call",
            details={"places": list(places), "scope": kind.population.per},
        )  # fmt: skip
        self._seen[key] = self._sight(facts)[0], None

    def slow(self, instance: Any, cls: type, over: dict[str, float]) -> None:
        """SSG206: over its budget; one per class, where the class is defined."""
        kind, budget = instance.kind, instance.kind.population.rule.construct_budget
        if kind.slow is not None:
            self._ledger.repeat(kind.slow)
            return
        texts = {"seconds": "{:.3g} s", "bytes": "{:,.0f} bytes"}
        took = " and ".join(texts[what].format(used) for what, used in over.items())
        allowed = " and ".join(texts[what].format(budget[what]) for what in over)
        module, _, name = kind.target.partition(":")
        facts = Facts(
            "SSG206", kind.population.rule, place.of(cls, module, name), kind.target,
            f"building {kind.name} took {took}, and may take {allowed}; built at {place_of(instance)}",
            canonical=kind.population.rule.canonical, kind="class",
            details={**over, "budget": {what: budget[what] for what in over}, "built": place_of(instance)},
        )  # fmt: skip
        kind.slow = self._ledger.sight(facts)[0]

    # -- recording -----------------------------------------------------------------------------------------------

    def _facts(self, code: str, instance: Any, frame: FrameType, text: str) -> Facts:
        kind = instance.kind
        return Facts(
            code, kind.population.rule, importer.site(frame), kind.target, text,
            canonical=kind.population.rule.canonical, kind="call", namespace=frame.f_globals, swallowed=_never,
        )  # fmt: skip

    def _first(self, code: str, instance: Any, facts: Facts) -> BaseException | None:
        if len(self._seen) >= _MOST:
            self._seen.clear()
        entry, verdict = self._sight(facts)
        self._seen[_key(code, instance)] = entry, instance.code
        return verdict

    def _sight(self, facts: Facts) -> tuple[Entry | None, BaseException | None]:
        """Record it, unless its file is no part of what is looked at."""
        if self._files.excluded(self._files.key(facts.site.path, facts.site.module)):
            return None, None
        return self._ledger.sight(facts)

    def _site(self, instance: Any) -> Site:
        """The place of an instance whose frame is gone."""
        code = instance.code
        if code is None:
            return Site()
        module = self._builders.modules.get(code.co_filename)
        position = bytecode.position(code, instance.offset)
        return Site(code.co_filename, *position, module, importer.scope(code))


def _never() -> bool:
    """No handler of the application turns this verdict into a fallback."""
    return False


def _in_order(instance: Any) -> tuple[str, int]:
    """By file and line."""
    path, _, line = place_of(instance).rpartition(":")
    return path, int(line) if line.isdecimal() else 0


def _key(code: str, instance: Any) -> tuple[Any, ...]:
    return code, instance.kind.population.rule.id, id(instance.code), instance.offset, instance.kind.target


def _count(instance: Any, earlier: list[Instance]) -> str:
    """``a second AgentRegistry``; where classes differ, as what."""
    kind = instance.kind
    number = len(earlier) + 1
    which = "a second" if number == 2 else f"instance {number} of"  # noqa: PLR2004 - "instance 2 of" reads badly
    alien = any(other.kind.target != kind.target for other in earlier)
    return f"{which} {kind.population.rule.id} ({kind.name})" if alien else f"{which} {kind.name}"


def _allowed(population: Any) -> str:
    return f"{population.limit} may live {_SCOPES[population.per]}"


def _built(instance: Any, earlier: list[Instance]) -> str:
    """Where those before it were built."""
    alien = any(other.kind.target != instance.kind.target for other in earlier)
    places = [f"{place_of(other)} ({other.kind.name})" if alien else place_of(other) for other in earlier[:5]]
    more = f" and {len(earlier) - len(places)} more" if len(earlier) > len(places) else ""
    return f"{'the first was' if len(earlier) == 1 else 'the others were'} built at {', '.join(places)}{more}"


def _details(population: Any, earlier: list[Instance]) -> dict[str, Any]:
    details: dict[str, Any] = {
        "max": population.limit, "per": population.per, "earlier": [place_of(other) for other in earlier[:20]]
    }  # fmt: skip
    if not gc.isenabled():
        details["collector"] = "off: what only garbage refers to counts as alive"
    return details
