"""Letters as flat figures, from the outlines of the fonts that come with Matplotlib.

Where a font lacks a character (Chinese ones), a few are drawn by hand as strokes.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath, text_to_path

from render_assets.outlines import Flat, joined, polygon, rectangle

Font = Literal["mono", "bold", "sans", "italic", "serif", "times"]

_FILES: dict[Font, str] = {
    "mono": "DejaVuSansMono-Bold.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "sans": "DejaVuSans.ttf",
    "italic": "DejaVuSans-BoldOblique.ttf",
    "serif": "DejaVuSerif-Bold.ttf",
    "times": "STIXGeneralBol.ttf",
}
_SIZE = 100.0
"""Points at which outlines are read; they are scaled to a cap height of one."""

_STROKES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "京": ((0, 0.78, 1, 0.88), (0.44, 0.88, 0.56, 1), (0.18, 0.42, 0.3, 0.68),
           (0.7, 0.42, 0.82, 0.68), (0.18, 0.6, 0.82, 0.68), (0.18, 0.38, 0.82, 0.46),
           (0.44, 0, 0.56, 0.38), (0.1, 0.02, 0.24, 0.24), (0.76, 0.02, 0.9, 0.24)),
    "川": ((0.08, 0, 0.2, 0.96), (0.44, 0.08, 0.56, 0.9), (0.8, 0, 0.92, 1)),
    "晋": ((0, 0.88, 1, 0.97), (0.3, 0.56, 0.4, 0.9), (0.6, 0.56, 0.7, 0.9), (0, 0.52, 1, 0.6),
           (0.18, 0, 0.3, 0.42), (0.7, 0, 0.82, 0.42), (0.18, 0.34, 0.82, 0.42),
           (0.18, 0.18, 0.82, 0.25), (0.18, 0, 0.82, 0.08)),
    "吉": ((0.06, 0.8, 0.94, 0.89), (0.44, 0.56, 0.56, 1), (0.16, 0.52, 0.84, 0.61),
           (0.16, 0, 0.28, 0.4), (0.72, 0, 0.84, 0.4), (0.16, 0.32, 0.84, 0.4),
           (0.16, 0, 0.84, 0.09)),
    "甘": ((0, 0.72, 1, 0.81), (0.2, 0, 0.32, 1), (0.68, 0, 0.8, 1), (0.2, 0.36, 0.8, 0.45),
           (0.2, 0, 0.8, 0.09)),
    "品": ((0.26, 0.56, 0.36, 1), (0.64, 0.56, 0.74, 1), (0.26, 0.91, 0.74, 1),
           (0.26, 0.56, 0.74, 0.65), (0, 0, 0.1, 0.44), (0.34, 0, 0.44, 0.44),
           (0, 0.35, 0.44, 0.44), (0, 0, 0.44, 0.09), (0.56, 0, 0.66, 0.44), (0.9, 0, 1, 0.44),
           (0.56, 0.35, 1, 0.44), (0.56, 0, 1, 0.09)),
}  # fmt: skip
"""Strokes (left, bottom, right, top) in a square of one cap height."""


@lru_cache(maxsize=256)
def text_figure(
    text: str, font: Font, height: float, width: float | None = None, pieces: int = 3
) -> Flat:
    """A line of text about the origin, capitals ``height`` metres tall.

    Where ``width`` is given, the line is squeezed so as not to be wider. Curves become straight
    ``pieces``: one will do for what is tiny. The text must hold something beside spaces. The figure
    is shared: do not write to it.
    """
    pen, glyphs = 0.0, []
    for character in text:
        figure, advance = _glyph(character, font, pieces)
        if figure is not None:
            glyphs.append(figure.moved(pen, 0))
        pen += advance
    line = joined(glyphs)
    low, high = line.points[:, 0].min(), line.points[:, 0].max()
    squeeze = 1.0 if width is None else min(1.0, width / (height * (high - low)))
    return line.moved(-(low + high) / 2, -0.5).scaled(height * squeeze, height)


@lru_cache(maxsize=512)
def _glyph(character: str, font: Font, pieces: int) -> tuple[Flat | None, float]:
    """A character on its base line at a cap height of one, and how far the pen moves on."""
    if character in _STROKES:
        strokes = [
            rectangle(right - left, top - low).moved((left + right) / 2, (low + top) / 2)
            for left, low, right, top in _STROKES[character]
        ]
        return joined(strokes).moved(0.08, 0), 1.16
    properties = FontProperties(fname=_file(font), size=_SIZE)
    scale = 1 / TextPath((0, 0), "H", prop=properties).get_extents().height
    advance = text_to_path.get_text_width_height_descent(character, properties, False)[0]
    if character.isspace():
        return None, float(advance) * scale
    rings = _rings(TextPath((0, 0), character, prop=properties), pieces)
    return polygon(rings).scaled(scale), float(advance) * scale


def _file(font: Font) -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / _FILES[font]


def _rings(path: TextPath, pieces: int) -> list[np.ndarray]:
    """The outlines of a glyph with every curve as straight ``pieces``."""
    rings: list[list[np.ndarray]] = []
    t = np.linspace(0, 1, pieces + 1)[1:, None]
    for points, code in path.iter_segments(simplify=False):
        if code == TextPath.MOVETO:
            rings.append([points])
        elif code == TextPath.LINETO:
            rings[-1].append(points)
        elif code == TextPath.CURVE3:
            start, control, end = rings[-1][-1], points[:2], points[2:]
            rings[-1] += [*((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)]
    made = [np.array(ring) for ring in rings if len(ring) > 2]
    return [ring[np.abs(ring - np.roll(ring, 1, axis=0)).max(axis=1) > 1e-6] for ring in made]
