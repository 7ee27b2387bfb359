"""Who is served in a suite that serves nobody: the test that runs."""

from contextvars import ContextVar

import pytest

name = ContextVar("running test")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    token = name.set(item.nodeid)
    try:
        return (yield)
    finally:
        name.reset(token)
