"""Flat figures for plates, stickers and lettering: outlines cut into triangles.

A ``Flat`` lies in a plane, u to the right and v up as its reader sees it; its triangles run
counter-clockwise. Lengths are metres, or cap heights for letters that are yet to be sized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mapbox_earcut
import numpy as np

from render_assets.mesh import grid_faces


@dataclass(frozen=True, eq=False)
class Flat:
    """``points`` (n, 2) float64 and ``faces`` (m, 3) int, counter-clockwise."""

    points: np.ndarray
    faces: np.ndarray

    def moved(self, u: float, v: float) -> Flat:
        """Shifted to the right and up."""
        return Flat(self.points + np.array([u, v]), self.faces)

    def scaled(self, u: float, v: float | None = None) -> Flat:
        """Stretched about the origin, alike in both directions where only ``u`` is given."""
        return Flat(self.points * np.array([u, u if v is None else v]), self.faces)

    def turned(self, degrees: float) -> Flat:
        """Turned counter-clockwise about the origin."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return Flat(self.points @ np.array([[c, s], [-s, c]]), self.faces)

    def flipped(self) -> Flat:
        """Left and right exchanged."""
        return Flat(self.points * np.array([-1, 1]), self.faces[:, ::-1])

    def size(self) -> np.ndarray:
        """(2,) its extent."""
        return np.ptp(self.points, axis=0)

    def divided(self, longest: float) -> Flat:
        """The same figure with every edge at most ``longest``: edges are halved until they are."""
        points, faces = self.points, self.faces
        while len(edges := _long_edges(points, faces, longest)):
            points, faces = _halve(points, faces, edges)
        return Flat(points, faces)


def joined(figures: Sequence[Flat]) -> Flat:
    """Several figures as one."""
    starts = np.cumsum([0] + [len(f.points) for f in figures[:-1]])
    return Flat(
        np.concatenate([f.points for f in figures]),
        np.concatenate([f.faces + s for f, s in zip(figures, starts, strict=True)]),
    )


def polygon(rings: Sequence[np.ndarray]) -> Flat:
    """The area inside simple rings (k, 2) that do not cross: the largest and those that turn like
    it bound it from outside, the others are holes.

    Outer rings must lie apart from each other, and no ring may cross itself.
    """
    areas = np.array([_area(ring) for ring in rings])
    outward = np.sign(areas[np.argmax(np.abs(areas))])
    outers = [r for r, a in zip(rings, areas, strict=True) if a * outward > 0]
    outers = [r if _area(r) > 0 else r[::-1] for r in outers]
    inside: list[list[np.ndarray]] = [[] for _ in outers]
    for ring, area in zip(rings, areas, strict=True):
        if area * outward < 0:
            hole = ring if area < 0 else ring[::-1]
            owner = next(k for k, o in enumerate(outers) if _contains(o, hole[0]))
            inside[owner].append(hole)
    return joined([_filled([o, *h]) for o, h in zip(outers, inside, strict=True)])


def convex(ring: np.ndarray) -> Flat:
    """The inside of a convex, counter-clockwise ring (k, 2)."""
    k = np.arange(1, len(ring) - 1)
    return Flat(ring, np.stack([np.zeros_like(k), k, k + 1], axis=1))


def rim(outer: np.ndarray, inner: np.ndarray) -> Flat:
    """The area between two counter-clockwise rings of as many points (k, 2) each."""
    k, count = np.arange(len(outer)), len(outer)
    nxt = (k + 1) % count
    quads = (np.stack([k, k + count, nxt + count], 1), np.stack([k, nxt + count, nxt], 1))
    return Flat(np.concatenate([inner, outer]), np.concatenate(quads))


def rectangle(width: float, height: float) -> Flat:
    """A rectangle about the origin."""
    u, v = width / 2, height / 2
    return Flat(np.array([(-u, -v), (u, -v), (u, v), (-u, v)]), np.array([(0, 1, 2), (0, 2, 3)]))


def disc(radius: float, sides: int = 16, points: int = 0, depth: float = 0.6) -> Flat:
    """A disc about the origin, or a star of that many ``points`` whose notches reach in to
    ``depth`` of the radius."""
    count = 2 * points if points else sides
    angle = np.pi / 2 + np.arange(count) * 2 * np.pi / count
    r = radius * np.where((np.arange(count) % 2 == 1) & (points > 0), depth, 1.0)
    rim = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    k = np.arange(count)
    faces = np.stack([np.full(count, count), k, (k + 1) % count], axis=1)
    return Flat(np.concatenate([rim, np.zeros((1, 2))]), faces)


def rounded(width: float, height: float, radius: float, steps: int = 3) -> np.ndarray:
    """(k, 2) outline of a rectangle about the origin with rounded corners, counter-clockwise."""
    turn = np.linspace(0, np.pi / 2, steps + 1)
    arc = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    ring = []
    for k, (su, sv) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        corner = np.array([su * (width / 2 - radius), sv * (height / 2 - radius)])
        c, s = np.cos(k * np.pi / 2), np.sin(k * np.pi / 2)
        ring.append(corner + arc @ np.array([[c, s], [-s, c]]))
    return np.concatenate(ring)


def between(u: np.ndarray, low: np.ndarray, high: np.ndarray, rows: int = 1) -> Flat:
    """The area between the heights ``low`` and ``high`` (k,) at rising ``u`` (k,), in ``rows``."""
    share = np.linspace(0, 1, rows + 1)
    v = low[:, None] + (high - low)[:, None] * share
    points = np.stack([np.broadcast_to(u[:, None], v.shape), v], axis=-1).reshape(-1, 2)
    return Flat(points, grid_faces(len(u), rows + 1))


def band(line: np.ndarray, width: float) -> Flat:
    """A stripe of constant ``width`` along a polyline (k, 2)."""
    line = np.asarray(line, dtype=np.float64)
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across *= width / 2 / np.linalg.norm(across, axis=1, keepdims=True)
    k = np.arange(len(line) - 1)[:, None] + np.array([[0, len(line)]])
    a, b = k[:, 0], k[:, 1]
    faces = np.concatenate([np.stack([b, b + 1, a + 1], 1), np.stack([b, a + 1, a], 1)])
    return Flat(np.concatenate([line + across, line - across]), faces)


def _area(ring: np.ndarray) -> float:
    """Signed area, positive for counter-clockwise rings."""
    nxt = np.roll(ring, -1, axis=0)
    return float((ring[:, 0] * nxt[:, 1] - ring[:, 1] * nxt[:, 0]).sum() / 2)


def _contains(ring: np.ndarray, point: np.ndarray) -> bool:
    """By counting the edges to the right of the point."""
    a, b = ring, np.roll(ring, -1, axis=0)
    spans = (a[:, 1] > point[1]) != (b[:, 1] > point[1])
    a, b = a[spans], b[spans]
    at = a[:, 0] + (point[1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return bool((at > point[0]).sum() % 2)


def _filled(rings: list[np.ndarray]) -> Flat:
    """The area of a counter-clockwise ring less its holes, which turn the other way."""
    points = np.concatenate(rings)
    ends = np.cumsum([len(ring) for ring in rings], dtype=np.uint32)
    faces = mapbox_earcut.triangulate_float64(points, ends).reshape(-1, 3)
    return Flat(points, faces.astype(np.int64))


def _long_edges(points: np.ndarray, faces: np.ndarray, longest: float) -> np.ndarray:
    """(k, 2) sorted vertex pairs of the edges that are longer than ``longest``."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges = np.unique(edges, axis=0)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    return edges[length > longest]


def _halve(
    points: np.ndarray, faces: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Divide each triangle at the middle of its longest edge, where that is among ``edges``."""
    corner = points[faces]
    length = np.linalg.norm(corner - np.roll(corner, -1, axis=1), axis=2)
    first = np.argmax(length, axis=1)
    rows = np.arange(len(faces))
    a, b, c = (faces[rows, (first + k) % 3] for k in range(3))
    total = len(points)
    low, high = np.minimum(a, b), np.maximum(a, b)
    wanted = np.isin(low * total + high, edges[:, 0] * total + edges[:, 1])
    keys, middle = np.unique((low * total + high)[wanted], return_inverse=True)
    made = (points[keys // total] + points[keys % total]) / 2
    m = total + middle
    a, b, c, rest = a[wanted], b[wanted], c[wanted], faces[~wanted]
    faces = np.concatenate([rest, np.stack([a, m, c], axis=1), np.stack([m, b, c], axis=1)])
    return np.concatenate([points, made]), faces
