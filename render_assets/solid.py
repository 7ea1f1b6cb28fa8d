"""Smooth solids: a vehicle body as half-spaces with curved faces, blended where they meet.

A ``Solid`` maps points (n, 3) to values (n,): negative inside, close to metres near the surface.
``polygonise`` meshes its left half from its values on a grid, ``project`` pulls points onto its
surface.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Solid = Callable[[np.ndarray], np.ndarray]


def smooth_max(a: np.ndarray, b: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """The larger of two values, rounded where they are within 1.5 ``radius`` of each other.

    A cubic: curvature starts from zero at the round's edges, so that reflections run on smoothly.
    """
    reach = 1.5 * radius
    overlap = np.maximum(reach - np.abs(a - b), 0)
    return np.maximum(a, b) + overlap * overlap * overlap * (1 / (6 * reach * reach))


def smooth_min(a: np.ndarray, b: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """The smaller of two values, filleted where they are within ``radius`` of each other."""
    return -smooth_max(-a, -b, radius)


def bend(value: np.ndarray, radius: float) -> np.ndarray:
    """0 below zero and the value above it, rounded over about ``radius``."""
    return 0.5 * (value + np.sqrt(value * value + radius * radius))


_TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=np.float32)


def gradient(solid: Solid, points: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """(n, 3) differences of the solid at points (n, 3) over the corners of a small tetrahedron."""
    return _value_and_gradient(solid, points, step)[1]


def _value_and_gradient(
    solid: Solid, points: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) mean over the tetrahedron's corners and (n, 3) their differences."""
    corners = _TETRAHEDRON.astype(points.dtype)
    values = solid((points + step * corners[:, None]).reshape(-1, 3)).reshape(4, -1)
    return values.mean(axis=0), values.T @ corners / (4 * step)


def project(solid: Solid, points: np.ndarray, steps: int = 2) -> np.ndarray:
    """Points (n, 3) pulled onto the surface along the gradient."""
    return project_with_normals(solid, points, steps)[0]


def project_with_normals(
    solid: Solid, points: np.ndarray, steps: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) pulled onto the surface, and its gradient (n, 3) just before the last pull."""
    points = np.array(points)
    slope = np.zeros_like(points)
    for _ in range(steps):
        value, slope = _value_and_gradient(solid, points, 2e-3)
        square = np.maximum((slope * slope).sum(axis=1), 1e-6)
        points -= (np.clip(value, -0.2, 0.2) / square)[:, None] * slope
    return points, slope


def between(solid: Solid, outside: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n, 3) where the lines from points outside to points inside pass through the surface.

    By the false position method with Illinois weights: the values are close to distances, so a few
    steps do.
    """
    start, line = np.asarray(outside, dtype=np.float64), np.asarray(inside) - outside
    low, high = np.zeros(len(start)), np.ones(len(start))
    out, within = solid(start), solid(start + line)
    at_low, at_high = out, within  # the values themselves, for the last step
    for _ in range(6):
        at = low + (high - low) * np.clip(out / np.where(out > within, out - within, 1), 0.02, 0.98)
        value = solid(start + at[:, None] * line)
        hit = value < 0
        within, out = np.where(hit, value, 0.5 * within), np.where(hit, 0.5 * out, value)
        at_high, at_low = np.where(hit, value, at_high), np.where(hit, at_low, value)
        high, low = np.where(hit, at, high), np.where(hit, low, at)
    fall = np.where(at_low > at_high, at_low - at_high, 1)
    at = low + (high - low) * np.clip(at_low / fall, 0, 1)
    return start + at[:, None] * line


def polygonise(
    values: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and faces (m, 3) of the half y >= 0 of a solid that is mirror-symmetric in y.

    Surface nets: one vertex per grid cell that the surface crosses, at the mean of its edge
    crossings; a pair of triangles for each crossed grid edge. ``values`` are the solid's at the
    nodes of a grid whose rising coordinates along x, y and z ``axes`` are, and which encloses the
    solid; the first two along y lie evenly about the mirror plane, and the vertices between them
    are put exactly on it.
    """
    values = _unambiguous(values)
    shape = values.shape
    cells = np.array([s - 1 for s in shape])

    sums = np.zeros((int(np.prod(cells)), 3))
    counts = np.zeros(len(sums))
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        first = np.take(values, range(shape[axis] - 1), axis)
        second = np.take(values, range(1, shape[axis]), axis)
        at = np.stack(np.nonzero((first < 0) != (second < 0)), axis=1)
        at = at[(at[:, u] > 0) & (at[:, v] > 0) & (at[:, u] < cells[u]) & (at[:, v] < cells[v])]
        a, b = first[tuple(at.T)], second[tuple(at.T)]
        crossing = np.stack([axes[k][at[:, k]] for k in range(3)], axis=1)
        pitch = axes[axis][at[:, axis] + 1] - axes[axis][at[:, axis]]
        crossing[:, axis] += a / (a - b) * pitch
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
    return _compact(sums, counts, np.concatenate(quads), cells)


def _unambiguous(values: np.ndarray) -> np.ndarray:
    """The values without grid faces whose diagonals differ in sign, where two sheets would meet.

    The corner nearest to the surface is moved just across it.
    """
    values = values.copy()
    for _ in range(4):
        clean = True
        for axis in range(3):
            u, v = (k for k in range(3) if k != axis)
            view = np.moveaxis(values, (axis, u, v), (0, 1, 2))
            inside = view < 0
            a, b = inside[:, :-1, :-1], inside[:, 1:, :-1]
            c, d = inside[:, 1:, 1:], inside[:, :-1, 1:]
            for i, j, k in np.argwhere((a == c) & (b == d) & (a != b)):
                corners = view[i, j : j + 2, k : k + 2]
                at = np.unravel_index(np.abs(corners).argmin(), (2, 2))
                corners[at] = -np.copysign(1e-5, corners[at])
                clean = False
        if clean:
            break
    return values


def _compact(
    sums: np.ndarray, counts: np.ndarray, quads: np.ndarray, cells: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Drop unused cells, put the first row on the mirror plane, cut quads by the short diagonal."""
    used = np.flatnonzero(counts)
    points = sums[used] / counts[used, None]
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
