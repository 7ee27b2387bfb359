"""When a journey is below its target, and what is said then."""

import math
import statistics

import pytest

# Description → target, min-runs, outcomes (a number of successes, a negative one of failures), whether it is told.
VERDICTS = {
    "never run": (0.9, 10, [], False),
    "all well": (0.9, 10, [1000], False),
    "too few runs to say anything": (0.9, 10, [-9], False),
    "enough runs, all of them failed": (0.9, 10, [-10], True),
    "the run that makes them enough succeeds": (0.9, 10, [-9, 1], True),
    "below, but it may be chance": (0.9, 10, [17, -3], False),
    "below, beyond chance": (0.9, 10, [170, -30], True),
    "just at the target": (0.9, 10, [900, -100], False),
    "above": (0.9, 10, [950, -50], False),
    "one failure where none is allowed": (1.0, 10, [9, -1], True),
    "one failure where none is allowed, before there are enough": (1.0, 10, [-1, 8], False),
    "one failure, and then enough": (1.0, 10, [-1, 9], True),
    "it recovers later": (0.9, 10, [-10, 1000], True),
    "three nines, two failures of a thousand": (0.999, 100, [998, -2], False),
    "three nines, five failures of a thousand": (0.999, 100, [995, -5], True),
    "three nines, never once": (0.999, 10, [-10], True),
    "half is asked for, a fifth comes": (0.5, 10, [5, -20], True),
    "half is asked for, two fifths come": (0.5, 10, [5, -7], False),
    "two nines, one nine comes": (0.99, 10, [90, -10], True),
    "two nines, and not yet enough": (0.99, 60, [49, -10], False),
}
ROW = """
def go(fails):
    with contextlib.suppress(OSError), journey('path'):
        if fails: raise OSError('secret of alice')
for number in {outcomes}:
    for _ in range(abs(number)): go(number < 0)
told['checked'] = [one.code for one in guard.check()]
"""


@pytest.fixture(scope="module")
def answers(programs):
    found = {}
    for target, least in {row[:2] for row in VERDICTS.values()}:
        policy = {"journeys": [{"id": "path", "target": target, "min-runs": least}]}
        rows = {name: ROW.format(outcomes=row[2]) for name, row in VERDICTS.items() if row[:2] == (target, least)}
        found.update(programs.table(rows, policy))
    return found


@pytest.mark.parametrize("name", VERDICTS)
def test_when_it_is_told(answers, name):
    answer = answers[name]
    assert len(answer["found"]) == VERDICTS[name][3], answer
    assert answer["told"] == {"checked": []}, "told at once, and not again"
    assert not answer["faults"]


def highest(successes, runs):
    """Wilson's upper bound, as textbooks write it."""
    z, rate = statistics.NormalDist().inv_cdf(0.975), successes / runs
    root = math.sqrt(rate * (1 - rate) / runs + z**2 / (4 * runs**2))
    return (rate + z**2 / (2 * runs) + z * root) / (1 + z**2 / runs)


def test_what_is_told(answers):
    ((code, rule, message, path, line, count, details),) = answers["below, beyond chance"]["found"]
    assert (code, rule, path, line, count) == ("SSG501", "path", "row.py", 3, 1)
    failed = next(failed for failed in range(1, 31) if highest(170, 170 + failed) < 0.9)
    runs = 170 + failed
    assert (details["runs"], details["failed"], details["target"]) == (runs, failed, 0.9), (
        "told by the run that tips it"
    )
    assert details["interval"][1] == pytest.approx(highest(170, runs))
    rate = int(10_000 * 170 / runs) / 100
    assert message.startswith(f"{rate:.2f} % of {runs} runs succeeded, the target is 90 % (95 % interval "), message
    assert f" - {100 * highest(170, runs):.2f} %); p50 " in message
    assert message.endswith(f"; failed: {failed} x OSError at row.py:4")
    last = details["failed-runs"]
    assert len(last) == 10
    assert {(one["error"], one["place"], len(one)) for one in last} == {("OSError", "row.py:4", 3)}
    assert "alice" not in str(answers)


def test_the_census_goes_on(answers):
    census = answers["it recovers later"]["census"]["path"]
    assert (census["runs"], census["failed"]) == (1010, 10)
    assert len(answers["it recovers later"]["found"]) == 1, "nothing is taken back"
