"""Where an occluder stands: tried at random places, kept where it hides about what is asked."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from pamtri import camera
from render_assets.occluders import Body, build_occluder
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
TRIES = 30
TOLERANCE = 0.15
"""A place is good enough when it hides this close to the share that is asked."""
CLEARANCE_M = 0.25
"""Kept free around the vehicle, and in front of the camera."""
_GRID = 96
"""Longer side of the picture on which overlap is measured."""


def sample_occluders(
    config: OccluderConfig, streams: Streams, view: CameraSpec, vehicle: Array, colour: Rgb
) -> tuple[OccluderSpec, ...]:
    """Draw what stands before the vehicle of vertices ``vehicle`` (n, 3): one thing or nothing.

    Nothing also where no place that was tried hides about the share that was drawn.
    """
    if not streams.happens("occluders.probability", config.probability):
        return ()
    kind = streams.name("occluders.kind", config.kind)
    rng = streams.rng("occluders.place")
    size = tuple(rng.uniform(*SIZES[kind]).tolist())
    seed = streams.seed("occluders.seed")
    target = streams.number("occluders.share", config.share)
    shape = _hull(build_occluder(kind, size, seed, colour))  # type: ignore[arg-type]
    outline = _silhouette(vehicle, view)
    box = np.stack([vehicle.min(axis=0), vehicle.max(axis=0)])
    best, least = None, TOLERANCE
    for _ in range(TRIES):
        position, yaw = _somewhere(rng, kind, size[2], view, box)
        placed = _placed(shape, position, yaw)
        if _collides(placed, view, box):
            continue
        hidden = (_silhouette(placed, view) & outline).sum() / outline.sum()
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
            size=size,
            colour=colour,
            seed=seed,
        ),
    )


def _somewhere(
    rng: np.random.Generator, kind: str, height: float, view: CameraSpec, box: Array
) -> tuple[Array, float]:
    """A place (3,) between the camera and some point about the vehicle's ``box`` (2, 3), and a yaw.

    What stands on the ground stands where the line of sight is no higher than it is.
    """
    eye = view.pose.centre
    middle, half = box.mean(axis=0), np.ptp(box, axis=0) / 2
    aim = middle + rng.uniform(-1.5, 1.5, size=3) * half
    if kind in FLOATING:
        across = np.arctan2(eye[1] - aim[1], eye[0] - aim[0]) + np.pi / 2
        position = eye + rng.uniform(0.2, 0.95) * (aim - eye)
        return position, float(across + rng.normal(0, 0.2))
    low_enough = (eye[2] - height) / max(eye[2] - aim[2], 1e-6)
    position = eye + rng.uniform(np.clip(low_enough, 0.2, 0.9), 0.95) * (aim - eye)
    position[2] = 0.0
    return position, float(rng.uniform(0, 2 * np.pi))


def _hull(body: Body) -> Array:
    """(n, 3) corners of the convex hull of a body in its own frame."""
    points = np.concatenate([part.vertices for part in body.parts]).astype(np.float64)
    return points[ConvexHull(points).vertices]


def _placed(points: Array, position: Array, yaw: float) -> Array:
    """(n, 3) points turned about z and moved."""
    return Rotation.from_euler("z", yaw).apply(points) + position


def _collides(points: Array, view: CameraSpec, box: Array) -> bool:
    """Whether the occluder comes too near to the camera or to the vehicle's box (2, 3)."""
    if view.pose.apply(points)[:, 2].min() < CLEARANCE_M:
        return True
    low, high = box[0] - CLEARANCE_M, box[1] + CLEARANCE_M
    return bool((points.max(axis=0) > low).all() and (points.min(axis=0) < high).all())


def _silhouette(points: Array, view: CameraSpec) -> NDArray[np.bool_]:
    """The convex outline of (n, 3) points in a small picture of the view, distortion left out."""
    scale = _GRID / max(view.width, view.height)
    lens = camera.Intrinsics(view.fx, view.fy, view.cx, view.cy).resize(scale, scale)
    pixels, _ = camera.project(points, view.pose, lens)
    picture = np.zeros((round(view.height * scale), round(view.width * scale)), dtype=np.uint8)
    hull = cv2.convexHull(np.clip(pixels, -1e4, 1e4).astype(np.float32))
    cv2.fillConvexPoly(picture, np.round(hull).astype(np.int32), [1])
    return picture.astype(bool)
