"""What drives the work of a factory behaves as the generator or the coroutine itself."""

import asyncio
import contextlib
import gc
import inspect
import types
from typing import Any

import pytest

from ssot_guard.watch.construction.factory import wrap
from ssot_guard.watch.construction.windows import inside


class Shared:
    def __init__(self):
        self.table = types.SimpleNamespace(number=0, windows=set())


@pytest.fixture
def population():
    return types.SimpleNamespace(shared=Shared())


@pytest.fixture
def wrapped(population):
    return lambda function: wrap(function, (population,))


def is_inside():
    window = inside.get()
    return window is not None and window.is_open


def conversation(log):
    """Says what it is sent, and how it ends."""
    try:
        sent = yield "first"
        log.append(("sent", sent, is_inside()))
        try:
            sent = yield "second"
        except KeyError as error:
            log.append(("thrown", str(error), is_inside()))
            sent = yield "after the error"
        log.append(("sent", sent, is_inside()))
        return "result"
    finally:
        log.append(("end", is_inside()))


WAYS: dict[str, list[tuple[Any, ...]]] = {
    "to the end": [("send", None), ("send", 1), ("send", 2), ("send", 3)],
    "an error": [("send", None), ("send", 1), ("throw", KeyError("k")), ("send", 2)],
    "another error": [("send", None), ("throw", ValueError("v")), ("send", 1)],
    "closed": [("send", None), ("send", 1), ("close",), ("send", 1)],
    "a StopIteration": [("send", None), ("throw", StopIteration("s"))],
    "closed at once": [("close",), ("send", None)],
    "started wrong": [("send", 1)],
}
STARTED = list(WAYS)[:5]  # whoever starts no coroutine is told, once more by ours


def steps(make, names=WAYS):
    """Each step of a conversation: what comes back, or what is raised."""

    def attempt(step, *args):
        try:
            return step(*args)
        except Exception as error:  # noqa: BLE001 - compared
            return type(error).__name__, error.args

    found = {}
    for name in names:
        way = WAYS[name]
        log: list[Any] = []
        running = make(log)
        results = [attempt(getattr(running, step), *args) for step, *args in way]
        del running
        gc.collect()
        found[name] = results, log
    return found


def given_back(function):
    def give(*args):
        return function(*args)

    return give


def without_inside(found):
    return {name: (results, [entry[:-1] for entry in log]) for name, (results, log) in found.items()}


def test_a_generator_is_driven_as_it_would_be(wrapped):
    ours = steps(wrapped(conversation))

    assert without_inside(ours) == without_inside(steps(conversation))
    assert all(entry[-1] for entry in ours["to the end"][1])
    assert not is_inside()


def test_a_generator_that_a_function_gives_back_is_driven_as_it_would_be(wrapped):
    ours = steps(wrapped(given_back(conversation)))

    assert without_inside(ours) == without_inside(steps(conversation))
    assert all(entry[-1] for entry in ours["an error"][1])


@types.coroutine
def suspension(log):
    return (yield from conversation(log))


async def coroutine(log):
    return await suspension(log)


@pytest.mark.parametrize("function", [coroutine, given_back(coroutine)], ids=["coroutine", "given back"])
def test_a_coroutine_is_driven_as_it_would_be(wrapped, function):
    ours = steps(wrapped(function), STARTED)

    assert without_inside(ours) == without_inside(steps(coroutine, STARTED))
    assert all(entry[-1] for entry in ours["to the end"][1])


def test_no_window_stays_open(wrapped, population):
    steps(wrapped(conversation))
    steps(wrapped(coroutine), STARTED)

    assert population.shared.table.windows == set()


async def async_conversation(log):
    try:
        sent = yield "first"
        log.append(("sent", sent, is_inside()))
        await asyncio.sleep(0)
        try:
            sent = yield "second"
        except KeyError as error:
            log.append(("thrown", str(error), is_inside()))
            sent = yield "after the error"
        log.append(("sent", sent, is_inside()))
    finally:
        await asyncio.sleep(0)
        log.append(("end", is_inside()))


async def async_steps(make):
    ways: dict[str, list[tuple[Any, ...]]] = {
        "to the end": [("asend", None), ("asend", 1), ("asend", 2)],
        "an error": [("asend", None), ("asend", 1), ("athrow", KeyError("k")), ("asend", 2)],
        "another error": [("asend", None), ("athrow", ValueError("v")), ("asend", 1)],
        "closed": [("asend", None), ("asend", 1), ("aclose",)],
    }
    found = {}
    for name, way in ways.items():
        log: list[Any] = []
        results = []
        running = make(log)
        for step, *args in way:
            try:
                results.append(await getattr(running, step)(*args))
            except Exception as error:  # noqa: BLE001 - compared
                results.append((type(error).__name__, error.args))
        found[name] = results, log
    return found


def test_an_async_generator_is_driven_as_it_would_be(wrapped):
    ours = asyncio.run(async_steps(wrapped(async_conversation)))

    assert without_inside(ours) == without_inside(asyncio.run(async_steps(async_conversation)))
    assert all(entry[-1] for entry in ours["to the end"][1])


def test_a_cancelled_task_leaves_its_factory(wrapped, population):
    @wrapped
    async def create():
        await asyncio.sleep(10)

    async def main():
        task = asyncio.create_task(create())
        await asyncio.sleep(0)
        assert len(population.shared.table.windows) == 1
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert asyncio.run(main())
    assert population.shared.table.windows == set()


@contextlib.contextmanager
def manager(log):
    log.append(is_inside())
    try:
        yield "made"
    except KeyError:
        log.append(is_inside())


def test_a_context_manager_still_handles_the_errors_of_its_body(wrapped):
    log: list[bool] = []
    with wrapped(manager)(log) as made:
        assert (made, is_inside()) == ("made", False)
        raise KeyError

    assert log == [True, True]


def test_a_context_manager_lets_other_errors_through(wrapped):
    with pytest.raises(ValueError, match="v") as caught, wrapped(manager)([]):
        raise ValueError("v")

    assert caught.value.__cause__ is None


def test_a_future_keeps_its_factory_open_until_it_is_done(wrapped, population):
    async def work():
        before = is_inside()
        await asyncio.sleep(0)
        return before, is_inside()

    @wrapped
    def create():
        return asyncio.ensure_future(work())

    async def main():
        found = await create()
        await asyncio.sleep(0)
        return found

    assert asyncio.run(main()) == (True, True)
    assert population.shared.table.windows == set()


def test_an_error_of_the_factory_is_its_own(wrapped, population):
    @wrapped
    def create():
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        create()
    assert population.shared.table.windows == set()
    assert not is_inside()


@pytest.mark.parametrize("value", [1, None, "text", property(len), int, type])
def test_what_is_not_called_is_left_alone(wrapped, value):
    assert wrapped(value) is None


def test_kinds_are_kept(wrapped):
    assert inspect.iscoroutinefunction(wrapped(coroutine))
    assert inspect.isgeneratorfunction(wrapped(conversation))
    assert inspect.isasyncgenfunction(wrapped(async_conversation))
    assert type(wrapped(classmethod(coroutine))) is classmethod
    assert type(wrapped(staticmethod(coroutine))) is staticmethod
