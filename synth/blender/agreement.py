"""How far the labels of a scene agree with Cycles, the raster renderer and Blender's own rays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import bpy  # noqa: F401  (mathutils comes with it)
import cv2
import numpy as np
from mathutils.bvhtree import BVHTree

from pamtri import camera
from pamtri.keypoints import NAMES, Visibility
from render_assets.mesh import Part
from synth.geometry import SceneGeometry
from synth.labels import SKIN_TOLERANCE, SceneLabels, label_scene
from synth.scene import CameraSpec, SceneSpec

LEAST_IOU, SMALL_IOU, SMALL_PX = 0.98, 0.95, 48
"""What masks must reach, and what suffices for a vehicle smaller than so many pixels."""
LEAST_DEPTH, DEPTH_TOLERANCE = 0.99, 0.005
"""The share of the interior that depths must agree on, and how well."""
_GRAZING = 0.01
"""Metres that a ray is moved by to see whether it runs along an edge."""


class Witness(Protocol):
    """A renderer that tells where it sees the vehicle, and how far away."""

    def mask_and_depth(
        self, spec: SceneSpec, geometry: SceneGeometry
    ) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) bool and (h, w) metres, 0 where the vehicle is not visible."""
        ...


@dataclass(frozen=True)
class Pair:
    """Two masks of one scene: their intersection over union, and the share of the interior on
    which their depths differ by no more than ``DEPTH_TOLERANCE``."""

    iou: float
    depth: float


@dataclass(frozen=True)
class Dispute:
    """A keypoint that two ray casts judge differently.

    ``grazing`` tells whether the second one's verdict changes within a centimetre.
    """

    keypoint: str
    letter: str
    witness: str
    grazing: bool

    def __str__(self) -> str:
        where = "at a grazing edge" if self.grazing else "in the clear"
        return f"{self.keypoint} is '{self.letter}', Blender's ray says '{self.witness}' {where}"


@dataclass(frozen=True)
class Agreement:
    """One scene: pairs by the names of who saw it, and the keypoints in dispute.

    ``size`` is the longer side of the box of what is visible, pixels.
    """

    size: int
    pairs: dict[tuple[str, str], Pair]
    disputes: tuple[Dispute, ...]

    def faults(self) -> list[str]:
        """What is not as it must be; a dispute is no fault at a grazing edge."""
        least = SMALL_IOU if self.size < SMALL_PX else LEAST_IOU
        said = []
        for (a, b), pair in self.pairs.items():
            if pair.iou < least:
                said.append(f"masks of {a} and {b}: IoU {pair.iou:.4f}, expected {least}")
            if pair.depth < LEAST_DEPTH:
                said.append(f"depths of {a} and {b} agree on {pair.depth:.2%} of the interior")
        return said + [str(d) for d in self.disputes if not d.grazing]


def compare(spec: SceneSpec, geometry: SceneGeometry, witnesses: dict[str, Witness]) -> Agreement:
    """Hold the labels and every witness against each other."""
    labels = label_scene(spec, geometry)
    seen = {name: w.mask_and_depth(spec, geometry) for name, w in witnesses.items()}
    seen["labels"] = labels.mask, labels.depth
    interior = _interior(labels)
    names = list(seen)
    pairs = {
        (a, b): _pair(seen[a], seen[b], interior)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    box = labels.box or (0, 0, 0, 0)
    size = round(max(box[2] - box[0], box[3] - box[1]))
    return Agreement(size, pairs, tuple(_disputes(spec, geometry, labels)))


def _pair(
    one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray], interior: np.ndarray
) -> Pair:
    both, either = one[0] & two[0], one[0] | two[0]
    where = both & interior
    off = np.abs(one[1][where] / two[1][where] - 1)
    return Pair(
        iou=float(both.sum() / either.sum()) if either.any() else 1.0,
        depth=float((off <= DEPTH_TOLERANCE).mean()) if where.any() else 1.0,
    )


def _interior(labels: SceneLabels) -> np.ndarray:
    """(h, w) whether a pixel and its eight neighbours show the same part of the vehicle, and the
    depth does not jump there."""
    around = np.ones((3, 3), dtype=np.uint8)
    parts, depth = labels.part_mask, labels.depth
    same = (parts > 0) & (cv2.erode(parts, around) == cv2.dilate(parts, around))
    bend = np.array([[1.0, -2.0, 1.0]])
    jumps = [np.abs(cv2.filter2D(depth, -1, kernel)) for kernel in (bend, bend.T)]
    return same & (np.max(jumps, axis=0) < DEPTH_TOLERANCE * depth)


def _disputes(spec: SceneSpec, geometry: SceneGeometry, labels: SceneLabels) -> list[Dispute]:
    """The keypoints whose letters Blender's tree of triangles does not confirm."""
    own = _tree(geometry.vehicle.parts)
    rest = [part for body in geometry.occluders for part in body.parts]
    others = _tree(rest) if rest else None
    found = []
    points = geometry.vehicle.keypoints
    for name, point, letter in zip(NAMES, points, labels.keypoints.visibility, strict=True):
        verdict = _judge(spec.camera, point, point, own, others)
        if verdict != letter:
            around = _around(spec.camera, point)
            nearby = {_judge(spec.camera, point, p, own, others) for p in around}
            found.append(Dispute(name, letter, verdict, len(nearby | {verdict}) > 1))
    return found


def _tree(parts: Sequence[Part]) -> BVHTree:
    starts = np.cumsum([0, *(len(p.vertices) for p in parts[:-1])])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    return BVHTree.FromPolygons(
        np.concatenate([p.vertices for p in parts]).tolist(), faces.tolist()
    )


def _judge(
    view: CameraSpec, point: np.ndarray, through: np.ndarray, own: BVHTree, others: BVHTree | None
) -> str:
    """The letter of ``point`` by a ray from the camera ``through`` a place at or near it."""
    (pixel,), _ = camera.project(point[None], view.pose, view.intrinsics)
    if not (0 <= pixel[0] < view.width and 0 <= pixel[1] < view.height):
        return Visibility.TRUNCATED.value
    eye = view.pose.centre
    length = float(np.linalg.norm(through - eye))
    line = ((through - eye) / length).tolist()
    hit = own.ray_cast(eye.tolist(), line)[3]
    if hit is not None and hit < length - SKIN_TOLERANCE:
        return Visibility.SELF_OCCLUDED.value
    hit = None if others is None else others.ray_cast(eye.tolist(), line)[3]
    if hit is not None and hit < length:
        return Visibility.OCCLUDED.value
    return Visibility.VISIBLE.value


def _around(view: CameraSpec, point: np.ndarray) -> np.ndarray:
    """(8, 3) places about a point, across the line of sight."""
    right, down = view.pose.rotation[:2]
    turn = np.arange(8) * np.pi / 4
    return point + _GRAZING * (np.outer(np.cos(turn), right) + np.outer(np.sin(turn), down))
