"""Distances between many features, a block of queries at a time, so that memory stays bounded.

Distances are squared Euclidean ones less a constant of each query: their order is what matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.errors import DataError

_BLOCK_VALUES = 2**26  # of a block of distances, 256 MB
_CHUNK_VALUES = 2**22  # of gallery features that are worked on at once
_ROUNDING = 5e-7

Floats = NDArray[np.float32]


class Distances(Protocol):
    """Distances of q queries to a gallery of g."""

    @property
    def shape(self) -> tuple[int, int]:
        """(q, g)."""

    def rows(self, start: int, stop: int) -> tuple[Floats, Floats]:
        """Distances (b, g) of queries ``start`` up to ``stop``, which the caller may overwrite.

        With them (b,) by how much rounding may part what is equally far: above zero.
        """


class FeatureDistances:
    """Between ``query`` (q, d) and ``gallery`` (g, d), in float32.

    Beside them memory holds a block of 256 MB (one query's distances, where those are more).
    Raises DataError unless both are finite matrices of equally many columns.
    """

    def __init__(self, query: ArrayLike, gallery: ArrayLike) -> None:
        self.query = checked_features(query, "query")
        self.gallery = checked_features(gallery, "gallery")
        columns = self.query.shape[1], self.gallery.shape[1]
        if columns[0] != columns[1]:
            raise DataError(
                f"query features have {columns[0]} numbers, gallery features {columns[1]}: "
                "expected both from one network"
            )
        # Less the gallery's mean, distances are the same and rounding errors far smaller.
        self._mean = self.gallery.mean(axis=0, dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """(q, g)."""
        return len(self.query), len(self.gallery)

    def rows(self, start: int, stop: int) -> tuple[Floats, Floats]:
        """See ``Distances``."""
        distances, lengths, scale = self._compute(start, stop)
        slack = np.maximum(_ROUNDING * (lengths + scale), np.finfo(np.float32).tiny)
        return distances, slack

    def squared(self, start: int, stop: int) -> Floats:
        """(b, g) squared distances of queries ``start`` up to ``stop``, nothing taken off."""
        distances, lengths, _ = self._compute(start, stop)
        distances += lengths[:, None]
        return np.maximum(distances, 0, out=distances)

    def _compute(self, start: int, stop: int) -> tuple[Floats, Floats, float]:
        """Distances less the query's squared length, that length, the gallery's mean one."""
        query = self._centred(self.query[start:stop])
        doubled = -2 * query
        distances = np.empty((len(query), len(self.gallery)), dtype=np.float32)
        total = 0.0
        step = max(1, _CHUNK_VALUES // max(1, query.shape[1]))
        for first in range(0, len(self.gallery), step):
            part = self._centred(self.gallery[first : first + step])
            lengths = np.einsum("gd,gd->g", part, part)
            columns = distances[:, first : first + step]
            np.matmul(doubled, part.T, out=columns)
            columns += lengths
            total += float(lengths.sum(dtype=np.float64))
        scale = total / max(1, len(self.gallery))
        return distances, np.einsum("qd,qd->q", query, query), scale

    def _centred(self, features: NDArray[np.floating]) -> Floats:
        return (features - self._mean.astype(features.dtype)).astype(np.float32, copy=False)


def blocks(distances: Distances) -> Iterator[tuple[int, int]]:
    """First and last + 1 query of each block of bounded size."""
    count, width = distances.shape
    step = max(1, _BLOCK_VALUES // max(1, width))
    for start in range(0, count, step):
        yield start, min(start + step, count)


def nearest_rows(distance: Floats, count: int) -> NDArray[np.int64]:
    """The ``count`` smallest of ``distance`` (g,) in order, of equal ones the earlier first."""
    near = at_least_nearest(distance, count)
    return near[np.argsort(distance[near], kind="stable")][:count]


def at_least_nearest(distance: Floats, count: int) -> NDArray[np.int64]:
    """Rows, ascending, of the ``count`` smallest of ``distance`` (g,), all equals and some more.

    The smallest numbers of some hundred groups are found far quicker than those of all: no more
    than ``count`` of these are below the ``count``-th smallest of those.
    """
    size = len(distance) // (8 * count)
    if size < 2:
        return np.arange(len(distance))
    smallest = distance[: size * 8 * count].reshape(size, 8 * count).min(axis=0)
    return np.flatnonzero(distance <= np.partition(smallest, count - 1)[count - 1])


def checked_features(features: ArrayLike, name: str) -> NDArray[np.floating]:
    """As a matrix of floats. Raises DataError where it is none, or a row is not finite."""
    matrix = np.asarray(features)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number):
        raise DataError(
            f"expected {name} features as numbers of shape (n, d), got {matrix.dtype} "
            f"{matrix.shape}"
        )
    if not np.issubdtype(matrix.dtype, np.floating):
        matrix = matrix.astype(np.float64)
    sums = matrix.sum(axis=1, dtype=np.float64)  # finite only where each number is
    broken = np.flatnonzero(~np.isfinite(sums))
    if len(broken):
        raise DataError(f"{name} features of row {broken[0]} (from 0) are not finite")
    return matrix
