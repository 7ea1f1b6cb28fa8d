"""The exact labels of a scene, by casting rays at its meshes; no renderer takes part.

Every surface counts as opaque here, window glass too: a point behind the vehicle's own glass is
hidden by the vehicle, and a window is part of its mask. Rays go through pixel centres, so a pixel
belongs to what covers its centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from pamtri import camera, segments
from pamtri.errors import DataError
from pamtri.keypoints import Visibility
from pamtri.record import Keypoints
from render_assets.mesh import Part
from synth.geometry import SceneGeometry, vehicle_vertices
from synth.scene import CameraSpec, SceneSpec

SKIN_TOLERANCE = 0.05
"""Metres: a keypoint lies within a centimetre of its part, at any angle to the line of sight."""
_NUDGE = np.array([7e-6, 2e-5, 5e-6])
"""Metres that rays are shifted by: one that runs exactly along the seam of a vehicle's two halves,
in the plane y = 0, would slip through. At 5 m it is less than 0.01 pixels of any sensible lens."""
_TRUNCATION_STEPS = 200
"""Rays along the longer side of the whole vehicle when part of it is outside the image."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class SceneLabels:
    """What is true of one image; pixels as in ``pamtri.camera``.

    ``box`` bounds ``mask`` and is None where nothing of the vehicle is visible; ``box_amodal``
    bounds the whole vehicle, whatever hides or cuts it. ``mask`` and ``mask_amodal`` (h, w) bool;
    ``segment_mask`` (h, w) uint8 is 1 + the segment's index; ``depth`` (h, w) float32 metres along
    the optical axis where the vehicle is visible, else 0. ``occlusion`` is the share of the vehicle
    inside the image that something else hides, ``truncation`` the share of its area (before lens
    distortion) that lies outside the image.
    """

    keypoints: Keypoints
    box: Box | None
    box_amodal: Box
    mask: np.ndarray
    mask_amodal: np.ndarray
    segment_mask: np.ndarray
    depth: np.ndarray
    occlusion: float
    truncation: float


class RayTarget:
    """Parts that rays can be cast at; float32, good to some 1e-6 of the distance."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._scene = EmbreeScene()
        for part in parts:
            TriangleMesh(self._scene, part.vertices, part.faces)
        self._empty = not parts

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First hits of rays from ``origin`` (3,) along ``directions`` (n, 3).

        Returns how many directions away the hit is (n,), infinite without one, and the index of the
        part (n,), -1 without one.
        """
        if self._empty or not len(directions):
            return np.full(len(directions), np.inf), np.full(len(directions), -1)
        directions = np.ascontiguousarray(directions, dtype=np.float32)
        origins = np.tile((origin + _NUDGE).astype(np.float32), (len(directions), 1))
        hits = self._scene.run(origins, directions, output=True)
        part = hits["geomID"]
        return np.where(part >= 0, hits["tfar"], np.inf).astype(float), part


@lru_cache(maxsize=16)
def _vehicle_target(parts: tuple[Part, ...]) -> RayTarget:
    """By parts: vehicles that differ in their materials alone share one."""
    return RayTarget(parts)


def label_scene(spec: SceneSpec, geometry: SceneGeometry) -> SceneLabels:
    """All labels of a scene.

    Raises DataError when the camera is so near that part of the vehicle is behind it.
    """
    view = spec.camera
    vertices = vehicle_vertices(geometry.vehicle)
    pixels, depth = camera.project(vertices, view.pose, view.intrinsics)
    if depth.min() <= 0:
        raise DataError(f"scene {spec.index}: the camera stands inside the vehicle's extent")
    amodal = _bounds(pixels)
    own = _vehicle_target(geometry.vehicle.parts)
    others = RayTarget([p for body in geometry.occluders for p in body.parts])
    part, distance, hidden = _trace_image(view, amodal, own, others)
    whole = part >= 0
    mask = whole & ~hidden
    names = [p.segment for p in geometry.vehicle.parts]
    codes = np.array([0 if n is None else 1 + segments.INDEX[n] for n in names], dtype=np.uint8)
    inside = int(whole.sum())
    return SceneLabels(
        keypoints=_label_keypoints(view, geometry.vehicle.keypoints, own, others),
        box=_mask_box(mask),
        box_amodal=amodal,
        mask=mask,
        mask_amodal=whole,
        segment_mask=np.where(mask, codes[part], 0).astype(np.uint8),
        depth=np.where(mask, distance, 0).astype(np.float32),
        occlusion=1 - int(mask.sum()) / inside if inside else 0.0,
        truncation=_truncation(view, amodal, own, vertices),
    )


def _trace_image(
    view: CameraSpec, amodal: Box, own: RayTarget, others: RayTarget
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(h, w) index of the vehicle's part or -1, its depth, and whether something is in front."""
    part = np.full((view.height, view.width), -1, dtype=np.int32)
    depth = np.full(part.shape, np.inf)
    hidden = np.zeros(part.shape, dtype=bool)
    left, right = np.clip([np.floor(amodal[0]), np.ceil(amodal[2])], 0, view.width).astype(int)
    top, bottom = np.clip([np.floor(amodal[1]), np.ceil(amodal[3])], 0, view.height).astype(int)
    window = (slice(top, bottom), slice(left, right))
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1), view.intrinsics)
    directions, centre = rays @ view.pose.rotation, view.pose.centre
    distance, index = own.cast(centre, directions)
    hit = np.flatnonzero(index >= 0)
    blocked = np.zeros(len(directions), dtype=bool)
    blocked[hit] = others.cast(centre, directions[hit])[0] < distance[hit]
    part[window] = index.reshape(x.shape)
    depth[window] = distance.reshape(x.shape)
    hidden[window] = blocked.reshape(x.shape)
    return part, depth, hidden


def _label_keypoints(
    view: CameraSpec, points: np.ndarray, own: RayTarget, others: RayTarget
) -> Keypoints:
    """Where the points appear and what hides them: the frame, then the vehicle, then the rest."""
    pixels, _ = camera.project(points, view.pose, view.intrinsics)
    centre = view.pose.centre
    lines = points - centre
    length = np.linalg.norm(lines, axis=1)
    behind_own = own.cast(centre, lines)[0] * length < length - SKIN_TOLERANCE
    behind_other = others.cast(centre, lines)[0] < 1
    inside = ((pixels >= 0) & (pixels < [view.width, view.height])).all(axis=1)
    letters = np.full(len(points), Visibility.VISIBLE.value)
    letters[behind_other] = Visibility.OCCLUDED.value
    letters[behind_own] = Visibility.SELF_OCCLUDED.value
    letters[~inside] = Visibility.TRUNCATED.value
    return Keypoints(xy=pixels.tolist(), visibility="".join(letters), xyz=points.tolist())


def _truncation(view: CameraSpec, amodal: Box, own: RayTarget, vertices: np.ndarray) -> float:
    """Share of the vehicle's area outside the image, on a grid of the undistorted image plane."""
    if amodal[0] >= 0 and amodal[1] >= 0 and amodal[2] <= view.width and amodal[3] <= view.height:
        return 0.0
    plane = view.pose.apply(vertices)
    low, high = (bound(plane[:, :2] / plane[:, 2:], axis=0) for bound in (np.min, np.max))
    step = (high - low).max() / _TRUNCATION_STEPS
    x, y = np.meshgrid(*(np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True)))
    rays = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)
    rays = rays[own.cast(view.pose.centre, rays @ view.pose.rotation)[1] >= 0]
    if not len(rays):
        return 1.0  # thinner than the grid, and not inside the image
    upright = camera.Pose(np.eye(3), np.zeros(3))
    pixels, _ = camera.project(rays, upright, view.intrinsics)
    inside = ((pixels >= 0) & (pixels < [view.width, view.height])).all(axis=1)
    return float(1 - inside.mean())


def _bounds(pixels: np.ndarray) -> Box:
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _mask_box(mask: np.ndarray) -> Box | None:
    """The box of the pixels' outer edges."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
