"""Runs inside one measured process: ``constructing.py VARIANT`` prints one JSON line, seconds for one object.

All variants have the same classes; they differ in what stands in front of their constructors.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202

import json
import sys
from functools import partial
from itertools import repeat
from time import process_time
from weakref import ref

from built import roles

LOOPS, BEST_OF = 4_000, 40
LIVE = {}
# What is built → how, and the classes whose constructors run.
KINDS = {
    "one of many": (lambda: roles.Plain(1, b=2), "Plain"),
    "beside 10,000 of its kind": (lambda: roles.Plain(1, b=2), "Plain"),
    "the only one": (lambda: roles.Only(1), "Only"),
    "a subclass that calls super": (lambda: roles.Derived(1), "Only Derived"),
    "within a time budget": (lambda: roles.Budgeted(1), "Budgeted"),
    "one per tenant": (lambda: roles.ForTenants(1), "ForTenants"),
    "by its factory": (lambda: roles.create(1), "Factored"),
    "without a constructor of its own": (roles.Nothing, "Nothing"),
}


def empty_wrapper(function):
    import wrapt

    def wrapper(wrapped, _instance, args, kwargs):
        return wrapped(*args, **kwargs)

    return wrapt.FunctionWrapper(function, wrapper)


def counter(function):
    """What somebody would write: a weak reference to each object, in a dictionary."""

    def counted(self, *args, **kwargs):
        function(self, *args, **kwargs)
        key = id(self)
        LIVE[key] = ref(self, partial(LIVE.pop, key))

    return counted


def dress(variant):
    wrapper = {"empty wrapt wrapper": empty_wrapper, "hand-written counter": counter}.get(variant)
    if wrapper is None:
        return
    for name in sorted({name for _, names in KINDS.values() for name in names.split()}):
        cls = getattr(roles, name)
        cls.__init__ = wrapper(cls.__init__)
    if wrapper is empty_wrapper:
        roles.create = wrapper(roles.create)


def measure():
    """Seconds for one of each kind: the best of many short runs, in turns, because others only make a run slower."""
    least = dict.fromkeys(KINDS, float("inf"))
    for _ in range(BEST_OF):
        for kind, (build, _) in KINDS.items():
            held = [build() for _ in repeat(None, 10_000)] if "10,000" in kind else []
            began = process_time()
            for _ in repeat(None, LOOPS):
                build()
            least[kind] = min(least[kind], (process_time() - began) / LOOPS)
            del held
    return least


def main():
    dress(sys.argv[1])
    guard = sys.modules.get("ssot_guard.guard")
    if guard is None:
        return measure()
    import ssot_guard

    with ssot_guard.tenant("alice"):
        answer = measure()
    assert guard.current_guard().violations() == (), guard.current_guard().violations()
    return answer


if __name__ == "__main__":
    print(json.dumps(main()))
