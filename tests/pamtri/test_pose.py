"""What is said of a network's pose."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri.pose import Pose

POINTS = np.arange(72.0).reshape(36, 2)


def test_confidence_is_the_chance_to_be_seen_there():
    peak = np.linspace(0, 1, 36)
    assert Pose((9, 9), POINTS, peak).confidence.tolist() == peak.tolist()
    shares = np.tile([0.25, 0.5, 0.25], (36, 1))
    pose = Pose((9, 9), POINTS, peak, shares)
    assert pose.confidence == pytest.approx(peak / 4)
    assert pose.rows[7] == pytest.approx([14, 15, 7 / 35 / 4])


def test_as_a_records_keypoints():
    shares = np.zeros((36, 3))
    shares[:12, 0], shares[12:24, 1], shares[24:, 2] = 0.9, 0.9, 0.9
    learnt = Pose((9, 9), POINTS, np.full(36, 0.8), shares).keypoints()
    assert learnt.visibility == "v" * 12 + "s" * 12 + "t" * 12
    assert learnt.xy_array().tolist() == POINTS.tolist()
    assert learnt.confidence is not None and learnt.confidence[0] == pytest.approx(0.72)
    peaks = np.array([0.5] * 10 + [0.49] * 26)
    assert Pose((9, 9), POINTS, peaks).keypoints().visibility == "v" * 10 + "h" * 26
