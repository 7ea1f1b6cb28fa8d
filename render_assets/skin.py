"""A body's skin that is cut along curves into named panels.

The left half of the body is meshed once. A panel's outline is where a value (n,) given at the
vertices crosses zero: triangles are divided there, so outlines are as crisp as the curve and not
as coarse as the grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render_assets.body import Body
from render_assets.mesh import Part, part
from render_assets.solid import polygonise, project

CELL = 0.045
"""Grid cell of a five-metre body, metres; longer bodies are coarser."""


class Skin:
    """Vertices, faces and a label for each face of the left half of a body.

    ``values`` holds the body's half-spaces at the vertices; cuts keep them in step.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        low, high = body.bounds
        cell = CELL * max(1.0, float(high[0] - low[0]) / 5.0)
        vertices, self.faces = polygonise(body, low, high, cell)
        on_plane = vertices[:, 1] == 0
        self.vertices, self.normals = project(body, vertices)
        self.vertices[on_plane, 1] = 0
        self.labels = np.full(len(self.faces), "skin", dtype=object)
        self.values = body.faces(self.vertices)

    def __getitem__(self, name: str) -> np.ndarray:
        """(n,) a half-space at every vertex, or a coordinate: ``x``, ``y``, ``z``."""
        if name in ("x", "y", "z"):
            return self.vertices[:, "xyz".index(name)]
        return self.values[name]

    def cut(self, value: np.ndarray) -> np.ndarray:
        """Divide the triangles where ``value`` (n,) crosses zero; (m,) bool: faces below it."""
        below = value < 0
        count = below[self.faces].sum(axis=1)
        crossed = (count == 1) | (count == 2)
        if not crossed.any():
            return count == 3
        return self._divide(value, below, crossed, count == 1)

    def _divide(
        self, value: np.ndarray, below: np.ndarray, crossed: np.ndarray, lone_below: np.ndarray
    ) -> np.ndarray:
        """Replace every crossed triangle by the three pieces on both sides of the line."""
        faces = self.faces[crossed]
        lone = lone_below[crossed]
        odd = np.argmax(below[faces] == lone[:, None], axis=1)
        rows = np.arange(len(faces))
        a, b, c = (faces[rows, (odd + k) % 3] for k in range(3))
        total = len(self.vertices)
        edges = np.concatenate([np.stack([a, b], 1), np.stack([a, c], 1)])
        edges.sort(axis=1)
        keys, inverse = np.unique(edges[:, 0] * total + edges[:, 1], return_inverse=True)
        i, j = keys // total, keys % total
        t = value[i] / (value[i] - value[j])
        self._interpolate(i, j, t)
        p, q = total + inverse[: len(faces)], total + inverse[len(faces) :]
        pieces = np.concatenate(
            [np.stack([a, p, q], 1), np.stack([p, b, c], 1), np.stack([p, c, q], 1)]
        )
        labels = self.labels[crossed]
        below_face = np.concatenate([below[self.faces[~crossed]].all(axis=1), lone, ~lone, ~lone])
        self.faces = np.concatenate([self.faces[~crossed], pieces])
        self.labels = np.concatenate([self.labels[~crossed], labels, labels, labels])
        return below_face

    def _interpolate(self, i: np.ndarray, j: np.ndarray, t: np.ndarray) -> None:
        """Append the points at ``t`` between vertices i and j, with all that vertices carry."""

        def extend(array: np.ndarray) -> np.ndarray:
            weight = t if array.ndim == 1 else t[:, None]
            return np.concatenate([array, array[i] * (1 - weight) + array[j] * weight])

        self.vertices, self.normals = extend(self.vertices), extend(self.normals)
        self.values = {name: extend(value) for name, value in self.values.items()}

    def paint(self, inside: np.ndarray, label: str, among: tuple[str, ...] | None = None) -> None:
        """Give the faces ``inside`` (m,) bool a label, where they now carry one of ``among``."""
        if among is not None:
            inside = inside & np.isin(self.labels, among)
        self.labels[inside] = label

    def region(self, value: np.ndarray, label: str, among: tuple[str, ...] | None = None) -> None:
        """Cut along the zero line of ``value`` and label what is below it."""
        self.paint(self.cut(value), label, among)

    def band(
        self,
        distance: Callable[[Skin], np.ndarray],
        half: float,
        label: str,
        among: tuple[str, ...] | None = None,
    ) -> None:
        """Label a band of half width ``half`` metres around the zero line of ``distance``."""
        self.cut(distance(self) + half)
        self.cut(distance(self) - half)
        middle = distance(self)[self.faces].mean(axis=1)
        self.paint(np.abs(middle) < half, label, among)

    def settle(self) -> None:
        """Put the cuts' vertices on the true surface and take the normals there."""
        on_plane = self.vertices[:, 1] == 0
        self.vertices, self.normals = project(self.body, self.vertices, steps=1)
        self.vertices[on_plane, 1] = 0

    def part(self, label: str, name: str, material: str, segment: str | None = None) -> Part | None:
        """The faces of a label as a part, None where there are none."""
        faces = self.faces[self.labels == label]
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

    def inset(self, label: str, name: str, material: str, depth: float) -> list[Part]:
        """The faces of a label set ``depth`` metres in, and the rubber around the opening."""
        faces = self.faces[self.labels == label]
        if not len(faces):
            return []
        used, index = np.unique(faces, return_inverse=True)
        sunk = self.vertices - depth * self.normals
        pane = part(name, material, sunk[used], index.reshape(-1, 3), self.normals[used])
        edges = self.outline(label)
        return [pane, strip(f"{name}_frame", "rubber", self.vertices[edges], sunk[edges])]

    def outline(self, label: str) -> np.ndarray:
        """(k, 2) directed edges around a label's faces, which lie on their left; the mirror plane
        is no edge."""
        faces = self.faces[self.labels == label]
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        key = np.sort(edges, axis=1)
        _, first, count = np.unique(
            key[:, 0] * len(self.vertices) + key[:, 1], return_index=True, return_counts=True
        )
        edges = edges[first[count == 1]]
        return edges[(self.vertices[edges, 1] != 0).any(axis=1)]


def strip(name: str, material: str, outer: np.ndarray, inner: np.ndarray) -> Part:
    """Quads between directed edges (k, 2, 3) of an opening and the same edges further in."""
    k = len(outer)
    points = np.stack([outer[:, 0], outer[:, 1], inner[:, 1], inner[:, 0]], axis=1).reshape(-1, 3)
    start = 4 * np.arange(k)[:, None]
    faces = np.concatenate([start + [0, 1, 2], start + [0, 2, 3]])
    return part(name, material, points, faces)
