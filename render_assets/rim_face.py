"""Meshes of wheel faces: the metal of a rim design as a dished plate with chamfers and walls."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from render_assets.mesh import Part, part, used_by
from render_assets.rims import Rim, depth, openness, rim_of
from render_assets.spec import Wheels

_SNAP = 0.35
"""Grid points closer to an edge than this part of a cell are moved onto it."""


@lru_cache(maxsize=32)
def _sector(rim: Rim, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One sector in the plane: points (n, 2) in fractions of the rim's ``radius`` (metres), faces
    of the level metal, and the edges (k, 2) along the openings' chamfers, metal on their left."""
    angle = np.linspace(-np.pi / rim.count, np.pi / rim.count, rim.columns + 1)
    r, a = np.meshgrid(
        np.linspace(0.9 * rim.cap, 1 - 0.01 / radius, rim.rows + 1), angle, indexing="ij"
    )
    points = np.stack([r * np.cos(a), r * np.sin(a)], axis=-1).reshape(-1, 2)
    value = openness(rim, points) + rim.edge / radius
    cell = np.minimum(r[1, 0] - r[0, 0], r * (angle[1] - angle[0]))
    near = (np.abs(value) < _SNAP * cell.ravel()) & ((r > r[0, 0]) & (r < r[-1, 0])).ravel()
    moved = points - value[:, None] * _outward(rim, points)[:, [0, 2]]
    near &= np.abs(openness(rim, moved) + rim.edge / radius) < 0.2 * np.abs(value)
    points[near], value[near] = moved[near], 0
    faces = _halved(value.reshape(r.shape))
    spanned = faces[(value[faces] == 0).all(axis=1)]
    spanned = spanned[openness(rim, points[spanned].mean(axis=1)) < -rim.edge / radius]
    points, on_edge, metal = _below_zero(points, value, faces)
    metal = np.concatenate([metal, spanned])
    edges = np.concatenate([metal[:, [0, 1]], metal[:, [1, 2]], metal[:, [2, 0]]])
    return points, metal, edges[on_edge[edges].all(axis=1) & _single(edges)]


def _halved(value: np.ndarray) -> np.ndarray:
    """Triangles of a grid with a value at each point; each cell is halved between the two corners
    that are lower together, so that thin metal stays whole."""
    index = np.arange(value.size).reshape(value.shape)
    a, b = index[:-1, :-1].ravel(), index[1:, :-1].ravel()
    c, d = index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    v = value.ravel()
    along = (v[a] + v[c] < v[b] + v[d])[:, None]
    first = np.where(along, np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    return np.concatenate([first, np.where(along, np.stack([a, c, d], 1), np.stack([b, c, d], 1))])


def _single(edges: np.ndarray) -> np.ndarray:
    """(k,) bool: directed edges (k, 2) whose opposite is not among them."""
    keys = np.sort(edges, axis=1)
    _, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return count[place.ravel()] == 1


def _below_zero(
    points: np.ndarray, value: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The faces (m, 3) where the values (n,) at points (n, 2) are below zero, trimmed along the
    zero line; the points with those of the line added, and which of them lie on it."""
    below = value[faces] < 0
    above = value[faces] > 0
    crossed = below.any(axis=1) & above.any(axis=1)
    whole = below.any(axis=1) & ~above.any(axis=1)
    inside = below[crossed]
    lone = inside.sum(axis=1) == 1
    odd = np.argmax(inside == lone[:, None], axis=1)
    a, b, c = (faces[crossed][np.arange(len(odd)), (odd + k) % 3] for k in range(3))
    ends = np.sort(np.stack([np.concatenate([a, a]), np.concatenate([b, c])], axis=1), axis=1)
    unique, place = np.unique(ends, axis=0, return_inverse=True)
    i, j = unique.T
    t = (value[i] / (value[i] - value[j]))[:, None]
    added = len(points) + np.arange(len(unique))
    added = np.where(value[i] == 0, i, np.where(value[j] == 0, j, added))
    p, q = added[place.reshape(2, -1)]
    tip = np.stack([a, p, q], axis=1)
    rest = np.stack([p, b, c, p, c, q], axis=1).reshape(-1, 2, 3)
    kept = np.concatenate([faces[whole], tip[lone], rest[~lone].reshape(-1, 3)])
    points = np.concatenate([points, points[i] * (1 - t) + points[j] * t])
    return points, np.concatenate([value == 0, np.ones(len(unique), dtype=bool)]), kept


def face_parts(wheels: Wheels, end: str, lip_y: float, materials: tuple[str, str]) -> list[Part]:
    """The plate of spokes before the brake: its level face, and its chamfers and walls.

    Built around the y axis with the lip's plane at ``lip_y``; ``materials`` are the face's and the
    sides'. The back is open: nothing sees it.
    """
    rim, radius = rim_of(wheels), wheels.rim_radius
    flat, level, edges = _sector(rim, round(radius, 3))
    lean = _lean(wheels, end, flat)
    y = lip_y - depth(wheels, end, np.hypot(*flat.T))
    points = np.stack([radius * flat[:, 0], y, radius * flat[:, 1]], axis=1)
    out, up = _outward(rim, flat), np.array([0.0, 1.0, 0.0])
    brink = points + rim.edge * (out - 0.8 * up)
    foot = brink + 0.003 * out - rim.wall * up
    sides = [_strip(points, brink, lean + out, edges), _strip(brink, foot, out, edges)]
    name = "wheel_cover" if rim.pierced else "spokes"
    return [
        _around(name, materials[0], rim.count, [(points, lean, level[:, ::-1])]),
        _around(f"{name}_sides", materials[1], rim.count, sides),
    ]


def _outward(rim: Rim, flat: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """(n, 3) unit directions in the plate's plane from metal to opening."""
    moves = step * np.array([[1, 0], [0, 1]])
    du, dv = (openness(rim, flat + m) - openness(rim, flat - m) for m in moves)
    length = np.maximum(np.hypot(du, dv), 1e-9)
    return np.stack([du / length, np.zeros(len(flat)), dv / length], axis=1)


def _lean(wheels: Wheels, end: str, flat: np.ndarray, step: float = 0.04) -> np.ndarray:
    """(n, 3) unit normals of the dished plate."""
    r = np.hypot(*flat.T)
    fall = depth(wheels, end, r + step) - depth(wheels, end, r - step)
    tilt = (fall / (2 * step * wheels.rim_radius))[:, None] * flat / r[:, None]
    normal = np.stack([tilt[:, 0], np.ones(len(flat)), tilt[:, 1]], axis=1)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


_Piece = tuple[np.ndarray, np.ndarray, np.ndarray]


def _strip(near: np.ndarray, far: np.ndarray, normals: np.ndarray, edges: np.ndarray) -> _Piece:
    """Quads between two lines of points along directed edges: points, normals, faces."""
    points = np.concatenate([near[edges], far[edges[:, ::-1]]], axis=1).reshape(-1, 3)
    start = 4 * np.arange(len(edges))[:, None]
    faces = np.concatenate([start + np.array(t) for t in ((0, 1, 2), (0, 2, 3))])
    return points, normals[np.concatenate([edges, edges[:, ::-1]], axis=1)].reshape(-1, 3), faces


def _around(name: str, material: str, count: int, pieces: list[_Piece]) -> Part:
    """Pieces of one sector repeated around the y axis."""
    starts = np.cumsum([0] + [len(points) for points, _, _ in pieces])
    points = np.concatenate([points for points, _, _ in pieces])
    normals = np.concatenate([normals for _, normals, _ in pieces])
    faces = np.concatenate([f + s for (_, _, f), s in zip(pieces, starts, strict=False)])
    used, faces = used_by(faces)
    turns = turning(2 * np.pi * np.arange(count) / count)
    shift = len(used) * np.arange(count)[:, None, None]
    return part(
        name,
        material,
        (points[used] @ turns).reshape(-1, 3),
        (faces + shift).reshape(-1, 3),
        (normals[used] @ turns).reshape(-1, 3),
    )


def turning(angles: np.ndarray) -> np.ndarray:
    """(n, 3, 3) matrices that turn row vectors about the y axis by angles (n,), x towards z."""
    cos, sin = np.cos(angles), np.sin(angles)
    turns = np.zeros((len(angles), 3, 3))
    turns[:, 1, 1] = 1
    turns[:, 0, 0], turns[:, 0, 2], turns[:, 2, 0], turns[:, 2, 2] = cos, sin, -sin, cos
    return turns
