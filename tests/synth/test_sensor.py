"""The sensor changes how a picture looks, never where anything is."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from synth.scene import SensorSpec
from synth.sensor import apply_sensor, encode_jpeg, motion_kernel
from synth.video import compress_video

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
        SensorSpec(glare=0.3),
        SensorSpec(aberration_px=2.0),
        SensorSpec(gamma=1.3),
        SensorSpec(sharpening=1.5),
        SensorSpec(interlacing_px=3.0),
        SensorSpec(video_qp=30),
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


@pytest.mark.parametrize("colour", [(1, 0.1, 0.1), (0.1, 1, 0.1), (0.2, 0.2, 1), (1, 0.8, 0.1)])
@pytest.mark.parametrize(
    "spec", [SensorSpec(glare=0.4), SensorSpec(interlacing_px=2), SensorSpec(video_qp=26)]
)
def test_coloured_dots_stay_too(colour, spec):
    picture, centres = dots()
    picture = np.round(picture * np.array(colour)).astype(np.uint8)
    shifts = centroids(apply_sensor(picture, spec), centres) - centres
    assert np.abs(shifts.mean(axis=0)).max() < 0.1
    assert np.abs(shifts).max() < 0.2


def test_aberration_moves_red_out_and_blue_in_by_the_same_and_green_not_at_all():
    picture, centres = dots()
    seen = apply_sensor(picture, SensorSpec(aberration_px=2.0))
    assert np.array_equal(seen[..., 1], picture[..., 1])
    outward = (centres - 97 / 2) / np.hypot(97 / 2, 97 / 2)  # length 1 in the corners
    for channel, sign in ((0, 1), (2, -1)):
        moved = centroids(np.repeat(seen[..., channel : channel + 1], 3, axis=2), centres) - centres
        assert moved == pytest.approx(sign * 2.0 * outward, abs=0.1)


def test_interlaced_fields_lie_to_both_sides():
    picture, centres = dots()
    seen = apply_sensor(picture, SensorSpec(interlacing_px=3.0))
    for first, sign in ((0, -1), (1, 1)):
        # The field's rows and the ideal picture's, measured alike.
        field, ideal = (np.repeat(p[first::2], 2, axis=0) for p in (seen, picture))
        shift = centroids(field, centres)[:, 0] - centroids(ideal, centres)[:, 0]
        assert shift == pytest.approx(np.full(len(centres), sign * 1.5), abs=0.1)


def test_glare_lights_up_around_what_is_bright_only():
    picture = np.full((64, 64, 3), 20, np.uint8)
    picture[30:34, 30:34] = 255
    seen = apply_sensor(picture, SensorSpec(glare=0.5)).astype(int)
    assert seen[26, 32, 0] > 40 and seen[26, 32, 0] > seen[16, 32, 0] > 20
    assert np.array_equal(seen, seen[::-1, ::-1])
    dim = np.full((64, 64, 3), 200, np.uint8)
    assert np.array_equal(apply_sensor(dim, SensorSpec(glare=0.5)), dim)


def test_gamma_is_an_exponent_on_the_values():
    assert apply_sensor(GREY, SensorSpec(gamma=2))[0, 0, 0] == round(255 * (128 / 255) ** 2)


def test_sharpening_overshoots_an_edge_and_leaves_even_ground():
    step = np.repeat(np.where(np.arange(40) < 20, 80, 160).astype(np.uint8)[None], 30, axis=0)
    seen = apply_sensor(np.repeat(step[..., None], 3, axis=2), SensorSpec(sharpening=1.0))
    assert seen[15, 19, 0] < 78 and seen[15, 20, 0] > 162
    assert seen[15, 5, 0] == 80 and seen[15, 35, 0] == 160


def test_a_time_stamp_is_in_the_upper_left_and_nowhere_else():
    seen = apply_sensor(np.full((200, 320, 3), 90, np.uint8), SensorSpec(timestamp="07:30:12"))
    rows, columns = np.nonzero((seen != 90).any(axis=2))
    assert rows.max() < 25 and columns.max() < 80 and len(rows) > 100
    assert seen.max() > 200


@pytest.mark.parametrize("qp", [18, 30, 42])
def test_video_quantises_cosine_coefficients_by_its_step(qp):
    """A wave that is one coefficient of each 8x8 block, without the edges' filter in between."""
    wave = np.cos(np.pi * (2 * (np.arange(64) % 8) + 1) * 2 / 16)  # frequency 2 of a block
    step = 0.625 * 2 ** (qp / 6)
    amplitude = 40.0
    coefficient = amplitude * np.sqrt(8) * np.sqrt(8 / 2)
    kept = np.floor(coefficient / step + 1 / 3) * step
    picture = np.round(128 + amplitude * wave)[None].repeat(64, axis=0)
    grey = np.repeat(picture[..., None], 3, axis=2).astype(np.uint8)
    seen = compress_video(grey, qp)[..., 0].astype(float) - 128
    inner = [n for n in range(64) if n % 8 in (2, 3, 4, 5)]
    found = (seen[32, inner] * wave[inner]).sum() / (wave[inner] ** 2).sum()
    assert found == pytest.approx(kept / (np.sqrt(8) * np.sqrt(4)), abs=0.8)


def test_video_halves_the_resolution_of_colour_and_keeps_that_of_light():
    columns = np.arange(64)
    light = np.where(columns % 2, 60, 180)
    grey = np.broadcast_to(light[None, :, None], (64, 64, 3)).astype(np.uint8)
    assert np.ptp(compress_video(grey, 10)[..., 1].astype(int), axis=1).min() > 100
    red = np.where(columns % 2, 200, 60)
    green = np.round(128 - (0.299 * red + 0.114 * 128 - 0.413 * 128) / 0.587)  # luma of 128
    striped = np.dstack([red, green, np.full(64, 128)]).astype(np.uint8).repeat(64, axis=0)
    seen = compress_video(striped, 10).astype(int)
    assert np.ptp(seen[32, 8:56, 0]) < 0.2 * 140


def test_video_of_any_size_keeps_it():
    picture = np.random.default_rng(0).integers(0, 256, (37, 51, 3), dtype=np.uint8)
    assert compress_video(picture, 30).shape == picture.shape


def test_stronger_video_compression_loses_more():
    rng = np.random.default_rng(1)
    picture = rng.integers(90, 160, (64, 64, 3), dtype=np.uint8)
    loss = [np.abs(compress_video(picture, qp).astype(int) - picture).mean() for qp in (20, 32, 44)]
    assert loss[0] < loss[1] < loss[2]


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
