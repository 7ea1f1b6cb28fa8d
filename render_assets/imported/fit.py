"""Keypoints of an imported mesh: the statistical shape, anchored at the wheels, on the surface.

Metres in the vehicle frame. Points follow the table in ``render_assets.keypoints``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pamtri.keypoints import FLIP, INDEX, NUM_KEYPOINTS
from render_assets.imported.surface import Surface
from render_assets.keypoints import ARCH_ANGLES, ARCH_LIP

_ARCH_POINTS = ("front_low", "front_high", "rear_high", "rear_low")
_FAR = 20.0
_STEP = 0.06
"""Metres by which a surface lies behind the body's side where it is no longer the side."""


@dataclass(frozen=True)
class Axles:
    """x of the front and the rear axle, and the radius of the wheels, metres."""

    front: float
    rear: float
    radius: float


@dataclass(frozen=True)
class _Arch:
    """A wheel opening's circle in the side view."""

    x: float
    z: float
    radius: float


def fit_keypoints(
    surface: Surface, expected: np.ndarray, axles: Axles, symmetric: bool
) -> np.ndarray:
    """(36, 3) float64 keypoints on the surface near the ``expected`` left half (18, 3).

    Where the mesh is ``symmetric`` the right half mirrors the left exactly; else each side finds
    its own.
    """
    points = np.zeros((NUM_KEYPOINTS, 3))
    half = NUM_KEYPOINTS // 2
    points[:half] = _one_side(surface, expected, axles, 1.0)
    flip = np.array([1.0, -1.0, 1.0])
    left = np.arange(half)
    if symmetric:
        points[FLIP[left]] = points[:half] * flip
    else:
        points[FLIP[left]] = _one_side(surface, expected * flip, axles, -1.0)
    return points


def _one_side(surface: Surface, expected: np.ndarray, axles: Axles, side: float) -> np.ndarray:
    """(18, 3) one side's points, in the order of the left half."""
    points = surface.nearest(expected)
    for end, x in (("front", axles.front), ("rear", axles.rear)):
        wheel = INDEX[f"left_{end}_wheel"]
        points[wheel] = _hub(surface, x, axles.radius, side, expected[wheel])
        arch = _find_arch(surface, x, axles.radius, side)
        if arch is None:
            continue
        for name, angle in zip(_ARCH_POINTS, np.radians(ARCH_ANGLES[end]), strict=True):
            index = INDEX[f"left_{end}_arch_{name}"]
            near = np.array(
                [
                    arch.x + (arch.radius + ARCH_LIP) * np.cos(angle),
                    expected[index, 1],
                    max(arch.z + (arch.radius + ARCH_LIP) * np.sin(angle), expected[index, 2]),
                ]
            )
            if name == "front_low" and end == "front":  # ahead of it is the bumper
                near[0] = min(near[0], points[INDEX["left_front_bumper"], 0] - 0.03)
            if name == "rear_low" and end == "rear":
                near[0] = max(near[0], points[INDEX["left_rear_bumper"], 0] + 0.03)
            if "high" in name:
                near[2] = arch.z + (arch.radius + ARCH_LIP) * np.sin(angle)
            points[index] = _from_side(surface, near, side)
    return points


def _hub(
    surface: Surface, x: float, radius: float, side: float, expected: np.ndarray
) -> np.ndarray:
    """The wheel's centre at the depth of the hub's outer face."""
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 0.06 * radius
    ring = np.concatenate([[[0.0, 0.0]], ring])
    origins = np.stack(
        [x + ring[:, 0], np.full(len(ring), side * _FAR), radius + ring[:, 1]], axis=1
    )
    distance, _ = surface.cast(origins, np.array([0.0, -side, 0.0]))
    hit = np.isfinite(distance)
    depth = float(np.median(_FAR - distance[hit])) if hit.any() else abs(float(expected[1]))
    if depth < 0.5 * abs(expected[1]):  # through an open wheel, to the middle of the vehicle
        depth = abs(float(expected[1]))
    return np.array([x, side * depth, radius])


def _from_side(surface: Surface, point: np.ndarray, side: float) -> np.ndarray:
    """The surface at the point's place in the side view, or the nearest to it."""
    origin = np.array([[point[0], side * _FAR, point[2]]])
    distance, _ = surface.cast(origin, np.array([0.0, -side, 0.0]))
    y = side * (_FAR - distance[0])
    if np.isfinite(y) and abs(y - point[1]) < 0.15:
        return np.array([point[0], y, point[2]])
    return surface.nearest(point[None])[0]


def _find_arch(surface: Surface, x: float, radius: float, side: float) -> _Arch | None:
    """The circle along which the body's side begins around a wheel; None where there is none."""
    angles = np.radians(np.arange(25, 156, 5))
    reach = np.arange(1.0, 1.75, 0.02) * radius
    theta, r = np.meshgrid(angles, reach, indexing="ij")
    origins = np.stack(
        [x + r * np.cos(theta), np.full(r.shape, side * _FAR), radius + r * np.sin(theta)], -1
    )
    distance, _ = surface.cast(origins.reshape(-1, 3), np.array([0.0, -side, 0.0]))
    depth = (_FAR - distance).reshape(r.shape)
    depth[~np.isfinite(depth)] = -1.0
    body = np.median(depth[:, -8:], axis=1, keepdims=True)
    off = depth < body - _STEP
    lip = np.where(off.any(axis=1), off.shape[1] - off[:, ::-1].argmax(axis=1), 0)
    known = (lip < off.shape[1]) & (body[:, 0] > 0)
    if known.sum() < len(angles) // 2:
        return None
    at = reach[lip[known]]
    px, pz = x + at * np.cos(angles[known]), radius + at * np.sin(angles[known])
    return _circle(px, pz, x, radius)


def _circle(px: np.ndarray, pz: np.ndarray, x: float, radius: float) -> _Arch | None:
    """The circle through the lip's points, outliers left out once."""
    for _ in range(2):
        if len(px) < 6:
            return None
        system = np.stack([2 * px, 2 * pz, np.ones(len(px))], axis=1)
        (cx, cz, rest), *_ = np.linalg.lstsq(system, px**2 + pz**2, rcond=None)
        found = float(np.sqrt(max(rest + cx**2 + cz**2, 0.0)))
        off = np.abs(np.hypot(px - cx, pz - cz) - found)
        near = off <= max(0.03 * radius, float(np.quantile(off, 0.8)))
        px, pz = px[near], pz[near]
    plausible = (
        0.95 * radius < found < 1.6 * radius
        and abs(cx - x) < 0.25 * radius
        and abs(cz - radius) < 0.4 * radius
        and float(np.median(off)) < 0.08 * radius
    )
    return _Arch(float(cx), float(cz), found) if plausible else None
