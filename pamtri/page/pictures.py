"""Pictures of a page: photographs as data URIs inside SVG, labels drawn over them as vectors.

Vectors stay sharp at any size, take no space and follow the page's light and dark colours.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from pamtri.images import read_image
from pamtri.keypoints import NAMES, SKELETON
from pamtri.record import Record

SIDE = 208
"""Longer side of an embedded picture, pixels."""
_QUALITY = 80
Part = tuple[float, float, float, float]
"""Left, top, right, bottom in an image's pixels."""


@dataclass(frozen=True)
class Picture:
    """An embedded picture; less ``origin``, times ``scale``, the file's pixels are its own."""

    uri: str
    width: int
    height: int
    scale: float
    origin: tuple[int, int] = (0, 0)


def picture(path: Path, side: int = SIDE, part: Part | None = None) -> Picture:
    """Embed an image file, or part of it, reduced to ``side``.

    Raises DataError when it cannot be read.
    """
    image = Image.fromarray(read_image(path))
    left, top, right, bottom = whole_pixels(part, image.size)
    image = image.crop((left, top, right, bottom))
    scale = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=_QUALITY)
    uri = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Picture(uri, *size, scale, (left, top))


def whole_pixels(part: Part | None, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The pixels of an image of ``size`` (width, height) that ``part`` touches; all for None."""
    width, height = size
    left, top, right, bottom = part or (0, 0, width, height)
    left, top = min(max(0, math.floor(left)), width - 1), min(max(0, math.floor(top)), height - 1)
    right, bottom = min(math.ceil(right), width), min(math.ceil(bottom), height)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def shot(path: Path, label: str, overlay: str = "", part: Part | None = None) -> Markup:
    """A picture, or part of it, as SVG with ``overlay`` (SVG in the file's pixels) over it."""
    embedded = picture(path, part=part)
    x, y = embedded.origin
    move = f" translate({-x} {-y})" if part else ""
    transform = f"scale({embedded.scale:.5f}){move}"
    inside = f'<g transform="{transform}">{overlay}</g>' if overlay else ""
    return Markup(
        f'<svg class="shot" viewBox="0 0 {embedded.width} {embedded.height}" role="img" '
        f'aria-label="{escape(label)}"><image href="{embedded.uri}" width="{embedded.width}" '
        f'height="{embedded.height}"/>{inside}</svg>'
    )


def labelled_shot(path: Path, record: Record) -> Markup:
    """A picture with the keypoints of its record, where it has them."""
    label = ", ".join(filter(None, (record.colour, record.type))) or "vehicle"
    if record.keypoints is None:
        return shot(path, label)
    xy, visible = record.keypoints.xy_array(), record.keypoints.visible_array()
    return shot(path, label, bones(xy, visible) + dots(xy, visible))


def predicted_shot(
    path: Path, predicted: NDArray[np.float64], record: Record, right: NDArray[np.bool_]
) -> Markup:
    """A picture with predicted points; those that are not ``right`` (36,) lead to the label."""
    assert record.keypoints is not None
    true, visible = record.keypoints.xy_array(), record.keypoints.visible_array()
    misses = "".join(
        f'<line class="miss" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
        for a, b, wrong in zip(predicted, true, visible & ~right, strict=True)
        if wrong and np.isfinite(a).all()
    )
    overlay = bones(predicted, visible) + misses + dots(predicted, visible, right)
    return shot(path, f"{int((visible & right).sum())} of {int(visible.sum())} right", overlay)


def bones(xy: NDArray[np.float64], shown: NDArray[np.bool_]) -> str:
    """The skeleton's lines between points that are both shown."""
    lines = [
        f"M{xy[a][0]:.1f} {xy[a][1]:.1f}L{xy[b][0]:.1f} {xy[b][1]:.1f}"
        for a, b in SKELETON
        if shown[a] and shown[b] and np.isfinite(xy[[a, b]]).all()
    ]
    return f'<path class="bone" d="{"".join(lines)}"/>' if lines else ""


def dots(
    xy: NDArray[np.float64], shown: NDArray[np.bool_], right: NDArray[np.bool_] | None = None
) -> str:
    """A dot for each shown point, filled by vehicle side; hollow where it is not ``right``."""
    marks = []
    for i in np.flatnonzero(shown & np.isfinite(xy).all(axis=1)):
        side = "left" if NAMES[i].startswith("left") else "right"
        kind = f"dot {side}" if right is None or right[i] else "dot wrong"
        x, y = xy[i]
        # A line of no length: its round cap is a dot whose size does not follow the picture's.
        marks.append(f'<path class="{kind}" d="M{x:.1f} {y:.1f}h0"/>')
    return "".join(marks)


def chosen(identities: Sequence[int | None], count: int, seed: int = 0) -> list[int]:
    """Rows of ``count`` images picked by chance, of as many identities as possible."""
    order = np.random.default_rng(seed).permutation(len(identities))
    seen: set[int | None] = set()
    fresh: list[int] = []
    again: list[int] = []
    for i in order.tolist():
        (again if identities[i] in seen else fresh).append(i)
        seen.add(identities[i])
    return sorted((fresh + again)[:count])
