"""Triangle meshes of named vehicle parts, and the small solids that trim is made of.

Metres, vehicle frame (x forward, y left, z up). Faces are counter-clockwise seen from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Part:
    """A named piece of a vehicle with one material.

    ``vertices`` (n, 3) float32 metres; ``faces`` (m, 3) int32, outward counter-clockwise;
    ``normals`` (n, 3) float32 unit, smooth (vertices are doubled at creases); ``segment`` is one of
    ``pamtri.segments.NAMES`` or None; ``uv`` (n, 2) float32 where its material has a texture.
    """

    name: str
    material: str
    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    segment: str | None = None
    uv: np.ndarray | None = None


def part(
    name: str,
    material: str,
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray | None = None,
    segment: str | None = None,
) -> Part:
    """A ``Part`` with the declared dtypes; normals are averaged from the faces when not given."""
    vertices = np.asarray(vertices, dtype=np.float32)
    faces = np.asarray(faces, dtype=np.int32)
    if normals is None:
        normals = vertex_normals(vertices, faces)
    return Part(name, material, vertices, faces, unit(normals).astype(np.float32), segment)


def unit(vectors: np.ndarray) -> np.ndarray:
    """(n, 3) vectors at length 1; a zero vector becomes +z."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    if (length > 1e-12).all():
        return vectors / length
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), [0.0, 0.0, 1.0])


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) area-weighted mean of the normals of the faces around each vertex, not normalised."""
    a, b, c = (np.asarray(vertices, dtype=np.float64)[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    index = faces.reshape(-1)
    return np.stack(
        [
            np.bincount(index, weights=np.repeat(cross[:, k], 3), minlength=len(vertices))
            for k in range(3)
        ],
        axis=1,
    )


def mirror(original: Part, name: str | None = None, segment: str | None = None) -> Part:
    """The part reflected in the plane y = 0, faces turned so that they still look outward."""
    flip = np.array([1, -1, 1], dtype=np.float32)
    return replace(
        original,
        name=name or original.name,
        vertices=original.vertices * flip,
        faces=original.faces[:, ::-1].copy(),
        normals=original.normals * flip,
        segment=segment or original.segment,
    )


def moved(original: Part, offset: tuple[float, float, float]) -> Part:
    """The part shifted by ``offset`` metres."""
    return replace(original, vertices=original.vertices + np.array(offset, dtype=np.float32))


def merge(name: str, parts: list[Part]) -> Part:
    """Parts of one material as one part."""
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    return Part(
        name,
        parts[0].material,
        np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.faces + np.int32(s) for p, s in zip(parts, starts, strict=True)]),
        np.concatenate([p.normals for p in parts]),
        parts[0].segment,
        joined_uv(parts),
    )


def used_by(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k,) the vertices that faces (m, 3) use, rising, and the faces (m, 3) counted among them."""
    total = int(faces.max(initial=-1)) + 1
    marked = np.zeros(total, dtype=bool)
    marked[faces] = True
    used = np.flatnonzero(marked)
    number = np.empty(total, dtype=np.int32)
    number[used] = np.arange(len(used))
    return used, number.take(faces)


def joined_uv(parts: list[Part]) -> np.ndarray | None:
    """(n, 2) texture coordinates of all vertices of ``parts``; None where no part has any."""
    if all(p.uv is None for p in parts):
        return None
    return np.concatenate(
        [np.zeros((len(p.vertices), 2), np.float32) if p.uv is None else p.uv for p in parts]
    )


@lru_cache(maxsize=512)
def grid_faces(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    """(m, 3) triangles of a grid of points in row-major order, read-only.

    Outward is (next row) x (next column). ``closed`` joins the last row to the first.
    """
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.vstack([index, index[:1]])
    a, b = index[:-1, :-1].ravel(), index[1:, :-1].ravel()
    c, d = index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    faces.flags.writeable = False
    return faces


def box(
    name: str,
    material: str,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    edge: float = 0.01,
) -> Part:
    """A box with bevelled edges ``edge`` metres wide and flat-shaded faces.

    ``size`` is the full extent along x, y, z.
    """
    sign, outer, normals, faces = box_template()
    bevel = min(edge, 0.49 * float(min(size)))
    inner = np.array(size) / 2 - np.where(outer, 0, bevel)
    return part(name, material, sign * inner + np.array(centre), faces, normals)


@lru_cache(maxsize=1)
def box_template() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of a bevelled box's vertices the signs (n, 3) and whether each coordinate is outermost,
    normals (n, 3) and faces (m, 3), the first twelve of which are its sides. Do not write to them.
    """
    points: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    faces: list[tuple[int, ...]] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (1.0, -1.0):
            quad = np.zeros((4, 3))
            quad[:, axis] = side
            quad[:, u] = np.array([-1, 1, 1, -1]) / 2
            quad[:, v] = np.array([-1, -1, 1, 1]) / 2
            normal = np.zeros(3)
            normal[axis] = side
            start = 4 * len(points)
            points.append(quad)
            normals.append(np.tile(normal, (4, 1)))
            order = [(0, 1, 2), (0, 2, 3)] if side > 0 else [(0, 2, 1), (0, 3, 2)]
            faces += [tuple(start + i for i in t) for t in order]
    corners = np.concatenate(points)
    faces += _bevels(corners)
    return np.sign(corners), np.abs(corners) == 1, np.concatenate(normals), np.array(faces)


def _bevels(points: np.ndarray) -> list[tuple[int, ...]]:
    """Edge strips and corner triangles between the six inset faces of a box of half extent 1."""
    outer = np.abs(points) == 1
    signs = np.sign(points)
    faces: list[tuple[int, ...]] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for su in (1, -1):
            for sv in (1, -1):
                at = (signs[:, u] == su) & (signs[:, v] == sv)
                on_u, on_v = at & outer[:, u], at & outer[:, v]
                a, b = (np.flatnonzero(on_u & (signs[:, axis] == s))[0] for s in (-1, 1))
                c, d = (np.flatnonzero(on_v & (signs[:, axis] == s))[0] for s in (1, -1))
                quad = (a, d, c, b) if su * sv > 0 else (a, b, c, d)
                i, j, k, m = (int(q) for q in quad)
                faces += [(i, m, k)[::-1], (i, k, j)[::-1]]
    for corner in np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T:
        at = np.all(signs == corner, axis=1)
        tri = [int(np.flatnonzero(at & outer[:, k])[0]) for k in range(3)]
        faces.append(tuple(tri if np.prod(corner) > 0 else tri[::-1]))
    return faces


def ellipsoid(
    name: str,
    material: str,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    power: float = 2.0,
    steps: int = 12,
) -> Part:
    """A superellipsoid of full extent ``size``: ``power`` 2 is an ellipsoid, 4 a rounded box."""
    phi = np.linspace(0, 2 * np.pi, 2 * steps + 1)[:-1]
    theta = np.linspace(-np.pi / 2, np.pi / 2, steps + 1)
    p, t = np.meshgrid(phi, theta, indexing="ij")
    around = np.stack([np.cos(t) * np.cos(p), np.cos(t) * np.sin(p), np.sin(t)], -1).reshape(-1, 3)
    signed = np.sign(around) * np.abs(around) ** (2 / power)
    normals = np.sign(around) * np.abs(around) ** (2 - 2 / power) / np.array(size)
    faces = grid_faces(2 * steps, steps + 1, closed=True)
    return part(name, material, signed * np.array(size) / 2 + np.array(centre), faces, normals)


def tube(
    name: str, material: str, path: np.ndarray, radius: float, sides: int = 8, capped: bool = True
) -> Part:
    """A round bar of ``radius`` metres along the polyline ``path`` (n, 3)."""
    path = np.asarray(path, dtype=np.float64)
    tangent = np.diff(path, axis=0)
    tangent = unit(np.concatenate([tangent[:1], tangent[1:] + tangent[:-1], tangent[-1:]]))
    ring = circles(tangent, sides)
    points = (path[None] + radius * ring).reshape(-1, 3)
    faces = grid_faces(sides, len(path), closed=True)[:, ::-1]
    normals = ring.reshape(-1, 3)
    if capped:
        for end, sign in ((0, -1.0), (len(path) - 1, 1.0)):
            start = len(points)
            rim = path[end] + radius * ring[:, end]
            points = np.concatenate([points, rim])
            normals = np.concatenate([normals, np.tile(sign * tangent[end], (sides, 1))])
            fan = np.array([(start, start + i, start + i + 1) for i in range(1, sides - 1)])
            faces = np.concatenate([faces, fan if sign < 0 else fan[:, ::-1]])
    return part(name, material, points, faces, normals)


def circles(along: np.ndarray, sides: int) -> np.ndarray:
    """(sides, n, 3) circles of radius one about unit directions ``along`` (n, 3)."""
    x, y, z = along.T
    zero = np.zeros(len(x))
    steep = np.abs(z)[:, None] >= 0.9  # no z axis to lie across then, but the x axis
    across = unit(np.where(steep, np.stack([zero, z, -y], 1), np.stack([y, -x, zero], 1)))
    upward = np.cross(across, along)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None, None]
    return np.asarray(across * np.cos(angle) + upward * np.sin(angle))


def loft(name: str, material: str, rings: np.ndarray) -> Part:
    """A closed skin through rings of points (n, m, 3), its ends closed by fans.

    Each ring runs counter-clockwise seen against the direction in which the rings follow.
    """
    count, around = rings.shape[:2]
    points = np.concatenate([rings.swapaxes(0, 1).reshape(-1, 3), rings[[0, -1]].mean(axis=1)])
    rim = np.arange(around) * count
    first = np.stack([np.full(around, len(points) - 2), np.roll(rim, -1), rim], axis=1)
    last = np.stack([np.full(around, len(points) - 1), rim, np.roll(rim, -1)], axis=1)
    last[:, 1:] += count - 1
    return part(
        name,
        material,
        points,
        np.concatenate([grid_faces(around, count, closed=True), first, last]),
    )


def revolve(
    name: str, material: str, profile: np.ndarray, steps: int = 48, smooth: bool = True
) -> Part:
    """The profile (n, 2) of (radius, y) turned about the y axis.

    The profile runs so that outward is on its left when radius grows to the right: a tyre's tread
    runs from -y to +y. ``smooth=False`` gives each profile piece its own normals.
    """
    profile = np.asarray(profile, dtype=np.float64)
    if not smooth:
        profile = np.repeat(profile, 2, axis=0)[1:-1]
        tangent = np.repeat(profile[1::2] - profile[::2], 2, axis=0)
    else:
        tangent = np.gradient(profile, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    angle = np.linspace(0, 2 * np.pi, steps + 1)[:-1]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    count = len(profile)
    y = np.broadcast_to(profile[:, 1], (steps, count))
    ny = np.broadcast_to(normal[:, 1], (steps, count))
    points = np.stack([profile[:, 0] * cos, y, profile[:, 0] * sin], -1).reshape(-1, 3)
    normals = np.stack([normal[:, 0] * cos, ny, normal[:, 0] * sin], -1).reshape(-1, 3)
    faces = grid_faces(steps, count, closed=True)[:, ::-1]
    if not smooth:
        faces = faces[(faces % count).min(axis=1) % 2 == 0]  # the pieces, not their joints
    on_axis = profile[faces % count, 0] == 0
    faces = faces[on_axis.sum(axis=1) < 2]  # the rest has shrunk to lines
    return part(name, material, points, faces, normals)
