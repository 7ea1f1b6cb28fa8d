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
_ROUNDING = 1e-6

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
        self._query = checked_features(query, "query")
        self._gallery = checked_features(gallery, "gallery")
        columns = self._query.shape[1], self._gallery.shape[1]
        if columns[0] != columns[1]:
            raise DataError(
                f"query features have {columns[0]} numbers, gallery features {columns[1]}: "
                "expected both from one network"
            )
        # Less the gallery's mean, distances are the same and rounding errors far smaller.
        self._mean = self._gallery.mean(axis=0, dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """(q, g)."""
        return len(self._query), len(self._gallery)

    def rows(self, start: int, stop: int) -> tuple[Floats, Floats]:
        """See ``Distances``."""
        query = self._centred(self._query[start:stop])
        distances = np.empty((len(query), len(self._gallery)), dtype=np.float32)
        total = 0.0
        step = max(1, _CHUNK_VALUES // max(1, query.shape[1]))
        for first in range(0, len(self._gallery), step):
            part = self._centred(self._gallery[first : first + step])
            lengths = np.einsum("gd,gd->g", part, part)
            columns = distances[:, first : first + step]
            np.matmul(query, part.T, out=columns)
            columns *= -2
            columns += lengths
            total += float(lengths.sum(dtype=np.float64))
        scale = np.einsum("qd,qd->q", query, query) + total / max(1, len(self._gallery))
        return distances, np.maximum(_ROUNDING * scale, np.finfo(np.float32).tiny)

    def _centred(self, features: NDArray[np.floating]) -> Floats:
        return (features - self._mean.astype(features.dtype)).astype(np.float32, copy=False)


def blocks(distances: Distances) -> Iterator[tuple[int, int]]:
    """First and last + 1 query of each block of bounded size."""
    count, width = distances.shape
    step = max(1, _BLOCK_VALUES // max(1, width))
    for start in range(0, count, step):
        yield start, min(start + step, count)


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
