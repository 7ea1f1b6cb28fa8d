"""How images come into view: the vehicle's box, scaled to the network's square input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.images import read_image
from train.appearance import change_colours
from train.augment import (
    box_to_input,
    compose,
    draw_affine,
    draw_part,
    normalise,
    warp,
    within,
)
from train.batches import Item
from train.config import AugmentConfig
from train.images import Affine, Box, Crop, CropCache, Image, shrink
from train.sources import Sample


@dataclass(frozen=True)
class View:
    """Where a network looks: at a record's box, else at its mask's, else at the whole image."""

    size: int
    """Side of the input, pixels."""
    square: bool
    """Pad the box to a square, or stretch it to one."""
    scale: float
    """Enlargement of the box."""
    margin: float
    """Surroundings, as a factor of the view, that are kept for augmentation to bring in."""
    cache: CropCache

    def plain(self, sample: Sample) -> tuple[Item, Affine]:
        """``image`` (3, s, s) and ``name``, and the map from the image to the input."""
        picture, to_input, _ = self.picture(sample)
        return _item(sample, picture), to_input

    def picture(self, sample: Sample) -> tuple[Image, Affine, tuple[int, int]]:
        """The input before it is normalised, (s, s, 3) RGB, the map to it from the sample's image,
        and that image's (width, height)."""
        crop, box = self._crop(sample)
        to_input = box_to_input(box, self.size)
        return warp(crop, to_input, self.size), to_input, crop.size

    def augmented(
        self, sample: Sample, config: AugmentConfig, rng: np.random.Generator
    ) -> tuple[Item, Affine, bool]:
        """The same after random changes, and whether the image was mirrored."""
        crop, box = self._crop(sample)
        part = draw_part(rng, config, box, _vehicle(sample, crop.size), _seen(sample))
        change, mirrored = draw_affine(rng, config, self.size)
        to_input = compose(change, box_to_input(part, self.size))
        image = warp(crop, to_input, self.size)
        changed = change_colours(rng, config, image)
        # What lies outside the image keeps its colour, as when the network is used.
        cv2.copyTo(changed, within(crop, to_input, self.size), image)
        return _item(sample, image), to_input, mirrored

    def _crop(self, sample: Sample) -> tuple[Crop, Box]:
        """The reduced surroundings of a sample's vehicle, and the box that the input shows."""
        crop = self.cache.get(sample.path)
        if crop is None:
            image = read_image(sample.path)
            box = self._box(sample, (image.shape[1], image.shape[0]))
            crop = shrink(image, box.enlarged(self.margin), round(self.size * self.margin))
            self.cache.put(sample.path, crop)
        return crop, self._box(sample, crop.size)

    def _box(self, sample: Sample, size: tuple[int, int]) -> Box:
        """The part of an image of ``size`` (width, height) that the input shows."""
        box = _vehicle(sample, size)
        return box.square(self.scale) if self.square else box.enlarged(self.scale)


def _vehicle(sample: Sample, size: tuple[int, int]) -> Box:
    """The vehicle's box in an image of ``size`` (width, height)."""
    return Box(*(known_box(sample) or (0.0, 0.0, *map(float, size))))


def known_box(sample: Sample) -> tuple[float, float, float, float] | None:
    """The vehicle's box in the image: its record's, else its mask's, if it has one."""
    mask = sample.mask_path
    return sample.record.box or (_mask_box(mask) if mask else None)


@cache
def _mask_box(path: Path) -> tuple[float, float, float, float] | None:
    """The tight box of what a mask marks, if anything. Raises DataError when it is unreadable."""
    left, top, width, height = cv2.boundingRect((read_image(path)[..., 0] > 127).astype(np.uint8))
    return (left, top, left + width, top + height) if width else None


def _seen(sample: Sample) -> NDArray[np.float64]:
    """(n, 2) the keypoints that can be seen, in image pixels."""
    keypoints = sample.record.keypoints
    if keypoints is None:
        return np.empty((0, 2))
    return keypoints.xy_array()[keypoints.visible_array()]


def _item(sample: Sample, image: np.ndarray) -> Item:
    return {"image": normalise(image), "name": sample.name}
