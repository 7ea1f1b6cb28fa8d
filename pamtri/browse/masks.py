"""Masks in colours on clear ground, so that the browser has only to lay them over the image."""

from __future__ import annotations

from pathlib import Path

import PIL.Image

from pamtri.segments import NUM_SEGMENTS

Colour = tuple[int, int, int]

MASK_COLOUR: Colour = (178, 92, 255)
SEGMENT_COLOURS: tuple[Colour, ...] = (
    *((136, 204, 238), (68, 119, 170), (51, 34, 136)),  # left side, blue
    *((255, 204, 120), (238, 119, 51), (160, 70, 10)),  # right side, orange
    *((221, 204, 119), (153, 153, 51), (120, 50, 180)),  # rear, boot, rear glass
    *((238, 238, 238), (255, 120, 190), (68, 187, 153), (17, 119, 85)),  # roof to front
)
"""Neighbours differ in lightness as well as in hue, for those who see no red or green."""
_MASK_ALPHA, _SEGMENT_ALPHA = 110, 150


def paint_mask(source: Path, target: Path) -> bool:
    """Write a mask's pixels above 127 in ``MASK_COLOUR``; False when it cannot be read."""
    palette = [(0, 0, 0)] * 128 + [MASK_COLOUR] * 128
    return _paint(source, target, palette, [0] * 128 + [_MASK_ALPHA] * 128)


def paint_segments(source: Path, target: Path) -> bool:
    """Write a segment mask with each segment in its colour; False when it cannot be read."""
    clear = 255 - NUM_SEGMENTS
    palette = [(0, 0, 0), *SEGMENT_COLOURS, *[(0, 0, 0)] * clear]
    return _paint(source, target, palette, [0] + [_SEGMENT_ALPHA] * NUM_SEGMENTS + [0] * clear)


def _paint(source: Path, target: Path, palette: list[Colour], alpha: list[int]) -> bool:
    try:
        with PIL.Image.open(source) as image:
            values = image.convert("L")
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        return False
    values.putpalette([channel for colour in palette for channel in colour])
    values.save(target, transparency=bytes(alpha), compress_level=1)
    return True
