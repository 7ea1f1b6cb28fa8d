"""Distances that take more than the two images into account: re-ranking and query expansion.

Neither looks at a label. ``Reranked`` is k-reciprocal encoding (Zhong et al., "Re-ranking Person
Re-identification with k-reciprocal Encoding", CVPR 2017) of the same results as its authors' dense
matrices, computed on sparse ones: an image's code has some dozens of numbers out of thousands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from pamtri.distances import FeatureDistances, Floats
from pamtri.neighbours import Neighbours, nearest, nearest_of_all

_SLACK = 3e-7
_CHUNK_VALUES = 2**22
_KEPT_VALUES = 2**25  # of distances that are not computed again, 128 MB

Ints = NDArray[np.int64]
Values = NDArray[np.float64]


class Reranked:
    """k-reciprocal distances (0..1) of ``query`` (q, d) to ``gallery`` (g, d) features.

    ``k1`` neighbours make an image's code, which is averaged over its ``k2`` nearest images;
    ``original`` is the weight of the Euclidean distance beside that of the codes (Jaccard).
    ``same`` says that the queries are the gallery, whose images then count once as neighbours. Of
    equally distant neighbours the earlier comes first.
    """

    def __init__(
        self,
        query: ArrayLike,
        gallery: ArrayLike,
        k1: int = 20,
        k2: int = 6,
        original: float = 0.3,
        same: bool = False,
    ) -> None:
        """Raises DataError as ``FeatureDistances``."""
        self._plain = FeatureDistances(query, gallery)
        self._original = original
        pool = self._plain.gallery
        if not same:
            pool = np.concatenate([self._plain.query, pool])
        middle = pool.mean(axis=0, dtype=np.float64).astype(pool.dtype)
        pool = (pool - middle).astype(np.float32, copy=False)
        self._kept: Floats | None = None
        if not same and self.shape[0] * self.shape[1] <= _KEPT_VALUES:
            self._kept = np.empty(self.shape, dtype=np.float32)
        codes, farthest = _codes(pool, k1, k2, self._kept)
        count = len(self._plain.query)
        self._farthest = farthest[:count]
        self._query_codes = codes[:count]
        self._gallery_codes = (codes if same else codes[count:]).tocsc()

    @property
    def shape(self) -> tuple[int, int]:
        """(q, g)."""
        return self._plain.shape

    def rows(self, start: int, stop: int) -> tuple[Floats, Floats]:
        """See ``pamtri.distances.Distances``."""
        if self._kept is None:
            distances = self._plain.squared(start, stop)
        else:
            distances = self._kept[start:stop].copy()
        distances *= (self._original / self._farthest[start:stop])[:, None]
        for row, distance in zip(range(start, stop), distances, strict=True):
            shared = self._shared(row)
            distance += (1 - self._original) * (1 - shared / (2 - shared))
        return distances, np.full(len(distances), _SLACK, dtype=np.float32)

    def _shared(self, row: int) -> Values:
        """(g,) sum of the smaller numbers of a query's code and each gallery image's."""
        codes, gallery = self._query_codes, self._gallery_codes
        held = slice(codes.indptr[row], codes.indptr[row + 1])
        columns = codes.indices[held]
        starts = gallery.indptr[columns].astype(np.int64)
        there = _ranges(starts, gallery.indptr[columns + 1] - starts)
        values = np.repeat(codes.data[held], gallery.indptr[columns + 1] - starts)
        smaller = np.minimum(values, gallery.data[there])
        totals = np.bincount(gallery.indices[there], smaller, minlength=self.shape[1])
        return totals.astype(np.float64, copy=False)


def expand_queries(
    query: ArrayLike, gallery: ArrayLike, count: int = 5, power: float = 3.0
) -> Floats:
    """Each query's feature as a weighted mean of itself and its ``count`` nearest gallery images.

    Weights are cosine similarities to the ``power`` (those below zero count as zero), and 1 of the
    query itself (Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation",
    TPAMI 2019; a power of 0 is plain average query expansion). Lengths stay as they were. Raises
    DataError as ``FeatureDistances``.
    """
    plain = FeatureDistances(query, gallery)
    near = nearest(plain, count).rows
    expanded = np.empty(plain.query.shape, dtype=np.float32)
    for row, others in enumerate(near):
        own, found = plain.query[row], plain.gallery[others]
        lengths = np.linalg.norm(own) * np.linalg.norm(found, axis=1)
        cosines = np.clip(found @ own / np.maximum(lengths, 1e-12), 0, None)
        weights = cosines**power
        mean = (own + weights @ found) / (1 + weights.sum())
        expanded[row] = mean * np.linalg.norm(own) / max(float(np.linalg.norm(mean)), 1e-12)
    return expanded


def _codes(pool: Floats, k1: int, k2: int, kept: Floats | None) -> tuple[sparse.csr_matrix, Floats]:
    """Codes (n, n) of all images of ``pool`` (n, d), and the squared distance farthest from each.

    An image's code is exp(-distance) of those it is near to as they are to it, summing up to 1;
    distances are divided by the farthest.
    """
    near, farthest = nearest_of_all(pool, k1 + 1, kept)
    image, other = _expanded(near.rows, k1).nonzero()
    distance = _distances_of(pool, near, image, other) / farthest[image]
    weights = np.exp(-distance.astype(np.float64))
    sums = np.bincount(image, weights, minlength=len(pool))
    codes = _matrix(image, other, weights / sums[image], len(pool))
    if k2 > 1:
        codes = (_chosen(near.rows[:, :k2]) / min(k2, near.rows.shape[1])) @ codes
    return codes.tocsr(), farthest


def _expanded(near: Ints, k1: int) -> sparse.csr_matrix:
    """(n, n) ones where an image's set of k-reciprocal neighbours, widened by theirs, has another.

    A neighbour's own (smaller) set is added where more than two thirds of it are in the image's.
    """
    mutual = _mutual(near)
    own = _mutual(near[:, : round(k1 / 2) + 1])
    sizes = own.sum(axis=1).A1
    shared = mutual.multiply(mutual @ own.T).tocoo()
    joins = shared.data > 2 / 3 * sizes[shared.col]
    joined = _matrix(shared.row[joins], shared.col[joins], np.ones(joins.sum()), len(near))
    return (mutual + joined @ own).tocsr()


def _mutual(near: Ints) -> sparse.csr_matrix:
    """(n, n) ones where each of two images is among the other's neighbours ``near`` (n, k)."""
    chosen = _chosen(near)
    return chosen.multiply(chosen.T).tocsr()


def _chosen(near: Ints) -> sparse.csr_matrix:
    image = np.repeat(np.arange(len(near)), near.shape[1])
    return _matrix(image, near.ravel(), np.ones(near.size), len(near))


def _matrix(row: Ints, column: Ints, values: Values, size: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((values, (row, column)), shape=(size, size))


def _distances_of(pool: Floats, near: Neighbours, image: Ints, other: Ints) -> Floats:
    """Squared distances of pairs of images: those of neighbours are known, the rest computed."""
    count = near.rows.shape[1]
    known = (np.arange(len(pool))[:, None] * len(pool) + near.rows).ravel()
    order = np.argsort(known)
    wanted = image.astype(np.int64) * len(pool) + other
    place = order[np.minimum(np.searchsorted(known, wanted, sorter=order), known.size - 1)]
    distances = near.distances.reshape(len(pool) * count)[place]
    missing = np.flatnonzero(known[place] != wanted)
    step = max(1, _CHUNK_VALUES // pool.shape[1])
    for first in range(0, len(missing), step):
        pairs = missing[first : first + step]
        off = pool[image[pairs]] - pool[other[pairs]]
        distances[pairs] = np.einsum("pd,pd->p", off, off)
    return distances


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """Start, start + 1, ... of ``counts`` numbers each, one range after the other."""
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
