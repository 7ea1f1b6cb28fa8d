from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from pamtri.keypoints import INDEX
from train.appearance import change_colours, mix_colours
from train.augment import (
    box_to_input,
    compose,
    draw_affine,
    draw_part,
    inverse,
    move,
    move_keypoints,
    normalise,
    warp,
)
from train.config import AugmentConfig
from train.images import Box, Crop, shrink

ALL = AugmentConfig(
    scale=0.2, shift=0.05, rotation_deg=30, rotation_probability=0.7, flip=0.5, brightness=0.3,
    contrast=0.3, saturation=0.3, hue=0.1, blur=0.5, noise=0.5, jpeg=0.5, occlusion=0.5,
    gamma=0.3, grey=0.3, low_resolution=0.5, half=0.5,
)  # fmt: skip


def test_a_part_is_the_half_of_the_points_on_one_side() -> None:
    points = np.array([[x, y] for x in (10.0, 20, 30, 40, 50, 60) for y in (40.0, 44)])
    view = Box(0, 0, 80, 80)
    halves = set()
    for seed in range(40):
        part = draw_part(np.random.default_rng(seed), AugmentConfig(half=1), view, view, points)
        assert part.width == pytest.approx(part.height)
        assert part.width >= 80 / 3 - 1e-9
        inside = (points >= [part.left, part.top]) & (points <= [part.right, part.bottom])
        halves.add(tuple(np.unique(points[inside.all(axis=1), 0])))
    assert {(10.0, 20.0, 30.0), (40.0, 50.0, 60.0)} <= halves
    rng = np.random.default_rng(0)
    assert draw_part(rng, AugmentConfig(), view, view, points) == view
    assert rng.random() == np.random.default_rng(0).random()  # nothing was drawn


def test_strong_reduction_averages() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 60, 3), dtype=np.uint8)
    crop = Crop(image, np.eye(3)[:2], (60, 120))
    small = warp(crop, box_to_input(Box(0, 0, 60, 120), 30), 30)
    blocks = image.reshape(30, 4, 30, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - blocks).max() <= 1


def test_the_mirror_image_swaps_left_and_right() -> None:
    rows = np.zeros((36, 3))
    rows[INDEX["left_headlight"]] = [10, 5, 0.9]
    mirrored = move_keypoints(rows, np.array([[-1.0, 0, 64], [0, 1.0, 0]]), True)
    assert mirrored[INDEX["right_headlight"]].tolist() == [54, 5, 0.9]
    assert mirrored[INDEX["left_headlight"]].tolist() == [64, 0, 0]


def test_inverse_and_compose_undo_each_other() -> None:
    affine, _ = draw_affine(np.random.default_rng(3), ALL, 96)
    points = np.random.default_rng(0).uniform(-50, 150, (20, 2))
    assert move(points, compose(inverse(affine), affine)) == pytest.approx(points, abs=1e-9)
    assert move(move(points, affine), inverse(affine)) == pytest.approx(points, abs=1e-9)


def test_without_augmentation_nothing_moves() -> None:
    affine, mirrored = draw_affine(np.random.default_rng(0), AugmentConfig(flip=0), 64)
    assert affine == pytest.approx(np.eye(3)[:2], abs=1e-12)
    assert not mirrored


def test_an_unchanged_view_has_the_image_s_own_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = Box(0, 0, 40, 40)
    crop = shrink(image, whole, 40)
    assert (warp(crop, box_to_input(whole, 40), 40) == image).all()


def test_outside_the_image_the_network_sees_zero() -> None:
    crop = shrink(np.full((20, 20, 3), 255, np.uint8), Box(0, 0, 20, 20), 20)
    seen = normalise(warp(crop, box_to_input(Box(-20, -20, 40, 40), 60), 60))
    assert np.abs(seen[:, :10, :10]).max() < 0.01
    assert seen[:, 30, 30] == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-3)


def test_colours_change_by_the_given_generator_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = [change_colours(np.random.default_rng(s), ALL, image) for s in range(8)]
    torch.rand(3)
    torch.set_rng_state(torch_state)
    again = [change_colours(np.random.default_rng(s), ALL, image) for s in range(8)]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert len({a.tobytes() for a in first}) == 8
    assert {a.shape for a in first} == {image.shape}
    assert (torch.get_rng_state() == torch_state).all()
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


def test_colours_are_mixed_as_torchvision_does_it_step_by_step() -> None:
    image = np.random.default_rng(0).integers(90, 150, (9, 7, 3), dtype=np.uint8)
    for factors in ((1.2, 1, 1), (1, 0.6, 1), (1, 1, 1.4), (1, 1, 0), (0.8, 1.3, 0.5)):
        pixels = torch.from_numpy(image).permute(2, 0, 1) / 255
        pixels = F.adjust_brightness(pixels, factors[0])
        pixels = F.adjust_contrast(pixels, factors[1])
        expected = 255 * F.adjust_saturation(pixels, factors[2]).permute(1, 2, 0).numpy()
        # Half a level of rounding; and OpenCV rounds the matrix that bytes are multiplied by to
        # 1/1024, which over three channels of up to 150 makes 0.22 more.
        assert mix_colours(image, *factors) == pytest.approx(expected, abs=0.72)
    assert mix_colours(image, 1.2, 1, 1).max() > 150


def test_blur_is_a_gaussian() -> None:
    image = np.zeros((15, 15, 3), np.uint8)
    image[7, 7] = 255
    rng = np.random.default_rng(4)
    blurred = change_colours(rng, AugmentConfig(blur=1), image)
    replay = np.random.default_rng(4)
    replay.random(2)
    sigma = replay.uniform(0.3, 1.5)
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * sigma**2))
    line /= line.sum()
    assert blurred[4:11, 4:11, 0] == pytest.approx(255 * np.outer(line, line), abs=1)


def test_no_change_of_colours_by_default() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (change_colours(np.random.default_rng(0), AugmentConfig(), image) == image).all()
