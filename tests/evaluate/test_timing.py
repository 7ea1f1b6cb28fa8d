"""Estimates of time: what a step takes, and several at once that wait for each other."""

import pytest

from evaluate.timing import duration, seconds_until_done, step_seconds


def test_what_a_step_takes() -> None:
    expected = {"render": 10.0, "pose": 5.0}
    assert step_seconds("pose", {}, expected) == 5
    assert step_seconds("pose", {"render": [20, 20]}, expected) == 10  # half as fast
    assert step_seconds("render", {"render": [2, 4]}, expected) == 3
    assert step_seconds("reid", {"render": [2, 4]}, expected) is None


@pytest.mark.parametrize(
    ("jobs", "seconds"),
    [
        (1, 30 + 10 + 1 + 20 + 2),
        # render 0-30, beside it real 0-10, its test 10-11; then mixed 30-50, its test 50-52.
        (2, 52),
        (9, 52),
    ],
)
def test_steps_that_wait_for_each_other(jobs: int, seconds: float) -> None:
    left = {"render": 30.0, "real": 10.0, "real-test": 1.0, "mixed": 20.0, "mixed-test": 2.0}
    needs = {"render": (), "real": (), "real-test": ("real",), "mixed": ("render",),
             "mixed-test": ("mixed",)}  # fmt: skip
    assert seconds_until_done(left, needs, jobs) == seconds


def test_equal_steps_are_shared_out() -> None:
    left = {str(i): 4.0 for i in range(7)}
    needs = dict.fromkeys(left, ("done before",))
    assert [seconds_until_done(left, needs, jobs) for jobs in (1, 2, 3, 7)] == [28, 16, 12, 4]
    assert seconds_until_done({}, {}, 2) == 0


def test_durations_are_told_in_words() -> None:
    assert [duration(s) for s in (45, 200, 9000)] == ["45 s", "3 min", "2.5 h"]
