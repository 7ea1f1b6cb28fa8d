"""Thin pieces laid on a body's skin: rectangles drawn in a side, front or rear view.

All pieces of one view are projected on the body in a single call, which costs what one costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from render_assets.body import Body
from render_assets.mesh import Part, grid_faces, part, unit, used_by, vertex_normals

_STEP = 0.16
"""Longest edge of a piece's grid, metres: bodies are nearly flat where pieces lie."""

_THICK = 0.008
"""A piece that stands off this far has walls, metres."""
_TURN = np.linspace(0, 2 * np.pi, 17)[[0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14,
                                       15, 0]]  # fmt: skip
_ARCS = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1).reshape(4, 5, 2)
"""The four quarters of the unit circle."""


@dataclass(frozen=True)
class Patch:
    """A rectangle ``across`` (x in side view, y in front and rear view) by ``up`` (z), metres.

    ``corner`` is its corners' radius, ``lift`` how far it stands off the skin, with walls around
    it where that is 8 mm or more; ``slant`` shifts ``across`` per metre up.
    """

    name: str
    material: str
    across: tuple[float, float]
    up: tuple[float, float]
    corner: float = 0.0
    lift: float = 0.004
    segment: str | None = None
    slant: float = 0.0


def on_side(body: Body, patches: Sequence[Patch]) -> list[Part]:
    """Patches on the left side."""
    return _lay(patches, lambda u, v: body.side_at(u, v), -1)


def on_front(body: Body, patches: Sequence[Patch]) -> list[Part]:
    """Patches on the front, ``across`` positive to the left."""
    return _lay(patches, lambda u, v: body.front_at(u, v), 1)


def on_rear(body: Body, patches: Sequence[Patch]) -> list[Part]:
    """Patches on the rear, ``across`` positive to the left."""
    return _lay(patches, lambda u, v: body.rear_at(u, v), -1)


Projection = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _lay(patches: Sequence[Patch], project: Projection, turn: int) -> list[Part]:
    """Parts of the patches, those of one name, material and segment together."""
    flat = [_rounded(p) if p.corner > 0 else _grid(p) for p in patches]
    points = project(*np.concatenate([f[0] for f in flat]).T)
    sizes = [len(f[0]) for f in flat]
    starts = np.cumsum([0, *sizes[:-1]])
    faces = np.concatenate([f[1] + s for f, s in zip(flat, starts, strict=True)])[:, ::turn]
    normals = unit(vertex_normals(points, faces))
    lift = np.repeat([p.lift for p in patches], sizes)[:, None]
    top = points + lift * normals
    owner = np.repeat(np.arange(len(flat)), [len(f[1]) for f in flat])
    thick = [k for k, p in enumerate(patches) if p.lift >= _THICK]
    if thick:
        rims = [flat[k][2][::turn] + starts[k] for k in thick]
        rim, beside = np.concatenate(rims), np.concatenate([np.roll(r, -1) for r in rims])
        foot = points - 0.01 * normals
        quads = np.stack([top[rim], foot[rim], foot[beside], top[beside]], axis=1)
        corner = len(top) + 4 * np.arange(len(rim))[:, None]
        walls = np.concatenate([corner + np.array(t) for t in ((0, 1, 2), (0, 2, 3))])
        top = np.concatenate([top, quads.reshape(-1, 3)])
        faces = np.concatenate([faces, walls])
        lengths = [len(r) for r in rims]
        owner = np.concatenate([owner, np.tile(np.repeat(thick, lengths), 2)])
        normals = np.concatenate([normals, vertex_normals(top, walls)[len(normals) :]])
    return _grouped(patches, owner, top, faces, normals)


def _grouped(
    patches: Sequence[Patch],
    owner: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
) -> list[Part]:
    """One part for each name, material and segment; ``owner`` (m,) is the patch of each face."""
    keys = [(p.name, p.material, p.segment) for p in patches]
    groups = list(dict.fromkeys(keys))
    group = np.array([groups.index(key) for key in keys])[owner]
    found = []
    for k, (name, material, segment) in enumerate(groups):
        used, own = used_by(faces[group == k])
        found.append(part(name, material, vertices[used], own, normals[used], segment))
    return found


def _grid(patch: Patch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 2) of (across, up), faces counter-clockwise there, indices around the rim."""
    (a, b), (c, d) = patch.across, patch.up
    columns, rows = (int(np.ceil(abs(q - p) / _STEP)) + 1 for p, q in ((a, b), (c, d)))
    u, v = np.meshgrid(np.linspace(a, b, columns), np.linspace(c, d, rows), indexing="ij")
    points = np.stack([u + patch.slant * (v - c), v], axis=-1).reshape(-1, 2)
    index = np.arange(columns * rows).reshape(columns, rows)
    rim = np.concatenate([index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]])
    return points, grid_faces(columns, rows), rim


def _rounded(patch: Patch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for rounded corners: rings about the middle."""
    (a, b), (c, d) = patch.across, patch.up
    radius = min(patch.corner, 0.5 * abs(b - a), 0.5 * abs(d - c))
    inner = np.array([[b - radius, d - radius], [a + radius, d - radius],
                      [a + radius, c + radius], [b - radius, c + radius]])  # fmt: skip
    ring = _divided((inner[:, None] + radius * _ARCS).reshape(-1, 2))
    middle = np.array([(a + b) / 2, (c + d) / 2])
    count = len(ring)
    scales = np.linspace(1, 0, max(3, int(np.ceil(min(b - a, d - c) / 2 / _STEP)) + 2))[:-1]
    rings = middle + scales[::-1, None, None] * (ring - middle)
    points = np.concatenate([rings.reshape(-1, 2), middle[None]])
    points[:, 0] += patch.slant * (points[:, 1] - c)
    rows = len(scales)
    index = np.arange(rows * count).reshape(rows, count)
    index = np.concatenate([index, index[:, :1]], axis=1)
    inward, outward = index[:-1], index[1:]
    quads = [
        np.stack([inward[:, :-1], outward[:, :-1], outward[:, 1:]], -1).reshape(-1, 3),
        np.stack([inward[:, :-1], outward[:, 1:], inward[:, 1:]], -1).reshape(-1, 3),
    ]
    fan = np.stack([np.full(count, rows * count), index[0, :-1], index[0, 1:]], axis=1)
    return points, np.concatenate([*quads, fan]), index[-1, :-1]


def _divided(ring: np.ndarray) -> np.ndarray:
    """The closed outline with points added where its edges are long."""
    edge = np.roll(ring, -1, axis=0) - ring
    count = np.maximum(np.ceil(np.hypot(*edge.T) / _STEP).astype(int), 1)
    start = np.repeat(np.cumsum(count) - count, count)
    share = (np.arange(count.sum()) - start) / np.repeat(count, count)
    return np.repeat(ring, count, axis=0) + share[:, None] * np.repeat(edge, count, axis=0)
