"""Retrieval metrics of re-identification: CMC, mAP and mINP.

The protocol is that of Market-1501 (Zheng et al., ICCV 2015), which VeRi-776, CityFlow-ReID and
PAMTRI use: for each query, gallery images of the same identity taken by the same camera are left
out, the rest is ordered by Euclidean distance. mINP is the mean inverse negative penalty of Ye et
al. (TPAMI 2022): matches over the rank of the last one.

Where it matters and others differ:

- Ties count against the ranking: of equally distant images, the wrong ones come first. The order
  of the gallery therefore never changes a score, and features that are all alike gain nothing.
- A camera of -1 is unknown and equals no other.
- A query image that is also in the gallery is left out of its own ranking, told by its name.
- A query without any match left is not scored; it is counted in ``unmatched``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNKNOWN = -1
"""The camera of an image whose camera is not known."""
DEPTH = 50
"""CMC is computed for ranks 1 to this."""
_BLOCK = 256

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """How well each of q queries ranked the gallery; rows follow the queries."""

    average_precision: Floats
    """(q,) in 0..1, NaN where the query has no match."""
    inverse_negative_penalty: Floats
    """(q,) in 0..1, NaN where the query has no match."""
    first_match: Floats
    """(q,) rank of the first right image, from 1; NaN where the query has no match."""
    top: Ints
    """(q, k) gallery rows of the nearest k images, filled up with -1."""
    removed: Ints
    """(q,) gallery images that were left out."""

    @property
    def unmatched(self) -> int:
        """Queries that have no match and are not scored."""
        return int(np.isnan(self.average_precision).sum())

    @property
    def mean_average_precision(self) -> float | None:
        """mAP over the scored queries; None where there are none."""
        return _mean(self.average_precision)

    @property
    def mean_inverse_negative_penalty(self) -> float | None:
        """mINP over the scored queries; None where there are none."""
        return _mean(self.inverse_negative_penalty)

    def cmc(self, depth: int = DEPTH) -> list[float]:
        """Share of scored queries whose first match is within rank 1, 2, ..., ``depth``."""
        first = self.first_match[~np.isnan(self.first_match)]
        if not len(first):
            return []
        return [float((first <= rank).mean()) for rank in range(1, depth + 1)]


def rank_metrics(
    query_features: ArrayLike,
    gallery_features: ArrayLike,
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    query_cameras: ArrayLike | None = None,
    gallery_cameras: ArrayLike | None = None,
    query_names: ArrayLike | None = None,
    gallery_names: ArrayLike | None = None,
    top: int = 10,
) -> Ranking:
    """Rank ``gallery_features`` (g, d) for each of ``query_features`` (q, d).

    Identities and cameras are integers, names are the images' names. Without cameras nothing is
    left out for its camera; without names nothing is left out as the query itself.
    """
    query, gallery = _centred(query_features, gallery_features)
    ids, gallery_ids = np.asarray(query_ids), np.asarray(gallery_ids)
    cameras = _or_unknown(query_cameras, len(query))
    gallery_cameras = _or_unknown(gallery_cameras, len(gallery))
    names = None if query_names is None else np.asarray(query_names)
    gallery_names = None if gallery_names is None else np.asarray(gallery_names)
    scores = np.full((3, len(query)), np.nan)
    nearest = np.full((len(query), top), -1, dtype=np.int64)
    removed = np.zeros(len(query), dtype=np.int64)
    for start in range(0, len(query), _BLOCK):
        distances = _distances(query[start : start + _BLOCK], gallery)
        for row, distance in enumerate(distances, start=start):
            match = gallery_ids == ids[row]
            out = match & (gallery_cameras == cameras[row]) & (cameras[row] != UNKNOWN)
            if names is not None and gallery_names is not None:
                out |= gallery_names == names[row]
            keep = np.flatnonzero(~out)
            order = keep[np.lexsort((match[keep], distance[keep]))]
            nearest[row, : len(order[:top])] = order[:top]
            removed[row] = out.sum()
            scores[:, row] = _score(match[order])
    return Ranking(scores[0], scores[1], scores[2], nearest, removed)


def _score(matches: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Average precision, inverse negative penalty and first rank of one ordered gallery."""
    ranks = np.flatnonzero(matches) + 1
    if not len(ranks):
        return np.nan, np.nan, np.nan
    found = np.arange(1, len(ranks) + 1)
    return float((found / ranks).mean()), float(len(ranks) / ranks[-1]), float(ranks[0])


def _centred(query: ArrayLike, gallery: ArrayLike) -> tuple[NDArray[np.float32], ...]:
    """Both sets less the gallery's mean: same distances, far smaller rounding errors."""
    query, gallery = np.asarray(query, dtype=np.float64), np.asarray(gallery, dtype=np.float64)
    mean = gallery.mean(axis=0)
    return (query - mean).astype(np.float32), (gallery - mean).astype(np.float32)


def _distances(query: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, g) squared Euclidean distances, up to a constant per query."""
    distances: NDArray[np.float32] = (gallery**2).sum(axis=1)[None] - 2 * query @ gallery.T
    return distances


def _or_unknown(cameras: ArrayLike | None, count: int) -> Ints:
    return np.full(count, UNKNOWN) if cameras is None else np.asarray(cameras)


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
