"""Dents: the skin of one side pressed in, vertices and normals, within a small circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import trimesh

from render_assets.body import Body
from render_assets.mark_parts import side_spot
from render_assets.mesh import Part, part, unit
from render_assets.spec import VehicleSpec

_SKIN = ("front_fender", "doors", "rear_quarter", "shut_lines")
"""What a dent moves: parts of its side with these names."""
_FINE = 2
"""How often triangles are divided in four where a dent is."""
_SMALL = 0.015
"""Triangles that reach no further from their middle are fine enough, metres."""


def dented(
    parts: Sequence[Part], spec: VehicleSpec, body: Body, keypoints: np.ndarray
) -> list[Part]:
    """The parts with the vehicle's dents pressed in.

    A dent that would reach a keypoint (36, 3) is made smaller, so that no keypoint leaves its
    surface.
    """
    made = list(parts)
    for dent in spec.marks.dents:
        x, z = side_spot(spec, body, dent.along, dent.up, 0.0)
        own = (
            keypoints[keypoints[:, 1] > 0]
            if dent.side == "left"
            else keypoints[keypoints[:, 1] < 0]
        )
        nearest = np.hypot(own[:, 0] - x, own[:, 2] - z).min()
        radius = min(dent.radius, float(nearest) - 0.01)
        if radius < 0.04:
            continue
        names = {f"{dent.side}_{name}" for name in _SKIN}
        sign = 1.0 if dent.side == "left" else -1.0
        depth = dent.depth * radius / dent.radius
        made = [_pressed(p, x, z, radius, sign * depth) if p.name in names else p for p in made]
    return made


def _pressed(original: Part, x: float, z: float, radius: float, depth: float) -> Part:
    """A part moved by at most ``depth`` metres towards -y around (x, z)."""
    fine = _refined(original, x, z, radius)
    points = fine.vertices.astype(np.float64)
    offset = (points[:, [0, 2]] - (x, z)) / radius
    inside = np.maximum(1 - (offset**2).sum(axis=1), 0)
    if not inside.any():
        return original
    points[:, 1] -= depth * inside**2
    slope = np.zeros_like(points)
    slope[:, [0, 2]] = -4 * depth / radius * inside[:, None] * offset
    normals = fine.normals + slope * fine.normals[:, 1:2]
    return replace(
        fine, vertices=points.astype(np.float32), normals=unit(normals).astype(np.float32)
    )


def _refined(original: Part, x: float, z: float, radius: float) -> Part:
    """The part with its triangles around (x, z) divided."""
    vertices, faces, normals = original.vertices, original.faces, original.normals
    for _ in range(_FINE):
        corners = vertices[faces][:, :, [0, 2]] - np.array([x, z])
        middle = corners.mean(axis=1)
        reach = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1)
        around = np.linalg.norm(middle, axis=1) < radius + reach
        near = np.flatnonzero(around & (reach > _SMALL))
        if not len(near):
            break
        vertices, faces, extra = trimesh.remesh.subdivide(
            vertices, faces, near, {"normals": normals}
        )
        normals = extra["normals"]
    return part(original.name, original.material, vertices, faces, normals, original.segment)
