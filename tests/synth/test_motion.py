"""Blur by speed and the rolling shutter, against geometry written out here."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import LENS, make_scene

from pamtri import camera
from pamtri.config import parse_config
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.labels import label_scene
from synth.lens import apply_lens, pinhole_for
from synth.motion import sheared, speed_blur
from synth.sampling import sample_scene


def test_blur_by_speed_is_the_distance_driven_seen_by_the_camera():
    view = make_scene(azimuth_deg=90.0, elevation_deg=0.0, distance=10.0).camera
    length, angle = speed_blur(view, speed_kmh=36.0, exposure_ms=5.0)  # 5 cm at 10 m
    assert length == pytest.approx(0.05 / 10 * view.fx, rel=1e-3)
    assert angle % 180 == pytest.approx(0, abs=0.1)
    ahead = make_scene(azimuth_deg=0.0, elevation_deg=20.0).camera
    assert speed_blur(ahead, 36.0, 5.0)[1] == pytest.approx(90, abs=0.5)
    assert speed_blur(view, 0.0, 5.0)[0] == 0


@pytest.mark.parametrize("distortion", [camera.NO_DISTORTION, LENS])
def test_a_rolling_shutter_shears_about_the_middle_row(distortion):
    view = make_scene(azimuth_deg=50.0, distortion=distortion).camera
    bent = sheared(view, 0.12)
    points = np.random.default_rng(0).uniform([-2, -0.9, 0], [2, 0.9, 1.4], (50, 3))
    before, _ = camera.project(points, view.pose, view.intrinsics)
    after, _ = camera.project(points, bent.pose, bent.intrinsics)
    moved = before + np.stack([0.12 * (before[:, 1] - view.height / 2), np.zeros(50)], axis=1)
    assert after == pytest.approx(moved, abs=1e-9)
    depth = bent.pose.apply(points)[:, 2]
    back = camera.unproject(after, depth, bent.pose, bent.intrinsics)
    assert back == pytest.approx(points, abs=1e-9)


def test_the_picture_is_sheared_as_the_labels_are():
    """Dots drawn into the pinhole's picture are found where the sheared camera projects them."""
    view = sheared(make_scene(azimuth_deg=30.0, size=120).camera, -0.15)
    pinhole = pinhole_for(view)
    points = np.array([[1.6, 0.5, 0.4], [-1.2, 0.6, 1.1], [0.3, -0.5, 1.3], [1.0, 0.8, 0.3]])
    straight, _ = camera.project(points, view.pose, pinhole.intrinsics)
    x, y = np.meshgrid(np.arange(pinhole.width) + 0.5, np.arange(pinhole.height) + 0.5)
    labelled, _ = camera.project(points, view.pose, view.intrinsics)
    for (u, v), place in zip(straight, labelled, strict=True):
        dot = np.exp(-((x - u) ** 2 + (y - v) ** 2) / 8)
        drawn = np.repeat(np.round(250 * dot)[..., None], 3, axis=2).astype(np.uint8)
        seen = apply_lens(drawn, view, pinhole)[..., 0].astype(float)
        assert seen.shape == (view.height, view.width)
        rows, columns = np.mgrid[: view.height, : view.width] + 0.5
        found = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
        assert found == pytest.approx(place, abs=0.1)


def test_masks_follow_the_shear():
    """The sheared mask is the plain one moved row by row."""
    plain = make_scene(azimuth_deg=90.0, size=160)
    bent = plain.model_copy(update={"camera": sheared(plain.camera, 0.2)})
    geometry = build_geometry(plain)
    before, after = label_scene(plain, geometry).mask, label_scene(bent, geometry).mask
    expected = np.zeros_like(before)
    rows, columns = (index.ravel() for index in np.indices(before.shape))
    source = np.round(columns + 0.5 - 0.2 * (rows + 0.5 - before.shape[0] / 2) - 0.5).astype(int)
    inside = (source >= 0) & (source < before.shape[1])
    expected[rows[inside], columns[inside]] = before[rows[inside], source[inside]]
    known = np.zeros_like(before)
    known[rows[inside], columns[inside]] = True
    assert (expected & after).sum() / (expected | (after & known)).sum() > 0.985
    assert (before & after).sum() / (before | after).sum() < 0.95


def test_the_sampled_scene_has_the_shear_the_blur_and_the_noise():
    def scene(shutter=0, **sensor):
        config = {
            "name": "t",
            "identities": 1,
            "images_per_identity": 1,
            "camera": {"azimuth_deg": 60, "rolling_shutter": shutter},
            "sensor": sensor,
        }
        return sample_scene(parse_config(config, SynthConfig, source="test"), 0, 0)

    plain = scene()
    assert plain.camera.skew == 0 and plain.sensor.motion_px == 0 and plain.sensor.noise == 0
    assert scene(0.1).camera == sheared(plain.camera, 0.1)
    fast = scene(speed_kmh=50, exposure_ms=4).sensor
    expected = speed_blur(plain.camera, 50, 4)
    assert (fast.motion_px, fast.motion_angle_deg) == pytest.approx(expected)
    assert scene(iso=400).sensor.noise == pytest.approx(0.014)
    assert scene(iso=400, noise=0.03).sensor.noise == pytest.approx(np.hypot(0.014, 0.03))
    assert plain.sensor.timestamp is None
    assert len(scene(timestamp_probability=1).sensor.timestamp) == len("2015-01-01 00:00:00")
