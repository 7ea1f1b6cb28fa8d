"""Flat figures (``outlines.Flat``) brought into the vehicle frame: laid on a plane, cut out of thin
sheet, or wrapped onto a curved body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from render_assets.mesh import Part, part
from render_assets.outlines import Flat, polygon
from render_assets.solid import Solid, gradient

LIFT = 0.003
"""Metres that a decal stands off the body: the body's mesh bulges no more between its vertices."""
EDGE = 0.06
"""Longest edge of a wrapped decal, metres: it follows the curves that the body's own mesh does."""


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
    inner = ring * (1 - 2 * bevel / span)
    steps = [(ring, low), (ring, high - bevel), (inner, high)]
    walls = [frame.place(points, at) for points, at in steps]
    front = polygon([inner])
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


def wrapped(
    name: str,
    material: str,
    figure: Flat,
    frame: Frame,
    body: Solid,
    lift: float | np.ndarray = LIFT,
    edge: float = EDGE,
) -> Part:
    """The figure cast along the frame's line of sight onto a body, ``lift`` metres off it, once
    its edges are at most ``edge`` metres long.

    The frame's plane has to be within a few decimetres of the surface and about parallel to it.
    """
    fine = figure.divided(edge)
    points = cast(body, frame.place(fine.points), frame.out)
    normals = gradient(body, points)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return part(name, material, points + np.reshape(lift, (-1, 1)) * normals, fine.faces, normals)


def cast(body: Solid, points: np.ndarray, out: np.ndarray, steps: int = 6) -> np.ndarray:
    """(n, 3) where lines through the points along ``out`` (3,) meet the body's surface."""
    points = np.array(points, dtype=np.float64)
    for _ in range(steps):
        points -= np.clip(body(points), -0.2, 0.2)[:, None] * out
    return points
