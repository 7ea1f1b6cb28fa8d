"""The exact labels of a scene, by casting rays at its meshes; no renderer takes part.

Every surface counts as opaque here, window glass too: a point behind the vehicle's own glass is
hidden by the vehicle, and a window is part of its mask. It is how people label photographs, in
which panes show the sky more often than the far side of the cabin, and a pose network that learned
otherwise would have to guess. Rays go through pixel centres, so a pixel belongs to what covers its
centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from pamtri import camera, segments
from pamtri.errors import DataError
from pamtri.keypoints import Visibility
from pamtri.record import Keypoints
from render_assets.mesh import Part, unit
from render_assets.part_kinds import face_codes
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
    ``segment_mask`` and ``part_mask`` (h, w) uint8 are 1 + the index of the segment and the part
    (``pamtri.parts``) that is visible; ``depth`` (h, w) float32 metres along the optical axis where
    the vehicle is visible, else 0; ``normals`` (h, w, 3) float32 unit there, outward, in the
    camera's frame, else 0, and None unless asked for. ``occlusion`` is the share of the vehicle
    inside the image that something else hides, ``truncation`` the share of its area (before lens
    distortion) that lies outside the image.
    """

    keypoints: Keypoints
    box: Box | None
    box_amodal: Box
    mask: np.ndarray
    mask_amodal: np.ndarray
    segment_mask: np.ndarray
    part_mask: np.ndarray
    depth: np.ndarray
    normals: np.ndarray | None
    occlusion: float
    truncation: float


@dataclass(frozen=True, eq=False)
class Hits:
    """Where n rays first meet something.

    ``distance`` (n,) in lengths of the ray's direction, infinite without a hit; ``part`` and
    ``face`` (n,) index of the part and of its face, -1 without a hit; ``weights`` (n, 3) of the
    face's corners; ``facing`` (n,) whether the face's outside looks at the origin.
    """

    distance: np.ndarray
    part: np.ndarray
    face: np.ndarray
    weights: np.ndarray
    facing: np.ndarray


class RayTarget:
    """Parts that rays can be cast at; float32, good to some 1e-6 of the distance."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._scene = EmbreeScene()
        for part in parts:
            TriangleMesh(self._scene, part.vertices, part.faces)
        self._empty = not parts

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance (n,) and part (n,) of the ``hits``."""
        found = self.hits(origin, directions)
        return found.distance, found.part

    def hits(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """First hits of rays from ``origin`` (3,) along ``directions`` (n, 3)."""
        count = len(directions)
        if self._empty or not count:
            nothing = np.full(count, -1)
            return Hits(
                np.full(count, np.inf), nothing, nothing, np.zeros((count, 3)), nothing == 0
            )
        directions = np.ascontiguousarray(directions, dtype=np.float32)
        origins = np.tile((origin + _NUDGE).astype(np.float32), (count, 1))
        hits = self._scene.run(origins, directions, output=True)
        part, u, v = hits["geomID"], hits["u"], hits["v"]
        return Hits(
            distance=np.where(part >= 0, hits["tfar"], np.inf).astype(float),
            part=part,
            face=hits["primID"],
            weights=np.stack([1 - u - v, u, v], axis=1),
            facing=(hits["Ng"] * directions).sum(axis=1) < 0,
        )


class VehicleTarget(RayTarget):
    """A vehicle's parts, with what is known of each of their faces."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(parts)
        names = [p.segment for p in parts]
        self._segments = np.array([0 if n is None else 1 + segments.INDEX[n] for n in names])
        self._first_face = np.cumsum([0, *(len(p.faces) for p in parts[:-1])])
        self._codes = np.concatenate([face_codes(p) for p in parts])
        self._parts = parts

    @cached_property
    def _corner_normals(self) -> np.ndarray:
        """(m, 3, 3) of the corners of every face."""
        return np.concatenate([p.normals[p.faces] for p in self._parts])

    def segment_codes(self, hits: Hits) -> np.ndarray:
        """(n,) uint8: 1 + the index of the segment that was hit, 0 for none."""
        return np.where(hits.part >= 0, self._segments[hits.part], 0).astype(np.uint8)

    def part_codes(self, hits: Hits) -> np.ndarray:
        """(n,) uint8: 1 + the index of the part that was hit, 0 for none."""
        return np.where(hits.part >= 0, self._codes[self._faces(hits)], 0).astype(np.uint8)

    def normals(self, hits: Hits) -> np.ndarray:
        """(n, 3) unit normals, smooth as the surface is, on the side of the face that was hit."""
        corners = self._corner_normals[self._faces(hits)]
        smooth = unit((hits.weights[:, :, None] * corners).sum(axis=1))
        smooth[~hits.facing] *= -1
        return np.where(hits.part[:, None] >= 0, smooth, 0)

    def _faces(self, hits: Hits) -> np.ndarray:
        return self._first_face[hits.part] + hits.face


@lru_cache(maxsize=16)
def vehicle_target(parts: tuple[Part, ...]) -> VehicleTarget:
    """The target of a vehicle's parts: vehicles that differ in their materials alone share one."""
    return VehicleTarget(parts)


def label_scene(spec: SceneSpec, geometry: SceneGeometry, normals: bool = False) -> SceneLabels:
    """All labels of a scene.

    Raises DataError when the camera is so near that part of the vehicle is behind it.
    """
    view = spec.camera
    vertices = vehicle_vertices(geometry.vehicle)
    pixels, depth = camera.project(vertices, view.pose, view.intrinsics)
    if depth.min() <= 0:
        raise DataError(f"scene {spec.index}: the camera stands inside the vehicle's extent")
    amodal = _bounds(pixels)
    own = vehicle_target(geometry.vehicle.parts)
    others = RayTarget([p for body in geometry.occluders for p in body.parts])
    window, hits, hidden = _trace_image(view, amodal, own, others)
    hit = hits.part >= 0
    seen = hit & ~hidden

    def image(values: np.ndarray) -> np.ndarray:
        """The whole image of values (n, ...) at the window's pixels, 0 elsewhere."""
        whole = np.zeros((view.height, view.width, *values.shape[1:]), dtype=values.dtype)
        whole[window] = values.reshape(whole[window].shape)
        return whole

    mask = image(seen)
    inside = int(hit.sum())
    return SceneLabels(
        keypoints=_label_keypoints(view, geometry.vehicle.keypoints, own, others),
        box=_mask_box(mask),
        box_amodal=amodal,
        mask=mask,
        mask_amodal=image(hit),
        segment_mask=image(own.segment_codes(hits) * seen),
        part_mask=image(own.part_codes(hits) * seen),
        depth=image(np.where(seen, hits.distance, 0).astype(np.float32)),
        normals=image(_camera_normals(view, own, hits) * seen[:, None]) if normals else None,
        occlusion=1 - int(seen.sum()) / inside if inside else 0.0,
        truncation=_truncation(view, amodal, own, vertices),
    )


def _camera_normals(view: CameraSpec, own: VehicleTarget, hits: Hits) -> np.ndarray:
    return (own.normals(hits) @ view.pose.rotation.T).astype(np.float32)


def _trace_image(
    view: CameraSpec, amodal: Box, own: RayTarget, others: RayTarget
) -> tuple[tuple[slice, slice], Hits, np.ndarray]:
    """The window of the image that the vehicle lies in, what its pixels (n,) show of the vehicle,
    row by row, and whether something is in front. Distances are depths."""
    left, right = np.clip([np.floor(amodal[0]), np.ceil(amodal[2])], 0, view.width).astype(int)
    top, bottom = np.clip([np.floor(amodal[1]), np.ceil(amodal[3])], 0, view.height).astype(int)
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1), view.intrinsics)
    directions, centre = rays @ view.pose.rotation, view.pose.centre
    hits = own.hits(centre, directions)
    hit = np.flatnonzero(hits.part >= 0)
    hidden = np.zeros(len(directions), dtype=bool)
    hidden[hit] = others.cast(centre, directions[hit])[0] < hits.distance[hit]
    return (slice(top, bottom), slice(left, right)), hits, hidden


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
