import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ssot_guard.errors import PolicyError
from ssot_guard.policy import fields
from ssot_guard.policy.load import load_text

PRODUCT = Path(__file__).parents[2] / "fixtures" / "product.toml"
SCHEMA = Path(fields.__file__).with_name("schema.json")


def problems(text: str) -> Any:
    with pytest.raises(PolicyError) as caught:
        load_text(text)
    return [(problem.key, problem.message) for problem in caught.value.problems]


ROLE = '[[roles]]\ncanonical = "a.b:C"\n'
RULE = '[[imports]]\ndeprecated = "a.old"\n'
EVENT = '[[events]]\nemitter = ["a.b:E.emit"]\nevent = "kind"\nrun = "run"\n'

# What the schema can know: unknown keys, types, words. (text, key, part of the message)
BY_SCHEMA = [
    ('packges = ["a"]', "packges", "unknown key; did you mean `packages`?"),
    ("source_roots = []", "source_roots", "did you mean `source-roots`?"),
    ('packages = "acme"', "packages", "must be a list (each item a string), not the string 'acme'; write [\"acme\"]"),
    ("packages = [1]", "packages[0]", "must be a string, not the integer 1"),
    ('packages = [""]', "packages[0]", "must not be empty"),
    ("source-roots = []", "source-roots", "needs at least 1"),
    ("exclude = [true]", "exclude[0]", "not the boolean true"),
    ("baseline = 1", "baseline", "must be a string"),
    ('mode = "wran"', "mode", "did you mean `warn`?"),
    ("mode = true", "mode", 'must be one of "off", "observe", "warn", "strict"'),
    ("labels = { a = 1 }", "labels.a", "must be a string"),
    ("labels = []", "labels", "must be a table"),
    ('owners = { "x/**" = 1 }', 'owners."x/**"', "must be a string"),
    ('profiles.test.mode = "x"', "profiles.test.mode", "is not one of"),
    ("profiles.test = 1", "profiles.test", "must be a table"),
    ("profiles.test.colour = 1", "profiles.test.colour", "unknown key"),
    ('profiles.test.tag-modes = { a = "b" }', "profiles.test.tag-modes.a", "is not one of"),
    ('profiles.test.fail = "always"', "profiles.test.fail", "is not one of"),
    ('profiles.c.canary = { percent = "5", hash-of = "$H" }', "profiles.c.canary.percent", "must be a number"),
    ('profiles.c.canary = { percent = 101, hash-of = "$H" }', "profiles.c.canary.percent", "at most 100"),
    ('profiles.c.canary = { percent = -1, hash-of = "$H" }', "profiles.c.canary.percent", "at least 0"),
    ("profiles.c.canary = { percent = 5 }", "profiles.c.canary", "needs `hash-of`"),
    ('profiles.c.canary = { hash-of = "$H" }', "profiles.c.canary", "needs `percent`"),
    ("profiles.c.canary = {}", "profiles.c.canary", "is empty"),
    ('profiles.c.canary = { percent = 5, hash-of = "$H", when = "$W" }', "profiles.c.canary", "`when` alone"),
    ('profiles.c.block-from = "later"', "profiles.c.block-from", "is not one of"),
    ("profiles.c.block-from = -1", "profiles.c.block-from", "at least 0"),
    ("profiles.c.block-from = true", "profiles.c.block-from", "or a number, not the boolean true"),
    ("profiles.c.max-blocks = { count = 1 }", "profiles.c.max-blocks", "`seconds` is missing"),
    ("profiles.c.max-blocks = { count = 1.5, seconds = 1 }", "profiles.c.max-blocks.count", "must be an integer"),
    ("profiles.c.max-blocks = { count = 1, seconds = 0 }", "profiles.c.max-blocks.seconds", "above 0"),
    ("profiles.c.kill-file = []", "profiles.c.kill-file", "must be a string"),
    ('profiles.c.sinks = "otel"', "profiles.c.sinks", 'write ["otel"]'),
    ('[[overrides]]\npaths = ["x"]', "overrides[0]", "`max-mode` is missing"),
    ('[[overrides]]\nmax-mode = "warn"\nselect = "a"', "overrides[0].select", 'write ["a"]'),
    ('imports = { deprecated = "a" }', "imports", "must be a list"),
    ('[[imports]]\ncanonical = "a"', "imports[0]", "`deprecated` is missing"),
    ("[[imports]]\ndeprecated = 1", "imports[0].deprecated", "a string or a list"),
    ("[[imports]]\ndeprecated = []", "imports[0].deprecated", "at least 1"),
    (RULE + 'cannonical = "b"', "imports[0].cannonical", "did you mean `canonical`?"),
    (RULE + 'tags = "x"', "imports[0].tags", 'write ["x"]'),
    (RULE + "reason = 1", "imports[0].reason", "must be a string"),
    (RULE + 'max-mode = "block"', "imports[0].max-mode", "is not one of"),
    (RULE + 'sides = ["tests"]', "imports[0].sides[0]", "is not one of"),
    (RULE + "sides = []", "imports[0].sides", "at least 1"),
    (RULE + 'names = ["x"]', "imports[0].names", "must be a table"),
    (RULE + 'type-checking = "ignore"', "imports[0].type-checking", "is not one of"),
    (RULE + "block-in-try = 1", "imports[0].block-in-try", "must be true or false, not the integer 1"),
    (RULE + "due = 20270301", "imports[0].due", "must be a day such as 2027-03-01"),
    (RULE + 'contested = ["a.x"]', "imports[0].contested", "at least 2"),
    (ROLE + 'kind = "module"', "roles[0].kind", "is not one of"),
    (ROLE + "instances = 1", "roles[0].instances", "must be a table"),
    (ROLE + "instances = { max = 0 }", "roles[0].instances.max", "at least 1"),
    (ROLE + "instances = { max = true }", "roles[0].instances.max", "must be an integer, not the boolean true"),
    (ROLE + 'instances = { max = 1, per = "host" }', "roles[0].instances.per", "is not one of"),
    (ROLE + 'instances = { per = "task" }', "roles[0].instances", "`max` is missing"),
    (ROLE + 'factory = "a.b:make"', "roles[0].factory", 'write ["a.b:make"]'),
    (ROLE + 'isolated = "yes"', "roles[0].isolated", "must be true or false"),
    (ROLE + 'retiring = [{ class = "a.c:D" }]', "roles[0].retiring[0]", "`until` is missing"),
    (ROLE + 'except = [{ reason = "x" }]', "roles[0].except[0]", "`class` is missing"),
    (ROLE + "except = [1]", "roles[0].except[0]", "must be a string or a table"),
    (ROLE + "construct-budget = { seconds = 0 }", "roles[0].construct-budget.seconds", "above 0"),
    (ROLE + "construct-budget = { bytes = 0 }", "roles[0].construct-budget.bytes", "a number of bytes"),
    ('tenant.current = "a:b"', "tenant.current", 'write ["a:b"]'),
    ('modules.cycles = "on"', "modules.cycles", "is not one of"),
    ("modules.cycle = 1", "modules.cycle", "did you mean `cycles`?"),
    ("modules.import-budget = 2.0", "modules.import-budget", "must be a table"),
    (EVENT, "events[0]", "`sequence` is missing"),
    (EVENT + 'sequence = ""', "events[0].sequence", "must not be empty"),
    (EVENT + 'sequence = "x"\nliterals = 1', "events[0].literals", "must be true or false"),
    (EVENT + 'sequence = "x"\nwithin = 0', "events[0].within", "above 0"),
    ("[[journeys]]\ntarget = 1", "journeys[0]", "`id` is missing"),
    ('[[journeys]]\nid = "x"', "journeys[0]", "`target` is missing"),
    ('[[journeys]]\nid = "x"\ntarget = 99.9', "journeys[0].target", "at most 1"),
    ('[[journeys]]\nid = "x"\ntarget = 1\nmin-runs = 0', "journeys[0].min-runs", "at least 1"),
]

# What only the model can know. All of these are governed by the package `a`.
BY_MODEL = [
    ('labels = { release = "v-$GIT_SHA" }', "labels.release", "must be the whole value"),
    ('exclude = ["#x"]', "exclude[0]", "a comment"),
    ('exclude = ["a\\\\b"]', "exclude[0]", "written with `/`"),
    ('exclude = ["[x"]', "exclude[0]", "matches no path"),
    ('exclude = ["../x"]', "exclude[0]", "start at the policy's folder"),
    ('profiles.c.canary = { percent = 5, hash-of = "host" }', "profiles.c.canary.hash-of", "`$NAME`"),
    ("profiles.c.canary = { percent = nan, hash-of = '$H' }", "profiles.c.canary.percent", "at most 100"),
    ("profiles.c.block-from = inf", "profiles.c.block-from", "at least 0"),
    ('profiles.c.sinks = ["/var/log"]', "profiles.c.sinks[0]", "is no sink"),
    ('profiles.c.sinks = ["jsonlines:/tmp/x"]', "profiles.c.sinks[0]", "is no sink; did you mean `jsonl`?"),
    (
        'profiles.c.sinks = ["log", "kafka"]',
        "profiles.c.sinks[1]",
        "is no sink; known: `jsonl`, `log`, `otel`, `prometheus`",
    ),
    ('profiles.c.sinks = ["jsonl"]', "profiles.c.sinks[0]", 'needs a place: "jsonl:-"'),
    ('profiles.c.sinks = ["log:/tmp/x"]', "profiles.c.sinks[0]", "takes nothing behind a colon"),
    ('profiles.c.tag-modes = { wave9 = "warn" }', "profiles.c.tag-modes.wave9", "no rule has the tag 'wave9'"),
    (
        'profiles.c.tag-modes = { wave1 = "warn", wave9 = "warn" }\n' + RULE + 'tags = ["wave1"]',
        "profiles.c.tag-modes.wave9",
        "no rule has the tag 'wave9'; did you mean `wave1`?",
    ),
    ('profiles.c.tag-modes = { "a b" = "warn" }', 'profiles.c.tag-modes."a b"', "cannot be a tag"),
    ('[[overrides]]\nmax-mode = "warn"\nselect = ["owner:"]', "overrides[0].select[0]", "nothing after the colon"),
    ('[[overrides]]\nmax-mode = "warn"\nselect = ["rule:x"]', "overrides[0].select[0]", "is no selection"),
    ('[[overrides]]\nmax-mode = "warn"\nselect = ["a,b"]', "overrides[0].select[0]", "write a list"),
    (
        '[[overrides]]\nmax-mode = "warn"\nselect = ["regstry"]\n' + RULE + 'id = "registry"',
        "overrides[0].select[0]",
        "did you mean `registry`?",
    ),
    ('[[imports]]\ndeprecated = "a..b"', "imports[0].deprecated", "is not a dotted name"),
    ('[[imports]]\ndeprecated = "src/a/old.py"', "imports[0].deprecated", "is a path; write the dotted module name"),
    ('[[imports]]\ndeprecated = "a.old:*"', "imports[0].deprecated", "has a wildcard in its name part"),
    ('[[imports]]\ndeprecated = "a.old:C.m"', "imports[0].deprecated", "no name that a module could export"),
    ('[[imports]]\ndeprecated = ["a.x", "a.*y"]', "imports[0].deprecated[1]", "whole-segment wildcard"),
    (RULE + 'canonical = "a.old"', "imports[0].canonical", "deprecated by this very rule"),
    (RULE + 'canonical = "a.old.**"', "imports[0].canonical", "deprecated by this very rule"),
    (RULE + 'canonical = "a.old.new"', "imports[0].canonical", "lies in the deprecated `a.old` itself"),
    (RULE + 'canonical = "a.old:N"', "imports[0].canonical", "lies in the deprecated `a.old` itself"),
    (RULE + 'canonical = ["a.x", "a.y"]', "imports[0].canonical", "has 2 entries for 1 deprecated"),
    (RULE + 'canonical = ["a.x"]', "imports[0].canonical", "has 1 entries for 1 deprecated"),
    ('[[imports]]\ndeprecated = ["a.x", "a.y"]\ncanonical = ["a.z"]', "imports[0].canonical", "has 1 entries for 2"),
    ('[[imports]]\ndeprecated = "a.o:N"\ncanonical = "a.n"', "imports[0].canonical", "write `a.n:N`"),
    ('[[imports]]\ndeprecated = "a.**:N"\ncanonical = "a.n:N"', "imports[0].canonical", "lies in the deprecated"),
    (RULE + 'canonical = "a.n.*"', "imports[0].canonical", "has wildcards that `a.old` cannot fill"),
    (RULE + 'canonical = "a.*.n"', "imports[0].canonical", "has wildcards that `a.old` cannot fill"),
    (RULE + 'canonical = "a.n.**:N"', "imports[0].canonical", "without wildcards"),
    (RULE + 'canonical = "a.n"\ncontested = ["a.n", "a.m"]', "imports[0].contested", "stands beside `canonical`"),
    (RULE + "decide-by = 2027-01-01", "imports[0].decide-by", "needs `contested`"),
    (RULE + 'names = { x = "a.old.sub:x" }', "imports[0].names.x", "lies in the deprecated"),
    (RULE + 'names = { "x.y" = "a.n:x" }', 'imports[0].names."x.y"', "is not a Python name"),
    (RULE + 'names = { x = "a.*" }', "imports[0].names.x", "must name one place"),
    ('[[imports]]\ndeprecated = "a.o:N"\nnames = { x = "a.n:x" }', "imports[0].names", "needs a deprecated module"),
    (RULE + 'allow = ["a b"]', "imports[0].allow[0]", "is not a dotted name"),
    (RULE + 'due = "2027-02-30"', "imports[0].due", "is not a day"),
    (RULE + "due = 2027-01-01T00:00:00Z", "imports[0].due", "must be a day such as 2027-03-01, not a datetime"),
    (RULE + 'id = "SSG101"', "imports[0].id", "is a code"),
    (RULE + 'id = "a b"', "imports[0].id", "cannot be an id"),
    (RULE + 'id = "x"\n' + ROLE + 'id = "x"', "roles[0].id", "already the id of imports[0]"),
    (RULE + 'canonical = "a.x"\n' + RULE + 'canonical = "a.y"', "imports[1].deprecated", "another home, `a.x`"),
    (RULE + 'canonical = "a.x"\n' + RULE, "imports[1].deprecated", "deprecated already by imports[0]"),
    (RULE + RULE.replace("old", "old.**"), "imports[1].deprecated", "with the same home"),
    ('[[imports]]\ndeprecated = ["a.x", "a.x"]', "imports[0].deprecated", "twice"),
    (
        '[[imports]]\ndeprecated = "a.b"\ncanonical = "a.c"\n[[imports]]\ndeprecated = "a.c"\ncanonical = "a.b"',
        "imports[0].deprecated",
        "a.b → a.c → a.b never ends",
    ),
    (
        '[[imports]]\ndeprecated = "a.b"\ncanonical = "a.c.x"\n[[imports]]\ndeprecated = "a.c"\ncanonical = "a.b.y"',
        "imports[0].deprecated",
        "never ends",
    ),
    (
        '[[imports]]\ndeprecated = "a.b:N"\ncanonical = "a.c:N"\n[[imports]]\ndeprecated = "a.c"\ncanonical = "a.b"',
        "imports[0].deprecated",
        "a.b:N → a.c:N → a.b:N never ends",
    ),
    ('[[roles]]\nid = "x"', "roles[0]", "has no member"),
    ('[[roles]]\ncanonical = "a.b.C"', "roles[0].canonical", "such as `a.b:C`"),
    ('[[roles]]\ncanonical = "a.b:*C"', "roles[0].canonical", "without wildcards"),
    ('[[roles]]\nmatch = ["a.b"]', "roles[0].match[0]", "is a module or a path"),
    (ROLE + 'contested = ["a.b:C", "a.c:C"]', "roles[0].contested", "stands beside `canonical`"),
    (ROLE + 'share = ["a.config"]', "roles[0].share", "needs `isolated = true`"),
    (
        ROLE + 'isolated = true\nshare = ["a.c", "a.d:*"]',
        "roles[0].share[1]",
        "has wildcards in a name; write each name, or `a.d`",
    ),
    (ROLE + 'isolated = true\ntenant-from = "user_id"', "roles[0].tenant-from", "write `self.user_id`"),
    (
        ROLE + 'kind = "function"\ninstances = { max = 1 }',
        "roles[0].instances",
        'is about classes; the role\'s kind is "function"',
    ),
    (ROLE + 'tenant-from = "self.user id"', "roles[0].tenant-from", "dotted path of attributes"),
    (ROLE + 'retiring = [{ class = "a.b:C", until = 2027-01-01 }]', "roles[0].retiring[0]", "role's `canonical`"),
    (ROLE + 'except = ["a.b:C"]', "roles[0].except[0]", "role's `canonical`"),
    (ROLE + ROLE, "roles[1].canonical", "already the home of roles[0]"),
    (ROLE + 'construct-budget = { bytes = "64 Mb" }', "roles[0].construct-budget.bytes", "units: B, kB"),
    (ROLE + 'interface = "a.b"', "roles[0].interface", "names a module"),
    ('tenant.current = ["a.user"]', "tenant.current[0]", "such as `a:user`"),
    (EVENT + 'sequence = "a (b"', "events[0].sequence", "`(` is never closed"),
    (EVENT + 'sequence = "a (b }"', "events[0].sequence", "`}` closes nothing"),
]


def governed(text: str) -> Any:
    return text if "packages" in text or "packges" in text else 'packages = ["a"]\n' + text


@pytest.mark.parametrize(("text", "key", "message"), BY_SCHEMA + BY_MODEL, ids=lambda value: str(value)[:60])
def test_a_broken_policy_is_refused_with_key_and_message(text: str, key: str, message: str) -> None:
    found = problems(governed(text))
    assert [place for place, _ in found] == [key], found
    assert message in found[0][1]


@pytest.mark.parametrize(
    ("rules", "told"),
    [(RULE + 'alow = []\ntags = ["wave1"]', True), (RULE + 'tags = "wave9"', False), ("[imports]", False)],
    ids=["another key is wrong", "the tags are", "the rules are"],
)
def test_a_tag_is_missed_only_where_all_tags_could_be_read(rules: str, told: object) -> None:
    found = problems(governed('profiles.c.tag-modes = { wave9 = "warn" }\n' + rules))
    assert any("no rule has the tag" in message for _, message in found) == told


@pytest.mark.parametrize(("text", "key", "message"), BY_SCHEMA, ids=lambda value: str(value)[:60])
def test_the_schema_refuses_what_it_can_know(text: str, key: str, message: str) -> None:
    assert list(validator().iter_errors(as_json(tomllib.loads(governed(text)))))


def validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def as_json(data: Any) -> Any:
    return json.loads(json.dumps(data, default=lambda value: value.isoformat() if isinstance(value, date) else None))


def test_the_shipped_schema_is_the_one_of_the_table() -> None:
    # To renew it, write `json.dumps(fields.schema(), indent=2, ensure_ascii=False)` and a line end to the file.
    assert SCHEMA.read_text("utf-8") == json.dumps(fields.schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_product_example_passes_schema_and_model() -> None:
    text = PRODUCT.read_text("utf-8")
    jsonschema.Draft202012Validator.check_schema(fields.schema())
    validator().validate(as_json(tomllib.loads(text)["tool"]["ssot-guard"]))
    assert load_text(text, "pyproject.toml").packages == ["acme", "!acme.tests"]


def test_the_product_example_uses_every_key_of_the_table() -> None:
    used = keys_of(tomllib.loads(PRODUCT.read_text("utf-8"))["tool"]["ssot-guard"])
    assert keys_of(fields.schema()["properties"], schema=True) <= used


def keys_of(value: Any, *, schema: bool = False) -> Any:
    if isinstance(value, list):
        return set().union(*(keys_of(item, schema=schema) for item in value), set())
    if not isinstance(value, dict):
        return set()
    below = set().union(*(keys_of(item, schema=schema) for item in value.values()), set())
    if not schema:
        return below | set(value)
    return below | set(value.get("properties", ()))


def test_every_problem_is_listed_at_once_in_the_order_of_the_lines() -> None:
    text = 'packages = ["a"]\nmode = "x"\n\n[[imports]]\ndeprecated = 1\nnope = 2\n\n[modules]\ncycles = 3\n'
    with pytest.raises(PolicyError) as caught:
        load_text(text, "/x/ssot-guard.toml")
    assert [(p.line, p.key) for p in caught.value.problems] == [
        (2, "mode"),
        (5, "imports[0].deprecated"),
        (6, "imports[0].nope"),
        (9, "modules.cycles"),
    ]
    assert str(caught.value).startswith("/x/ssot-guard.toml:2: mode: 'x' is not one of")


def test_a_missing_key_is_reported_at_its_table() -> None:
    with pytest.raises(PolicyError) as caught:
        load_text('packages = ["a"]\n\n[[imports]]\nreason = "x"\n')
    assert [problem.line for problem in caught.value.problems] == [3]


def test_a_problem_of_one_rule_does_not_hide_that_of_another() -> None:
    found = problems('packages = ["a"]\n[[imports]]\ndeprecated = 1\n' + RULE + 'canonical = "a.old"')
    assert [key for key, _ in found] == ["imports[0].deprecated", "imports[1].canonical"]
