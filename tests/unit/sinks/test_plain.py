"""Whatever a watcher hands over becomes plain JSON, with the same bytes from every encoder."""

import enum
import json
import sys
from typing import Any

import pytest

from ssot_guard.sinks.plain import plain, visible
from ssot_guard.sinks.record import MAX_BYTES, Codec

orjson: Any = pytest.importorskip("orjson") if sys.version_info < (3, 15) else None


class Color(enum.IntEnum):
    RED = 1


class Hostile:
    def __repr__(self) -> str:
        raise AssertionError("code of the application was called")

    __str__ = __repr__


class HostileDict(dict[str, int]):
    def items(self) -> Any:
        raise AssertionError("code of the application was called")


class HostileList(list[int]):
    def __iter__(self) -> Any:
        raise AssertionError("code of the application was called")


class Liar:
    __class__ = property(lambda self: str)


CYCLE: list[Any] = []
CYCLE.append(CYCLE)

VALUES = [
    ("lone surrogate", "a\udc80b", "a\\udc80b"),
    ("control characters", "\x00\x1f\x7f\n\u2028", "\x00\x1f\x7f\n\u2028"),
    ("64 bits", 2**64 - 1, 2**64 - 1),
    ("more than 64 bits", 2**64, "0x10000000000000000"),
    ("below 64 bits", -(2**63) - 1, "-0x8000000000000001"),
    ("too many digits for str()", 10**5000, None),
    ("int enum", Color.RED, 1),
    ("exponent", 1e-07, 1e-07),
    ("large exponent", 1e16, 1e16),
    ("negative zero", -0.0, -0.0),
    ("not a number", float("nan"), "nan"),
    ("infinity", float("-inf"), "-inf"),
    ("int keys", {1: "a", None: "b", (2, 3): "c", b"d": "d"}, {"1": "a", "None": "b", "[2, 3]": "c", "d": "d"}),
    ("bytes", b"ab\xff", "ab\\xff"),
    ("set", {3, 1, 2}, [1, 2, 3]),
    ("mixed set", frozenset({"a", 1}), ["a", 1]),
    ("tuple", (1, ("x",)), [1, ["x"]]),
    ("object", Hostile(), f"<{__name__}.Hostile object>"),
    ("class", Hostile, f"{__name__}.Hostile"),
    ("dict subclass", HostileDict(a=1), {"a": 1}),
    ("list subclass", HostileList([1]), [1]),
    ("liar about its class", Liar(), f"<{__name__}.Liar object>"),
    ("cycle", CYCLE, None),
    ("long list", list(range(1000)), [*range(200), "…"]),
    ("booleans", [True, False, None], [True, False, None]),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_value_survives_as_json(value: object, expected: object) -> None:
    line = Codec(orjson=object()).line({"value": value})
    read = json.loads(line)["value"]
    if expected is not None:
        assert read == expected
        assert type(read) is type(expected)


@pytest.mark.skipif(orjson is None, reason="no orjson for this Python")
@pytest.mark.parametrize("value", [case[1] for case in VALUES], ids=[case[0] for case in VALUES])
def test_orjson_and_the_standard_library_write_the_same_bytes(value: object) -> None:
    record = {"value": value, "nested": [{"value": value}]}
    assert Codec(orjson).line(record) == Codec(orjson=object()).line(record)


def test_standard_encoder_writes_what_json_writes() -> None:
    value = plain({"a": [1, 2.5, None, True, 'é\x00\u2028"\\/'], "b": {}})
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    assert Codec(orjson=object()).line(value) == expected


@pytest.mark.parametrize("char", ["x", "\x00", "é", "\udc80", "\U0001d4b3"])
def test_record_that_is_too_long_keeps_its_place_and_loses_its_details(char: str) -> None:
    texts = {f"key{number}": char * 20_000 for number in range(25)}
    line = Codec().line({"line": 7, **texts, "tags": ["t"], "details": {"a": char}, "labels": {"b": char}})
    record = json.loads(line)
    assert len(line) <= MAX_BYTES
    assert record["line"] == 7
    assert "truncated" in record["details"]
    assert record["key0"].endswith("more characters]")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain é", "plain é"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udc80", "\\udc80"),
        ("\u2028", "\\u2028"),
    ],
)
def test_visible_text_is_one_printable_line(value: str, expected: str) -> None:
    assert visible(value) == expected
