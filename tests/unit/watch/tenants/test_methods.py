"""What stands in front of a method takes what the method takes, and complains as the method complains."""

import copy
import functools
import inspect
import itertools
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from ssot_guard.watch.tenants.current import Tenants
from ssot_guard.watch.tenants.methods import Methods

SIGNATURES = [
    "self",
    "self, a",
    "self, a, b=2",
    "self, /, a, b=2",
    "self, a, /, b=2",
    "self, a, /, b=2, *, c",
    "self, a=1, *, c=3, d",
    "self, *rest",
    "self, a, *rest, c=3",
    "self, **more",
    "self, a=1, *rest, c=3, **more",
    "this, self=1",
    "*args",
    "*args, **kwargs",
    "_id, _function=1, _ssot_id=2",
    "_ssot_table, _ssot_judge=1, _ssot_found=2, _ssot_verdict=3",
    "é, ñ=1",
]
ARGUMENTS = [(), (1,), (1, 2), (1, 2, 3)]
KEYWORDS: list[dict[str, int]] = [{}, {"a": 5}, {"b": 6}, {"c": 7}, {"d": 8}, {"c": 7, "d": 8}, {"x": 9}, {"self": 1}]


def both(signature, kind="def"):
    """A class with a plain function, and the same with ours in front."""
    namespace: dict[str, object] = {}
    body = "return locals()" if kind != "gen" else "yield locals()"
    exec(f"{'async def' if 'async' in kind else 'def'} f({signature}):\n    {body}", namespace)  # noqa: S102
    function = namespace["f"]
    table = types.SimpleNamespace(live={})
    methods = Methods(lambda _used, _spot: None, Tenants([]), table)
    return type("Plain", (), {"f": function}), type("Checked", (), {"f": methods.checked(int, "f", function)})


def outcome(cls, arguments, keywords):
    try:
        result = cls().f(*arguments, **keywords)
    except TypeError as error:
        return str(error)
    return [
        value if isinstance(value, int) else type(value).__name__.replace("Checked", "Plain") for value in flat(result)
    ]


def flat(found):
    for value in found.values():
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, dict):
            yield from flat(value)
        else:
            yield value


@pytest.mark.parametrize("signature", SIGNATURES)
def test_every_shape_of_parameters(signature):
    plain, checked = both(signature)

    assert inspect.signature(checked.f) == inspect.signature(plain.f)
    for arguments, keywords in itertools.product(ARGUMENTS, KEYWORDS):
        assert outcome(checked, arguments, keywords) == outcome(plain, arguments, keywords), (arguments, keywords)


def test_the_verdict_is_raised_before_the_body():
    ran = []
    verdict = ValueError("verdict")
    methods = Methods(lambda _used, _spot: verdict, Tenants([]), types.SimpleNamespace(live={}))

    def f(self):
        ran.append(self)

    cls = type("Checked", (), {"f": methods.checked(int, "f", f)})
    with pytest.raises(ValueError, match="verdict") as caught:
        cls().f()
    assert caught.value is verdict
    assert ran == []


@pytest.mark.parametrize("broken", ["judge", "table", "tenant"])
def test_whatever_breaks_in_front_of_a_method_the_method_runs(broken):
    class Bad:
        def get(self, key):
            raise RuntimeError

        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

    def judge(_used, _spot):
        raise RuntimeError

    def f(self):
        return "ran"

    table: Any = types.SimpleNamespace(live=Bad() if broken == "table" else {})
    cls = type("Checked", (), {"f": Methods(judge, Tenants([]), table).checked(int, "f", f)})
    checked = cls()
    if broken == "tenant":
        table.live[id(checked)] = types.SimpleNamespace(tenant=Bad())
    assert checked.f() == "ran"


FACTS: dict[str, tuple[Callable[[object], bool], str]] = {
    # A check that only looks like a coroutine function, a generator … runs like any function: the instruction
    # RETURN_GENERATOR makes the object, and the check has none.
    "coroutine": (inspect.iscoroutinefunction, "async def f(self): return 1"),
    "generator": (inspect.isgeneratorfunction, "def f(self): yield 1"),
    "asynchronous generator": (inspect.isasyncgenfunction, "async def f(self): yield 1"),
}


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize("watched", ["plainly", "traced", "profiled", "monitored"])
def test_a_check_has_the_flags_of_what_is_behind_it_and_still_is_a_function(kind, watched):
    is_kind, source = FACTS[kind]
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102
    function = namespace["f"]
    calls: list[object] = []
    methods = Methods(lambda used, _spot: calls.append(used), Tenants([]), types.SimpleNamespace(live={}))
    cls: Any = type("Checked", (), {"f": methods.checked(int, "f", function)})
    made = [_watched(watched, cls().f) for _ in range(100)]

    assert is_kind(cls.f)
    assert is_kind(cls().f)
    assert len(calls) == 100
    for one in made:
        assert getattr(one, "cr_code", None) or getattr(one, "gi_code", None) or one.ag_code
        assert function.__code__ in {getattr(one, name, None) for name in ("cr_code", "gi_code", "ag_code")}
        if kind != "asynchronous generator":
            one.close()


def _watched(way, call):
    def nothing(*_):
        return nothing

    if way == "traced":
        tracer = sys.gettrace()
        sys.settrace(nothing)
        try:
            return call()
        finally:
            sys.settrace(tracer)
    if way == "profiled":
        before = sys.getprofile()
        sys.setprofile(nothing)
        try:
            return call()
        finally:
            sys.setprofile(before)
    if way == "monitored" and hasattr(sys, "monitoring"):
        monitoring = sys.monitoring
        monitoring.use_tool_id(4, "test")
        events = monitoring.events.PY_START | monitoring.events.PY_RETURN | monitoring.events.LINE
        monitoring.set_events(4, events)
        try:
            return call()
        finally:
            monitoring.set_events(4, 0)
            monitoring.free_tool_id(4)
    return call()


class Cached:
    @functools.lru_cache  # noqa: B019
    def f(self):
        return "ran"


@pytest.fixture
def judged(monkeypatch):
    """What was judged of the uses of a cached method."""
    used: list[object] = []
    methods = Methods(lambda one, _spot: used.append(one), Tenants([]), types.SimpleNamespace(live={}))
    monkeypatch.setattr(Cached, "f", methods.checked(Cached, "f", Cached.f))
    return used


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_cached_method_is_copied_and_pickled_as_ever(judged, copied):
    assert Cached.f is Cached.f
    assert copied(Cached.f) is Cached.f
    assert copied([Cached.f]) == [Cached.f]
    assert judged == []


def test_a_cached_method_is_judged_however_it_is_called(judged):
    one = Cached()

    assert (one.f(), Cached.f(one), Cached.f.cache_info().currsize > 0) == ("ran", "ran", True)
    assert judged == [one, one]
    with pytest.raises(TypeError):
        Cached.f()
