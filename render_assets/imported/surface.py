"""Rays at, and nearest points on, a triangle mesh."""

from __future__ import annotations

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.spatial import cKDTree
from trimesh.triangles import closest_point

_SIDES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]], dtype=np.float64)
_SHELL_RAYS = 180
"""Rays along the longer side of each view that looks for the outer surface."""
_NEAR = 24
"""Triangles that are tried for each nearest point."""


class Surface:
    """A mesh to measure: ``vertices`` (n, 3), ``faces`` (m, 3) int."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self.vertices = np.ascontiguousarray(vertices, dtype=np.float32)
        self.faces = np.ascontiguousarray(faces, dtype=np.int32)
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, self.vertices, self.faces)
        self._shell: tuple[cKDTree, np.ndarray] | None = None

    def cast(self, origins: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First hits of rays from ``origins`` (n, 3) along one or n unit directions.

        Returns distances (n,), infinite without a hit, and faces (n,), -1 without.
        """
        origins = np.ascontiguousarray(np.atleast_2d(origins), dtype=np.float32)
        along = np.broadcast_to(np.asarray(direction, dtype=np.float32), origins.shape)
        if not len(origins):
            return np.zeros(0), np.zeros(0, dtype=np.int32)
        hits = self._scene.run(origins, np.ascontiguousarray(along), output=True)
        missed = hits["geomID"] < 0
        distance = np.where(missed, np.inf, hits["tfar"]).astype(np.float64)
        return distance, np.where(missed, -1, hits["primID"])

    def shell(self) -> tuple[cKDTree, np.ndarray]:
        """Points of the outer surface, seen from all sides and above, and their faces (n,)."""
        if self._shell is None:
            low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
            centre, reach = (low + high) / 2, float(np.linalg.norm(high - low))
            points, faces = [], []
            corners = np.array([[x, y, 1] for x in (-1, 1) for y in (-1, 1)]) / np.sqrt(3)
            for side in (*_SIDES, *corners):
                origins = _window(side, centre, reach)
                distance, face = self.cast(origins, -side)
                hit = face >= 0
                points.append(origins[hit] - distance[hit, None] * side)
                faces.append(face[hit])
            self._shell = cKDTree(np.concatenate(points)), np.concatenate(faces)
        return self._shell

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points of the outer surface nearest to ``points`` (n, 3)."""
        tree, faces = self.shell()
        points = np.atleast_2d(points).astype(np.float64)
        _, index = tree.query(points, k=min(_NEAR, tree.n))
        near = faces[np.asarray(index).reshape(len(points), -1)]
        corners = self.vertices[self.faces[near]].astype(np.float64)
        repeated = np.repeat(points[:, None], near.shape[1], axis=1)
        feet = closest_point(corners.reshape(-1, 3, 3), repeated.reshape(-1, 3))
        feet = feet.reshape(repeated.shape)
        best = np.linalg.norm(feet - repeated, axis=2).argmin(axis=1)
        return feet[np.arange(len(points)), best]


def _window(side: np.ndarray, centre: np.ndarray, reach: float) -> np.ndarray:
    """(n, 3) a square grid of points before the mesh, as seen from ``side``."""
    up = np.array([0.0, 0.0, 1.0]) if abs(side[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = np.cross(up, side)
    across /= np.linalg.norm(across)
    upward = np.cross(side, across)
    steps = (np.linspace(-0.5, 0.5, _SHELL_RAYS) * reach)[:, None]
    row = (steps * across)[:, None] + (steps * upward)[None]
    return centre + reach * side + row.reshape(-1, 3)
