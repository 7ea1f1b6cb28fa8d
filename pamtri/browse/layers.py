"""Label images in colours on clear ground, so that the browser has only to lay them over."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from pamtri import parts, segments

Colour = tuple[int, int, int]

MASK_COLOUR: Colour = (178, 92, 255)
WHOLE_COLOUR: Colour = (0, 205, 150)
SEGMENT_COLOURS: tuple[Colour, ...] = (
    *((136, 204, 238), (68, 119, 170), (51, 34, 136)),  # left side, blue
    *((255, 204, 120), (238, 119, 51), (160, 70, 10)),  # right side, orange
    *((221, 204, 119), (153, 153, 51), (120, 50, 180)),  # rear, boot, rear glass
    *((238, 238, 238), (255, 120, 190), (68, 187, 153), (17, 119, 85)),  # roof to front
)
"""Neighbours differ in lightness as well as in hue, for those who see no red or green."""
_MASK_ALPHA, _CLASS_ALPHA, _PICTURE_ALPHA = 110, 150, 235


def _many_colours(count: int) -> tuple[Colour, ...]:
    """Colours of which those in a row differ much: steps of the golden angle, dark and light."""
    golden = (5**0.5 - 1) / 2
    shades = [colorsys.hsv_to_rgb(i * golden % 1, 0.75, (1, 0.6)[i // 2 % 2]) for i in range(count)]
    return tuple((round(255 * r), round(255 * g), round(255 * b)) for r, g, b in shades)


PART_COLOURS = _many_colours(len(parts.NAMES))


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


def _colour_depth(image: PIL.Image.Image) -> PIL.Image.Image:
    """The vehicle's own depths, near yellow, far blue."""
    depth = np.asarray(image).astype(float)
    there = depth > 0
    near, far = (depth[there].min(), depth[there].max()) if there.any() else (0, 1)
    share = np.clip((far - depth) / max(far - near, 1), 0, 1)
    shaded = cv2.applyColorMap(np.round(255 * share).astype(np.uint8), cv2.COLORMAP_CIVIDIS)
    return _opaque_where(there, shaded[:, :, ::-1])


def _colour_normals(image: PIL.Image.Image) -> PIL.Image.Image:
    """x, y and z as red, green and blue, the upper eight of their sixteen bits."""
    values = np.asarray(image.convert("RGB"))
    return _opaque_where(values.any(axis=2), values)


def _opaque_where(there: NDArray[np.bool_], colours: NDArray[np.uint8]) -> PIL.Image.Image:
    alpha = np.where(there, _PICTURE_ALPHA, 0).astype(np.uint8)
    return PIL.Image.fromarray(np.dstack([colours, alpha]))


LAYERS: tuple[Layer, ...] = (
    Layer("depth", "Depth", "d", _colour_depth),
    Layer("normals", "Normals", "n", _colour_normals),
    _classes("part_mask", "Parts", "p", parts.NAMES, PART_COLOURS),
    _classes("segment_mask", "Segments", "s", segments.NAMES, SEGMENT_COLOURS),
    _mask("mask_amodal", "Whole", "w", WHOLE_COLOUR),
    _mask("mask", "Mask", "m", MASK_COLOUR),
)
"""In the order in which they are laid over one another, the last on top."""
