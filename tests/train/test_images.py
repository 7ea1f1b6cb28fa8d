from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from pamtri.errors import DataError
from pamtri.images import read_image
from train.augment import move
from train.images import Box, CropCache, shrink


def test_boxes() -> None:
    box = Box(10, 20, 50, 40)
    assert box.square(1.25) == Box(5, 5, 55, 55)
    assert box.enlarged(1.5) == Box(0, 15, 60, 45)


def test_shrink_averages_areas_and_says_where_pixels_went() -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[8:12, 40:44] = 160
    crop = shrink(image, Box(40, 0, 80, 40), 10)
    assert crop.image.shape == (10, 10, 3)
    assert crop.image[2, 0].tolist() == [160] * 3
    assert crop.size == (80, 40)
    assert move([[42.0, 10.0]], crop.to_crop) == pytest.approx(np.array([[0.5, 2.5]]))


def test_shrink_keeps_small_images_and_cuts_at_the_border() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    crop = shrink(image, Box(-5, 4, 12, 100), 64)
    assert (crop.image == image[4:, :12]).all()
    assert move([[3.0, 9.0]], crop.to_crop).tolist() == [[3.0, 5.0]]


def test_a_box_outside_the_image_still_gives_a_picture() -> None:
    assert shrink(np.zeros((20, 30, 3), np.uint8), Box(200, 300, 260, 350), 16).image.size


def test_rgb_order(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (4, 3), (200, 100, 50)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [200, 100, 50]


def test_truncated_and_missing_images_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DataError, match=rf"^{path}: is no image that can be decoded whole"):
        read_image(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=rf"^{path}: is no image that can be decoded whole"):
        read_image(path)
    with pytest.raises(DataError, match=rf"^{tmp_path / 'b.jpg'}: no such image$"):
        read_image(tmp_path / "b.jpg")


def test_the_cache_holds_no_more_than_its_budget() -> None:
    crop = shrink(np.zeros((10, 10, 3), np.uint8), Box(0, 0, 10, 10), 10)
    cache = CropCache(2 * crop.image.nbytes + 1)
    for key in "abc":
        cache.put(key, crop)
    assert [cache.get(key) is crop for key in "abc"] == [True, True, False]
