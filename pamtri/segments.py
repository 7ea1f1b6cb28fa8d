"""The 13 vehicle segments of PAMTRI: quadrilaterals whose corners are keypoints."""

from __future__ import annotations

from dataclasses import dataclass


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
