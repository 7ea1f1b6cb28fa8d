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
_CORNERS = np.array([s.corners for s in SEGMENTS])
_NEXT, _BEFORE = np.array([1, 2, 3, 0]), np.array([3, 0, 1, 2])
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
    quads, drawn, _ = _quads(points, sure)
    return [quad if there else None for quad, there in zip(quads, drawn, strict=True)]


def fill_polygons(points: ArrayLike, sure: ArrayLike, width: int, height: int) -> NDArray[np.bool_]:
    """(13, height, width): the pixels whose centres lie in each of ``polygons``."""
    quads, drawn, way = _quads(points, sure)
    filled = np.zeros((NUM_SEGMENTS, height, width), dtype=bool)
    corners, way = quads[drawn], way[drawn]
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    # A side has a pixel within where (b - a) x (pixel - a) goes the quadrilateral's way around.
    ahead = (corners[:, _NEXT] - corners) * way[:, None, None]
    # Rounded once they are made, in single precision: they are compared twice as quickly.
    down = (ahead[..., :1] * (y - corners[..., 1:])).astype(np.float32)
    across = (ahead[..., 1:] * (x - corners[..., :1])).astype(np.float32)
    within = down[:, 0, :, None] >= across[:, 0, None, :]
    for side in (1, 2, 3):
        within &= down[:, side, :, None] >= across[:, side, None, :]
    filled[drawn] = within
    return filled


def _quads(
    points: ArrayLike, sure: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Corners (13, 4, 2), whether each quadrilateral is one (13,), and which way it turns, 1 or -1.

    ``polygons`` says when it is.
    """
    quads = np.asarray(points, dtype=float)[_CORNERS]
    ahead = quads[:, _NEXT] - quads
    behind = ahead[:, _BEFORE]
    turns = behind[..., 0] * ahead[..., 1] - behind[..., 1] * ahead[..., 0]
    convex = (turns > 0).all(axis=1) | (turns < 0).all(axis=1)
    return quads, convex & np.asarray(sure)[_CORNERS].all(axis=1), np.sign(turns[:, 0])
