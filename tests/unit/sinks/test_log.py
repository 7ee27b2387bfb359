"""The log sink: one record per violation, at the importer's line, and never waiting for somebody else's lock."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ssot_guard.sinks import Context, log
from ssot_guard.sinks.log import LogSink
from ssot_guard.violation import Violation

Make = Callable[..., Violation]


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    logger = logging.getLogger("ssot_guard")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize(("mode", "level"), [("observe", "INFO"), ("warn", "WARNING"), ("strict", "ERROR")])
def test_level_follows_the_mode(mode: str, level: str, kept: Kept, violation: Make, context: Context) -> None:
    LogSink(context).publish(violation(mode=mode))
    assert [record.levelname for record in kept.records] == [level]


def test_record_stands_at_the_importers_own_line(kept: Kept, violation: Make, context: Context) -> None:
    LogSink(context).publish(violation(scope="Bridge.open"))
    record = kept.records[0]
    assert (record.pathname, record.lineno, record.funcName) == ("/srv/acme/bridge.py", 276, "Bridge.open")
    assert record.filename == "bridge.py"
    assert record.getMessage() == "SSG101 registry src/acme/bridge.py:276: imports acme.agents.registry"


def test_structured_fields_are_prefixed(kept: Kept, violation: Make, context: Context) -> None:
    LogSink(context).publish(violation(details={1: {2}}))
    fields = {key: value for key, value in vars(kept.records[0]).items() if key.startswith("ssot_")}
    assert fields["ssot_code"] == "SSG101"
    assert fields["ssot_labels"] == {"release": "4f2c"}
    assert fields["ssot_tags"] == ["wave1"]
    assert fields["ssot_details"] == {"1": [2]}
    assert {"ssot_rule", "ssot_target", "ssot_canonical", "ssot_path", "ssot_line", "ssot_fingerprint", "ssot_count",
            "ssot_mode", "ssot_action"} <= fields.keys()  # fmt: skip


def test_percent_signs_and_escapes_are_text(kept: Kept, violation: Make, context: Context) -> None:
    LogSink(context).publish(violation(message="100 %s\x1b[2J\nERROR forged", path="/a\n/b.py"))
    record = kept.records[0]
    assert record.getMessage().endswith("100 %s\\x1b[2J\\nERROR forged")
    assert record.pathname == "/a\\n/b.py"


def test_repeats_are_logged_at_most_once_a_minute(
    kept: Kept, violation: Make, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(log, "monotonic", lambda: now)
    sink = LogSink(context)
    sink.publish(violation())
    sink.publish(violation(count=10), repeat=True)
    now = 61.0
    sink.publish(violation(count=100), repeat=True)
    sink.publish(violation(count=1000), repeat=True)
    sink.publish(violation(fingerprint="other"))
    assert [record.ssot_count for record in kept.records] == [1, 100, 1]  # type: ignore[attr-defined]
    assert kept.records[1].getMessage().endswith("(100 times)")


def test_failing_filter_of_the_host_is_counted(kept: Kept, violation: Make, context: Context) -> None:
    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError(record)

    kept.addFilter(fail)
    sink = LogSink(context)
    sink.publish(violation())
    assert sink.dropped == 1


def hold(lock: Any) -> Callable[[], None]:
    """Another thread takes the lock; the function that is returned lets it go."""
    held, done = threading.Event(), threading.Event()

    def run() -> None:
        with lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=run)
    thread.start()
    held.wait(10)

    def release() -> None:
        done.set()
        thread.join()

    return release


@pytest.mark.parametrize("owner", ["handler of our logger", "handler of the root", "logging itself"])
def test_blocked_while_another_thread_is_inside(owner: str, kept: Kept, context: Context) -> None:
    above = Kept()
    logging.getLogger().addHandler(above)
    sink = LogSink(context)
    try:
        lock: Any = {"handler of our logger": kept.lock, "handler of the root": above.lock}.get(owner, logging._lock)  # type: ignore[attr-defined]
        assert not sink.blocked()
        release = hold(lock)
        assert sink.blocked()
        release()
        assert not sink.blocked()
        with lock:  # our own thread may always go on
            assert not sink.blocked()
    finally:
        logging.getLogger().removeHandler(above)


def test_building_the_sink_does_not_import_logging() -> None:
    code = (
        "import sys; from ssot_guard.sinks import Context, build\n"
        "sink = build('log', Context()); assert not sink.blocked(); assert 'logging' not in sys.modules\n"
        "from ssot_guard.violation import Site, Violation\n"
        "sink.publish(Violation('SSG101', 'r', 'm', Site(), 't', mode='warn')); assert 'logging' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == "SSG101 r (unknown file): m\n"
