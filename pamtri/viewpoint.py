"""From keypoints to where the camera stands: PnP with the statistical shape of vehicles.

Shape and viewpoint are fitted together (``pamtri.viewpoint_fit``) from several starts
(``pamtri.viewpoint_search``), among them the opposite of the likeliest, so that front and rear are
told apart by the whole energy. What is known of a crop's camera is little: its principal point is
taken to be in the middle of the points, and its distance is near 4.5 vehicle lengths a priori,
which traffic cameras' crops and dealers' photographs have in common. Azimuth and elevation hardly
depend on either; read the distance of an uncalibrated image as an order of magnitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.errors import DataError
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.record import Record
from pamtri.viewpoint_fit import NETWORK_NOISE, camera_centres, refine, seen
from pamtri.viewpoint_search import search
from pamtri.viewpoint_shapes import load_shapes

LEAST_POINTS = 4
"""Fewer sure points give no viewpoint."""
SURE = 0.5
"""Share of the image's highest confidence from which a point is sure."""
_BATCH = 256

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Viewpoints:
    """Of n images; NaN (type -1) where there are too few points.

    Angles are those of ``pamtri.camera``, of the camera about the vehicle's origin.
    """

    azimuth: Array
    """(n,) radians in [0, 2 pi)."""
    elevation: Array
    """(n,) radians."""
    roll: Array
    """(n,) radians."""
    distance: Array
    """(n,) vehicle lengths."""
    length: Array
    """(n,) metres, as the fitted type and shape suggest; no image tells it."""
    error: Array
    """(n,) mean distance, weighted as the fit is, of the points from where the fit sees them,
    pixels."""
    relative_error: Array
    """(n,) ``error`` over the length of the vehicle in the image."""
    type: NDArray[np.int64]
    """(n,) position in ``pamtri.attributes.TYPES`` of the shape that fits best."""


def estimate_viewpoints(
    keypoints: Array, intrinsics: Sequence[camera.Intrinsics | None] | None = None
) -> Viewpoints:
    """The viewpoints of (n, 36, 3) x, y in pixels and confidence 0..1.

    ``intrinsics`` of the images where known; ``DataError`` from ``camera.undistort`` for a lens
    that has no inverse. A point's weight is the square of its confidence over the image's highest.
    """
    keypoints = np.asarray(keypoints, dtype=float)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (NUM_KEYPOINTS, 3):
        raise DataError(f"expected keypoints (n, {NUM_KEYPOINTS}, 3), got {keypoints.shape}")
    lenses = list(intrinsics) if intrinsics is not None else [None] * len(keypoints)
    parts = [
        _estimate(keypoints[i : i + _BATCH], lenses[i : i + _BATCH])
        for i in range(0, max(len(keypoints), 1), _BATCH)
    ]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Viewpoints.__dataclass_fields__
    }
    return Viewpoints(**columns)


def lenses_of(
    names: Sequence[str], records: Sequence[Record], source: str
) -> list[camera.Intrinsics | None]:
    """The lens of each image by its base name, where a record has one.

    Raises DataError when there are records and none is of these images; ``source`` names both.
    """
    there = {PurePosixPath(record.image).name: record.calibration for record in records}
    if there and names and not any(name in there for name in names):
        raise DataError(f"{source}: have no image in common (the first is {names[0]})")
    found = [there.get(name) for name in names]
    return [None if calibration is None else calibration.intrinsics for calibration in found]


def _estimate(keypoints: Array, lenses: Sequence[camera.Intrinsics | None]) -> Viewpoints:
    weights = _weights(keypoints[..., 2])
    enough = (weights >= SURE**2).sum(axis=1) >= LEAST_POINTS
    result = _nothing(len(keypoints))
    if enough.any():
        kept = np.flatnonzero(enough)
        fitted = _fit(keypoints[kept, :, :2], weights[kept], [lenses[i] for i in kept])
        for name in Viewpoints.__dataclass_fields__:
            getattr(result, name)[kept] = getattr(fitted, name)
    return result


def _weights(confidence: Array) -> Array:
    confidence = np.clip(confidence, 0.0, None)
    highest = np.maximum(confidence.max(axis=1, keepdims=True), 1e-12)
    return (confidence / highest) ** 2


def _nothing(count: int) -> Viewpoints:
    def unknown() -> Array:
        return np.full(count, np.nan)

    return Viewpoints(
        azimuth=unknown(),
        elevation=unknown(),
        roll=unknown(),
        distance=unknown(),
        length=unknown(),
        error=unknown(),
        relative_error=unknown(),
        type=np.full(count, -1),
    )


def _fit(pixels: Array, weights: Array, lenses: Sequence[camera.Intrinsics | None]) -> Viewpoints:
    pixels, focal, facing = _facing(pixels, weights, lenses)
    middle, extent = _extent(pixels, weights)
    middle = np.where(np.isnan(focal)[:, None], middle, 0.0)
    points = (pixels - middle[:, None]) / extent[:, None, None]
    views = refine(points, weights, focal / extent, search(points, weights, NETWORK_NOISE * 2))
    off = np.linalg.norm(seen(views) - points, axis=-1)
    error = (weights * off).sum(axis=1) / weights.sum(axis=1)
    shapes = load_shapes()
    latent_length = (views.latents * shapes.length_modes[views.type]).sum(axis=1)
    centres = camera_centres(views)
    poses = [
        camera.Pose(turn.T @ r, -turn.T @ r @ c)
        for turn, r, c in zip(facing, views.rotation, centres, strict=True)
    ]
    found = [camera.viewpoint_from_pose(pose) for pose in poses]
    return Viewpoints(
        azimuth=np.array([v.azimuth for v in found]),
        elevation=np.array([v.elevation for v in found]),
        roll=np.array([v.roll for v in found]),
        distance=np.array([v.distance for v in found]),
        length=shapes.length_mean[views.type] + latent_length,
        error=error * extent,
        relative_error=error / views.size,
        type=views.type,
    )


def _facing(
    pixels: Array, weights: Array, lenses: Sequence[camera.Intrinsics | None]
) -> tuple[Array, Array, Array]:
    """Pixels as a camera without distortion would see them that faces the middle of the points.

    With them its focal lengths (n,), NaN where the lens is unknown and the pixels are as they were,
    and the turns (n, 3, 3) from the real camera's frame into its.
    """
    pixels = pixels.copy()
    focal = np.full(len(pixels), np.nan)
    turns = np.tile(np.eye(3), (len(pixels), 1, 1))
    middle, _ = _extent(pixels, weights)
    for i, lens in enumerate(lenses):
        if lens is None:
            continue
        sure = weights[i] > 0
        ahead = camera.rays(middle[i : i + 1], lens)[0]
        turns[i] = camera.look_at((0, 0, 0), ahead @ _LEVEL).rotation @ _LEVEL.T
        seen_from = camera.rays(pixels[i, sure], lens) @ turns[i].T
        focal[i] = np.sqrt(lens.fx * lens.fy)
        pixels[i] = 0.0
        pixels[i, sure] = focal[i] * seen_from[:, :2] / seen_from[:, 2:]
    return pixels, focal, turns


_LEVEL = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""A level camera's rotation from a frame with z up into its own."""


def _extent(pixels: Array, weights: Array) -> tuple[Array, Array]:
    """Middle (n, 2) and longer side (n,) of the boxes around the sure points, strays left out."""
    sure = (weights >= SURE**2)[..., None]
    points = np.where(sure, pixels, np.nan)
    median = np.nanmedian(points, axis=1, keepdims=True)
    reach = 4 * np.nanmedian(np.abs(points - median), axis=1, keepdims=True).max(axis=-1)
    points = np.where(np.abs(points - median) <= reach[..., None], points, np.nan)
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    return (low + high) / 2, np.maximum((high - low).max(axis=1), 1.0)
