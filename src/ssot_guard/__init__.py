"""ssot-guard keeps one source of truth one, in a live Python process.

The tour of the house, in the direction in which data flows:

- ``errors``, ``names``, ``violation``, ``catalogue``: the words that everything else uses;
- ``policy``: what must hold, pure data; ``discover`` finds it for tests and the command;
- ``faults``, ``files``, ``switches``, ``ledger``: the one place that records and decides;
- ``watch``: one room per thing that is watched: ``imports``, ``roles``, ``tenants``, ``events``, ``journeys``;
- ``guard``, ``bootstrap``: put a policy into force in this process;
- ``sinks``, ``report``: one file per destination and per format;
- ``pytest_plugin``: a test session that fails for what it met;
- ``cli``: the command.

Importing this package installs nothing and costs next to nothing: everything below loads on first use.

PYTEST_DONT_REWRITE
"""

# The last line of the docstring is for pytest: it warns about modules that were imported before it could rewrite their
# asserts, and ours have none.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssot_guard._version import __version__
    from ssot_guard.errors import DeprecatedImportError, PolicyError, SsotViolationError, SsotWarning
    from ssot_guard.guard import Guard, active, current_guard, install, ready
    from ssot_guard.violation import Site, Violation
    from ssot_guard.watch.journeys.runs import journey
    from ssot_guard.watch.tenants.current import tenant

__all__ = [
    "DeprecatedImportError",
    "Guard",
    "PolicyError",
    "Site",
    "SsotViolationError",
    "SsotWarning",
    "Violation",
    "__version__",
    "active",
    "current_guard",
    "install",
    "journey",
    "ready",
    "tenant",
]

_HOMES = {
    "DeprecatedImportError": "errors",
    "Guard": "guard",
    "PolicyError": "errors",
    "Site": "violation",
    "SsotViolationError": "errors",
    "SsotWarning": "errors",
    "Violation": "violation",
    "__version__": "_version",
    "active": "guard",
    "current_guard": "guard",
    "install": "guard",
    "journey": "watch.journeys.runs",
    "ready": "guard",
    "tenant": "watch.tenants.current",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=(name,))
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
