"""Flat figures (``outlines.Flat``) brought into the vehicle frame: laid on a plane, cut out of thin
sheet, or wrapped onto a curved body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from render_assets.mesh import Part, part, unit, used_by
from render_assets.outlines import Flat, convex
from render_assets.solid import Solid, gradient

LIFT = 0.004
"""Metres that a decal stands off the body: the body's mesh bulges no more between its vertices."""
_REACH = 0.15
"""How far from a decal its panel's nearest vertex may be, metres."""
EDGE = 0.08
"""Longest edge of a decal on a curved side, metres: it follows the curves that the body's own mesh
does."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Where a figure's origin lies and where its reader's right and up point: (3,) unit vectors."""

    origin: np.ndarray
    right: np.ndarray
    up: np.ndarray

    @property
    def out(self) -> np.ndarray:
        """(3,) towards the reader."""
        return np.cross(self.right, self.up)

    def place(self, points: np.ndarray, lift: float | np.ndarray = 0.0) -> np.ndarray:
        """(n, 3) of points (n, 2) in the plane, ``lift`` metres towards the reader."""
        plane = self.origin + points[:, :1] * self.right + points[:, 1:] * self.up
        return plane + np.multiply.outer(np.broadcast_to(lift, len(points)), self.out)


def facing(
    axis: str, sign: float, origin: np.ndarray | tuple[float, float, float], pitch: float = 0.0
) -> Frame:
    """An upright frame whose reader looks against ``sign`` times ``axis`` (``x`` or ``y``); a
    positive ``pitch`` (radians) tilts it to face upward."""
    out = np.array([sign, 0.0, 0.0] if axis == "x" else [0.0, sign, 0.0])
    right = np.cross([0.0, 0.0, 1.0], out)
    up = np.array([0.0, 0.0, np.cos(pitch)]) - np.sin(pitch) * out
    return Frame(np.asarray(origin, dtype=np.float64), right, up)


def laid(name: str, material: str, figure: Flat, frame: Frame, lift: float = 0.0) -> Part:
    """The figure in the frame's plane."""
    normals = np.tile(frame.out, (len(figure.points), 1))
    return part(name, material, frame.place(figure.points, lift), figure.faces, normals)


def sheet(
    name: str, material: str, ring: np.ndarray, frame: Frame, low: float, high: float
) -> Part:
    """A convex outline (k, 2), counter-clockwise, as a solid from ``low`` to ``high`` metres
    towards the reader; its front edge is rounded off by a third of its height."""
    bevel = (high - low) / 3
    span = ring.max(axis=0) - ring.min(axis=0)
    inner = ring.mean(axis=0) + (ring - ring.mean(axis=0)) * (1 - 2 * bevel / span)
    steps = [(ring, low), (ring, high - bevel), (inner, high)]
    walls = [frame.place(points, at) for points, at in steps]
    front = convex(inner)
    k, count = np.arange(len(ring)), len(ring)
    nxt = (k + 1) % count
    quads = [
        np.concatenate([
            np.stack([s + k, s + nxt, s + count + nxt], axis=1),
            np.stack([s + k, s + count + nxt, s + count + k], axis=1),
        ])
        for s in (0, count)
    ]  # fmt: skip
    faces = np.concatenate([*quads, front.faces + 3 * count])
    points = np.concatenate([*walls, frame.place(front.points, high)])
    middle = ring.mean(axis=0)
    sideways = (ring - middle) @ np.stack([frame.right, frame.up])
    normals = np.concatenate(
        [sideways, sideways, frame.out + 0 * sideways, frame.out + 0 * sideways]
    )
    return part(name, material, points, faces, normals)


@dataclass(frozen=True, eq=False)
class Decal:
    """A figure that is to follow a body's surface, seen along its frame's line of sight.

    The frame's plane has to be within a few decimetres of the surface and about parallel to it;
    edges of the figure longer than ``EDGE`` may cut into a curved body. ``lift`` metres off the
    surface, for all points or (n,) for each.
    """

    name: str
    material: str
    figure: Flat
    frame: Frame
    lift: float | np.ndarray = LIFT


def wrapped(decals: Sequence[Decal], body: Solid) -> list[Part]:
    """The decals on a body, all cast at once."""
    if not decals:
        return []
    start = np.concatenate([d.frame.place(d.figure.points) for d in decals])
    counts = [len(d.figure.points) for d in decals]
    points = cast(body, start, np.repeat([d.frame.out for d in decals], counts, axis=0))
    normals = unit(gradient(body, points))
    lifts = np.concatenate(
        [np.broadcast_to(d.lift, n) for d, n in zip(decals, counts, strict=True)]
    )
    points += lifts[:, None] * normals
    ends = np.cumsum(counts)
    return [
        part(d.name, d.material, points[e - n : e], d.figure.faces, normals[e - n : e])
        for d, n, e in zip(decals, counts, ends, strict=True)
    ]


def cast(body: Solid, points: np.ndarray, out: np.ndarray, steps: int = 5) -> np.ndarray:
    """(n, 3) where lines through points (n, 3) along ``out`` ((3,) or (n, 3)) meet the surface."""
    points = np.array(points, dtype=np.float64)
    for _ in range(steps):
        points -= np.clip(body(points), -0.2, 0.2)[:, None] * out
    return points


def on_panels(decals: Sequence[Part], panels: Sequence[Part]) -> list[Part]:
    """The decals cut up by the segment of the panel under each face: a sticker on a door is part
    of the door. ``panels`` are the left half of a body; right of the middle their mirrors count."""
    if not decals:
        return []
    points = np.concatenate([p.vertices for p in panels])
    owner = np.repeat(np.arange(len(panels)), [len(p.vertices) for p in panels])
    over = np.concatenate([d.vertices for d in decals])
    near = np.ones(len(points), dtype=bool)
    for axis in (0, 2):
        low, high = over[:, axis].min() - _REACH, over[:, axis].max() + _REACH
        near &= (points[:, axis] > low) & (points[:, axis] < high)
    tree, owner = cKDTree(points[near]), owner[near]
    left = np.array([p.segment or "" for p in panels])
    right = np.char.replace(left, "left_", "right_")
    cut: list[Part] = []
    for decal in decals:
        middle = decal.vertices[decal.faces].mean(axis=1)
        under = owner[tree.query(np.abs(middle, out=middle, where=[False, True, False]))[1]]
        names = np.where(decal.vertices[decal.faces[:, 0], 1] < 0, right[under], left[under])
        cut += [_some(decal, names == name, str(name) or None) for name in np.unique(names)]
    return cut


def _some(decal: Part, chosen: np.ndarray, segment: str | None) -> Part:
    """Some of a decal's faces, with the vertices that they need."""
    used, faces = used_by(decal.faces[chosen])
    return replace(
        decal,
        vertices=decal.vertices[used],
        faces=faces,
        normals=decal.normals[used],
        segment=segment,
    )
