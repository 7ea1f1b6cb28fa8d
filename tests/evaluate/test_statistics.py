"""The paired bootstrap against formulas, a slow loop and simulated experiments."""

import numpy as np
import pytest

from evaluate.statistics import Difference, Measure, paired_difference


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
    assert found == same


def test_swapping_arms_mirrors_the_interval_and_no_change_is_zero() -> None:
    rng = np.random.default_rng(2)
    a, b = ones(rng.random(40)), ones(rng.random(40))
    forward, back = paired_difference([a], [b]), paired_difference([b], [a])
    assert forward is not None and back is not None
    assert (forward.low, forward.high) == pytest.approx((-back.high, -back.low))
    assert paired_difference([a], [a]) == Difference(0.0, 0.0, 0.0)


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
    ("low", "high", "shown"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False),
                               (0.0, 0.1, False)],
)  # fmt: skip
def test_shown_only_where_zero_is_outside(low: float, high: float, shown: bool) -> None:
    assert Difference((low + high) / 2, low, high).shown is shown


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for trial in range(150):
        could = rng.integers(1, 30, 120).astype(float)
        first = rng.binomial(could.astype(int), 0.6).astype(float)
        second = rng.binomial(could.astype(int), 0.65).astype(float)
        found = paired_difference([Measure(first, could)], [Measure(second, could)], seed=trial)
        assert found is not None
        held += found.low <= 0.05 <= found.high
    assert 0.89 <= held / 150 <= 0.99  # 95 % within three standard errors of 150 trials
