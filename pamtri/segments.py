"""The 13 vehicle segments of PAMTRI: quadrilaterals whose corners are keypoints.

A data set stores them twice: as masks of the surface that is visible, and as the keypoints, of
which PAMTRI's polygons are made here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Segment:
    """A named quadrilateral; ``corners`` are keypoint indices in order around its outline."""

    name: str
    corners: tuple[int, int, int, int]


SEGMENTS: tuple[Segment, ...] = (
    Segment("left_front_fender", (5, 15, 16, 17)),
    Segment("left_doors", (5, 6, 12, 15)),
    Segment("left_rear_quarter", (6, 10, 11, 12)),
    Segment("right_front_fender", (23, 33, 34, 35)),
    Segment("right_doors", (23, 24, 30, 33)),
    Segment("right_rear_quarter", (24, 28, 29, 30)),
    Segment("rear", (10, 11, 29, 28)),
    Segment("boot", (11, 12, 30, 29)),
    Segment("rear_glass", (12, 13, 31, 30)),
    Segment("roof", (13, 14, 32, 31)),
    Segment("windscreen", (14, 15, 33, 32)),
    Segment("bonnet", (15, 16, 34, 33)),
    Segment("front", (16, 17, 35, 34)),
)
"""All 13 segments in PAMTRI's order; a segment's index is its position here."""

NUM_SEGMENTS = len(SEGMENTS)
NAMES: tuple[str, ...] = tuple(s.name for s in SEGMENTS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}


def _partner(name: str) -> str:
    """The segment that takes this one's place in the mirrored image."""
    side, _, rest = name.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)


FLIP: tuple[int, ...] = tuple(INDEX[_partner(name)] for name in NAMES)
"""``masks[list(FLIP)]`` are the segments of the left-right mirrored image."""


def polygons(points: ArrayLike, sure: ArrayLike) -> list[NDArray[np.float64] | None]:
    """The 13 quadrilaterals (4, 2) of keypoints (36, 2), corners in order around the outline.

    As in PAMTRI there is none where a corner is not ``sure`` (36,) bool (visible, or predicted with
    a confidence of 0.5 or more) or where the quadrilateral is not convex.
    """
    points, sure = np.asarray(points, dtype=float), np.asarray(sure)
    quads = [(points[list(s.corners)], sure[list(s.corners)].all()) for s in SEGMENTS]
    return [quad if known and _is_convex(quad) else None for quad, known in quads]


def fill_polygons(points: ArrayLike, sure: ArrayLike, width: int, height: int) -> NDArray[np.bool_]:
    """(13, height, width): the pixels whose centres lie in each of ``polygons``."""
    filled = np.zeros((NUM_SEGMENTS, height, width), dtype=bool)
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    for mask, quad in zip(filled, polygons(points, sure), strict=True):
        if quad is not None:
            turn = np.sign(_turns(quad)[0])
            ends = zip(quad, np.roll(quad, -1, axis=0), strict=True)
            sides = [((b - a)[0] * (y - a[1]) - (b - a)[1] * (x - a[0])) * turn for a, b in ends]
            mask[:] = np.min(sides, axis=0) >= 0
    return filled


def _turns(quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4,) twice the signed area of the triangle at each corner."""
    ahead, behind = np.roll(quad, -1, axis=0) - quad, quad - np.roll(quad, 1, axis=0)
    return behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]


def _is_convex(quad: NDArray[np.float64]) -> bool:
    turns = _turns(quad)
    return bool((turns > 0).all() or (turns < 0).all())
