"""The sensor changes how a picture looks, never where anything is."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from synth.scene import SensorSpec
from synth.sensor import apply_sensor, encode_jpeg, motion_kernel

GREY = np.full((40, 60, 3), 128, dtype=np.uint8)


def dots(spacing=24, side=97, sigma=2.0):
    """A picture of bright round dots at non-integer places, and those places (n, 2), pixels."""
    centres = np.array(
        [(x + 0.3, y + 0.7) for x in range(18, side - 17, spacing) for y in range(18, 80, spacing)]
    )
    grid = np.arange(side) + 0.5
    light = np.zeros((side, side))
    for x, y in centres:
        light += np.exp(-((grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2) / (2 * sigma**2))
    picture = np.round(40 + 180 * light).astype(np.uint8)
    return np.repeat(picture[..., None], 3, axis=2), centres


def centroids(picture, near, reach=9):
    """(n, 2) centres of brightness around (n, 2) expected ones."""
    found = []
    values = picture.astype(float).mean(axis=2)
    for x, y in near:
        left, top = int(x) - reach, int(y) - reach
        window = values[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
        weight = np.clip(window - np.median(window) - 15, 0, None)
        rows, columns = np.mgrid[: window.shape[0], : window.shape[1]]
        found.append(
            [
                left + (columns * weight).sum() / weight.sum() + 0.5,
                top + (rows * weight).sum() / weight.sum() + 0.5,
            ]
        )
    return np.array(found)


@pytest.mark.parametrize(
    "spec",
    [
        SensorSpec(),
        SensorSpec(exposure_ev=-0.7, white_balance=(1.2, 1.0, 0.8)),
        SensorSpec(blur_px=1.5),
        SensorSpec(motion_px=5, motion_angle_deg=30),
        SensorSpec(motion_px=2.5, motion_angle_deg=100),
        SensorSpec(downscale=2),
        SensorSpec(downscale=1.7),
        SensorSpec(noise=0.02, seed=3),
        SensorSpec(contrast=1.2, saturation=0.5),
        SensorSpec(vignetting=0.4),
        SensorSpec(jpeg_quality=50),
    ],
    ids=lambda s: "+".join(sorted(s.model_fields_set)) or "none",
)
def test_dots_stay_where_they_are(spec):
    picture, centres = dots()
    data = encode_jpeg(apply_sensor(picture, spec), spec.jpeg_quality)
    seen = np.asarray(PIL.Image.open(io.BytesIO(data)))
    assert seen.shape == picture.shape
    shifts = centroids(seen, centres) - centres
    assert np.abs(shifts.mean(axis=0)).max() < 0.1
    if spec.noise == 0 and spec.vignetting == 0:
        assert np.abs(shifts).max() < 0.1 * max(1, spec.downscale, spec.motion_px / 2)


def test_an_untouched_picture_comes_back_exactly():
    picture = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    assert np.array_equal(apply_sensor(picture, SensorSpec()), picture)


def test_one_stop_doubles_the_light():
    def light(value):
        srgb = value / 255
        return ((srgb + 0.055) / 1.055) ** 2.4

    brighter = apply_sensor(GREY, SensorSpec(exposure_ev=1))[0, 0, 0]
    assert light(float(brighter)) == pytest.approx(2 * light(128.0), rel=0.02)


def test_white_balance_acts_on_its_channels():
    red, green, blue = apply_sensor(GREY, SensorSpec(white_balance=(1.3, 1.0, 0.7)))[0, 0]
    assert red > green == 128 > blue


def test_noise_has_the_asked_spread_at_mid_grey_and_is_the_seeds():
    grey = np.full((200, 200, 3), 128, dtype=np.uint8)
    first = apply_sensor(grey, SensorSpec(noise=0.05, seed=0))
    assert (first.astype(float) / 255).std() == pytest.approx(0.05, rel=0.03)
    assert np.array_equal(first, apply_sensor(grey, SensorSpec(noise=0.05, seed=0)))
    assert not np.array_equal(first, apply_sensor(grey, SensorSpec(noise=0.05, seed=1)))


def test_contrast_stretches_about_mid_grey_and_no_saturation_is_grey():
    picture = np.array([[[64, 128, 191]]], dtype=np.uint8)
    stretched = apply_sensor(picture, SensorSpec(contrast=1.5))[0, 0].astype(float)
    assert stretched == pytest.approx((picture[0, 0] - 127.5) * 1.5 + 127.5, abs=1)
    grey = apply_sensor(picture, SensorSpec(saturation=0))[0, 0]
    assert grey == pytest.approx(np.full(3, 0.2126 * 64 + 0.7152 * 128 + 0.0722 * 191), abs=1)


def test_vignetting_takes_its_share_of_light_at_the_corners_and_none_at_the_centre():
    seen = apply_sensor(np.full((101, 101, 3), 200, np.uint8), SensorSpec(vignetting=0.5))
    assert seen[50, 50, 0] == 200
    corner = (seen[0, 0, 0] / 200) ** 2.2
    assert corner == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("angle", [0, 37, 90, 143])
def test_the_motion_kernel_is_a_centred_line_of_the_asked_length(angle):
    kernel = motion_kernel(7.0, angle).astype(float)
    assert kernel.sum() == pytest.approx(1)
    assert kernel == pytest.approx(kernel[::-1, ::-1], abs=1e-7)
    y, x = np.mgrid[: len(kernel), : len(kernel)] - len(kernel) // 2
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    across = -x * np.sin(np.radians(angle)) + y * np.cos(np.radians(angle))
    # The variance of an even line is length^2 / 12; sharing among pixels adds 1/6 or so.
    assert (kernel * along**2).sum() == pytest.approx(49 / 12 + 1 / 6, abs=0.1)
    assert (kernel * across**2).sum() < 0.25


def test_stronger_compression_makes_smaller_files_of_the_same_picture():
    picture, _ = dots()
    assert len(encode_jpeg(picture, 30)) < 0.7 * len(encode_jpeg(picture, 95))
    seen = np.asarray(PIL.Image.open(io.BytesIO(encode_jpeg(picture, 95)))).astype(float)
    assert np.abs(seen - picture).mean() < 2
    assert encode_jpeg(picture[..., [0, 1, 2]], 90)[:2] == b"\xff\xd8"
