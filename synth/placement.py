"""Where an occluder stands: tried at random places, kept where it hides about what is asked."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from synth.config import OccluderConfig
from synth.scene import CameraSpec, OccluderSpec, Rgb
from synth.streams import Streams

Array = NDArray[np.float64]
SIZES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "pole": ((0.08, 0.08, 2.5), (0.35, 0.35, 6.0)),
    "bar": ((0.8, 0.03, 0.05), (4.0, 0.10, 0.5)),
    "panel": ((0.4, 0.03, 0.3), (2.0, 0.10, 1.5)),
    "person": ((0.30, 0.45, 1.50), (0.45, 0.60, 1.95)),
    "bush": ((0.6, 0.6, 0.5), (2.0, 2.0, 1.8)),
    "car": ((3.9, 1.65, 1.40), (4.9, 1.90, 1.75)),
}
"""Smallest and largest extent of each kind along its own axes, metres."""
FLOATING = ("bar", "panel")
"""Kinds that hang in the line of sight; the others stand on the ground."""
TRIES = 20
CLEARANCE_M = 0.25
"""Kept free around the vehicle, and in front of the camera."""
_GRID = 96
"""Longer side of the picture on which overlap is measured."""


def sample_occluders(
    config: OccluderConfig, streams: Streams, view: CameraSpec, vehicle: Array, colour: Rgb
) -> tuple[OccluderSpec, ...]:
    """Draw what stands before the vehicle of vertices ``vehicle`` (n, 3): one thing or nothing."""
    if not streams.happens("occluders.probability", config.probability):
        return ()
    kind = streams.name("occluders.kind", config.kind)
    rng = streams.rng("occluders.place")
    size = rng.uniform(*SIZES[kind])
    target = streams.number("occluders.share", config.share)
    outline = _silhouette(vehicle, view)
    box = np.stack([vehicle.min(axis=0), vehicle.max(axis=0)])
    best, least = None, np.inf
    for _ in range(TRIES):
        position, yaw = _somewhere(rng, kind, view, box)
        corners = _corners(kind, position, yaw, size)
        if _collides(corners, view, box):
            continue
        hidden = (_silhouette(corners, view) & outline).sum() / outline.sum()
        if abs(hidden - target) < least:
            best, least = (position, yaw), abs(hidden - target)
    if best is None:
        return ()
    position, yaw = best
    return (
        OccluderSpec(
            kind=kind,  # type: ignore[arg-type]
            position=tuple(position.tolist()),
            yaw_deg=float(np.degrees(yaw)),
            size=tuple(size.tolist()),
            colour=colour,
            seed=streams.seed("occluders.seed"),
        ),
    )


def _somewhere(
    rng: np.random.Generator, kind: str, view: CameraSpec, box: Array
) -> tuple[Array, float]:
    """A place (3,) on the way from the camera to a point in the vehicle's box (2, 3), and a yaw."""
    eye = view.pose.centre
    aim = rng.uniform(box[0], box[1])
    position = eye + rng.uniform(0.2, 0.95) * (aim - eye)
    if kind not in FLOATING:
        position[2] = 0.0
        return position, float(rng.uniform(0, 2 * np.pi))
    across = np.arctan2(eye[1] - aim[1], eye[0] - aim[0]) + np.pi / 2
    return position, float(across + rng.normal(0, 0.2))


def _corners(kind: str, position: Array, yaw: float, size: Array) -> Array:
    """(8, 3) corners of the occluder's box."""
    unit = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    if kind not in FLOATING:
        unit[:, 2] += 0.5
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    corners: Array = (unit * size) @ turn.T + position
    return corners


def _collides(corners: Array, view: CameraSpec, box: Array) -> bool:
    """Whether the occluder comes too near to the camera or to the vehicle's box (2, 3)."""
    if view.pose.apply(corners)[:, 2].min() < CLEARANCE_M:
        return True
    low, high = box[0] - CLEARANCE_M, box[1] + CLEARANCE_M
    return bool((corners.max(axis=0) > low).all() and (corners.min(axis=0) < high).all())


def _silhouette(points: Array, view: CameraSpec) -> NDArray[np.bool_]:
    """The convex outline of (n, 3) points in a small picture of the view, distortion left out."""
    scale = _GRID / max(view.width, view.height)
    lens = camera.Intrinsics(view.fx, view.fy, view.cx, view.cy).resize(scale, scale)
    pixels, _ = camera.project(points, view.pose, lens)
    picture = np.zeros((round(view.height * scale), round(view.width * scale)), dtype=np.uint8)
    hull = cv2.convexHull(np.clip(pixels, -1e4, 1e4).astype(np.float32))
    cv2.fillConvexPoly(picture, np.round(hull).astype(np.int32), [1])
    return picture.astype(bool)
