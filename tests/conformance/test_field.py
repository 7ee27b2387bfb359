"""Libraries with their roles, tenants and events declared: their own suites do not notice.

What is reported is what ``docs/field-notes.md`` explains, and nothing else. CI runs parts of the suites; with
``FIELD=whole`` in the environment they are run as far as the notes describe them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Kit, Pair, Sightings

WHOLE = os.environ.get("FIELD") == "whole"
HERE = Path(__file__).parent / "field"

# The suites take minutes, and what is compared does not depend on the version.
pytestmark = [
    pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="runs on one Python"),
    pytest.mark.timeout(7_200 if WHOLE else 600),
]


def rules(text: str) -> frozenset[str]:
    return frozenset(one.replace(":", " ") for one in text.split())


class Library(NamedTuple):
    sdist: str
    part: str  # of its suite
    at_least: int  # tests, in the part
    found: frozenset[str]  # in the part
    whole: str
    further: frozenset[str]  # in the whole
    options: tuple[str, ...] = ()
    folder: str = "."
    plugins: tuple[str, ...] = ()  # what its tests need that would act in every session


TESTS_ARE_TENANTS = ("-p", "running_test")
LIBRARIES = {
    "langchain_core": Library(
        "langchain_core==1.7.2",
        "tests/unit_tests/callbacks tests/unit_tests/caches tests/unit_tests/stores tests/unit_tests/test_tools.py"
        " tests/unit_tests/tracers/test_base_tracer.py tests/unit_tests/tracers/test_async_base_tracer.py"
        " tests/unit_tests/runnables/test_history.py",
        300,
        rules("SSG201:context SSG201:handler SSG202:cache SSG203:callback-manager SSG205:tracer SSG303:history"),
        "tests/unit_tests",
        rules("SSG111:failed-imports SSG201:store SSG201:tool SSG205:store SSG205:tool SSG401:callbacks SSG401:run"),
        plugins=(
            *(
                "blockbuster==1.5.29",
                "grandalf==0.8",
                "langchain-tests==1.1.9",
                "numpy==2.5.5",
                "pytest-asyncio==1.5.0",
            ),
            *("pytest-mock==3.17.0", "pytest-socket==0.8.1", "responses==0.26.3", "syrupy==5.5.3"),
        ),
    ),
    # Installed, not from the tree: with its compiled extensions.
    "sqlalchemy": Library(
        "sqlalchemy==2.1.9",
        "test/engine/test_transaction.py test/engine/test_logging.py test/orm/test_session.py"
        " test/orm/test_scoping.py test/orm/test_transaction.py",
        600,
        rules(
            "SSG201:dialect SSG201:registry SSG201:transaction SSG202:engine SSG202:session SSG203:engine"
            " SSG205:dialect SSG205:transaction SSG301:session SSG303:connection SSG401:connection-transaction"
        ),
        "test/engine test/ext/asyncio test/orm/test_session.py test/orm/test_transaction.py test/orm/test_scoping.py"
        " test/orm/test_events.py test/orm/test_bind.py test/base",
        rules("SSG111:failed-imports SSG201:engine SSG201:session"),
        options=TESTS_ARE_TENANTS,
    ),
    "celery": Library(
        "celery==5.7.0",
        "t/unit/app/test_registry.py t/unit/app/test_beat.py t/unit/worker/test_request.py t/unit/tasks/test_result.py",
        400,
        rules("SSG201:consumer SSG201:registry SSG202:app SSG202:scheduler SSG302:backend SSG401:request"),
        "t/unit --ignore=t/unit/backends/test_azureblockblob.py --ignore=t/unit/backends/test_gcs.py"
        " --ignore=t/unit/backends/test_mongodb.py",
        rules(
            "SSG111:failed-imports SSG114:re-executions SSG201:pool SSG205:backend SSG205:pool SSG301:backend SSG303:backend"
        ),
        options=(*TESTS_ARE_TENANTS, "-p", "celery.contrib.pytest"),
    ),
    "django": Library(
        "django==6.1.3",
        "apps dispatch signals handlers transactions transaction_hooks requests_tests",
        350,
        rules("SSG201:handler SSG201:storage SSG201:template-engine SSG202:apps SSG205:handler SSG207:model"),
        "apps dispatch signals handlers transactions transaction_hooks requests_tests test_client model_regress"
        " migrations backends",
        rules("SSG203:database"),
        options=(*TESTS_ARE_TENANTS, "-p", "django_session", "-p", "no:warnings", "-o", "python_files=test*.py"),
        folder="tests",
    ),
}
COMMON = ("freezegun==1.5.5", "importlib-metadata==10.2.0", "wrapt==2.5.2", f"pytest=={pytest.__version__}")
FOR_THE_WHOLE = (
    *("boto3==1.44.5", "cryptography==50.0.2", "gevent==26.9.0", "msgpack==1.2.4", "moto==5.2.3", "PyYAML==6.0.3"),
    *("pydantic==2.14.3", "pytest-click==1.1.0", "pytest-order==1.5.0", "pytest-rerunfailures==16.7", "redis==8.1.0"),
    *("docutils==0.23", "jinja2==3.1.6", "tblib==3.2.2"),
)


@pytest.fixture(scope="session")
def pythons(environments: Any) -> dict[str, Path]:
    """Library → interpreter."""
    plain = [library.sdist for library in LIBRARIES.values() if not library.plugins]
    shared: Path = environments("field-whole" if WHOLE else "field", *plain, *COMMON, *(FOR_THE_WHOLE if WHOLE else ()))
    return {
        name: environments(f"field-{name}", library.sdist, *library.plugins, *COMMON) if library.plugins else shared
        for name, library in LIBRARIES.items()
    }


def run(name: str, kit: Kit, python: Path, tree: Path) -> tuple[Pair, Sightings]:
    library = LIBRARIES[name]
    kit = kit.with_python(python)
    kit.plain |= {"PYTHONPATH": str(HERE), "PYTHONNOUSERSITE": "1"}
    pair = kit.both(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml", "{junit}", *library.options),
        *(library.whole if WHOLE else library.part).split(),
        policy=HERE / f"{name}.toml",
        cwd=tree / library.folder,
        plugin=True,
        timeout=3_600 if WHOLE else 300,
    )
    return pair, kit.sightings()


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_suite_gives_the_same_outcomes_and_what_is_found_in_it_is_explained(
    name: str, kit: Kit, pythons: dict[str, Path], sdists: Any
) -> None:
    library = LIBRARIES[name]
    pair, seen = run(name, kit, pythons[name], sdists(library.sdist))
    pair.assert_same_tests(at_least=library.at_least)
    assert "INTERNAL ERROR of ssot-guard" not in pair.guarded.output
    found = {f"{record['code']} {record['rule']}" for record in seen.records if record["record"] == "violation"}
    assert sorted(found - library.further if WHOLE else found) == sorted(library.found)
