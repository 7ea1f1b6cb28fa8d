"""Where a viewpoint may be, before it is refined: every side, height and vehicle type is tried.

Points here are normalised: the middle of an image's points is the origin, their extent about 1.
A template is the mean keypoints of a type, seen from one side and height in ordinary perspective;
it is brought onto the points by the best turn, size and shift, all of them at once as products of
complex matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.viewpoint_shapes import KeypointShapes, load_shapes

AZIMUTHS = 36
ELEVATIONS_DEG = (-3.0, 10.0, 25.0, 45.0)
NEARNESS = 0.22
"""Vehicle lengths over distance: a camera that stands 4.5 lengths off."""
HYPOTHESES = 5
"""How many places are handed on: the best four sides, and the opposite of the best."""
_MOST_ROLL = np.radians(15.0)
_ROUNDS = 3
_APART = 3
"""Azimuth steps between two sides that count as different."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """h possible views of each of n images."""

    rotation: Array
    """(n, h, 3, 3) vehicle to camera."""
    shift: Array
    """(n, h, 2) where the vehicle's origin is seen."""
    size: Array
    """(n, h) of a vehicle length in the image."""
    type: NDArray[np.int64]
    """(n, h) position in ``pamtri.attributes.TYPES``."""


def search(points: Array, weights: Array, scale: float) -> Hypotheses:
    """The likeliest views of (n, 36, 2) points with (n, 36) weights.

    Errors far above ``scale`` count less and less (Cauchy).
    """
    rotations, types, templates = _templates()
    z = points[..., 0] + 1j * points[..., 1]
    per_side = _best_of_each_side(z, weights, templates)  # (n, sides)
    energy, turn, shift = _robust_fit(z, weights, templates[per_side], scale)
    chosen = _distinct(energy)
    rows = np.arange(len(z))[:, None]
    index, turn, shift = per_side[rows, chosen], turn[rows, chosen], shift[rows, chosen]
    return Hypotheses(
        rotation=_rolled(rotations[index], np.angle(turn)),
        shift=np.stack([shift.real, shift.imag], axis=-1),
        size=np.abs(turn),
        type=types[index],
    )


@lru_cache(maxsize=1)
def _templates() -> tuple[Array, NDArray[np.int64], NDArray[np.complex128]]:
    """Rotations (m, 3, 3), types (m,) and points (m, 36) as complex numbers; azimuth runs first."""
    shapes: KeypointShapes = load_shapes()
    views = [
        camera.pose_from_viewpoint(camera.Viewpoint(azimuth, np.radians(elevation), 0.0, 1.0))
        for azimuth in np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
        for elevation in ELEVATIONS_DEG
    ]
    count = len(shapes.mean)
    rotations = np.repeat([view.rotation for view in views], count, axis=0)
    types = np.tile(np.arange(count), len(views))
    seen = np.einsum("mij,mkj->mki", rotations, shapes.mean[types])
    flat = seen[..., :2] / (1 + NEARNESS * seen[..., 2:])
    return rotations, types, flat[..., 0] + 1j * flat[..., 1]


def _best_of_each_side(
    z: NDArray[np.complex128], weights: Array, templates: NDArray[np.complex128]
) -> NDArray[np.int64]:
    """(n, sides) the template of each azimuth that leaves the least squared error."""
    total = weights.sum(axis=1, keepdims=True)
    centre = (weights * z).sum(axis=1, keepdims=True) / total
    middle = weights @ templates.T / total
    spread = weights @ (np.abs(templates) ** 2).T - total * np.abs(middle) ** 2
    overlap = (weights * (z - centre)) @ templates.conj().T
    explained = _within_roll(overlap) ** 2 / np.maximum(spread, 1e-9)
    explained = explained.reshape(len(z), AZIMUTHS, -1)
    per_side = explained.shape[2]
    return explained.argmax(axis=2) + np.arange(AZIMUTHS) * per_side


def _within_roll(overlap: NDArray[np.complex128]) -> Array:
    """How much two sets of points agree when one may be turned by no more than the most roll."""
    beyond = np.maximum(np.abs(np.angle(overlap)) - _MOST_ROLL, 0.0)
    return np.abs(overlap) * np.maximum(np.cos(beyond), 0.0)


def _robust_fit(
    z: NDArray[np.complex128], weights: Array, templates: NDArray[np.complex128], scale: float
) -> tuple[Array, NDArray[np.complex128], NDArray[np.complex128]]:
    """Energy, turn (with size) and shift (n, m) of templates (n, m, 36), by reweighting."""
    z, weights = z[:, None], weights[:, None]
    robust = np.broadcast_to(weights, templates.shape)
    for _ in range(_ROUNDS):
        total = robust.sum(axis=-1, keepdims=True)
        centre = (robust * z).sum(axis=-1, keepdims=True) / total
        middle = (robust * templates).sum(axis=-1, keepdims=True) / total
        off = templates - middle
        overlap = (robust * (z - centre) * off.conj()).sum(axis=-1)
        spread = np.maximum((robust * np.abs(off) ** 2).sum(axis=-1), 1e-9)
        roll = np.clip(np.angle(overlap), -_MOST_ROLL, _MOST_ROLL)
        turn = np.maximum(_within_roll(overlap) / spread, 1e-3) * np.exp(1j * roll)
        error = np.abs(z - centre - turn[..., None] * off) / scale
        robust = weights / (1 + error**2)
    energy = (weights * np.log1p(error**2)).sum(axis=-1)
    return energy, turn, (centre - turn[..., None] * middle)[..., 0]


def _distinct(energy: Array) -> NDArray[np.int64]:
    """(n, h) the best azimuths that are apart, then the one opposite the best."""
    left = energy.copy()
    rows = np.arange(len(energy))
    chosen = []
    for _ in range(HYPOTHESES - 1):
        best = left.argmin(axis=1)
        chosen.append(best)
        for step in range(1 - _APART, _APART):
            left[rows, (best + step) % AZIMUTHS] = np.inf
    opposite = (chosen[0] + AZIMUTHS // 2) % AZIMUTHS
    return np.stack([*chosen, opposite], axis=1)


def _rolled(rotation: Array, roll: Array) -> Array:
    """Rotations followed by a turn about the optical axis."""
    turn = np.zeros_like(rotation)
    turn[..., 0, 0] = turn[..., 1, 1] = np.cos(roll)
    turn[..., 1, 0], turn[..., 0, 1] = np.sin(roll), -np.sin(roll)
    turn[..., 2, 2] = 1
    return turn @ rotation
