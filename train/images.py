"""Reading images: the part of each that is looked at, reduced once and kept in memory."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Affine = NDArray[np.float64]
"""(2, 3): maps continuous pixel coordinates, ``x' = A @ (x, y, 1)``."""


@dataclass(frozen=True)
class Box:
    """A box in an image, continuous pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    def square(self, scale: float) -> Box:
        """The smallest square about the box's centre that holds it, enlarged by ``scale``."""
        half = max(self.width, self.height) * scale / 2
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return Box(x - half, y - half, x + half, y + half)

    def enlarged(self, scale: float) -> Box:
        """The box with both sides multiplied by ``scale``."""
        dx, dy = self.width * (scale - 1) / 2, self.height * (scale - 1) / 2
        return Box(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy)


@dataclass(frozen=True)
class Crop:
    """A part of an image: ``image`` (h, w, 3) RGB, and ``to_crop`` from the whole image to it."""

    image: Image
    to_crop: Affine
    size: tuple[int, int]
    """(width, height) of the whole image."""


def shrink(image: Image, part: Box, size: int) -> Crop:
    """Cut ``part`` out (as far as the image reaches) and reduce its shorter side to ``size``.

    The reduction averages whole areas, so that fine detail does not turn into noise. An image is
    never enlarged.
    """
    height, width = image.shape[:2]
    left, top = (
        min(max(0, int(np.floor(low))), end - 1)
        for low, end in ((part.left, width), (part.top, height))
    )
    right, bottom = max(left + 1, int(np.ceil(part.right))), max(top + 1, int(np.ceil(part.bottom)))
    cut = image[top:bottom, left:right]
    factor = size / min(part.width, part.height)
    if factor < 1:
        reduced = (max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor)))
        small = cv2.resize(cut, reduced, interpolation=cv2.INTER_AREA)
    else:
        small = cut.copy()
    sx, sy = small.shape[1] / cut.shape[1], small.shape[0] / cut.shape[0]
    to_crop = np.array([[sx, 0.0, -left * sx], [0.0, sy, -top * sy]])
    return Crop(small.astype(np.uint8), to_crop, (width, height))


class CropCache:
    """Crops by key, kept until ``budget`` bytes are used; later ones are not kept."""

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._crops: dict[Hashable, Crop] = {}

    def get(self, key: Hashable) -> Crop | None:
        """The crop under ``key``, if it was kept."""
        return self._crops.get(key)

    def put(self, key: Hashable, crop: Crop) -> None:
        """Keep ``crop`` if there is room."""
        if crop.image.nbytes <= self._left and key not in self._crops:
            self._left -= crop.image.nbytes
            self._crops[key] = crop
