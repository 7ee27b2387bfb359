"""The codes: one entry each, and the only place that holds their texts.

Wrong and right snippets stand in :mod:`ssot_guard.cli.examples`: they are for reading, and a guarded process never
needs them. Codes are stable: a text may be improved, a code's meaning never changes and a retired code never returns.
"""

from __future__ import annotations


class Entry:
    """One code of the catalogue.

    ``blocks``: ``strict`` raises before the wrong code runs. ``runtime`` and ``audit``: which side can see it;
    ``later``: this version does not look for it yet (``audit_later``: its audit does not). ``rule``: its key in the
    policy's ``[modules]``, which is its rule's id in reports; empty for codes of rules that the policy names.
    ``what`` is wrong in one line, ``why`` it hurts, ``write`` what to do instead. (No ``NamedTuple``: the ledger reads
    this at the first violation, and ``typing`` is not to be imported inside somebody's import.)
    """

    __slots__ = ("audit", "audit_later", "blocks", "code", "later", "name", "rule", "runtime", "what", "why", "write")

    def __init__(self, code: str, name: str, sides: str, what: str, why: str, write: str, rule: str = "") -> None:
        self.code = code
        self.name = name
        self.runtime = "runtime" in sides
        self.audit = "audit" in sides
        self.blocks = "blocks" in sides
        self.later = "later" in sides.split()
        self.audit_later = "audit-later" in sides
        self.rule = rule
        self.what = what
        self.why = why
        self.write = write

    def __repr__(self) -> str:
        return f"<{self.code} {self.name}>"


_ENTRIES = (
    Entry(
        "SSG101", "deprecated-module", "runtime blocks audit",
        "A deprecated module path is imported.",
        "Code at the old path runs next to the canonical home: two registries, two caches, two sets of classes, and "
        "`isinstance` is false between them. Every importer that stays keeps the old path alive.",
        "Import the canonical path that the report names. `ssot-guard fix` does it where both paths are proven to "
        "give the same object.",
    ),
    Entry(
        "SSG102", "deprecated-name", "runtime blocks audit",
        "A deprecated name of a module is imported or read.",
        "The name moved, split or was removed, while its module lives on. An alias hides that for as long as both "
        "agree; on the day they stop, callers silently use another object.",
        "Import the canonical name. Where there is no successor, remove the use.",
    ),
    Entry(
        "SSG103", "deprecated-reference", "audit later",
        "A string names a deprecated path.",
        "`mock.patch`, `monkeypatch.setattr` and `sys.modules` take dotted strings that no import checker reads. "
        "Such a test patches a place where the application no longer looks: it passes and tests nothing.",
        "Name the path where the code under test looks the object up today.",
    ),
    Entry(
        "SSG104", "diverged-shim", "runtime audit",
        "Behind the deprecated path sits another object than behind the canonical one.",
        "A shim promises that both paths mean one thing. A drifted copy, an alias of something else, or a fallback "
        "stub breaks that promise: state written through one path is invisible through the other.",
        "Decide which object is the truth, move what only the other one has, and let the old path re-export it until "
        "its importers are gone. `fix` refuses this rule until then.",
    ),
    Entry(
        "SSG105", "guarded-import", "audit later",
        "`except ImportError` (or wider) surrounds an import of a rule's deprecated or canonical path.",
        "When the home breaks, the program does not stop: it goes on with a stub or an old copy, and nobody is told. "
        "The handler turns a loud failure into a second truth.",
        "Import the canonical path plainly. If the dependency is optional, test for *it*, not for your own module.",
    ),
    Entry(
        "SSG111", "failed-import", "runtime audit",
        "An import of a governed module or name failed.",
        "Whether or not someone swallowed the error, a part of the application is missing in this process. The imports "
        "that `strict` itself blocked are not counted.",
        "Correct the path, or delete the import together with the code that pretends it could work.",
        rule="failed-imports",
    ),
    Entry(
        "SSG112", "import-cycle", "runtime audit",
        "Modules need each other while they load.",
        "Which of them works depends on who is imported first: a name is missing, or an early copy of it is kept. A "
        "new import in an unrelated file can turn the order round.",
        "Move what both need into a third module, or import inside the function that uses it.",
        rule="cycles",
    ),
    Entry(
        "SSG113", "double-import", "runtime",
        "One source file was executed under two module names.",
        "Every class, registry and module-level cache in it exists twice. Typical causes are two entries of `sys.path` "
        "that overlap, or running a module of a package as a script.",
        "Import the file under one name only: `python -m package.module` instead of a path, one root on `sys.path`.",
        rule="double-imports",
    ),
    Entry(
        "SSG114", "re-executed-module", "runtime",
        "A governed module was executed twice.",
        "After a reload, or after `del sys.modules[...]` and another import, objects made earlier belong to classes "
        "that no longer are the module's: `isinstance` fails, singletons are reborn.",
        "Reset state through a function of the module; tests use a fixture that calls it.",
        rule="re-executions",
    ),
    Entry(
        "SSG115", "slow-import", "runtime",
        "A governed module's own import time is over its budget.",
        "Connections, file reads and model loading at import time are paid by every process, every test worker and "
        "every command-line call, also by those that never use the module.",
        "Move the work into a function that the first user calls.",
        rule="import-budget",
    ),
    Entry(
        "SSG201", "competing-class", "runtime blocks audit-later",
        "A second definition plays a role that already has a canonical home.",
        "Two classes for one capability drift apart: a fix lands in one of them, and which one a request meets depends "
        "on who imported what. A class that inherits from both homes joins two states under one name.",
        "Use, subclass or extend the canonical class. If this one does something else, list it under the role's "
        "`except` with a reason.",
    ),
    Entry(
        "SSG202", "too-many-instances", "runtime blocks",
        "More instances of a role are alive than its scope allows.",
        "What one instance registers, caches or counts is unknown to the other. Which of them answers is a matter of "
        "who holds which reference.",
        "Take the existing instance from its factory or from the application's context instead of building one.",
    ),
    Entry(
        "SSG203", "factory-bypassed", "runtime blocks audit-later",
        "An instance of a role was built outside its factory.",
        "The factory wires in the tenant, the limits and the listeners. An object built past it looks the same and "
        "misses some of them.",
        "Call the factory that the rule names.",
    ),
    Entry(
        "SSG204", "construction-race", "runtime",
        "Two constructions of a single-instance role overlapped in time.",
        "Both callers saw that nothing was there yet, and both built one. The loser's object stays in use wherever it "
        "was handed out before the winner's replaced it.",
        "Build the object once at start-up, or guard the construction with a lock and look again inside it.",
    ),
    Entry(
        "SSG205", "interface-mismatch", "runtime",
        "A class in the role does not satisfy the role's interface.",
        "A missing member, another signature or a coroutine where a plain call is expected fails at the first use, "
        "which may be a rare path in production.",
        "Implement the interface's member with its signature and its kind (sync or async).",
    ),
    Entry(
        "SSG206", "slow-construction", "runtime",
        "Building the role took longer, or more memory, than its budget.",
        "A user waits for it, and a burst of new sessions multiplies it.",
        "Load lazily or share what is immutable; raise the budget only with the reason written beside it.",
    ),
    Entry(
        "SSG207", "undiscoverable-class", "runtime",
        "A concrete class of the role is missing from its registry.",
        "It is written, reviewed and shipped, and nothing can ever select it.",
        "Register it where the role's `registered-in` looks, or delete it.",
    ),
    Entry(
        "SSG301", "cross-tenant-use", "runtime blocks",
        "An object that belongs to one tenant was used on behalf of another.",
        "One user's data can reach another user's answer.",
        "Build the object inside the request or session, and never keep it in a module, a class or a process-wide "
        "cache. Work on everybody's objects (an expiry, a broadcast) says so: `with ssot_guard.tenant(None):`.",
    ),
    Entry(
        "SSG302", "shared-state", "runtime",
        "Isolated objects of two tenants reach the same mutable object.",
        "The objects are separate and their data is not: a mutable default, a class attribute or a common cache joins "
        "them. The report names the path from either side.",
        "Give each instance its own copy. If sharing is meant, list the type, or the name, under the role's `share`.",
    ),
    Entry(
        "SSG303", "no-tenant", "runtime",
        "An isolated object was built outside any tenant, or built and used there.",
        "Nobody can say whose it is, so no later use can be judged. Threads and executors lose the context silently. "
        "(An object that was built for a tenant is another matter: where it is used in a thread without the context, "
        "as by `executor.submit(engine.run, task)`, nobody can tell whether that is right. It is counted as unknown, "
        "and is no violation.)",
        "Enter the tenant first (`with ssot_guard.tenant(...)` or the application's own context) and carry the "
        "context into threads with `contextvars.copy_context().run`.",
    ),
    Entry(
        "SSG401", "event-sequence", "runtime",
        "The events of a run broke their contract.",
        "A client waits for an end that never comes, or shows a result twice, because an event is missing, repeated, "
        "out of order or after the end. That the end never comes is told only where the rule says `within`, the "
        "seconds that a run may take; without it an open run is counted as unknown.",
        "Send the events in the order of the rule's `sequence`; send the final one exactly once, on failure too.",
    ),
    Entry(
        "SSG402", "foreign-emitter", "runtime audit-later",
        "An event of the contract was sent past the canonical emitter.",
        "Order, tenant and delivery are ensured in one place only. What goes past it is seen by nobody.",
        "Send through the emitter that the rule names.",
    ),
    Entry(
        "SSG403", "misdelivered-event", "runtime blocks",
        "The event of one tenant's run was sent for another tenant.",
        "A user sees the progress or the answer of somebody else.",
        "Take the recipient from the run itself, not from the connection or the context that happens to be current.",
    ),
    Entry(
        "SSG501", "journey-below-target", "runtime",
        "A critical path succeeded too rarely, or took too long.",
        "The parts may all be healthy while users do not get what they came for. Live, the verdict waits until the "
        "rate is below the target with 95 % confidence; in tests the observed rate decides.",
        "Repair what the failed runs name: each kind of failure with its place and number. Tests that make runs fail "
        "on purpose say so with `ssot_allow`.",
    ),
    Entry(
        "SSG901", "dead-rule", "runtime audit",
        "A rule matched nothing.",
        "It is misspelt and protects nobody, or its work is done and it only costs attention.",
        "Correct its pattern, or delete the rule.",
    ),
    Entry(
        "SSG902", "stale-baseline", "runtime audit",
        "A baseline entry no longer occurs.",
        "The violation was repaired. While its entry stands, it may come back unnoticed.",
        "Run `ssot-guard baseline --prune`.",
    ),
    Entry(
        "SSG903", "unused-suppression", "audit later",
        "An inline ignore suppresses nothing.",
        "The next violation on that line would be hidden by a comment that was written for another one.",
        "Delete the `# ssot: ignore[...]` comment.",
    ),
)  # fmt: skip

CATALOGUE: dict[str, Entry] = {entry.code: entry for entry in _ENTRIES}
