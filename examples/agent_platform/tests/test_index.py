"""The labels and the README say the same, and what stands beside a fault can be written."""

from __future__ import annotations

import ast
from importlib import import_module

import pytest

import faults
from helpdesk.tools import prices

PLANTED = faults.planted("helpdesk", "tests")


def test_the_readme_has_the_index_that_the_labels_make():
    assert faults.written() == faults.table(), "python faults.py --write"


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: f"{fault.code}-{fault.path}:{fault.line}")
def test_the_canonical_way_can_be_written(fault):
    if fault.code.startswith("SSG1"):
        exec(fault.canonical, {"import_module": import_module, "prices": prices})  # noqa: S102 - our own comments
    else:
        compile(fault.canonical, fault.path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
