"""Attributes of the host that are replaced come back as the very same objects."""

import types
from itertools import permutations

import pytest

from ssot_guard.watch.classes import MISSING
from ssot_guard.watch.replacements import Replacements, own


class Strict(type):
    """A metaclass that allows nothing."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise TypeError("frozen")

    def __delattr__(cls, name: str) -> None:
        raise TypeError("frozen")


def owners() -> list[object]:
    module = types.ModuleType("acme")
    module.call = len  # type: ignore[attr-defined]
    return [type("Plain", (), {"call": len}), Strict("Guarded", (), {"call": staticmethod(len)}), module]


@pytest.mark.parametrize("owner", owners(), ids=repr)
def test_what_was_there_comes_back(owner: object) -> None:
    done, before = Replacements(), own(owner, "call")
    assert done.put(owner, "call", print)
    assert own(owner, "call") is print
    done.restore()
    done.restore()
    assert own(owner, "call") is before


@pytest.mark.parametrize("owner", owners(), ids=repr)
def test_what_was_not_there_goes_again(owner: object) -> None:
    done = Replacements()
    assert done.put(owner, "added", print)
    done.restore()
    assert own(owner, "added") is MISSING


@pytest.mark.parametrize("owner", owners(), ids=repr)
def test_what_others_put_over_ours_stays(owner: object) -> None:
    done, theirs = Replacements(), object()
    done.put(owner, "call", print)
    Replacements().put(owner, "call", theirs)
    done.restore()
    assert own(owner, "call") is theirs


def test_an_attribute_replaced_twice_comes_back_in_order() -> None:
    owner = type("Plain", (), {"call": len})
    done = Replacements()
    done.put(owner, "call", print)
    done.put(owner, "call", repr)
    done.restore()
    assert own(owner, "call") is len


def test_an_inherited_attribute_is_not_copied() -> None:
    base = type("Base", (), {"call": len})
    heir = type("Heir", (base,), {})
    done = Replacements()
    done.put(heir, "call", print)
    done.restore()
    assert "call" not in vars(heir)


@pytest.mark.parametrize("owner", [int, dict, types.SimpleNamespace], ids=repr)
def test_a_type_of_c_allows_no_change(owner: type) -> None:
    done = Replacements()
    assert not done.put(owner, "__init__", print)
    done.restore()


@pytest.mark.parametrize("name", ["call", "added"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("number", range(len(owners())))
def test_parts_that_replace_one_attribute_may_leave_in_any_order(
    number: int, order: tuple[int, ...], name: str
) -> None:
    owner = owners()[number]
    before = own(owner, name)
    parts = [Replacements() for _ in order]
    left: dict[int, object] = {part: object() for part in range(len(order))}
    for part, value in left.items():
        assert parts[part].put(owner, name, value)
    for part in order:
        parts[part].restore()
        del left[part]
        assert own(owner, name) is (left[max(left)] if left else before)
    for part in order:
        parts[part].restore()
    assert own(owner, name) is before


@pytest.mark.parametrize("owner", owners(), ids=repr)
def test_what_others_put_between_two_of_ours_stays(owner: object) -> None:
    lower, upper, theirs = Replacements(), Replacements(), object()
    lower.put(owner, "call", object())
    (type.__setattr__ if isinstance(owner, type) else setattr)(owner, "call", theirs)
    upper.put(owner, "call", object())
    lower.restore()
    upper.restore()
    assert own(owner, "call") is theirs
