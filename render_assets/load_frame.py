"""Where a truck's load body has its edges: what its meshes and its keypoints share."""

from __future__ import annotations

import numpy as np

from render_assets.spec import Load

BEAM = 0.12
"""Height of the load body's lowest beam, below the load floor, metres."""
DOOR_SPLIT = 0.6
"""Where up a box's rear the keypoint ``rear_glass_base`` lies, of the height above the floor."""
DISH = 0.14
"""How far a tank's end bulges out, metres."""
REAR_MARGIN = 0.22
"""From the rear beam to the rim of a tank's rear end, metres."""
_SQUARENESS = 2.3
"""Exponent of the tank's section: squarer than an ellipse (2), as road tankers are."""


def tank_section(load: Load) -> tuple[float, float, float]:
    """Half width, half height and height of the middle of a tank's section, metres."""
    low = load.floor_z + 0.06
    return load.width / 2 - 0.06, (load.top_z - low) / 2, (load.top_z + low) / 2


def tank_outline(load: Load, angle: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """(n, 2) points (y, z) of the section at parameters ``angle`` in radians, 0 on the left."""
    wide, tall, middle = tank_section(load)
    cos, sin = (np.sign(f) * np.abs(f) ** (2 / _SQUARENESS) for f in (np.cos(angle), np.sin(angle)))
    return np.stack([scale * wide * cos, middle + scale * tall * sin], axis=1)


def tank_rim(load: Load, rear: float, angle: float) -> tuple[float, float, float]:
    """A point of the rim around a tank's rear end."""
    y, z = tank_outline(load, np.array([angle]))[0]
    return rear + REAR_MARGIN, float(y), float(z)
