"""PCK against hand-worked numbers and a slow loop."""

import math

import numpy as np
import pytest

from pamtri import pck
from pamtri.keypoints import GROUPS, INDEX


def box_of_points(width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """One image whose two visible points span a box; the other 34 are hidden nonsense."""
    true = np.full((1, 36, 2), 1e6)
    true[0, 0], true[0, 1] = (10.0, 10.0), (10.0 + width, 10.0 + height)
    visible = np.zeros((1, 36), dtype=bool)
    visible[0, :2] = True
    return true, visible


def random_case(seed: int, images: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.uniform(0, 100, (images, 36, 2))
    return true + rng.normal(0, 8, true.shape), true, rng.random((images, 36)) < 0.6


def slow_pck(predicted: np.ndarray, true: np.ndarray, visible: np.ndarray, alpha: float) -> float:
    right = scored = 0
    for p, t, v in zip(predicted, true, visible, strict=True):
        xs = [t[k][0] for k in range(36) if v[k]]
        ys = [t[k][1] for k in range(36) if v[k]]
        tolerance = alpha * math.sqrt((max(xs) - min(xs)) * (max(ys) - min(ys)))
        for k in range(36):
            if v[k]:
                scored += 1
                right += math.dist(p[k], t[k]) <= tolerance
    return right / scored


def test_tolerance_is_an_eighth_of_the_root_of_the_visible_box() -> None:
    true, visible = box_of_points(40, 10)  # area 400, root 20, tolerance 2.5 px
    predicted = true.copy()
    predicted[0, 0, 0] += 2.5
    predicted[0, 1, 1] += 2.5001
    assert pck.pck(predicted, true, visible) == 0.5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", pck.ALPHAS)
def test_equals_a_slow_loop(seed: int, alpha: float) -> None:
    predicted, true, visible = random_case(seed)
    expected = slow_pck(predicted, true, visible, alpha)
    assert pck.pck(predicted, true, visible, alpha) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected < 1


def test_scale_of_the_picture_does_not_matter() -> None:
    predicted, true, visible = random_case(3)
    small = pck.relative_errors(predicted, true, visible)
    large = pck.relative_errors(predicted * 7, true * 7, visible)
    np.testing.assert_allclose(small, large)


def test_image_without_extent_is_not_scored() -> None:
    true, visible = box_of_points(40, 10)
    lone = visible.copy()
    lone[0, 1] = False
    assert pck.pck(true, true, lone) is None
    assert pck.pck(true, true, np.zeros_like(visible)) is None
    both = pck.relative_errors(np.tile(true, (2, 1, 1)), np.tile(true, (2, 1, 1)),
                               np.concatenate([visible, lone]))  # fmt: skip
    assert (~np.isnan(both)).sum(axis=1).tolist() == [2, 0]


def test_missing_prediction_is_wrong_not_skipped() -> None:
    true, visible = box_of_points(40, 10)
    predicted = true.copy()
    predicted[0, 0] = np.nan
    assert pck.pck(predicted, true, visible, alpha=1e9) == 0.5


def test_keypoints_and_groups_are_told_apart() -> None:
    true, visible = box_of_points(40, 10)
    predicted = true.copy()
    predicted[0, 0] += 100
    errors = pck.relative_errors(predicted, true, visible)
    by_name = pck.share_by_keypoint(errors)
    assert by_name["left_rear_wheel"] == 0.0
    assert by_name["left_front_wheel"] == 1.0
    assert by_name["right_front_wheel"] is None
    by_group = pck.share_by_group(errors)
    assert by_group == {"wheel": 0.5} | {name: None for name in GROUPS if name != "wheel"}
    assert INDEX["left_front_wheel"] == 1


def test_counts_add_up_to_the_share() -> None:
    predicted, true, visible = random_case(1)
    errors = pck.relative_errors(predicted, true, visible)
    right, scored = pck.counts_by_image(errors)
    assert right.sum() / scored.sum() == pytest.approx(pck.share_right(errors))
    assert scored.tolist() == visible.sum(axis=1).tolist()


def test_more_tolerance_never_lowers_it() -> None:
    predicted, true, visible = random_case(2)
    values = list(pck.shares(pck.relative_errors(predicted, true, visible)).values())
    assert values == sorted(values)
    assert list(pck.shares(np.zeros((1, 36)))) == ["0.05", "0.1", "0.125", "0.2"]


def test_legacy_threshold_grows_with_the_test_set_and_ignores_size() -> None:
    true, visible = box_of_points(40, 10)
    true, visible = np.tile(true, (16, 1, 1)), np.tile(visible, (16, 1))  # 0.125 * 4 = 0.5 px
    predicted = true + np.array([0.5, 0.0])
    assert pck.pck_pamtri_legacy(predicted, true, visible) == 1.0
    assert pck.pck_pamtri_legacy(predicted[:15], true[:15], visible[:15]) == 0.0
    assert 0.125 * math.sqrt(1060) == pytest.approx(4.07, abs=0.005)
