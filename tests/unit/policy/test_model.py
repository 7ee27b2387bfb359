from collections import Counter
from typing import Any, ClassVar

import pytest

from ssot_guard.names import _matches
from ssot_guard.policy.load import load_data
from ssot_guard.policy.model import ImportRules


def compiled(*pairs: Any, **extra: Any) -> Any:
    rules = [
        {"deprecated": old, "canonical": new, **extra} if new else {"deprecated": old, **extra} for old, new in pairs
    ]
    return ImportRules(load_data({"imports": rules}).imports, "runtime")


def home_of(rules: Any, target: str) -> Any:
    module, _, name = target.partition(":")
    home = (rules.name(module, name) if name else None) or rules.module(module)
    return rules.canonical(home, module, name or None)


# (description, (deprecated, canonical) pairs, what is imported, where it lives)
HOMES = [
    ("the module itself", [("a.old", "a.new")], "a.old", "a.new"),
    ("a submodule carries its tail over", [("a.old", "a.new")], "a.old.x.y", "a.new.x.y"),
    ("a name of the module", [("a.old", "a.new")], "a.old:N", "a.new:N"),
    ("a name of a submodule", [("a.old", "a.new")], "a.old.x:N", "a.new.x:N"),
    ("a removed module has none", [("a.old", None)], "a.old.x", None),
    ("a wildcard carries over", [("a.*.old", "b.*.new")], "a.x.old.y", "b.x.new.y"),
    ("children carry over", [("a.old.*", "a.new.*")], "a.old.x", "a.new.x"),
    ("children that became one module", [("a.old.*", "a.new")], "a.old.x", "a.new"),
    ("a name rule", [("a.m:Old", "b.m:New")], "a.m:Old", "b.m:New"),
    ("a name rule beats the module's", [("a.m", "b.m"), ("a.m:Old", "c.m:New")], "a.m:Old", "c.m:New"),
    ("a module that became a name", [("a.old", "b.m:N")], "a.old", "b.m:N"),
    ("that very name of it", [("a.old", "b.m:N")], "a.old:N", "b.m:N"),
    ("any other name of it has none", [("a.old", "b.m:N")], "a.old:X", None),
    ("a chain leads to its end", [("a.b", "a.c"), ("a.c", "a.d")], "a.b.x", "a.d.x"),
    ("a chain that ends in nothing has no end", [("a.b", "a.c"), ("a.c", None)], "a.b", None),
    ("a chain through a name", [("a.b", "a.c"), ("a.c:N", "a.d:M")], "a.b:N", "a.d:M"),
]


@pytest.mark.parametrize(("description", "pairs", "target", "expected"), HOMES)
def test_a_deprecated_path_has_a_home(description: str, pairs: Any, target: str, expected: Any) -> None:
    assert home_of(compiled(*pairs), target) == expected, description


def test_a_name_that_did_not_move_along_has_its_own_home() -> None:
    rules = compiled(("a.old", "a.new"), names={"make": "a.factory:create"})
    assert home_of(rules, "a.old:make") == "a.factory:create"


def test_rules_of_the_other_side_are_not_seen() -> None:
    rules = load_data({"imports": [{"deprecated": "a.old", "sides": ["audit"]}]}).imports
    assert ImportRules(rules, "runtime").module("a.old") is None
    assert ImportRules(rules, "audit").module("a.old") is not None


def test_every_link_of_a_chain_can_be_seen() -> None:
    rules = compiled(("a.b", "a.c"), ("a.c", "a.d"))
    chain = rules.chain(rules.module("a.b"), "a.b")
    assert [(target, following and following.deprecated.text) for target, following in chain] == [
        ("a.c", "a.c"),
        ("a.d", None),
    ]


def test_a_chain_passes_the_same_rule_twice_with_another_tail() -> None:
    rules = compiled(("a", "b"), ("b.c", "a.d"))
    assert rules.canonical(rules.module("a.c"), "a.c") == "b.d"


def test_of_two_rules_for_a_module_both_names_are_watched() -> None:
    rules = compiled(("a.**:X", "n:X"), ("a.b:Y", "n:Y"), ("a.b:X", "m:X"))
    assert {name: home.canonical.text for name, home in rules.watched("a.b").items()} == {"X": "m:X", "Y": "n:Y"}
    assert {name: home.canonical.text for name, home in rules.watched("a.b.c").items()} == {"X": "n:X"}
    assert rules.name("a.b", "X").canonical.text == "m:X"


class CountingNode(dict[str, Any]):
    """A node of the index that counts how often it is asked."""

    asked: ClassVar[Counter[str]] = Counter()

    def get(self, *arguments: Any) -> Any:
        self.asked["get"] += 1
        return super().get(*arguments)

    def __contains__(self, key: object) -> Any:
        self.asked["in"] += 1
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self.asked["[]"] += 1
        return super().__getitem__(key)


def counting(node: dict[str, Any]) -> Any:
    return CountingNode({key: counting(value) if type(value) is dict else value for key, value in node.items()})


def questions(rules: Any, module: str) -> Any:
    CountingNode.asked.clear()
    found = next(_matches(counting(rules.modules._root), module.split("."), 0), None)
    return found, dict(CountingNode.asked)


def many(count: int) -> Any:
    rules = [{"deprecated": f"acme.p{number}.old", "canonical": f"acme.q{number}.new"} for number in range(count)]
    return load_data({"packages": ["acme"], "imports": rules})


def test_ten_thousand_rules_load_and_are_looked_up_with_as_many_questions_as_one() -> None:
    one, all_of_them = ImportRules(many(1).imports, "runtime"), ImportRules(many(10_000).imports, "runtime")
    for module in ("acme.p0.old.x.y", "acme.p0", "other.module", "acme.zzz.old"):
        first, few = questions(one, module)
        second, as_few = questions(all_of_them, module)
        assert (first is None) == (second is None)
        assert few == as_few
    assert home_of(all_of_them, "acme.p9999.old.x") == "acme.q9999.new.x"
