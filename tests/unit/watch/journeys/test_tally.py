"""Rates, intervals and percentiles."""

import math

import pytest

from ssot_guard.watch.journeys.tally import Tally, duration, interval, words

# Successes, runs, bounds: the score method (3) in R. G. Newcombe, Statistics in Medicine 17 (1998), table I.
PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "runs", "lowest", "highest"), PUBLISHED)
def test_published_intervals(successes, runs, lowest, highest):
    assert interval(successes, runs) == pytest.approx((lowest, highest), abs=5e-5)
    mirrored = interval(runs - successes, runs)
    assert mirrored == pytest.approx((1 - highest, 1 - lowest), abs=5e-5)


def test_the_ends_of_intervals():
    assert interval(0, 0) == (0, 1), "nothing is known"
    for runs in (1, 2, 10, 1000, 10**9):
        assert interval(runs, runs)[1] == 1
        assert interval(0, runs)[0] == 0
        assert interval(runs - 1, runs)[1] < 1, "a target of 1 is missed by one failure"


def percentile(values, quantile):
    return sorted(values)[math.ceil(len(values) * quantile / 100) - 1]


SHAPES = {
    "one": [0.0123],
    "equal": [0.5] * 100,
    "even": [number / 1000 for number in range(1, 2001)],
    "skewed": [math.exp((number % 997) / 150 - 7) for number in range(5000)],
    "two peaks": [0.001] * 94 + [3.0] * 6,
    "microseconds": [number * 1e-6 for number in range(1, 300)],
    "hours": [3600.0 * number for number in range(1, 20)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_percentiles_are_off_by_two_percent_at_most(shape):
    tally, values = Tally(), SHAPES[shape]
    for number, value in enumerate(values):
        tally.fail(value, "OSError", None) if number % 7 == 3 else tally.succeed(value)
    expected = {f"p{quantile}": percentile(values, quantile) for quantile in (50, 95, 99)}
    assert tally.percentiles() == pytest.approx(expected, rel=0.0201)


def test_times_that_cannot_be():
    tally = Tally()
    for seconds in (0.0, -1.0, 1e-12, 1e12, math.inf):
        tally.succeed(seconds)
    assert tally.runs == 5
    assert 0 < tally.percentiles()["p50"] < tally.percentiles()["p99"] < 100_000


def test_tallies_of_processes_add_up():
    one, two, whole = Tally(), Tally(), Tally()
    for number in range(300):
        part = (one, two)[number % 2]
        for tally in (part, whole):
            if number % 5:
                tally.succeed(number / 100)
            else:
                tally.fail(number / 100, f"E{number % 3}", "a.py:1")
    one.abandoned = whole.abandoned = 3
    two.excused = whole.excused = 4
    merged = Tally()
    merged.merge(one.pack())
    merged.merge(two.pack())
    assert merged.census() == whole.census()
    assert sorted(map(str, merged.pack()["buckets"])) == sorted(map(str, whole.pack()["buckets"]))


def test_kinds_of_failures_are_bounded():
    tally = Tally()
    for number in range(1000):
        tally.fail(1, f"Error{number}", None)
    kinds = dict(tally.kinds())
    assert (len(kinds), kinds["others"], sum(kinds.values())) == (51, 950, 1000)
    assert len(tally.last) == 10
    assert words(tally, 0.5).endswith(
        "failed: 950 x others, 1 x Error0, 1 x Error1, 1 x Error10, 1 x Error11, 46 x other"
    )


def test_words():
    tally = Tally()
    assert words(tally, 0.999) == "0.00 % of 0 runs succeeded, the target is 99.9 % (95 % interval 0.00 - 100.00 %)"
    for _ in range(99_999):
        tally.succeed(0.02)
    tally.fail(2, "longer than 1.0 s", None)
    tally.abandoned = 2
    assert words(tally, 0.99999) == (
        "99.99 % of 100,000 runs succeeded, the target is 99.999 % (95 % interval 99.99 - 100.00 %); "
        "p50 20 ms, p95 20 ms, p99 20 ms; 2 more were abandoned; failed: 1 x longer than 1.0 s"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000004, "0.4 µs"),
        (0.000085, "85 µs"),
        (0.00123, "1.2 ms"),
        (0.0123, "12 ms"),
        (0.9996, "1.0 s"),
        (9.96, "10 s"),
        (75, "75 s"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
