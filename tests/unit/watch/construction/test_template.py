"""A function with exactly the arguments of another one."""

import inspect
from types import FunctionType

import pytest

from ssot_guard.watch.construction.template import build

TEXT = """
def __init__(PARAMETERS):
    $seen($id(SELF))
    return $original(ARGUMENTS)
"""


def nothing(self):
    return [self]


def plain(self, a, b=2):
    return [self, a, b]


def positional(self, a, /, b, c=3):
    return [self, a, b, c]


def self_only(self, /):
    return [self]


def keywords(self, *, a, b=2):
    return [self, a, b]


def everything(self, a, /, b, *rest, c, d=4, **more):
    return [self, a, b, rest, c, d, more]


def another_name(this, self=1):
    return [this, self]


def names_of_ours(self, original, seen, id, type, instance=5):  # noqa: A002
    return [self, original, seen, id, type, instance]


def anything(*args, **kwargs):
    return [args, kwargs]


def cell(self, a):
    return [lambda: self, a][1:]


FUNCTIONS = [nothing, plain, positional, self_only, keywords, everything, another_name, names_of_ours, anything, cell]
CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, 2, 3, 4, 5, 6), {}),
    ((1,), {"b": 9}),
    ((), {"a": 1}),
    ((), {"a": 1, "b": 2}),
    ((1, 2, 3), {"c": 7, "z": 8}),
    ((), {"self": 3}),
    ((), {"a": 1, "x": 2}),
]


def made_for(function, seen):
    ours = build(TEXT, function, original=function, seen=seen.append, id=id)
    ours.__qualname__ = function.__qualname__
    return ours


def outcome(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_it_takes_what_the_other_takes_and_refuses_it_in_the_same_words(function, args, kwargs):
    target = object()
    seen: list[int] = []

    assert outcome(made_for(function, seen), target, *args, **kwargs) == outcome(function, target, *args, **kwargs)
    assert seen in ([], [id(target)])


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_its_code_tells_the_same_names(function):
    ours = made_for(function, [])

    if function is not anything:
        assert inspect.getfullargspec(ours) == inspect.getfullargspec(function)
        assert inspect.signature(ours) == inspect.signature(function)


def test_names_that_no_text_could_hold_are_passed_on_all_the_same():
    code = plain.__code__
    odd = FunctionType(code.replace(co_varnames=("self", "not a name", "b")), globals(), "odd", (2,))

    assert made_for(odd, [])(0, 1) == [0, 1, 2]


def test_what_is_no_function_is_passed_everything():
    ours = build(TEXT, print, original=anything, seen=[].append, id=id)

    assert ours("a", "b", c=1) == [("a", "b"), {"c": 1}]


def test_one_text_is_compiled_once():
    assert made_for(plain, []).__code__ is made_for(lambda self, a, b=3: None, []).__code__
