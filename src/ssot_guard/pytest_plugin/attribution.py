"""Whose violation it is: the test's that is running, or the file's.

What runs once per process belongs to its file, because the test that happens to come first is not to blame: module
bodies, fixtures wider than one test, standing facts about modules, and whatever runs outside of tests. Everything is
read from frames, and only when there is a violation: a clean session pays nothing.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from ssot_guard.watch.imports import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    import pytest

# Facts about modules and classes: found by whatever import, or check, comes first.
STANDING = frozenset(("SSG104", "SSG112", "SSG113", "SSG114", "SSG115", "SSG201", "SSG205", "SSG207"))
_IMPORTS = "SSG1"
_PHASE = "pytest_runtest_"
# Taken now: suites of others remove them for a while (attrs does).
_getframe, _current_frames = sys._getframe, sys._current_frames


class Place:
    """The running test, and whether it is to blame. ``when`` is its phase: "setup", "call" or "teardown".

    ``foreign``: a thread does it that serves more than this test.
    ``steady`` says that this thread is inside the test's call: fixtures do not come and go there, and a report follows.
    """

    __slots__ = ("foreign", "item", "owned", "steady", "when")

    def __init__(self, item: pytest.Item, when: str, *, owned: bool, steady: bool) -> None:
        self.item = item
        self.when = when
        self.owned = owned
        self.foreign = False
        self.steady = steady


def place(config: pytest.Config, thread: int, code: str = "") -> Place | None:
    """Where this thread is in the session that runs in ``thread``; None where no test of it is running."""
    once = code in STANDING
    for frame in _frames(_getframe(1), thread):
        module = frame.f_globals.get("__name__")
        if module == "_pytest.runner":
            running = _running(frame, config)
            if running is not None:
                return Place(*running, owned=not once, steady=frame.f_code.co_name == "pytest_runtest_call")
        elif not once:
            once = _wide_fixture(frame) if module == "_pytest.fixtures" else _module_body(frame)
            once = once or _for_files(frame) or (code.startswith(_IMPORTS) and _on_demand(frame))
    return None


def in_phase(config: pytest.Config) -> bool:
    """Whether a phase of a test is still running: then a report that is made now is a subtest's."""
    for frame in _frames(_getframe(1), get_ident()):
        runs = frame.f_globals.get("__name__") == "_pytest.runner" and frame.f_code.co_name.startswith(_PHASE)
        if runs and _running(frame, config) is not None:
            return True
    return False


def _frames(frame: FrameType | None, thread: int) -> Iterator[FrameType]:
    """Frames of the current thread outward, then those of the thread that runs the tests."""
    while frame is not None:
        yield frame
        frame = frame.f_back
    if get_ident() != thread:
        frame = _current_frames().get(thread)
        while frame is not None:
            yield frame
            frame = frame.f_back


def _running(frame: FrameType, config: pytest.Config) -> tuple[pytest.Item, str] | None:
    """The item and phase of a frame of pytest's runner; another session in this process is none of ours."""
    name = frame.f_code.co_name
    if name != "call_and_report" and not name.startswith(_PHASE):
        return None
    item = frame.f_locals.get("item")
    if getattr(item, "config", None) is not config:
        return None
    when = frame.f_locals.get("when") if name == "call_and_report" else name.removeprefix(_PHASE)
    return (item, when) if when in ("setup", "call", "teardown") else None  # type: ignore[return-value]


def _module_body(frame: FrameType) -> bool:
    """Whether a module is being loaded here: what a test only executes (doctests, exec, runpy) is the test's own."""
    return frame.f_code.co_name == "<module>" and loaded.initializing(frame.f_globals.get("__spec__"))


def _on_demand(frame: FrameType) -> bool:
    """Whether ``guard.check()`` looks: at what tests have imported before, so it is nobody's who happens to ask."""
    return frame.f_code.co_name == "check" and frame.f_globals.get("__name__") == "ssot_guard.guard"


def _for_files(frame: FrameType) -> bool:
    """Whether the session looks, between what tests do, for what none of them is to blame for."""
    return (
        frame.f_code.co_name == "_for_files" and frame.f_globals.get("__name__") == "ssot_guard.pytest_plugin.instances"
    )


def _wide_fixture(frame: FrameType) -> bool:
    """Whether a fixture that outlives the test is being set up or torn down."""
    name = frame.f_code.co_name
    if name not in ("pytest_fixture_setup", "finish"):
        return False
    definition = frame.f_locals.get("fixturedef" if name == "pytest_fixture_setup" else "self")
    return getattr(definition, "scope", "function") != "function"
