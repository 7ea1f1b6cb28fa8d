"""Flat shapes for lamps, grilles and trim, drawn on a ``Chart`` and given relief there.

A ``Band`` is the area between an upper and a lower polyline that run from its inner to its outer
end, in the chart's (u, z), metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from render_assets.chart import Chart
from render_assets.mesh import Part, grid_faces, part, used_by, vertex_normals

Points = Sequence[tuple[float, float]] | np.ndarray


@dataclass(frozen=True, eq=False)
class Band:
    """``upper`` and ``lower`` (n, 2), column by column across from each other; ``ends`` points
    between them at either end, where these are long."""

    upper: np.ndarray
    lower: np.ndarray
    ends: int = 0

    @property
    def ring(self) -> np.ndarray:
        """(2n + 2 ends + 1, 2) the outline, closed: along the upper line, back along the lower."""
        share = np.linspace(0, 1, self.ends + 2)[1:-1, None]
        outer = self.upper[-1:] + share * (self.lower[-1:] - self.upper[-1:])
        inner = self.lower[:1] + share * (self.upper[:1] - self.lower[:1])
        return np.concatenate([self.upper, outer, self.lower[::-1], inner, self.upper[:1]])

    @property
    def rows(self) -> int:
        """How many strips across follow the body well enough."""
        return int(np.clip(np.abs(self.upper - self.lower).max() / 0.04, 1, 8))

    @property
    def spine(self) -> np.ndarray:
        """(n, 2) midway between both lines."""
        return (self.upper + self.lower) / 2

    def part(self, start: float, stop: float, top: float = 0.0, bottom: float = 1.0) -> Band:
        """The piece between two shares of the length and two of the width (0 is the upper line);
        as many columns as the whole."""
        count = len(self.upper)
        place = np.linspace(start, stop, count) * (count - 1)
        index = np.arange(count)
        a, b = (
            np.stack([np.interp(place, index, line[:, k]) for k in (0, 1)], axis=1)
            for line in (self.upper, self.lower)
        )
        return Band(a + top * (b - a), a + bottom * (b - a), self.ends)

    def inset(self, by: float) -> Band:
        """Narrowed by ``by`` metres on all sides, but not at the middle plane, where its other half
        begins; never past its own middle."""
        way = np.linalg.norm(np.diff(self.spine, axis=0), axis=1)
        place = np.concatenate([[0.0], np.cumsum(way)])
        share = min(by / max(place[-1], 1e-9), 0.45)
        even = np.linspace(0, 1, len(place))
        at = np.interp(np.array([share, 1 - share]), place / max(place[-1], 1e-9), even)
        whole = self.upper[0, 0] == 0 == self.lower[0, 0]
        piece = self.part(0.0 if whole else at[0], at[1])
        across = piece.lower - piece.upper
        width = np.linalg.norm(across, axis=1, keepdims=True)
        step = across * np.minimum(by / np.maximum(width, 1e-9), 0.48)
        return Band(piece.upper + step, piece.lower - step, self.ends)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """(n,) bool: which of the points (n, 2) lie inside."""
        ring = self.ring
        a, b = ring[:-1], ring[1:]
        u, z = points[:, :1], points[:, 1:]
        crosses = (a[:, 1] > z) != (b[:, 1] > z)
        rise = np.where(b[:, 1] == a[:, 1], 1e-12, b[:, 1] - a[:, 1])
        right = u < a[:, 0] + (z - a[:, 1]) / rise * (b[:, 0] - a[:, 0])
        return np.asarray((crosses & right).sum(axis=1) % 2 == 1)

    def value(self, side: int, u: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(n,) below zero on the band's side of one of its four borders: 0 the upper line, 1 the
        lower, 2 the outer end, 3 the inner."""
        a, b = self.upper, self.lower
        if side == 0:
            return z - np.interp(u, a[:, 0], a[:, 1])
        if side == 1:
            return np.interp(u, b[:, 0], b[:, 1]) - z
        k, sign = ((-1, 1.0), (0, -1.0))[side - 2]
        top, low = a[k], b[k]
        rise = top[1] - low[1]
        return sign * (u - low[0] - (z - low[1]) * (top[0] - low[0]) / max(rise, 1e-6))


def band(
    upper: Points,
    lower: Points,
    count: int = 18,
    corner: float = 0.0,
    inner: bool = True,
    straight: bool = False,
    ends: int = 0,
) -> Band:
    """A band between two lines, curves through their points unless ``straight``; its ends are
    rounded by ``corner`` metres, the inner one too with ``inner``."""
    made = Band(_curve(upper, count, straight), _curve(lower, count, straight), ends)
    return _rounded(made, corner, inner) if corner else made


def _rounded(shape: Band, corner: float, inner: bool) -> Band:
    """The band with its ends pinched to round corners of ``corner`` metres; the inner end too
    unless it lies on the middle plane."""
    spine = shape.spine
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(spine, axis=0), axis=1))])
    even = np.linspace(0, 1, len(way))
    place = way[-1] * (even - 0.14 * np.sin(2 * np.pi * even))  # denser near the ends
    a, b = (
        np.stack([np.interp(place, way, line[:, k]) for k in (0, 1)], axis=1)
        for line in (shape.upper, shape.lower)
    )
    gap = np.minimum(place, way[-1] - place) if inner else way[-1] - place
    short = np.clip(1 - gap / corner, 0, 1)
    across = b - a
    width = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    pinch = np.minimum(corner * (1 - np.sqrt(1 - short**2 * 0.999)) / width, 0.47)[:, None]
    return Band(a + pinch * across, b - pinch * across, shape.ends)


def _curve(points: Points, count: int, straight: bool = False) -> np.ndarray:
    """(count, 2) along the control points, by a Catmull-Rom curve unless ``straight``."""
    p = np.asarray(points, dtype=np.float64)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    at = np.linspace(0, way[-1], count)
    if straight or len(p) < 3:
        return np.stack([np.interp(at, way, p[:, k]) for k in (0, 1)], axis=1)
    slope = np.gradient(p, way, axis=0)
    i = np.clip(np.searchsorted(way, at, side="right") - 1, 0, len(p) - 2)
    h = (way[i + 1] - way[i])[:, None]
    t = (at - way[i])[:, None] / h
    return np.asarray(
        p[i] * (1 + 2 * t) * (1 - t) ** 2
        + slope[i] * h * t * (1 - t) ** 2
        + p[i + 1] * t * t * (3 - 2 * t)
        + slope[i + 1] * h * t * t * (t - 1)
    )


def disc(u: float, z: float, wide: float, high: float | None = None, count: int = 10) -> Band:
    """An ellipse of half axes ``wide`` and ``high`` (the same unless given)."""
    high = wide if high is None else high
    angle = np.linspace(0.02, np.pi - 0.02, count)
    across, up = -wide * np.cos(angle), high * np.sin(angle)
    return Band(np.stack([u + across, z + up], 1), np.stack([u + across, z - up], 1))


def stroke(points: Points, width: float, count: int = 14) -> Band:
    """A strip of even width along a line."""
    line = _curve(points, count)
    way = np.gradient(line, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    side = np.stack([-way[:, 1], way[:, 0]], axis=1) * width / 2
    return Band(line + side, line - side)


class Drawing:
    """Bands with relief, collected and put on the body at once."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._flat: list[np.ndarray] = []
        self._out: list[np.ndarray] = []
        self._faces: dict[tuple[str, str, str | None], list[np.ndarray]] = {}
        self._count = 0

    def _add(
        self, key: tuple[str, str, str | None], flat: np.ndarray, out: np.ndarray, faces: np.ndarray
    ) -> None:
        self._flat.append(flat)
        self._out.append(out)
        self._faces.setdefault(key, []).append(faces + self._count)
        self._count += len(flat)

    def sheet(
        self,
        name: str,
        material: str,
        shape: Band,
        out: float = 0.0,
        rows: int = 2,
        segment: str | None = None,
    ) -> None:
        """The band as a surface ``out`` metres outside the skin, with ``rows`` strips across."""
        share = np.linspace(0, 1, rows + 1)[:, None, None]
        flat = (shape.upper + share * (shape.lower - shape.upper)).reshape(-1, 2)
        faces = grid_faces(rows + 1, len(shape.upper))
        self._add((name, material, segment), flat, np.full(len(flat), out), faces)

    def relief(
        self,
        name: str,
        material: str,
        steps: Sequence[tuple[Band, float]],
        cap: bool = True,
        smooth: bool = False,
        segment: str | None = None,
    ) -> None:
        """Walls between outlines that follow each other inward, each at its own height over the
        skin (metres), and a lid on the last one. ``smooth`` shades it as one rounded surface."""
        rings = [shape.ring for shape, _ in steps]
        heights = [out for _, out in steps]
        count = len(rings[0])
        if not smooth:  # every wall gets vertices of its own
            rings = [rings[k + j] for k in range(len(rings) - 1) for j in (0, 1)]
            heights = [heights[k + j] for k in range(len(heights) - 1) for j in (0, 1)]
        faces = grid_faces(len(rings), count)
        cell = np.arange(len(faces)) % ((len(rings) - 1) * (count - 1))
        keep = np.ones(len(faces), dtype=bool)
        if not smooth:
            keep &= cell // (count - 1) % 2 == 0
        if all(ring[0, 0] == 0 == ring[-2, 0] for ring in rings):  # open at the middle plane
            keep &= cell % (count - 1) != count - 2
        faces = faces[keep]
        key = (name, material, segment)
        self._add(key, np.concatenate(rings), np.repeat(heights, count), faces)
        if cap:
            shape, out = steps[-1]
            self.sheet(name, material, shape, out, shape.rows, segment)

    def bar(
        self,
        name: str,
        material: str,
        shape: Band,
        low: float,
        high: float,
        edge: float = 0.003,
        segment: str | None = None,
    ) -> None:
        """A raised bar with a bevelled edge, from ``low`` to ``high`` metres over the skin."""
        steps = [(shape, low), (shape, high - edge), (shape.inset(edge), high)]
        self.relief(name, material, steps, segment=segment)

    def dome(
        self,
        name: str,
        material: str,
        at: tuple[float, float],
        radius: float,
        low: float,
        high: float,
        segment: str | None = None,
    ) -> None:
        """A round lens bulging from ``low`` to ``high`` metres over the skin."""
        steps = [
            (disc(*at, radius * r, count=8), low + (high - low) * float(np.sqrt(1 - 0.98 * r * r)))
            for r in (1.0, 0.88, 0.6, 0.25)
        ]
        self.relief(name, material, steps, smooth=True, segment=segment)

    def net(self, name: str, material: str, lines: np.ndarray, width: float, out: float) -> None:
        """Flat wires ``width`` metres wide along lines (n, 2, 2)."""
        way = lines[:, 1] - lines[:, 0]
        way = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9) * width / 2
        side = np.stack([-way[:, 1], way[:, 0]], axis=1)
        a, b = lines[:, 0], lines[:, 1]
        flat = np.stack([a + side, b + side, b - side, a - side], axis=1).reshape(-1, 2)
        start = 4 * np.arange(len(lines))[:, None]
        faces = np.concatenate([start + np.array(t) for t in ((0, 2, 1), (0, 3, 2))])
        self._add((name, material, None), flat, np.full(len(flat), out), faces)

    def parts(self) -> list[Part]:
        """One part for each name and material, on the body."""
        if not self._flat:
            return []
        points, _ = self.chart.at(np.concatenate(self._flat), np.concatenate(self._out))
        groups = {key: np.concatenate(faces) for key, faces in self._faces.items()}
        if self.chart.sign < 0:
            groups = {key: faces[:, ::-1] for key, faces in groups.items()}
        normals = vertex_normals(points, np.concatenate([*groups.values()]))
        made = []
        for (name, material, segment), faces in groups.items():
            used, faces = used_by(faces)
            made.append(part(name, material, points[used], faces, normals[used], segment))
        return made
