"""What casts a shadow on the vehicle from outside the image: a tree, the edge of a house, a pole.

Built across the sun's light, a few metres from the vehicle, of flat pieces whose shadows are those
of the things themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render_assets.materials import Material
from render_assets.mesh import part
from render_assets.occluders import Body
from synth.scene import ShadowSpec, SunSpec

Array = NDArray[np.float64]
DISTANCE_M = 11.0
"""From the vehicle towards the sun: where crowns and roofs are that shade a street."""
_LEAVES = 420
_MATERIAL = {"shade": Material((0.02, 0.02, 0.02), roughness=1.0)}


def build_shade(spec: ShadowSpec, sun: SunSpec) -> Body:
    """The thing that stands between ``sun`` and the vehicle: a pure function."""
    rng = np.random.default_rng([spec.seed, 13])
    quads = {"tree": _tree, "building": _building, "pole": _pole}[spec.kind](rng)
    azimuth, elevation = np.radians([sun.azimuth_deg, sun.elevation_deg])
    towards = np.array([np.cos(azimuth), np.sin(azimuth), 0.0]) * np.cos(elevation)
    towards[2] = np.sin(elevation)
    across = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    frame = np.stack([across, np.cross(towards, across)])
    flat = quads + np.array(spec.offset)
    points = (flat @ frame + DISTANCE_M * towards + [0.0, 0.0, 0.7]).reshape(-1, 3)
    first = 4 * np.arange(len(quads))[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])])
    return Body((part("shade", "shade", points, faces),), _MATERIAL)


def _tree(rng: np.random.Generator) -> Array:
    """(n, 4, 2) leaves in clusters, branches and a trunk, metres across and up."""
    clusters = rng.normal(0, 1, (14, 2)) * [1.3, 0.9]
    size = rng.uniform(0.05, 0.22, _LEAVES)
    place = clusters[rng.integers(14, size=_LEAVES)] + rng.normal(0, 0.38, (_LEAVES, 2))
    leaves = [_blade(p, a, s, 0.6 * s) for p, a, s in
              zip(place, rng.uniform(0, np.pi, _LEAVES), size, strict=True)]  # fmt: skip
    branches = [_blade(c / 2, np.arctan2(c[1], c[0]), float(np.hypot(*c)) / 2, 0.03)
                for c in clusters]  # fmt: skip
    return np.array([*leaves, *branches, _blade(np.array([0.0, -3.0]), np.pi / 2, 3.0, 0.13)])


def _building(rng: np.random.Generator) -> Array:
    """A wall from its edge through 0 on; perspective and gables make it lean."""
    side, lean = rng.choice([-1.0, 1.0]), 30.0 * rng.uniform(-0.3, 0.3)
    corners = np.array([[-lean, -30.0], [60.0, -30.0], [60.0, 30.0], [lean, 30.0]])
    return corners[None] * [side, 1.0]


def _pole(rng: np.random.Generator) -> Array:
    """A lamp post, with a sign or a cable."""
    lean, wide = rng.normal(0, 0.02), rng.uniform(0.05, 0.14)
    post = _blade(np.zeros(2), np.pi / 2 + lean, 12.0, wide)
    if rng.random() < 0.5:
        return np.array([post, _blade(rng.normal(0, 0.4, 2), 0.0, 0.45, 0.35)])
    return np.array([post, _blade(rng.normal(0, 0.6, 2), rng.normal(0, 0.1), 25.0, 0.02)])


def _blade(middle: Array, angle: float, half_long: float, half_wide: float) -> Array:
    """(4, 2) corners of a rectangle about ``middle``."""
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return np.array([middle + a * half_long * along + b * half_wide * aside for a, b in corners])
