"""Every call that the wanted signature allows must be allowed: proved by calling, over all small signatures."""

from itertools import combinations, permutations, product

import pytest

from ssot_guard.watch.interfaces.signatures import Signature, complaints
from ssot_guard.watch.wrapped import innermost

ONLY, BOTH, KEYWORD = "position only", "both", "keyword only"
CALLS = [(count, names) for count in range(4) for size in range(4) for names in combinations("abc", size)]


def sources():
    """Parameter lists over `a` and `b`, in every order, of every kind, with and without defaults."""
    for names in [(), *permutations("ab", 1), *permutations("ab", 2)]:
        for kinds in product((ONLY, BOTH, KEYWORD), repeat=len(names)):
            for defaults in product(("", "='default'"), repeat=len(names)):
                for more in product((False, True), repeat=2):
                    yield _source(list(zip(names, kinds, defaults, strict=True)), *more)


def _source(parameters, varargs, varkeywords):
    only = [name + default for name, kind, default in parameters if kind == ONLY]
    both = [name + default for name, kind, default in parameters if kind == BOTH]
    keyword = [name + default for name, kind, default in parameters if kind == KEYWORD]
    star = ["*args"] if varargs else ["*"] if keyword else []
    return ", ".join([*only, *(["/"] if only else []), *both, *star, *keyword, *(["**rest"] if varkeywords else [])])


def functions():
    for source in dict.fromkeys(sources()):
        try:
            yield source, eval(f"lambda {source}: locals()")  # noqa: S307 - made above
        except SyntaxError:  # a default before none
            continue


def places(function):
    """Call → argument → the parameter that it lands in; nothing for calls that are refused."""
    found = {}
    for number, (count, names) in enumerate(CALLS):
        try:
            got = function(*range(count), **{name: name for name in names})
        except TypeError:
            continue
        landed = dict.fromkeys(got.pop("args", ()), "*") | dict.fromkeys(got.pop("rest", ()), "*")
        found[number] = landed | {value: name for name, value in got.items() if value != "default"}
    return found


FUNCTIONS = [
    (source, Signature(function, bound=False, wrapped=False), places(function)) for source, function in functions()
]


def named(signature):
    """What can be passed by name."""
    return {one.name for one in signature.positional if not one.only} | set(signature.keywords)


def good(number, wanted, landed, its, takes):
    """Whether a call means the same: what has a name lands under it, or in `*args` and `**rest` where there is none."""
    only = {one.name for one in wanted.positional if one.only}
    if number not in its or only.intersection(CALLS[number][1]):
        return number in its or bool(only.intersection(CALLS[number][1]))
    theirs = its[number]
    return all(
        name in ("*", *only) or theirs[value] == name or (theirs[value] == "*" and name not in takes)
        for value, name in landed.items()
    )


def test_it_complains_about_exactly_those_that_refuse_or_confuse_a_call():
    wrong = []
    for want, wanted, landed in FUNCTIONS:
        if wanted.varkeywords and (wanted.varargs or any(one.only for one in wanted.positional)):
            continue  # by convention the first says nothing about the rest; of the second, names can come twice
        for have, its, theirs in FUNCTIONS:
            bad = [number for number in landed if not good(number, wanted, landed[number], theirs, named(its))]
            if bool(list(complaints(wanted, its, by_name=True))) != bool(bad):
                wrong.append((want, have, list(complaints(wanted, its, by_name=True)), [CALLS[one] for one in bad]))
    assert wrong == []


def test_by_position_alone_names_do_not_matter():
    first, second = (Signature(one, bound=False, wrapped=False) for one in (lambda a, b=0: 0, lambda x, y=0: 0))
    assert list(complaints(first, second, by_name=True)) != []
    assert list(complaints(first, second, by_name=False)) == []


@pytest.mark.parametrize("have", ["a", "a, b", "a, *, c=0", "*args", "**rest", "a, *args, **rest"])
def test_a_signature_that_takes_anything_demands_nothing_but_what_it_names(have):
    wanted = Signature(lambda a, *args, **rest: 0, bound=False, wrapped=False)
    its = Signature(eval(f"lambda {have}: 0"), bound=False, wrapped=False)  # noqa: S307
    assert list(complaints(wanted, its, by_name=False)) == ([] if "a" in have else ["lacks the parameter `a`"])


def test_a_bound_method_has_no_self():
    class One:
        def f(self, a, *, b=0): ...
        def g(*args): ...

    assert [one.name for one in Signature(One.f, bound=True, wrapped=False).positional] == ["a"]
    assert Signature(One.g, bound=True, wrapped=False).positional == []


def test_what_a_decorator_may_fill_in_is_not_missed():
    wanted = Signature(lambda a: 0, bound=False, wrapped=False)
    its = Signature(lambda a, session: 0, bound=False, wrapped=True)
    assert list(complaints(wanted, its, by_name=True)) == []


def test_wrappers_are_looked_through_and_a_ring_of_them_ends():
    def inner(): ...
    def middle(): ...
    def outer(): ...

    for wrapper, wrapped in ((outer, middle), (middle, inner)):
        wrapper.__dict__["__wrapped__"] = wrapped
    assert innermost(outer) is inner
    inner.__dict__["__wrapped__"] = outer
    assert innermost(outer) in (inner, middle, outer)
