"""What a role's `match` claims, which of two claims is narrower, and that the index finds what a plain search finds."""

from fnmatch import fnmatchcase

import pytest

from ssot_guard.watch.patterns import Claim, Claims, narrowest

CASES = [
    ("*Registry", "acme.x", "AgentRegistry", True),
    ("*Registry", "acme.x", "Registry", True),
    ("*Registry", "acme.x", "RegistryItem", False),
    ("*Registry", "acme.x", "Outer.AgentRegistry", True),
    ("*Registry", "acme.x", "Registry.Item", False),
    ("Registry", "acme.x", "AgentRegistry", False),
    ("Agent*", "acme.x", "AgentRegistry", True),
    ("*gent*", "acme.x", "AgentRegistry", True),
    ("A*y", "acme.x", "AgentRegistry", True),
    ("*", "acme.x", "Anything", True),
    ("A?entRegistry", "acme.x", "AgentRegistry", True),
    ("[AB]gent[!X]*", "acme.x", "AgentRegistry", True),
    ("[AB]gent[!R]*", "acme.x", "AgentRegistry", False),
    ("Outer.*Registry", "acme.x", "Outer.AgentRegistry", True),
    ("Outer.*Registry", "acme.x", "AgentRegistry", False),
    ("acme.x.**:*Engine", "acme.x.y.z", "RuleEngine", True),
    ("acme.x:*Engine", "acme.x.y", "RuleEngine", False),
    ("acme.x:Engine", "acme.x", "Engine", True),
    ("En", "acme.x", "En", True),
    ("*registry", "acme.x", "AgentRegistry", False),
]


@pytest.mark.parametrize(("text", "module", "name", "claimed"), CASES)
def test_a_claim_holds_for_the_name_that_it_matches(text, module, name, claimed):
    claims = Claims()
    claims.add(Claim(text, object()))
    assert bool(claims.on(module, name)) is claimed


def test_the_index_finds_what_a_plain_search_finds():
    texts = {text for text, *_ in CASES if ":" not in text and "." not in text}
    claims = Claims()
    for text in texts:
        claims.add(Claim(text, text))
    for name in ("AgentRegistry", "Agent", "A", "", "gent", "RegistryRegistry", "En", "Engine", "AxentRegistry"):
        assert {claim.owner for claim in claims.on("acme", name)} == {text for text in texts if fnmatchcase(name, text)}


@pytest.mark.parametrize(
    ("texts", "winners"),
    [
        ([], []),
        (["*Registry"], ["*Registry"]),
        (["*Registry", "*AgentRegistry"], ["*AgentRegistry"]),
        (["*Registry", "acme.**:*Registry"], ["acme.**:*Registry"]),
        (["*Registry", "Agents*y"], ["*Registry"]),
        (["*Registry", "Registry*"], ["*Registry", "Registry*"]),
        (["*[RX]egistry", "*egistry"], ["*[RX]egistry"]),
    ],
)
def test_the_longer_literal_text_wins(texts, winners):
    assert [claim.text for claim in narrowest([Claim(text, object()) for text in texts])] == winners


def test_one_role_with_two_claims_is_no_tie():
    role = object()
    assert len(narrowest([Claim("*Registry", role), Claim("Registry*", role)])) == 1
