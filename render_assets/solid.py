"""Smooth solids: a vehicle body as half-spaces with curved faces, blended where they meet.

A ``Solid`` maps points (n, 3) to values (n,): negative inside, close to metres near the surface.
``polygonise`` meshes its left half; ``project`` pulls points onto its surface.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Solid = Callable[[np.ndarray], np.ndarray]


def smooth_max(a: np.ndarray, b: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """The larger of two values, rounded where they are within ``radius`` of each other."""
    overlap = np.maximum(radius - np.abs(a - b), 0)
    return np.maximum(a, b) + overlap * overlap / (4 * radius)


def smooth_min(a: np.ndarray, b: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """The smaller of two values, filleted where they are within ``radius`` of each other."""
    return -smooth_max(-a, -b, radius)


def gradient(solid: Solid, points: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """(n, 3) differences of the solid at points (n, 3) over the corners of a small tetrahedron."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=np.float64)
    values = solid((points + step * corners[:, None]).reshape(-1, 3)).reshape(4, -1)
    return values.T @ corners / (4 * step)


def project(solid: Solid, points: np.ndarray, steps: int = 2) -> np.ndarray:
    """Points (n, 3) pulled onto the surface along the gradient."""
    points = np.array(points, dtype=np.float64)
    for _ in range(steps):
        slope = gradient(solid, points)
        square = np.maximum((slope * slope).sum(axis=1), 1e-6)
        points -= (np.clip(solid(points), -0.2, 0.2) / square)[:, None] * slope
    return points


def between(solid: Solid, outside: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n, 3) where the lines from points outside to points inside pass through the surface."""
    outside, inside = np.array(outside, dtype=np.float64), np.array(inside, dtype=np.float64)
    for _ in range(13):
        middle = (outside + inside) / 2
        in_solid = (solid(middle) < 0)[:, None]
        inside = np.where(in_solid, middle, inside)
        outside = np.where(in_solid, outside, middle)
    far, near = solid(outside)[:, None], solid(inside)[:, None]
    return outside + (inside - outside) * np.clip(far / np.where(far > near, far - near, 1), 0, 1)


def polygonise(
    solid: Solid, low: np.ndarray, high: np.ndarray, cell: float
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and faces (m, 3) of the half y >= 0 of a solid that is mirror-symmetric in y.

    Surface nets: one vertex per grid cell that the surface crosses, at the mean of its edge
    crossings; a pair of triangles for each crossed grid edge. Cells along y = 0 are centred on the
    mirror plane and their vertices put exactly on it. ``low`` and ``high`` bound the whole solid.
    """
    x, z = (np.arange(low[k] - 1.5 * cell, high[k] + 1.5 * cell, cell) for k in (0, 2))
    y = np.arange(-0.5 * cell, high[1] + 1.5 * cell, cell)
    shape = (len(x), len(y), len(z))
    nodes = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    values = solid(nodes).reshape(shape)
    cells = np.array([s - 1 for s in shape])

    sums = np.zeros((int(np.prod(cells)), 3))
    counts = np.zeros(len(sums))
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        first = np.take(values, range(shape[axis] - 1), axis)
        second = np.take(values, range(1, shape[axis]), axis)
        at = np.argwhere((first < 0) != (second < 0))
        at = at[(at[:, u] > 0) & (at[:, v] > 0) & (at[:, u] < cells[u]) & (at[:, v] < cells[v])]
        a, b = first[tuple(at.T)], second[tuple(at.T)]
        crossing = at.astype(np.float64)
        crossing[:, axis] += a / (a - b)
        around = []
        for du, dv in ((0, 0), (-1, 0), (-1, -1), (0, -1)):
            corner = at.copy()
            corner[:, u] += du
            corner[:, v] += dv
            around.append(np.ravel_multi_index(tuple(corner.T), tuple(cells)))
        quad = np.stack(around, axis=1)
        for k in range(3):
            sums[:, k] += np.bincount(
                quad.ravel(), weights=np.repeat(crossing[:, k], 4), minlength=len(sums)
            )
        counts += np.bincount(quad.ravel(), minlength=len(sums))
        quad[a < 0] = quad[a < 0][:, ::-1]  # counter-clockwise seen from the side that is outside
        quads.append(quad[:, ::-1])
    return _compact(sums, counts, np.concatenate(quads), cells, np.array([x[0], y[0], z[0]]), cell)


def _compact(
    sums: np.ndarray,
    counts: np.ndarray,
    quads: np.ndarray,
    cells: np.ndarray,
    origin: np.ndarray,
    cell: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Drop unused cells, put the first row on the mirror plane, cut quads by the short diagonal."""
    used = np.flatnonzero(counts)
    points = sums[used] / counts[used, None] * cell + origin
    on_plane = np.unravel_index(used, tuple(cells))[1] == 0
    points[on_plane, 1] = 0.0
    index = np.zeros(len(counts), dtype=np.int64)
    index[used] = np.arange(len(used))
    quads = index[quads]
    quads = quads[~on_plane[quads].all(axis=1)]
    p = points[quads]
    short = np.linalg.norm(p[:, 0] - p[:, 2], axis=1) <= np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    s, t = quads[short], quads[~short]
    faces = [s[:, [0, 1, 2]], s[:, [0, 2, 3]], t[:, [0, 1, 3]], t[:, [1, 2, 3]]]
    return points, np.concatenate(faces)
