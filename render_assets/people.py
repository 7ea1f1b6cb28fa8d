"""People in a vehicle: a torso with head, hair and arms, from the hip point up.

Nobody sees their legs; a driver's hands lie on the steering wheel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from render_assets.materials import CLOTHS, HAIRS, SKINS
from render_assets.mesh import Part, ellipsoid, loft, tube
from render_assets.seats import RECLINE
from render_assets.spec import Occupant

HEAD_TOP = 0.82
"""Height of a person's crown above the hip point, metres."""
_LAP = (0.27, 0.09, 0.03)
_TORSO = ((-0.08, 0.165, 0.115), (0.08, 0.165, 0.12), (0.22, 0.155, 0.11), (0.36, 0.18, 0.115),
          (0.45, 0.195, 0.10), (0.51, 0.165, 0.08), (0.55, 0.07, 0.06))  # fmt: skip
"""Along the spine: distance from the hips, half width, half depth."""


@lru_cache(maxsize=128)
def person(occupant: Occupant, hands: tuple[float, float, float] | None = None) -> tuple[Part, ...]:
    """The parts of one person whose hips are at the origin.

    ``hands`` is where the left hand is, the right one being its mirror image; None: in the lap.
    """
    cloth, skin, hair = (f"{kind}_{getattr(occupant, kind)}" for kind in ("cloth", "skin", "hair"))
    spine = np.array([-np.sin(RECLINE), 0.0, np.cos(RECLINE)])
    ahead = np.array([np.cos(RECLINE), 0.0, np.sin(RECLINE)])
    angle = np.linspace(0, 2 * np.pi, 11)[:-1]
    rings = [
        along * spine + deep * np.cos(angle)[:, None] * ahead
        + wide * np.sin(angle)[:, None] * np.array([0.0, 1.0, 0.0])
        for along, wide, deep in _TORSO
    ]  # fmt: skip
    neck = np.stack([0.52 * spine, [-0.175, 0.0, 0.62]])
    head = (-0.165, 0.0, HEAD_TOP - 0.125)
    crown = (-0.187, 0.0, HEAD_TOP - 0.075)
    parts = [
        loft("torso", cloth, np.stack(rings)),
        tube("neck", skin, neck, 0.055, 7, capped=False),
        ellipsoid("head", skin, head, (0.195, 0.155, 0.235), 2.2, 6),
        ellipsoid("hair", hair, crown, (0.205, 0.170, 0.17), 2.0, 6),
    ]
    if occupant.long_hair:
        nape = (-0.225, 0.0, HEAD_TOP - 0.21)
        parts.append(ellipsoid("hair", hair, nape, (0.12, 0.18, 0.28), 2.0, 5))
    for side in (1.0, -1.0):
        target = np.array(hands or _LAP) * [1, side, 1]
        parts += _arm(side, target, cloth, skin)
    return tuple(parts)


def _arm(side: float, hand: np.ndarray, cloth: str, skin: str) -> list[Part]:
    """Shoulder, elbow, hand."""
    shoulder = np.array([-0.15, 0.185 * side, 0.43])
    elbow = np.array([0.5 * (hand[0] - 0.15), 0.27 * side, 0.5 * (hand[2] + 0.43) - 0.10])
    wrist = hand + 0.12 * (elbow - hand)
    path = np.stack([shoulder, 0.5 * (shoulder + elbow) + [0, 0.02 * side, 0], elbow, wrist])
    return [
        tube("arm", cloth, path, 0.048, 6),
        ellipsoid("hand", skin, tuple(hand), (0.09, 0.08, 0.09), 2.0, 4),
    ]


def sample_occupants(layout: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Who sits where, as fields of ``spec.Occupant``: a driver in six of ten vehicles, then now and
    then passengers. A bus carries up to a dozen."""
    seats = 14 if layout == "bus" else 4
    chance = np.full(seats, 0.25 if layout == "bus" else 0.10)
    chance[:2] = 0.6, 0.3
    draws = rng.random((seats, 5))
    found: list[dict[str, Any]] = []
    for seat in range(seats):
        there, cloth, skin, hair, long_hair = draws[seat]
        if there < chance[seat] and (found or seat == 0):
            found.append(
                {
                    "seat": seat,
                    "cloth": list(CLOTHS)[int(cloth * len(CLOTHS))],
                    "skin": list(SKINS)[int(skin * len(SKINS))],
                    "hair": list(HAIRS)[int(hair * len(HAIRS))],
                    "long_hair": bool(long_hair < 0.4),
                }
            )
    return found
