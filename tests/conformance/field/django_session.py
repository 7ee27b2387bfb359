"""Django's own tests in a pytest session: what its runner sets up, for the applications that are named."""

import os
import sys
from pathlib import Path

import pytest


def pytest_configure(config):
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as it is written there
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "test_sqlite")
    import runtests

    runtests.setup_run_tests(0, "", "", sorted({Path(one).parts[0] for one in config.args}))


@pytest.fixture(scope="session", autouse=True)
def _databases():
    from django.test import utils

    utils.setup_test_environment()
    made = utils.setup_databases(0, interactive=False)
    yield
    utils.teardown_databases(made, 0)
    utils.teardown_test_environment()


def pytest_pycollect_makeitem(collector, obj):
    """Nothing is run twice because another test file imports it."""
    return [] if isinstance(obj, type) and obj.__module__ != collector.module.__name__ else None
