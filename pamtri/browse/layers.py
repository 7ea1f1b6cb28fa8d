"""Label images in colours on clear ground, so that the browser has only to lay them over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from pamtri import segments

Colour = tuple[int, int, int]

MASK_COLOUR: Colour = (178, 92, 255)
SEGMENT_COLOURS: tuple[Colour, ...] = (
    *((136, 204, 238), (68, 119, 170), (51, 34, 136)),  # left side, blue
    *((255, 204, 120), (238, 119, 51), (160, 70, 10)),  # right side, orange
    *((221, 204, 119), (153, 153, 51), (120, 50, 180)),  # rear, boot, rear glass
    *((238, 238, 238), (255, 120, 190), (68, 187, 153), (17, 119, 85)),  # roof to front
)
"""Neighbours differ in lightness as well as in hue, for those who see no red or green."""
_MASK_ALPHA, _CLASS_ALPHA = 110, 150


@dataclass(frozen=True)
class Layer:
    """A label image that can be laid over: the record's field that names it, and its button."""

    field: str
    word: str
    key: str
    """That turns it on and off."""
    colour: Callable[[PIL.Image.Image], PIL.Image.Image]
    names: tuple[str, ...] = ()
    """Of its values from 1 on, where they tell things apart, each in one of ``colours``."""
    colours: tuple[Colour, ...] = ()

    def paint(self, source: Path, target: Path) -> list[int] | None:
        """Write ``source`` in colours as the PNG ``target``.

        Returns the positions in ``names`` of what is in it, or None when it cannot be read.
        """
        try:
            with PIL.Image.open(source) as image:
                painted = self.colour(image)
        except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
            return None
        painted.save(target, compress_level=1)
        if not self.names:
            return []
        return [
            int(value) - 1
            for value in np.unique(np.asarray(painted))
            if 0 < value <= len(self.names)
        ]


def _with_palette(
    image: PIL.Image.Image, colours: Sequence[Colour], alpha: Sequence[int]
) -> PIL.Image.Image:
    """The 8-bit values of ``image`` as indices; values beyond the colours are clear."""
    values = image.convert("L")
    values.putpalette([channel for colour in colours for channel in colour])
    values.info["transparency"] = bytes(alpha).ljust(256, b"\0")
    return values


def _mask(field: str, word: str, key: str, colour: Colour) -> Layer:
    """A layer of values above 127."""
    alpha = [0] * 128 + [_MASK_ALPHA] * 128
    return Layer(field, word, key, lambda image: _with_palette(image, [colour] * 256, alpha))


def _classes(
    field: str, word: str, key: str, names: tuple[str, ...], colours: tuple[Colour, ...]
) -> Layer:
    """A layer of values that are 1 + a position in ``names``."""
    palette, alpha = [(0, 0, 0), *colours], [0] + [_CLASS_ALPHA] * len(colours)
    return Layer(
        field, word, key, lambda image: _with_palette(image, palette, alpha), names, colours
    )


LAYERS: tuple[Layer, ...] = (
    _classes("segment_mask", "Segments", "s", segments.NAMES, SEGMENT_COLOURS),
    _mask("mask", "Mask", "m", MASK_COLOUR),
)
"""In the order in which they are laid over one another, the last on top."""
