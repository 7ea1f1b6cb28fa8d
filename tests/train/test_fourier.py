"""Rendered images in the style of real ones."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from train.augment import MEAN, STD, denormalise, normalise, warp
from train.fourier import in_real_style, with_amplitude_of
from train.images import Crop
from train.mixing_config import FourierConfig

RNG = np.random.default_rng


def slow_transform(channel: np.ndarray, sign: int) -> np.ndarray:
    """The discrete Fourier transform by its definition, every sum written out."""
    h, w = channel.shape
    out = np.zeros((h, w), complex)
    for v in range(h):
        for u in range(w):
            for y in range(h):
                for x in range(w):
                    turn = sign * 2j * math.pi * (v * y / h + u * x / w)
                    out[v, u] += channel[y, x] * cmath.exp(turn)
    return out


@pytest.mark.parametrize(("size", "reach", "waves"), [(8, 0.13, 1), (7, 0.3, 2), (6, 0.01, 0)])
def test_amplitudes_against_the_definition(size: int, reach: float, waves: int) -> None:
    pixels = [RNG(i).uniform(0.4, 0.6, (3, size, size)) for i in (0, 1)]
    image, style = (((p - MEAN[:, None, None]) / STD[:, None, None]) for p in pixels)
    got = with_amplitude_of(image, style, reach) * STD[:, None, None] + MEAN[:, None, None]
    for channel in range(3):
        ours, theirs = (slow_transform(p[channel], -1) for p in pixels)
        for v in range(size):
            for u in range(size):
                if max(min(v, size - v), min(u, size - u)) <= waves:
                    ours[v, u] *= abs(theirs[v, u]) / abs(ours[v, u])
        expected = slow_transform(ours, 1).real / size**2
        assert got[channel] == pytest.approx(expected, abs=1e-5)


def test_the_whole_amplitude_of_itself_is_itself() -> None:
    picture = RNG(2).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    image = normalise(picture)
    assert with_amplitude_of(image, image, 0.5) == pytest.approx(image, abs=1e-5)


def test_pixels_stay_in_their_range() -> None:
    dark = np.zeros((16, 16, 3), np.uint8)
    dark[8:] = 60
    light = 255 - dark
    got = with_amplitude_of(normalise(dark), normalise(light), 0.1)
    values = got * STD[:, None, None] + MEAN[:, None, None]
    assert values.min() >= -1e-6 and values.max() <= 1 + 1e-6
    assert denormalise(got).mean() > 150, "it has become light"


def items(domains: str) -> list[dict]:
    names = {"r": "real", "s": "synthetic"}
    return [
        {"image": RNG(i).normal(0, 0.1, (3, 8, 8)).astype(np.float32), "domain": names[d], "no": i}
        for i, d in enumerate(domains)
    ]


def test_only_rendered_images_change_and_by_a_real_one_of_the_batch() -> None:
    before = items("rsrss")
    config = FourierConfig(probability=1.0, reach=0.2)
    after = in_real_style(before, [RNG(i) for i in range(5)], config)
    assert [item["no"] for item in after] == [0, 1, 2, 3, 4]
    for old, new in zip(before, after, strict=True):
        if old["domain"] == "real":
            assert np.array_equal(old["image"], new["image"])
            continue
        of_real = [with_amplitude_of(old["image"], before[i]["image"], 0.2) for i in (0, 2)]
        assert any(np.array_equal(new["image"], styled) for styled in of_real)
        assert not np.array_equal(new["image"], old["image"])


def test_what_lies_outside_the_image_keeps_its_colour() -> None:
    picture = RNG(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    far_off = np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 0.0]])  # moved to the right by five pixels
    moved = normalise(warp(Crop(picture, np.eye(2, 3), (16, 16)), far_off, 16))
    batch = [{"image": image, "domain": d} for image, d in (
        (normalise(255 - picture), "real"), (moved, "synthetic"))]  # fmt: skip
    styled = in_real_style(batch, [RNG(0), RNG(1)], FourierConfig(probability=1.0))[1]["image"]
    assert np.array_equal(styled[:, :, :4], moved[:, :, :4])
    assert (styled[:, :, 6:] != moved[:, :, 6:]).mean() > 0.9


def test_how_often_and_never_without_a_real_image() -> None:
    config = FourierConfig(probability=0.3)
    batch = items("r" + "s" * 400)
    styled = in_real_style(batch, [RNG([7, i]) for i in range(401)], config)
    changed = [
        not np.array_equal(a["image"], b["image"]) for a, b in zip(batch, styled, strict=True)
    ]
    assert 0.22 < np.mean(changed[1:]) < 0.38
    alone = items("sss")
    kept = in_real_style(alone, [RNG(i) for i in range(3)], FourierConfig(probability=1.0))
    assert all(a is b for a, b in zip(alone, kept, strict=True))
