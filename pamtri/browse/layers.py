"""Label images in colours on clear ground, so that the browser has only to lay them over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

Colour = tuple[int, int, int]

MASK_COLOUR: Colour = (178, 92, 255)
SEGMENT_COLOURS: tuple[Colour, ...] = (
    *((136, 204, 238), (68, 119, 170), (51, 34, 136)),  # left side, blue
    *((255, 204, 120), (238, 119, 51), (160, 70, 10)),  # right side, orange
    *((221, 204, 119), (153, 153, 51), (120, 50, 180)),  # rear, boot, rear glass
    *((238, 238, 238), (255, 120, 190), (68, 187, 153), (17, 119, 85)),  # roof to front
)
"""Neighbours differ in lightness as well as in hue, for those who see no red or green."""
_MASK_ALPHA, _INDEX_ALPHA = 110, 150


@dataclass(frozen=True)
class Layer:
    """A label image that can be laid over: the record's field that names it, and its button."""

    field: str
    word: str
    key: str
    """That turns it on and off."""
    colour: Callable[[PIL.Image.Image], PIL.Image.Image]

    def paint(self, source: Path, target: Path) -> bool:
        """Write ``source`` in colours as the PNG ``target``; False when it cannot be read."""
        try:
            with PIL.Image.open(source) as image:
                painted = self.colour(image)
        except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
            return False
        painted.save(target, compress_level=1)
        return True


def _with_palette(
    image: PIL.Image.Image, colours: Sequence[Colour], alpha: Sequence[int]
) -> PIL.Image.Image:
    """The 8-bit values of ``image`` as indices; values beyond the colours are clear."""
    values = image.convert("L")
    values.putpalette([channel for colour in colours for channel in colour])
    values.info["transparency"] = bytes(alpha).ljust(256, b"\0")
    return values


def _colour_mask(image: PIL.Image.Image) -> PIL.Image.Image:
    """Values above 127 in ``MASK_COLOUR``."""
    return _with_palette(image, [MASK_COLOUR] * 256, [0] * 128 + [_MASK_ALPHA] * 128)


def _colour_segments(image: PIL.Image.Image) -> PIL.Image.Image:
    """Value 1 + segment in the segment's colour."""
    return _with_palette(
        image, [(0, 0, 0), *SEGMENT_COLOURS], [0] + [_INDEX_ALPHA] * len(SEGMENT_COLOURS)
    )


LAYERS: tuple[Layer, ...] = (
    Layer("segment_mask", "Segments", "s", _colour_segments),
    Layer("mask", "Mask", "m", _colour_mask),
)
"""In the order in which they are laid over one another, the last on top."""
