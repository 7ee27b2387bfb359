"""The policy's format: every section and key, what it takes and what holds where it is not written.

This table is the only one: validation, defaults, "did you mean" and the JSON Schema all come from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssot_guard.policy import texts
from ssot_guard.policy.globs import complaint as glob
from ssot_guard.policy.kinds import Choice, Day, Flag, Number, Size, Text
from ssot_guard.policy.model import MODES
from ssot_guard.policy.tables import Either, Field, Many, Named, Table

if TYPE_CHECKING:
    from ssot_guard.policy.kinds import Kind

MODE = Choice(MODES)
HEALTH = Choice(("report", "off"))
REFERENCE = Text(texts.reference)
REFERENCES = Many(REFERENCE)
SECONDS = Number(above=0)


def _one_or_many(kind: Kind) -> Either:
    return Either((kind, Many(kind, at_least=1)))


RULE = (
    Field("id", Text(texts.rule_id), "The rule's name in reports, selections and the baseline; derived where missing."),
    Field("reason", Text(), "Why the rule exists."),
    Field("owner", Text(), "Who looks after the rule."),
    Field("tags", Many(Text(texts.tag)), "Words to select rules by, such as migration waves.", []),
    Field("max-mode", MODE, "The mode that this rule never exceeds."),
    Field("due", Day(), "From this day (UTC) every remaining site fails audit and tests."),
    Field("sides", Many(Choice(("runtime", "audit")), at_least=1), "Where the rule holds; both where missing."),
)

IMPORT = Table(
    (
        *RULE,
        Field("deprecated", _one_or_many(Text(texts.deprecated)), "What nobody should import.", required=True),
        Field("canonical", _one_or_many(Text(texts.canonical)), "Where they moved, in the same shape; none = removed."),
        Field("names", Named(Text(texts.destination), texts.identifier), "Names that moved somewhere else.", {}),
        Field("never-fix", Many(Text(texts.name_glob)), "Names that `fix` leaves alone.", []),
        Field("allow", Many(Text(texts.importer)), "Importers that may still use it.", []),
        Field("type-checking", Choice(("report", "allow")), "Imports under `if TYPE_CHECKING:`.", "report"),
        Field("block-in-try", Flag(), "Block even where the importer catches ImportError.", default=False),
        Field("contested", Many(Text(texts.canonical), at_least=2), "The candidates, while nobody has decided.", []),
        Field("decide-by", Day(), "From this day an open contest fails check-policy."),
    )
)

EXCEPTION = Table(
    (
        Field("class", Text(texts.importer), "What belongs to no role.", required=True),
        Field("reason", Text(), "Why."),
    )
)
RETIRING = Table(
    (
        Field("class", REFERENCE, "A competitor that is on its way out.", required=True),
        Field("until", Day(), "Until this day it is reported as known.", required=True),
        Field("owner", Text(), "Who retires it."),
    )
)
INSTANCES = Table(
    (
        Field("max", Number(at_least=1, whole=True), "How many may live.", required=True),
        Field("per", Choice(("process", "thread", "task", "tenant")), "In which scope.", "process"),
    )
)
CONSTRUCT_BUDGET = Table(
    (
        Field("seconds", SECONDS, "Time to build one."),
        Field("bytes", Size(), 'Memory to build one, as a number or as "64 MiB".'),
    )
)

ROLE = Table(
    (
        *RULE,
        Field("kind", Choice(("class", "function", "value")), "What plays the role.", "class"),
        Field("canonical", REFERENCE, "The role's home."),
        Field("contested", Many(REFERENCE, at_least=2), "The candidates, while nobody has decided.", []),
        Field("decide-by", Day(), "From this day an open contest fails check-policy."),
        Field("match", Many(Text(texts.member)), "Names of what plays the role, as globs.", []),
        Field("subclass-of", REFERENCES, "Classes whose subclasses play the role.", []),
        Field("except", Many(Either((Text(texts.importer), EXCEPTION))), "What belongs to no role all the same.", []),
        Field("retiring", Many(RETIRING), "Competitors that are known until a day.", []),
        Field("instances", INSTANCES, "How many instances may live."),
        Field("factory", REFERENCES, "What may build instances.", []),
        Field("interface", REFERENCE, "The protocol that every class of the role satisfies."),
        Field("registered-in", REFERENCE, "Callable that lists the registered classes; called by check() only."),
        Field("isolated", Flag(), "Instances belong to one tenant.", default=False),
        Field("tenant-from", Text(texts.dotted), "Where a built object keeps its tenant, such as `self.user_id`."),
        Field("released-by", REFERENCES, "Calls after which an object belongs to nobody.", []),
        Field("share", Many(Text(texts.pattern)), "What isolated instances may share.", []),
        Field("construct-budget", CONSTRUCT_BUDGET, "What building one may cost.", {}),
    )
)

EVENT = Table(
    (
        *RULE,
        Field("emitter", Many(REFERENCE, at_least=1), "The canonical way to send.", required=True),
        Field(
            "event",
            Either((Text(texts.dotted), Named(Text(), texts.dotted))),
            "The emitter's parameter that names the event, or a table: method = event.",
            required=True,
        ),
        Field("run", Text(texts.dotted), "The parameter that names the run.", required=True),
        Field("tenant", Text(texts.dotted), "Where the emitter knows its tenant from."),
        Field("sequence", Text(texts.sequence), "The order of a run's events.", required=True),
        Field("foreign", Many(Text(texts.pattern)), "Calls that must end in an emitter.", []),
        Field("literals", Flag(), "Audit sends of these event names past the emitter.", default=False),
        Field("within", SECONDS, "Seconds after which an open run counts as unfinished."),
    )
)

JOURNEY = Table(
    (
        *(Field(f.name, f.kind, f.doc, f.default, required=f.name == "id") for f in RULE),
        Field("target", Number(above=0, at_most=1), "The share of runs that must succeed.", required=True),
        Field("max-seconds", SECONDS, "How long one run may take."),
        Field("min-runs", Number(at_least=1, whole=True), "Live: no verdict on fewer runs.", 100),
    )
)

CANARY = Table(
    (
        Field("percent", Number(at_least=0, at_most=100), "The share of hosts that block."),
        Field("hash-of", Text(texts.variable), "The variable that puts a host into its bucket, such as `$HOSTNAME`."),
        Field("when", Text(texts.variable), "The variable that says whether to block (1, true, yes, on)."),
    ),
    {
        "oneOf": [
            {"required": ["percent", "hash-of"], "not": {"required": ["when"]}},
            {"required": ["when"], "not": {"anyOf": [{"required": ["percent"]}, {"required": ["hash-of"]}]}},
        ]
    },
)
MAX_BLOCKS = Table(
    (
        Field("count", Number(at_least=1, whole=True), "So many blocks …", required=True),
        Field("seconds", SECONDS, "… in so many seconds open the breaker.", required=True),
    )
)
PROFILE = Table(
    (
        Field("mode", MODE, "The session mode under this profile."),
        Field("tag-modes", Named(MODE, texts.tag), "Other modes for rules with a tag.", {}),
        Field("fail", Choice(("test", "session", "never")), "What a violation fails in pytest.", "test"),
        Field("canary", CANARY, "Which hosts block."),
        Field("block-from", Either((Choice(("start", "ready")), Number(at_least=0))), "When blocking begins.", "start"),
        Field("max-blocks", MAX_BLOCKS, "The circuit breaker, per process."),
        Field("kill-file", Text(), "Warn only, while this file exists (below the policy's folder, or absolute)."),
        Field("sinks", Many(Text(texts.sink)), "Where violations are written.", []),
    )
)
OVERRIDE = Table(
    (
        Field("paths", Many(Text(glob)), "Files, in gitignore syntax; everything where missing.", ["**"]),
        Field("select", Many(Text(texts.selection)), "Rule ids, codes, tags; everything where missing.", []),
        Field("max-mode", MODE, "The mode that they never exceed.", required=True),
    )
)
MODULES = Table(
    (
        Field("failed-imports", HEALTH, "Imports that failed.", "report"),
        Field("cycles", HEALTH, "Modules that need each other at load time.", "report"),
        Field("double-imports", HEALTH, "One file under two module names.", "report"),
        Field("re-executions", HEALTH, "A module that ran twice.", "report"),
        Field("import-budget", Table((Field("seconds", SECONDS, "A module's own import time."),)), "Slow imports.", {}),
    )
)
TENANT = Table((Field("current", REFERENCES, "Who is served now; the first that knows.", []),))

POLICY = Table(
    (
        Field("packages", Many(Text(texts.package)), "Governed packages; `!` removes a subtree.", []),
        Field(
            "source-roots", Many(Text(), at_least=1), "The audit's folders (below the policy's, or absolute).", ["."]
        ),
        Field("exclude", Many(Text(glob)), "Files that are neither audited nor importers (gitignore syntax).", []),
        Field("baseline", Text(), "The file of known violations.", "ssot-baseline.json"),
        Field("mode", MODE, "The session mode where nothing else says so."),
        Field("labels", Named(Text(texts.label)), "Added to every record; `$NAME` from the environment.", {}),
        Field("owners", Named(Text(), glob), "Owners of files; the last match wins.", {}),
        Field("profiles", Named(PROFILE), "How one kind of process applies the policy.", {}),
        Field("overrides", Many(OVERRIDE), "Lower modes for some files; the first match wins.", []),
        Field("imports", Many(IMPORT), "Deprecated imports and their homes.", []),
        Field("roles", Many(ROLE), "Capabilities with one home.", []),
        Field("tenant", TENANT, "Where the current tenant is known.", {}),
        Field("modules", MODULES, "Health of governed modules.", {}),
        Field("events", Many(EVENT), "Events that every run must send, in order.", []),
        Field("journeys", Many(JOURNEY), "Critical paths with a success target.", []),
    )
)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``ssot-guard.toml``, which is that of ``[tool.ssot-guard]``."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ssot-guard policy"}
    return head | POLICY.schema()
