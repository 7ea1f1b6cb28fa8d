"""A body's skin that is cut along curves into named panels.

The left half of the body is meshed once. A panel's outline is where a value (n,) given at the
vertices crosses zero: triangles are divided there, so outlines are as crisp as the curve and not
as coarse as the grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render_assets.body import Body
from render_assets.mesh import Part, part, unit, used_by
from render_assets.solid import polygonise, project_with_normals

FINE, COARSE = 0.042, 0.092
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

    Each vertex carries its place and the values of the body's half-spaces; cuts keep them in step.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        axes = grid_axes(body)
        vertices, faces = polygonise(body.on_grid(axes), axes)
        vertices = self._pulled(_relaxed(vertices, faces).astype(np.float32))[0]
        self._corners = np.ascontiguousarray(faces.T)
        values = body.faces(vertices)
        self._rows = {name: k for k, name in enumerate(("x", "y", "z", *values))}
        self._data = np.concatenate([vertices.T, np.stack([*values.values()])]).astype(np.float32)
        self._codes: dict[str, int] = {"skin": 0}
        self.labels = np.zeros(len(faces), dtype=np.int16)

    @property
    def vertices(self) -> np.ndarray:
        """(n, 3) float32 places of the vertices."""
        return self._data[:3].T

    @property
    def faces(self) -> np.ndarray:
        """(m, 3) int64 vertices of the faces."""
        return self._corners.T

    def __getitem__(self, name: str) -> np.ndarray:
        """(n,) what vertices carry: a coordinate ``x``, ``y``, ``z``, a half-space, or more."""
        return self._data[self._rows[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def carry(self, name: str, value: np.ndarray) -> None:
        """Let the vertices carry another ``value`` (n,)."""
        self._rows[name] = len(self._data)
        self._data = np.concatenate([self._data, value[None].astype(np.float32)])

    def cut(self, value: np.ndarray, among: np.ndarray) -> np.ndarray:
        """Divide the triangles ``among`` (m,) bool where ``value`` (n,) crosses zero.

        Vertices within ``SNAP`` of the line are taken to lie on it, so that no slivers arise.
        Neighbours that share a divided edge are divided with it, so the skin stays closed. Returns
        (m,) bool, after the division: faces that come from ``among`` and lie on the lower side.
        """
        side = (value > SNAP).astype(np.int8) - (value < -SNAP)
        at = side.take(self._corners)
        low, high = at.min(axis=0), at.max(axis=0)
        below = among & (high <= 0)
        crossed = np.flatnonzero((low < 0) & (high > 0))
        own = among.take(crossed)
        if own.any():
            below = self._divide(crossed, own, side, value, below)
        return below

    def _divide(
        self,
        crossed: np.ndarray,
        own: np.ndarray,
        side: np.ndarray,
        value: np.ndarray,
        below: np.ndarray,
    ) -> np.ndarray:
        """Divide the faces ``crossed`` by the line that are among the cut's ``own`` or share a
        divided edge with one that is; returns ``below`` with the pieces."""
        a, b, c, lone = _turned(self._corners.take(crossed, axis=1), side)
        ends = np.stack([b, c])
        keys = np.minimum(a, ends) * len(side) + np.maximum(a, ends)
        divided = (side.take(a) * side.take(ends)) < 0
        split = np.unique(keys[divided & own])
        place = np.minimum(np.searchsorted(split, keys), len(split) - 1)
        hit = split.take(place) == keys
        i, j = np.divmod(split, len(side))
        self._interpolate(i, j, value[i] / (value[i] - value[j]))
        p, q = len(side) + place
        both, only_p = np.flatnonzero(hit[0] & hit[1]), np.flatnonzero(hit[0] & ~hit[1])
        only_q = np.flatnonzero(hit[1] & ~hit[0])
        # the first piece takes the triangle's own place, the others are appended
        for where, piece in ((both, (a, p, q)), (only_p, (a, p, c)), (only_q, (a, b, q))):
            self._corners[:, crossed.take(where)] = [k.take(where) for k in piece]
        below[crossed] |= lone & own
        more = (both, (p, b, c)), (both, (p, c, q)), (only_p, (p, b, c)), (only_q, (q, b, c))
        new = [np.stack([k.take(where) for k in piece]) for where, piece in more]
        parents = np.concatenate([where for where, _ in more])
        self._corners = np.concatenate([self._corners, *new], axis=1)
        self.labels = np.concatenate([self.labels, self.labels.take(crossed.take(parents))])
        return np.concatenate([below, (~lone & own).take(parents)])

    def _has(self, labels: tuple[str, ...]) -> np.ndarray:
        """(m,) bool: faces that carry one of the labels."""
        wanted = np.zeros(len(self._codes), dtype=bool)
        wanted[[self._codes[name] for name in labels if name in self._codes]] = True
        return wanted[self.labels]

    def _labelled(self, label: str) -> np.ndarray:
        """(k, 3) the faces that carry a label."""
        chosen = np.flatnonzero(self.labels == self._codes.get(label, -1))
        return self._corners.take(chosen, axis=1).T

    def _interpolate(self, i: np.ndarray, j: np.ndarray, t: np.ndarray) -> None:
        """Append the points at ``t`` between vertices i and j, with all that vertices carry."""
        t = t.astype(np.float32)
        between = self._data[:, i] * (1 - t) + self._data[:, j] * t
        self._data = np.concatenate([self._data, between], axis=1)

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
        vertices, slope = self._pulled(np.ascontiguousarray(self.vertices))
        self.move(vertices)
        self.normals = unit(slope)

    def move(self, vertices: np.ndarray) -> None:
        """Put the vertices at other places (n, 3)."""
        self._data[:3] = vertices.T

    def _pulled(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices on the true surface, and its slope there; the mirror plane's stay on it."""
        on_plane = vertices[:, 1] == 0
        vertices, slope = project_with_normals(self.body, vertices, steps=1)
        vertices[on_plane, 1] = 0
        slope[on_plane, 1] = 0
        return vertices, slope

    def part(self, label: str, name: str, material: str, segment: str | None = None) -> Part | None:
        """The faces of a label as a part, None where there are none."""
        faces = self._labelled(label)
        if not len(faces):
            return None
        used, faces = used_by(faces)
        return part(name, material, self.vertices[used], faces, self.normals[used], segment)

    def inset(
        self, label: str, name: str, material: str, segment: str | None, depth: float
    ) -> list[Part]:
        """The faces of a label set ``depth`` metres in, and the rubber around the opening."""
        faces = self._labelled(label)
        if not len(faces):
            return []
        used, faces = used_by(faces)
        sunk = self.vertices - depth * self.normals
        pane = part(name, material, sunk[used], faces, self.normals[used], segment)
        edges = self.outline(label)
        return [pane, strip(f"{name}_frame", "rubber", self.vertices[edges], sunk[edges])]

    def outline(self, label: str) -> np.ndarray:
        """(k, 2) directed edges around a label's faces, which lie on their left; the mirror plane
        is no edge."""
        faces = self._labelled(label)
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        key = np.sort(edges, axis=1)
        _, first, count = np.unique(
            key[:, 0] * len(self.vertices) + key[:, 1], return_index=True, return_counts=True
        )
        edges = edges[first[count == 1]]
        return edges[(self.vertices[edges, 1] != 0).any(axis=1)]


def _turned(
    corners: np.ndarray, side: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Corners a, b, c of crossed faces (3, m), a alone on its side, and whether that is below."""
    below = side.take(corners) < 0
    lone = below.sum(axis=0) == 1
    odd = (below == lone).argmax(axis=0)
    faces = np.arange(len(lone))
    a, b, c = (corners[(odd + k) % 3, faces] for k in range(3))
    return a, b, c, lone


def grid_axes(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the skin's grid has its nodes: closer at both ends and at the side than between."""
    low, high = body.bounds
    scale = max(1.0, float(high[0] - low[0]) / 5.0) ** 0.7
    fine, coarse = FINE * scale**0.4, COARSE * scale**1.4
    x = _graded(low[0] - 1.5 * fine, high[0] + 1.5 * fine, fine, coarse, (True, True), 0.45 * scale)
    y = _graded(0.0, high[1] + 1.5 * fine + coarse / 2, FINE, coarse, (False, True), 0.45)
    y = np.concatenate([[-y[1] / 2], y[1:] - y[1] / 2])
    close, sparse = (1.134, 1.134) if scale < 1.2 else (0.75, 1.9)  # the sides of a bus are flat
    z = _graded(
        low[2] + 0.5 * fine, high[2] + 2 * fine, close * fine, sparse * fine, (True, True), 0.5
    )
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
    low: float,
    high: float,
    fine: float,
    coarse: float,
    ends: tuple[bool, bool],
    reach: float,
) -> np.ndarray:
    """Coordinates from ``low`` to at least ``high``, ``fine`` apart near the chosen ends and wider
    up to ``reach`` metres away from them."""
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
