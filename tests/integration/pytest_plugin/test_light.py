"""What a guarded session without violations does not pay for."""

import pytest

# Printed when all is over: modules of ours, and who loaded them.
CONFTEST = """
    import sys

    def pytest_unconfigure():
        for name, module in sorted(sys.modules.items()):
            if name.startswith("ssot_guard."):
                print("loaded", name, type(module.__spec__.loader).__name__)
    """
CLEAN = {"tests/conftest.py": CONFTEST, "tests/test_it.py": "import acme.new\ndef test_it(): pass\n"}
NEEDED_FOR_VIOLATIONS = {
    "ssot_guard.catalogue",
    "ssot_guard.ignores",
    "ssot_guard.pytest_plugin.file_results",
    "ssot_guard.pytest_plugin.gone",
    "ssot_guard.pytest_plugin.outcome",
    "ssot_guard.pytest_plugin.records",
    "ssot_guard.report",
    "ssot_guard.sinks.append",
    "ssot_guard.sinks.log",
    "ssot_guard.sinks.plain",
    "ssot_guard.sinks.record",
}


def loaded(session):
    """Module → the class of its loader."""
    return dict(line.split()[1:] for line in session.text.splitlines() if line.startswith("loaded "))


@pytest.mark.parametrize("name", ["ssot_guard", "ssot_guard.pytest_plugin"])
def test_pytest_does_not_rewrite_what_asserts_nothing(projects, name):
    """It marks the whole package of a plugin: read that way, our modules cost a multiple, and keep the session alive."""
    found = loaded(projects(CLEAN).run("-s", "tests", plugins=(name,), report=False))
    assert "ssot_guard.engine" in found
    found.pop("ssot_guard.pytest_plugin")  # loaded before anything of ours runs
    assert set(found.values()) == {"SourceFileLoader"}, found


def test_what_only_violations_need_is_not_loaded(projects):
    found = loaded(projects(CLEAN).run("-s", "tests", report=False))
    assert "ssot_guard.engine" in found
    assert not NEEDED_FOR_VIOLATIONS & found.keys()
