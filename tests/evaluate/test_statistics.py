"""Means, paired bootstrap and correction against formulas, by hand and in simulated experiments."""

from itertools import permutations

import numpy as np
import pytest

from evaluate.statistics import (
    Difference,
    Measure,
    corrected,
    holm,
    mean_over_seeds,
    paired_difference,
)


def ones(got: np.ndarray) -> Measure:
    return Measure(got, np.ones(len(got)))


def test_value_is_the_ratio_of_sums_not_the_mean_of_ratios() -> None:
    measure = Measure(np.array([1.0, 0.0, 0.0]), np.array([1.0, 9.0, 0.0]))
    assert measure.value == 0.1
    assert Measure(np.zeros(2), np.zeros(2)).value is None


def test_difference_and_its_width_for_known_spread() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(0.5, 0.3, 2000)
    second = first + rng.normal(0.02, 0.1, 2000)
    gains = second - first
    found = paired_difference([ones(first)], [ones(second)])
    assert found is not None
    assert found.value == pytest.approx(gains.mean())
    standard_error = gains.std() / np.sqrt(2000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * standard_error, rel=0.06)
    assert (found.high + found.low) / 2 == pytest.approx(gains.mean(), abs=standard_error / 5)


def test_weights_enter_each_draw() -> None:
    """One image in two holds nine tenths of the points: draws range from 0 to 1, not 0.9 fixed."""
    could = np.array([9.0, 1.0])
    zero, some = Measure(np.zeros(2), could), Measure(np.array([9.0, 0.0]), could)
    found = paired_difference([zero], [some])
    assert found is not None
    assert (found.value, found.low, found.high) == (0.9, 0.0, 1.0)


def test_seeds_are_averaged_image_by_image() -> None:
    rng = np.random.default_rng(1)
    runs = [rng.random(50) for _ in range(4)]
    found = paired_difference([ones(runs[0]), ones(runs[1])], [ones(runs[2]), ones(runs[3])])
    same = paired_difference([ones((runs[0] + runs[1]) / 2)], [ones((runs[2] + runs[3]) / 2)])
    assert found is not None and same is not None
    assert found.value == pytest.approx(same.value)
    assert (found.covers_seeds, same.covers_seeds) == (True, False)


def test_swapping_arms_mirrors_the_interval_and_no_change_is_zero() -> None:
    rng = np.random.default_rng(2)
    a, b = ones(rng.random(40)), ones(rng.random(40))
    forward, back = paired_difference([a], [b]), paired_difference([b], [a])
    assert forward is not None and back is not None
    assert (forward.low, forward.high) == pytest.approx((-back.high, -back.low))
    assert paired_difference([a], [a]) == Difference(0.0, 0.0, 0.0, 1.0, covers_seeds=False)


def test_unscored_images_do_not_count() -> None:
    rng = np.random.default_rng(3)
    a, b, could = rng.random(30), rng.random(30), np.ones(30)
    could[20:] = 0
    with_rest = paired_difference([Measure(a, could)], [Measure(b, could)])
    without = paired_difference([ones(a[:20])], [ones(b[:20])])
    assert with_rest is not None and without is not None
    assert (with_rest.low, with_rest.high) == (without.low, without.high)
    nothing = Measure(np.zeros(3), np.zeros(3))
    assert paired_difference([nothing], [nothing]) is None


def test_measures_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="must be of the same images"):
        paired_difference([ones(np.zeros(3))], [ones(np.zeros(4))])


@pytest.mark.parametrize(
    ("low", "high", "corrected", "shown"),
    [(0.1, 0.2, None, True), (-0.2, -0.1, None, True), (-0.1, 0.1, None, False),
     (0.0, 0.1, None, False), (0.1, 0.2, 0.049, True), (0.1, 0.2, 0.05, False)],
)  # fmt: skip
def test_shown_only_where_zero_is_outside(
    low: float, high: float, corrected: float | None, shown: bool
) -> None:
    difference = Difference((low + high) / 2, low, high, 0.01, True, p_corrected=corrected)
    assert difference.shown is shown


def test_p_is_below_a_twentieth_where_the_interval_excludes_zero() -> None:
    rng = np.random.default_rng(5)
    told = []
    for shift in np.linspace(0, 0.2, 60):
        first = rng.random(50)
        second = first + rng.normal(shift, 0.3, 50)
        found = paired_difference([ones(first)], [ones(second)])
        assert found is not None
        assert found.shown == (found.p < 0.05)
        told.append(found.shown)
    assert 10 < sum(told) < 50


def test_mean_over_seeds_by_hand() -> None:
    """Mean 3, standard error 1 / sqrt(3), and 4.303 is Student's t of two degrees of freedom."""
    found = mean_over_seeds([2.0, 3.0, 4.0])
    assert (found.value, found.seeds) == (3.0, 3)
    assert found.low == pytest.approx(3 - 4.3027 / np.sqrt(3), abs=1e-4)
    assert found.high == pytest.approx(3 + 4.3027 / np.sqrt(3), abs=1e-4)
    single = mean_over_seeds([0.7])
    assert (single.value, single.low, single.high) == (0.7, None, None)


def test_means_over_three_seeds_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    runs = rng.normal(0.4, 0.05, (2000, 3))
    found = [mean_over_seeds(run) for run in runs]
    held = [f.low <= 0.4 <= f.high for f in found if f.low is not None and f.high is not None]
    assert len(held) == 2000
    assert 0.93 <= np.mean(held) <= 0.97


def test_holm_by_hand() -> None:
    """0.01 x 4; 0.015 x 3; 0.03 x 2 = 0.06; 0.04 x 1 rises to its forerunner's 0.06."""
    assert holm([0.03, 0.01, 0.04, 0.015]) == pytest.approx([0.06, 0.04, 0.06, 0.045])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_is_the_closed_test_of_all_intersections() -> None:
    """A null is rejected when every set of nulls with it has a p below alpha / size."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        ps = rng.uniform(0, 0.2, 4)
        slow = [1.0] * 4
        for i in range(4):
            sets = {frozenset(order[:n]) for order in permutations(range(4)) for n in range(1, 5)}
            worst = max(len(s) * min(ps[j] for j in s) for s in sets if i in s)
            slow[i] = min(1.0, worst)
        assert holm(ps) == pytest.approx(slow)


def test_correction_takes_what_is_shown_by_chance_among_many_arms() -> None:
    """Twenty arms that are equal to the baseline: at least one stands out in most experiments."""
    rng = np.random.default_rng(8)
    alone, together = 0, 0
    for _ in range(60):
        base = rng.random(40)
        arms = {i: paired_difference([ones(base)], [ones(base + rng.normal(0, 0.2, 40))])
                for i in range(20)}  # fmt: skip
        known = {i: d for i, d in arms.items() if d is not None}
        alone += any(d.shown for d in known.values())
        together += any(d.shown for d in corrected(known).values())
    assert alone > 35
    assert together < 10


def test_seeds_that_differ_widen_the_interval_to_student_s() -> None:
    """Images tell nothing here: what is left is Welch's t of two means of three runs."""
    runs = np.array([[0.40, 0.50, 0.60], [0.60, 0.65, 0.85]])
    first, second = ([ones(np.full(80, mean)) for mean in arm] for arm in runs)
    found = paired_difference(first, second)
    assert found is not None
    squares = runs.var(axis=1, ddof=1) / 3
    freedom = squares.sum() ** 2 / (squares**2 / 2).sum()
    assert 2 < freedom < 4
    draws = np.random.default_rng(9).standard_t(freedom, 400_000) * np.sqrt(squares.sum())
    half = np.quantile(draws, 0.975)
    assert found.value == pytest.approx(0.2)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.08)
    assert not found.shown


@pytest.mark.parametrize(
    ("seeds", "spread"),
    [(1, 0.0), (3, 0.0), (3, 0.01), (3, 0.1), (5, 0.02)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(seeds: int, spread: float) -> None:
    """2,000 experiments: images differ in weight, in hardness and in what the second arm gives
    them; seeds by ``spread``, and in which images they are good at. The truth is 0.05."""
    rng = np.random.default_rng([seeds, int(1000 * spread)])
    held = 0
    for _ in range(2000):
        could = rng.integers(1, 6, 80).astype(float)
        hard = rng.uniform(0.2, 0.7, 80)
        arms = [
            [Measure(could * run, could) for run in
             worth + rng.normal(0, spread, (seeds, 1)) + rng.uniform(-0.2, 0.2, (seeds, 80))]
            for worth in (hard, hard + rng.choice([0.0, 0.1], 80))
        ]  # fmt: skip
        found = paired_difference(*arms)
        assert found is not None
        held += found.low <= 0.05 <= found.high
    assert 0.93 <= held / 2000 <= 0.97
