"""What commercial bodies are put together from: many boxes, bars or plates made in one go.

All take arrays with a row for each piece and give one part; metres, vehicle frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from render_assets.mesh import Part, box_template, circles, grid_faces, part, unit

Point = tuple[float, float, float]
Corners = tuple[Point, Point]
"""Two opposite corners of an upright box, in any order."""


def boxes(
    name: str,
    material: str,
    corners: Sequence[Corners],
    edge: float = 0.0,
    segment: str | None = None,
) -> Part:
    """Upright boxes with edges bevelled by ``edge`` metres, sharp (and a quarter of the triangles)
    where it is 0."""
    sign, outer, normals, faces = box_template()
    pair = np.array(corners, dtype=np.float64)
    centre, half = pair.mean(axis=1), np.abs(pair[:, 1] - pair[:, 0]) / 2
    bevel = np.minimum(edge, 0.98 * half.min(axis=1))[:, None, None]
    vertices = centre[:, None] + sign * (half[:, None] - np.where(outer, 0, bevel))
    if edge == 0:
        faces = faces[:12]
    shift = len(sign) * np.arange(len(pair))[:, None, None]
    return part(
        name,
        material,
        vertices.reshape(-1, 3),
        (faces + shift).reshape(-1, 3),
        np.tile(normals, (len(pair), 1)),
        segment,
    )


def both(corners: Sequence[Corners]) -> list[Corners]:
    """The boxes and their mirror images in the plane y = 0."""
    return [*corners, *(((a[0], -a[1], a[2]), (b[0], -b[1], b[2])) for a, b in corners)]


def rods(
    name: str,
    material: str,
    ends: Sequence[Corners],
    radius: float,
    sides: int = 8,
    caps: bool = True,
) -> Part:
    """Straight round bars between pairs of points."""
    pair = np.array(ends, dtype=np.float64)
    along = unit(pair[:, 1] - pair[:, 0])
    ring = circles(along, sides).swapaxes(0, 1)
    tube = pair[:, None] + radius * ring[:, :, None]  # bar, side, end, xyz
    faces = [grid_faces(sides, 2, closed=True)[:, ::-1]]
    points = [tube.reshape(len(pair), -1, 3)]
    normals = [np.repeat(ring, 2, axis=1)]
    if caps:
        fan = np.array([(0, i, i + 1) for i in range(1, sides - 1)])
        for end, sign in ((0, -1.0), (1, 1.0)):
            faces.append(fan[:, :: -1 if end else 1] + sides * (2 + end))
            points.append(tube[:, :, end])
            normals.append(np.repeat(sign * along[:, None], sides, axis=1))
    shape = np.concatenate(faces)
    rows = np.concatenate(points, axis=1)
    shift = rows.shape[1] * np.arange(len(pair))[:, None, None]
    return part(
        name, material, rows.reshape(-1, 3), (shape + shift).reshape(-1, 3),
        np.concatenate(normals, axis=1).reshape(-1, 3),
    )  # fmt: skip


def plate(
    name: str,
    material: str,
    outline: Sequence[tuple[float, float]],
    y: tuple[float, float],
    segment: str | None = None,
) -> Part:
    """A flat piece whose convex ``outline`` of (x, z) is drawn across from y[0] to y[1]."""
    ring = np.array(outline, dtype=np.float64)
    turn = np.roll(ring, -1, axis=0) - ring
    if (ring[:, 0] * turn[:, 1] - ring[:, 1] * turn[:, 0]).sum() < 0:
        ring = ring[::-1]
    count, (low, high) = len(ring), sorted(y)
    sides = np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)  # edge, end, (x, z)
    wall = np.stack(
        [np.insert(sides[:, k], 1, value, axis=1) for k in (0, 1) for value in (low, high)], axis=1
    )
    fan = np.array([(0, i, i + 1) for i in range(1, count - 1)])
    start = 4 * np.arange(count)[:, None]
    faces = [start + np.array(t) for t in ((0, 1, 2), (1, 3, 2))]
    points = [wall.reshape(-1, 3)]
    for offset, (value, order) in enumerate(((low, 1), (high, -1))):
        faces.append(fan[:, ::order] + (4 + offset) * count)
        points.append(np.insert(ring, 1, value, axis=1))
    return part(name, material, np.concatenate(points), np.concatenate(faces), None, segment)


def sweep(name: str, material: str, rings: np.ndarray, closed: bool = True) -> Part:
    """The surface through successive rings (n, k, 3); each ring runs so that ring x next ring
    points outward."""
    count, around = rings.shape[:2]
    points = np.concatenate([rings, rings[:, :1]], axis=1) if closed else rings
    faces = grid_faces(count, around + closed)[:, ::-1]
    return part(name, material, points.reshape(-1, 3), faces)
