import itertools
from pathlib import Path

import numpy as np
import pytest

from pamtri import camera, keypoints, segments
from pamtri.keypoints import FLIP, GROUPS, INDEX, KEYPOINTS, NAMES, SKELETON

PRIOR = Path(__file__).parents[3] / "shared/data/veri_pose_prior.npz"


def test_36_different_names_in_pamtris_order():
    assert len(set(NAMES)) == len(NAMES) == keypoints.NUM_KEYPOINTS == 36
    left = (
        *("rear_wheel", "front_wheel"),
        *("front_arch_front_low", "front_arch_front_high"),
        *("front_arch_rear_high", "front_arch_rear_low"),
        *("rear_arch_front_low", "rear_arch_front_high"),
        *("rear_arch_rear_high", "rear_arch_rear_low"),
        *("rear_bumper", "tail_light", "rear_glass_base", "roof_rear"),
        *("roof_front", "windscreen_base", "headlight", "front_bumper"),
    )
    assert tuple(f"{side}_{name}" for side in ("left", "right") for name in left) == NAMES


def test_partners_are_mutual_and_18_apart():
    for i, point in enumerate(KEYPOINTS):
        partner = KEYPOINTS[INDEX[point.partner]]
        assert partner.partner == point.name
        assert partner.group == point.group
        assert abs(INDEX[point.partner] - i) == 18


def test_flip_is_an_involution_without_fixed_points():
    assert (FLIP[FLIP] == np.arange(36)).all()
    assert (np.arange(36) != FLIP).all()
    with pytest.raises(ValueError, match="read-only"):
        FLIP[0] = 0


def test_groups_partition_the_points():
    assert sorted(itertools.chain(*GROUPS.values())) == list(range(36))
    sizes = {group: len(members) for group, members in GROUPS.items()}
    assert sizes == {
        "wheel": 4,
        "fender": 16,
        "back": 4,
        "rear_windscreen": 4,
        "front_windscreen": 4,
        "front": 4,
    }


def test_skeleton_is_symmetric_and_reaches_every_point_but_the_wheels():
    lines = {frozenset(line) for line in SKELETON}
    assert len(lines) == len(SKELETON)
    assert {frozenset(FLIP[list(line)].tolist()) for line in SKELETON} == lines
    assert set(itertools.chain(*SKELETON)) == set(range(36)) - set(GROUPS["wheel"])


def test_flip_labels_the_mirrored_image(car):
    """A mirrored picture of a symmetric car is what a camera at minus the azimuth sees."""
    lens = camera.Intrinsics(400, 400, 100, 80)
    pixels = {
        sign: camera.project(
            car, camera.pose_from_viewpoint(camera.Viewpoint(sign * 0.7, 0.2, 0, 9)), lens
        )[0]
        for sign in (1, -1)
    }
    mirrored = pixels[1] * [-1, 1] + [200, 0]
    np.testing.assert_allclose(mirrored[FLIP], pixels[-1], atol=1e-9)


def test_segments_are_pamtris():
    assert segments.NUM_SEGMENTS == len(set(segments.NAMES)) == 13
    expected = {
        0: (5, 15, 16, 17),
        1: (5, 6, 12, 15),
        5: (24, 28, 29, 30),
        6: (10, 11, 29, 28),
        12: (16, 17, 35, 34),
    }
    assert {i: segments.SEGMENTS[i].corners for i in expected} == expected


def test_segments_flip_is_what_the_keypoints_flip_says():
    assert [segments.FLIP[i] for i in segments.FLIP] == list(range(13))
    for i, segment in enumerate(segments.SEGMENTS):
        partner = segments.SEGMENTS[segments.FLIP[i]]
        assert set(FLIP[list(segment.corners)].tolist()) == set(partner.corners)


def assert_outlines_do_not_cross(shape):
    for segment in segments.SEGMENTS:
        corners = shape[list(segment.corners)]
        _, _, axes = np.linalg.svd(corners - corners.mean(axis=0))
        a, b, c, d = (corners - corners.mean(axis=0)) @ axes[:2].T
        assert not crosses(a, b, c, d), segment.name
        assert not crosses(b, c, d, a), segment.name


def crosses(a, b, c, d):
    """Whether the lines a-b and c-d meet between their ends."""

    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)


def test_segment_corners_go_around_their_outline(car):
    assert_outlines_do_not_cross(car)


@pytest.mark.skipif(not PRIOR.exists(), reason="the shape prior is not there")
def test_segment_corners_go_around_their_outline_on_the_mean_shape():
    assert_outlines_do_not_cross(np.load(PRIOR)["mean_keypoints"].astype(float))


@pytest.mark.skipif(not PRIOR.exists(), reason="the shape prior is not there")
def test_names_lie_where_they_say_on_the_mean_shape():
    mean = np.load(PRIOR)["mean_keypoints"].astype(float)
    at = {name: mean[i] for name, i in INDEX.items()}
    for side, sign in (("left", 1), ("right", -1)):
        assert all(np.sign(p[1]) == sign for name, p in at.items() if name.startswith(side))
        along = ["rear_bumper", "rear_wheel", "roof_rear", "roof_front", "front_wheel", "headlight"]
        positions = [at[f"{side}_{name}"][0] for name in along]
        assert positions == sorted(positions)
        upward = ["front_bumper", "headlight", "windscreen_base", "roof_front"]
        heights = [at[f"{side}_{name}"][2] for name in upward]
        assert heights == sorted(heights)
