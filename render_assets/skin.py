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
from render_assets.solid import gradient, polygonise, project

CELL = 0.058
"""Grid cell of a five-metre body, metres; longer bodies are coarser."""


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
        low, high = body.bounds
        cell = CELL * max(1.0, float(high[0] - low[0]) / 5.0) ** 0.85
        vertices, self.faces = polygonise(body, low, high, cell)
        self.vertices = _on_surface(body, vertices)
        self._codes: dict[str, int] = {"skin": 0}
        self.labels = np.zeros(len(self.faces), dtype=np.int16)
        self.values = body.faces(self.vertices)

    def __getitem__(self, name: str) -> np.ndarray:
        """(n,) a half-space at every vertex, or a coordinate: ``x``, ``y``, ``z``."""
        if name in ("x", "y", "z"):
            return self.vertices[:, "xyz".index(name)]
        return self.values[name]

    def cut(self, value: np.ndarray, among: tuple[str, ...] | None = None) -> np.ndarray:
        """Divide the triangles ``among`` these labels where ``value`` (n,) crosses zero.

        Neighbours that share a divided edge are divided with it, so the skin stays closed. Returns
        (m,) bool: faces on the lower side (meaningful for the labels in ``among``).
        """
        below = value < 0
        count = below[self.faces].sum(axis=1)
        crossed = np.flatnonzero((count == 1) | (count == 2))
        faces = self.faces[crossed]
        lone = count[crossed] == 1
        odd = np.argmax(below[faces] == lone[:, None], axis=1)
        rows = np.arange(len(faces))
        a, b, c = (faces[rows, (odd + k) % 3] for k in range(3))
        total = len(self.vertices)
        edges = np.sort(np.stack([np.stack([a, b], 1), np.stack([a, c], 1)]), axis=2)
        keys = edges[..., 0] * total + edges[..., 1]
        chosen = np.ones(len(faces), dtype=bool) if among is None else self._has(among)[crossed]
        split = np.unique(keys[:, chosen])
        if not len(split):
            return count == 3
        i, j = split // total, split % total
        self._interpolate(i, j, value[i] / (value[i] - value[j]))
        place = np.minimum(np.searchsorted(split, keys), len(split) - 1)
        hit = split[place] == keys
        p, q = total + place[0], total + place[1]
        return self._replace(crossed, lone, (a, b, c, p, q), hit[0], hit[1], count)

    def _replace(
        self,
        crossed: np.ndarray,
        lone: np.ndarray,
        corners: tuple[np.ndarray, ...],
        hit_p: np.ndarray,
        hit_q: np.ndarray,
        count: np.ndarray,
    ) -> np.ndarray:
        """Put pieces in the place of divided triangles abc: p lies on ab, q on ac, where hit."""
        a, b, c, p, q = corners
        both, only_p, only_q = hit_p & hit_q, hit_p & ~hit_q, hit_q & ~hit_p
        pieces, sides, parents = [], [], []
        for where, triangle, side in (
            (both, (a, p, q), lone), (both, (p, b, c), ~lone), (both, (p, c, q), ~lone),
            (only_p, (a, p, c), ~lone), (only_p, (p, b, c), ~lone),
            (only_q, (a, b, q), ~lone), (only_q, (q, b, c), ~lone),
        ):  # fmt: skip
            pieces.append(np.stack(triangle, axis=1)[where])
            sides.append(side[where])
            parents.append(self.labels[crossed[where]])
        kept = np.ones(len(self.faces), dtype=bool)
        kept[crossed[hit_p | hit_q]] = False
        self.faces = np.concatenate([self.faces[kept], *pieces])
        self.labels = np.concatenate([self.labels[kept], *parents])
        return np.concatenate([(count == 3)[kept], *sides])

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
        """Label what is below the zero lines of all the values, cutting along each in turn."""
        values = value if isinstance(value, list) else [value]
        for one in values:
            self.cut(one(self), among)
        inside = np.arange(len(self.faces)) if among is None else np.flatnonzero(self._has(among))
        for one in values:
            a, b, c = one(self)[self.faces[inside]].T
            inside = inside[a + b + c < 0]
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
        """Put the cuts' vertices on the true surface and take the normals there."""
        self.vertices = _on_surface(self.body, self.vertices)
        self.normals = unit(gradient(self.body, self.vertices))

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


def _on_surface(body: Body, vertices: np.ndarray) -> np.ndarray:
    """Vertices pulled onto the body; those on the mirror plane stay on it."""
    on_plane = vertices[:, 1] == 0
    vertices = project(body, vertices, steps=1)
    vertices[on_plane, 1] = 0
    return vertices


def strip(name: str, material: str, outer: np.ndarray, inner: np.ndarray) -> Part:
    """Quads between directed edges (k, 2, 3) of an opening and the same edges further in."""
    k = len(outer)
    points = np.stack([outer[:, 0], outer[:, 1], inner[:, 1], inner[:, 0]], axis=1).reshape(-1, 3)
    start = 4 * np.arange(k)[:, None]
    faces = np.concatenate([start + np.array(t) for t in ((0, 1, 2), (0, 2, 3))])
    return part(name, material, points, faces)
