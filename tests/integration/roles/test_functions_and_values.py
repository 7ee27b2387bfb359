"""SSG201 for roles of kind "function" and "value": one utility, one context variable, one singleton."""

import sys

import pytest

TREE = {
    "acme/__init__.py": "",
    "acme/clock.py": """
        import functools
        def utc_now():
            return 3
        @functools.cache
        def today():
            return 3
        """,
    "acme/time/__init__.py": "from acme.time._real import parse_time\nfrom acme.time.constants import TIMEOUT\n",
    "acme/time/_real.py": "def parse_time(text):\n    return text\n",
    "acme/time/constants.py": "TIMEOUT = 30\n",
    "acme/context.py": "from contextvars import ContextVar\ncurrent_user = ContextVar('current_user')\n",
    "acme/settings.py": "class _Settings: ...\nsettings = _Settings()\nretries = 3\n",
    "acme/tests/__init__.py": "",
    "acme/tests/doubles.py": "def utc_now(): ...\ncurrent_user = object()\n",
}
POLICY = {
    "packages": ["acme"],
    "roles": [
        {"id": "now", "kind": "function", "canonical": "acme.clock:utc_now", "match": ["utc_now*", "now"], "except": ["acme.tests"],
         "retiring": [{"class": "acme.a_retiring_function:utc_now", "until": "2999-01-01"}]},
        {"id": "today", "kind": "function", "canonical": "acme.clock:today", "match": ["today"]},
        {"id": "parse", "kind": "function", "canonical": "acme.time:parse_time", "match": ["parse_time"]},
        {"id": "user", "kind": "value", "canonical": "acme.context:current_user", "match": ["current_user"], "except": ["acme.tests"]},
        {"id": "settings", "kind": "value", "canonical": "acme.settings:settings", "match": ["settings", "SETTINGS"]},
        {"id": "timeout", "kind": "value", "canonical": "acme.time:TIMEOUT", "match": ["TIMEOUT"]},
        {"id": "retries", "kind": "value", "canonical": "acme.settings:retries", "match": ["retries"]},
    ],
}  # fmt: skip

CAUGHT = {
    "a plain function": """
        def utc_now():  # <-
            return 4
        """,
    "a decorated function": """
        import functools

        def logged(function):
            @functools.wraps(function)
            def call(*args):
                return function(*args)
            return call

        @logged
        @logged
        def utc_now_in_ms():  # <-
            return 4
        """,
    "a cached function": """
        import functools

        @functools.lru_cache(3)
        def today():  # <-
            return 4
        """,
    "asynchronous and generating": """
        async def utc_now_later():  # <-
            return 4

        def utc_now_again():  # <-
            yield 4
        """,
    "a lambda": """
        now = lambda: 4  # <-
        utc_now_twice = utc_now_thrice = lambda: 5  # <-
        """,
    "what a function returned": """
        def _make():
            def now():  # <-
                return 4
            return now

        now = _make()
        """,
    "a fallback": """
        try:
            from acme.nowhere import parse_time
        except ImportError:
            def parse_time(text):  # <-
                return text
        """,
    "a context variable": """
        from contextvars import ContextVar

        current_user = ContextVar("current_user", default=None)  # <-
        """,
    "a fallback value": """
        from contextvars import ContextVar
        try:
            from acme.nowhere import current_user
        except ImportError:
            current_user = ContextVar("current_user")  # <-
        """,
    "an annotated singleton": """
        class Settings:
            pass

        settings: Settings = Settings()  # <-
        """,
    "a singleton by a private name": """
        _settings = object()
        SETTINGS = _settings  # <-
        """,
    "equal constants": """
        TIMEOUT = 30  # <-
        retries, other = 3, 4  # <-
        """,
    "a retiring function": """
        def utc_now():  # <-
            return 4
        """,
}
SILENT = {
    "imports": """
        from acme.clock import today, utc_now
        from acme.context import current_user
        from acme.settings import retries, settings
        from acme.time import TIMEOUT, parse_time
        """,
    "second names": """
        import acme.clock, acme.context, acme.settings, acme.time
        now = acme.clock.utc_now
        utc_now_too = now
        current_user = acme.context.current_user
        SETTINGS = settings = acme.settings.settings
        TIMEOUT = acme.time.TIMEOUT
        retries = acme.settings.retries
        """,
    "star imports": "from acme.clock import *\nfrom acme.settings import *\n",
    "a call that gives the home": """
        from acme import context
        def _user():
            return context.current_user
        current_user = _user()
        """,
    "wrappers of the home": """
        import functools
        from acme.clock import utc_now as _now

        now = functools.wraps(_now)(lambda: 4)
        utc_now_partly = functools.partial(_now)
        """,
    "methods, classes and locals": """
        class Clock:
            def utc_now(self): ...
            current_user = 3
        class now: ...
        def f():
            current_user = 3
            return current_user
        def settings(): ...
        """,
    "only annotated": "current_user: object\nsettings: object\n",
    "a value that may be either": """
        try:
            from acme.nowhere import retries
        except ImportError:
            retries = 3
        """,
    "doubles of the tests": "from acme.tests.doubles import current_user, utc_now\n",
    "the defining module behind a public name": "from acme.time._real import parse_time\nfrom acme.time.constants import TIMEOUT\n",
    "a module and a proxy": """
        import sys as settings
        class _Proxy:
            def __getattr__(self, name):
                raise RuntimeError(name)
            __eq__ = __hash__ = property(__getattr__)
        anything = _Proxy()
        class _Meta(type):
            def __getattribute__(cls, name):
                raise RuntimeError("asked")
            __hash__ = None
        class _Asks(metaclass=_Meta):
            pass
        utc_now = today = _Asks()
        """,
}
if sys.version_info >= (3, 15):
    SILENT["lazy imports"] = (
        "lazy from acme.clock import utc_now\nlazy from acme.context import current_user\nlazy import acme.settings as settings\n"
    )

HOMES = ["acme.clock", "acme.context", "acme.settings", "acme.time"]
ORDERS = {"the homes first": (HOMES, []), "the homes last": ([], HOMES)}


@pytest.fixture(scope="module", params=ORDERS)
def found(request, shapes):
    before, after = ORDERS[request.param]
    return shapes(CAUGHT | SILENT, TREE, POLICY, before=before, after=after)


@pytest.mark.parametrize("shape", CAUGHT)
def test_a_second_definition_is_found_at_its_own_line(found, shape):
    assert found.lines(shape, "SSG201") == found.expected(shape)


@pytest.mark.parametrize("shape", SILENT)
def test_what_is_no_second_definition_stays_silent(found, shape):
    assert found.found(shape, "SSG201") == []


def test_each_is_found_once_and_nothing_else(found):
    assert found.everywhere("SSG201") == found.all_expected()
    assert {row["count"] for row in found.answer.of("SSG201")} == {1}
    assert found.answer.out["again"] == []
    assert found.answer.out["unknown"] == {"SSG201 retries": 1}  # the value that may be either


def test_the_kind_and_the_status_are_told(found):
    assert {row["kind"] for row in found.found("a lambda", "SSG201")} == {"function"}
    assert {row["kind"] for row in found.found("equal constants", "SSG201")} == {"value"}
    assert [row["status"] for row in found.found("a retiring function", "SSG201")] == ["known"]


@pytest.mark.parametrize(
    "statement", ["import acme.one", "from acme.one import utc_now", "from acme.one import current_user"]
)
def test_strict_refuses_their_modules(lab, statement):
    files = {
        "acme/one.py": "def utc_now(): ...\ncurrent_user = object()\n",
        "main.py": f"import lab, sys\nlab.install()\ndef f():\n    {statement}\nlab.out(error=lab.attempt(f), there='acme.one' in sys.modules)\n",
    }
    answer = lab.run(TREE | files, POLICY, mode="strict")
    assert (answer.out["error"]["type"], answer.out["there"]) == ("SsotViolationError", False)
    assert "acme.clock:utc_now (acme/clock.py:2)" in answer.out["error"]["text"]
    assert [(row["line"], row["action"]) for row in answer.of("SSG201")] == [(1, "blocked"), (2, "blocked")]


def test_the_home_of_a_value_is_never_refused(lab):
    files = {
        "main.py": f"import lab, sys\nlab.install()\nimport acme.time.constants, acme.time._real\nimport {', '.join(HOMES)}\nlab.guard.check()\n"
    }
    answer = lab.run(TREE | files, POLICY, mode="strict")
    assert (answer.error, answer.of("SSG201"), answer.internal_errors) == (None, [], {})
