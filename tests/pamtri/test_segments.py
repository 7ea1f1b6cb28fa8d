import cv2
import numpy as np
import pytest

from pamtri import keypoints, segments

ALL = np.ones(36, dtype=bool)


def with_quad(name, corners):
    """Keypoints that are all in one place, but for a segment's corners."""
    points = np.full((36, 2), 5.0)
    points[list(segments.SEGMENTS[segments.INDEX[name]].corners)] = corners
    return points


def test_a_square_by_hand():
    points = with_quad("roof", [(1, 1), (4, 1), (4, 3), (1, 3)])
    filled = segments.fill_polygons(points, ALL, 8, 6)
    expected = np.zeros((6, 8), dtype=bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(filled[segments.INDEX["roof"]], expected)
    # The others have corners in one place.
    assert filled.sum() == 6 and filled.shape == (13, 6, 8)
    (roof,) = [p for p in segments.polygons(points, ALL) if p is not None]
    assert roof.tolist() == [[1, 1], [4, 1], [4, 3], [1, 3]]


@pytest.mark.parametrize(
    "corners",
    [
        [(1, 1), (4, 3), (4, 1), (1, 3)],  # crosses itself
        [(0, 0), (6, 0), (1, 1), (0, 6)],  # a notch
        [(0, 0), (3, 0), (6, 0), (0, 6)],  # three in a line
    ],
)
def test_what_is_not_convex_is_blank(corners):
    points = with_quad("bonnet", corners)
    assert not segments.fill_polygons(points, ALL, 8, 8).any()


def test_a_corner_that_is_not_sure_blanks_its_segments():
    points = with_quad("roof", [(1, 1), (4, 1), (4, 3), (1, 3)])
    for i in range(36):
        sure = ALL.copy()
        sure[i] = False
        of_roof = i in segments.SEGMENTS[segments.INDEX["roof"]].corners
        assert segments.fill_polygons(points, sure, 8, 8).any() != of_roof


def test_filling_agrees_with_opencvs_test_of_a_point():
    rng = np.random.default_rng(0)
    drawn = 0
    for _ in range(30):
        points = rng.uniform(-5, 25, (36, 2))
        filled = segments.fill_polygons(points, ALL, 20, 16)
        for mask, quad in zip(filled, segments.polygons(points, ALL), strict=True):
            if quad is None:
                assert not mask.any()
                continue
            drawn += 1
            outline = quad.astype(np.float32).reshape(-1, 1, 2)
            slow = [
                [cv2.pointPolygonTest(outline, (x + 0.5, y + 0.5), False) >= 0 for x in range(20)]
                for y in range(16)
            ]
            np.testing.assert_array_equal(mask, slow)
    assert drawn > 30


def test_the_mirrored_images_polygons_are_the_mirrored_polygons():
    points = np.random.default_rng(3).uniform(0, 20, (36, 2))
    sure = np.random.default_rng(4).random(36) < 0.98
    flipped = np.stack([20 - points[:, 0], points[:, 1]], axis=1)[keypoints.FLIP]
    there = segments.fill_polygons(points, sure, 20, 20)
    back = segments.fill_polygons(flipped, sure[keypoints.FLIP], 20, 20)
    assert there.any(axis=(1, 2)).sum() >= 2
    np.testing.assert_array_equal(back[list(segments.FLIP), :, ::-1], there)
