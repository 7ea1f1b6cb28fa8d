"""The 36 vehicle keypoints of PAMTRI (ICCV 2019), declared once by name.

Order is PAMTRI's: 0-17 on the vehicle's left side, 18-35 their partners on the right. Everything
else that is known of keypoints (flip permutation, groups, skeleton) is derived from ``KEYPOINTS``.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

_LEFT_SIDE: tuple[tuple[str, str], ...] = (
    ("rear_wheel", "wheel"),
    ("front_wheel", "wheel"),
    ("front_arch_front_low", "fender"),
    ("front_arch_front_high", "fender"),
    ("front_arch_rear_high", "fender"),
    ("front_arch_rear_low", "fender"),
    ("rear_arch_front_low", "fender"),
    ("rear_arch_front_high", "fender"),
    ("rear_arch_rear_high", "fender"),
    ("rear_arch_rear_low", "fender"),
    ("rear_bumper", "back"),
    ("tail_light", "back"),
    ("rear_glass_base", "rear_windscreen"),
    ("roof_rear", "rear_windscreen"),
    ("roof_front", "front_windscreen"),
    ("windscreen_base", "front_windscreen"),
    ("headlight", "front"),
    ("front_bumper", "front"),
)


@dataclass(frozen=True)
class KeypointType:
    """One of the 36 points: its name, its group and the name of its mirror image."""

    name: str
    group: str
    partner: str


KEYPOINTS: tuple[KeypointType, ...] = tuple(
    KeypointType(f"{side}_{name}", group, f"{other}_{name}")
    for side, other in (("left", "right"), ("right", "left"))
    for name, group in _LEFT_SIDE
)
"""All 36 keypoints in PAMTRI's order; a point's index is its position here."""

NUM_KEYPOINTS = len(KEYPOINTS)
NAMES: tuple[str, ...] = tuple(k.name for k in KEYPOINTS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}

FLIP: np.ndarray = np.array([INDEX[k.partner] for k in KEYPOINTS])
"""(36,) int: ``points[FLIP]`` are the labels of the left-right mirrored image."""
FLIP.setflags(write=False)

GROUPS: dict[str, tuple[int, ...]] = {
    group: tuple(i for i, k in enumerate(KEYPOINTS) if k.group == group)
    for group in dict.fromkeys(k.group for k in KEYPOINTS)
}
"""Group name -> indices, in order of first appearance."""


def _skeleton() -> tuple[tuple[int, int], ...]:
    """The lines people draw between the points: both side outlines and the bars across."""
    outline = (
        *("front_bumper", "front_arch_front_low", "front_arch_front_high", "front_arch_rear_high"),
        *("front_arch_rear_low", "rear_arch_front_low", "rear_arch_front_high"),
        *("rear_arch_rear_high", "rear_arch_rear_low", "rear_bumper", "tail_light"),
        *("rear_glass_base", "roof_rear", "roof_front", "windscreen_base", "headlight"),
        "front_bumper",
    )
    sides = [
        (INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"])
        for side in ("left", "right")
        for a, b in itertools.pairwise(outline)
    ]
    across = (
        *("front_bumper", "headlight", "windscreen_base", "roof_front"),
        *("roof_rear", "rear_glass_base", "tail_light", "rear_bumper"),
    )
    return tuple(sides + [(INDEX[f"left_{a}"], INDEX[f"right_{a}"]) for a in across])


SKELETON: tuple[tuple[int, int], ...] = _skeleton()


class Visibility(StrEnum):
    """What is known of a keypoint in an image. The one-letter values are what records store."""

    VISIBLE = "v"
    SELF_OCCLUDED = "s"
    """Behind another part of the same vehicle."""
    OCCLUDED = "o"
    """Behind something else."""
    TRUNCATED = "t"
    """Outside the image."""
    HIDDEN = "h"
    """Not visible, for a reason the data set does not tell; its coordinates may mean nothing."""
