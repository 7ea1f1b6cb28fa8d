"""A body's skin that is cut along curves into named panels.

The left half of the body is meshed once. A panel's outline is where a value (n,) given at the
vertices crosses zero: triangles are divided there, so outlines are as crisp as the curve and not
as coarse as the grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render_assets.body import Body
from render_assets.mesh import Part, part, unit
from render_assets.solid import polygonise, project_with_normals

FINE, COARSE = 0.042, 0.085
"""Grid steps of a five-metre body, metres; larger bodies have larger ones."""


SNAP = 6e-4
"""How near to a cut a vertex counts as lying on it, metres."""

Field = Callable[["Skin"], np.ndarray]
"""A value (n,) at the vertices of a skin."""


def plane(axis: str, at: float, sign: float = 1.0) -> Field:
    """Signed distance from the plane where coordinate ``axis`` is ``at``."""
    return lambda skin: sign * (skin[axis] - at)


class Skin:
    """Vertices, faces and a label for each face of the left half of a body.

    ``values`` holds the body's half-spaces at the vertices; cuts keep them in step.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        axes = grid_axes(body)
        vertices, self.faces = polygonise(body.on_grid(axes), axes)
        vertices = _relaxed(vertices, self.faces).astype(np.float32)
        self.vertices = self._pulled(vertices)[0]
        self._codes: dict[str, int] = {"skin": 0}
        self.labels = np.zeros(len(self.faces), dtype=np.int16)
        self.values = body.faces(self.vertices)

    def __getitem__(self, name: str) -> np.ndarray:
        """(n,) a half-space at every vertex, or a coordinate: ``x``, ``y``, ``z``."""
        if name in ("x", "y", "z"):
            return self.vertices[:, "xyz".index(name)]
        return self.values[name]

    def cut(self, value: np.ndarray, among: np.ndarray) -> np.ndarray:
        """Divide the triangles ``among`` (m,) bool where ``value`` (n,) crosses zero.

        Vertices within ``SNAP`` of the line are taken to lie on it, so that no slivers arise.
        Neighbours that share a divided edge are divided with it, so the skin stays closed. Returns
        (m,) bool, after the division: faces that come from ``among`` and lie on the lower side.
        """
        value = np.where(np.abs(value) < SNAP, 0, value)
        first, second, third = self.faces.T
        below, above = (value < 0).view(np.uint8), (value > 0).view(np.uint8)
        count = below[first] + below[second] + below[third]
        upper = above[first] + above[second] + above[third]
        lower = upper == 0
        crossed = np.flatnonzero((count > 0) & (upper > 0))
        chosen = among[crossed]
        if not chosen.any():
            return among & lower
        faces = self.faces[crossed]
        lone = count[crossed] == 1
        odd = np.argmax(below[faces] == lone[:, None], axis=1)
        rows = np.arange(len(faces))
        a, b, c = (faces[rows, (odd + k) % 3].astype(np.int64) for k in range(3))
        total = len(self.vertices)
        keys = np.stack([np.minimum(a, b) * total + np.maximum(a, b),
                         np.minimum(a, c) * total + np.maximum(a, c)])  # fmt: skip
        split = np.unique(keys[:, chosen])
        i, j = split // total, split % total
        through = (value[i] != 0) & (value[j] != 0) & ((value[i] < 0) != (value[j] < 0))
        split, i, j = split[through], i[through], j[through]
        if not len(split):
            return among & lower
        self._interpolate(i, j, value[i] / (value[i] - value[j]))
        place = np.minimum(np.searchsorted(split, keys), len(split) - 1)
        hit = split[place] == keys
        p, q = total + place[0], total + place[1]
        return self._replace(crossed, lone, (a, b, c, p, q), hit[0], hit[1], among, lower)

    def _replace(
        self,
        crossed: np.ndarray,
        lone: np.ndarray,
        corners: tuple[np.ndarray, ...],
        hit_p: np.ndarray,
        hit_q: np.ndarray,
        among: np.ndarray,
        lower: np.ndarray,
    ) -> np.ndarray:
        """Put pieces in the place of divided triangles abc: p lies on ab, q on ac, where hit."""
        a, b, c, p, q = corners
        both = np.flatnonzero(hit_p & hit_q)
        only_p, only_q = np.flatnonzero(hit_p & ~hit_q), np.flatnonzero(hit_q & ~hit_p)
        pieces, sides, parents = [], [], []
        for where, triangle, side in (
            (both, (a, p, q), lone), (both, (p, b, c), ~lone), (both, (p, c, q), ~lone),
            (only_p, (a, p, c), lone), (only_p, (p, b, c), ~lone),
            (only_q, (a, b, q), lone), (only_q, (q, b, c), ~lone),
        ):  # fmt: skip
            if len(where):
                pieces.append(np.stack([corner[where] for corner in triangle], axis=1))
                sides.append(side[where])
                parents.append(crossed[where])
        kept = np.ones(len(self.faces), dtype=bool)
        kept[crossed[hit_p | hit_q]] = False
        parent = np.concatenate([np.flatnonzero(kept), *parents])
        self.faces = np.concatenate([self.faces[kept], *pieces]).astype(np.int32, copy=False)
        self.labels = self.labels[parent]
        return among[parent] & np.concatenate([lower[kept], *sides])

    def _has(self, labels: tuple[str, ...]) -> np.ndarray:
        """(m,) bool: faces that carry one of the labels."""
        wanted = np.zeros(len(self._codes), dtype=bool)
        wanted[[self._codes[name] for name in labels if name in self._codes]] = True
        return wanted[self.labels]

    def _interpolate(self, i: np.ndarray, j: np.ndarray, t: np.ndarray) -> None:
        """Append the points at ``t`` between vertices i and j, with all that vertices carry."""

        def extend(array: np.ndarray) -> np.ndarray:
            weight = t if array.ndim == 1 else t[:, None]
            return np.concatenate([array, array[i] * (1 - weight) + array[j] * weight])

        t = t.astype(np.float32)
        self.vertices = extend(self.vertices)
        self.values = {name: extend(value) for name, value in self.values.items()}

    def paint(self, inside: np.ndarray, label: str, among: tuple[str, ...] | None = None) -> None:
        """Give the faces ``inside`` a label, where they now carry one of ``among``."""
        if among is not None:
            inside = inside & self._has(among)
        self.labels[inside] = self._codes.setdefault(label, len(self._codes))

    def region(
        self, value: Field | list[Field], label: str, among: tuple[str, ...] | None = None
    ) -> None:
        """Label what is below the zero lines of all the values, cutting along each in turn within
        what the ones before have left."""
        inside = np.ones(len(self.faces), dtype=bool) if among is None else self._has(among)
        for one in value if isinstance(value, list) else [value]:
            inside = self.cut(one(self), inside)
        self.paint(inside, label)

    def band(
        self,
        distance: Field,
        label: str,
        among: tuple[str, ...],
        half: float,
        within: tuple[Field, ...] = (),
    ) -> None:
        """Label a band of half width ``half`` metres around the zero line of ``distance``, where
        every value of ``within`` is below zero."""
        edges: list[Field] = [lambda k: distance(k) - half, lambda k: -half - distance(k)]
        self.region([*within, *edges], label, among)

    def settle(self) -> None:
        """Put all vertices on the true surface and take the normals there."""
        self.vertices, slope = self._pulled(self.vertices)
        self.normals = unit(slope)

    def _pulled(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices on the true surface, and its slope there; the mirror plane's stay on it."""
        on_plane = vertices[:, 1] == 0
        vertices, slope = project_with_normals(self.body, vertices, steps=1)
        vertices[on_plane, 1] = 0
        slope[on_plane, 1] = 0
        return vertices, slope

    def part(self, label: str, name: str, material: str, segment: str | None = None) -> Part | None:
        """The faces of a label as a part, None where there are none."""
        faces = self.faces[self._has((label,))]
        if not len(faces):
            return None
        used, index = np.unique(faces, return_inverse=True)
        return part(
            name,
            material,
            self.vertices[used],
            index.reshape(-1, 3),
            self.normals[used],
            segment,
        )

    def inset(
        self, label: str, name: str, material: str, segment: str | None, depth: float
    ) -> list[Part]:
        """The faces of a label set ``depth`` metres in, and the rubber around the opening."""
        faces = self.faces[self._has((label,))]
        if not len(faces):
            return []
        used, index = np.unique(faces, return_inverse=True)
        sunk = self.vertices - depth * self.normals
        pane = part(name, material, sunk[used], index.reshape(-1, 3), self.normals[used], segment)
        edges = self.outline(label)
        return [pane, strip(f"{name}_frame", "rubber", self.vertices[edges], sunk[edges])]

    def outline(self, label: str) -> np.ndarray:
        """(k, 2) directed edges around a label's faces, which lie on their left; the mirror plane
        is no edge."""
        faces = self.faces[self._has((label,))]
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        key = np.sort(edges, axis=1)
        _, first, count = np.unique(
            key[:, 0] * len(self.vertices) + key[:, 1], return_index=True, return_counts=True
        )
        edges = edges[first[count == 1]]
        return edges[(self.vertices[edges, 1] != 0).any(axis=1)]


def grid_axes(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the skin's grid has its nodes: closer at both ends and at the side than between."""
    low, high = body.bounds
    scale = max(1.0, float(high[0] - low[0]) / 5.0) ** 0.7
    fine, coarse = FINE * scale**0.4, COARSE * scale**1.4
    x = _graded(low[0] - 1.5 * fine, high[0] + 1.5 * fine, fine, coarse, (True, True))
    y = _graded(0.0, high[1] + 1.5 * fine, fine, coarse, (False, True))
    y = np.concatenate([[-y[1] / 2], y[1:] - y[1] / 2])
    z = np.arange(low[2] + 0.5 * fine, high[2] + 2 * fine, 1.134 * fine)
    if body.shape.bumper > 0.005:
        ledges = np.array([body.front_ledge, body.rear_ledge])
        near = (ledges[:, None] + np.array([-0.03, -0.01, 0.01, 0.03])).ravel()
        z = np.concatenate([z[np.abs(z[:, None] - ledges).min(axis=1) > 0.045], near])
    return x, y, np.unique(z)


def _relaxed(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Vertices moved towards the middle of their neighbours, so that none crowd together.

    Surface nets crowd them where the surface passes from one layer of cells to the next.
    """
    start, end = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    a, b = np.concatenate([start, end]), np.concatenate([end, start])
    total = len(vertices)
    count = np.bincount(a, minlength=total)
    on_plane = vertices[:, 1] == 0
    for _ in range(2):
        mean = np.stack(
            [np.bincount(a, vertices[b, k], minlength=total) / count for k in range(3)], axis=1
        )
        vertices = 0.4 * vertices + 0.6 * mean
        vertices[on_plane, 1] = 0
    return vertices


def _graded(
    low: float, high: float, fine: float, coarse: float, ends: tuple[bool, bool]
) -> np.ndarray:
    """Coordinates from ``low`` to at least ``high``, ``fine`` apart near the chosen ends."""
    reach = 0.45
    at = [low]
    while at[-1] < high:
        near = min(
            at[-1] - low if ends[0] else np.inf, max(high - at[-1], 0.0) if ends[1] else np.inf
        )
        at.append(at[-1] + fine + (coarse - fine) * min(near / reach, 1.0) ** 2)
    return np.array(at)


def strip(name: str, material: str, outer: np.ndarray, inner: np.ndarray) -> Part:
    """Quads between directed edges (k, 2, 3) of an opening and the same edges further in."""
    k = len(outer)
    points = np.stack([outer[:, 0], outer[:, 1], inner[:, 1], inner[:, 0]], axis=1).reshape(-1, 3)
    start = 4 * np.arange(k)[:, None]
    faces = np.concatenate([start + np.array(t) for t in ((0, 1, 2), (0, 2, 3))])
    return part(name, material, points, faces)
