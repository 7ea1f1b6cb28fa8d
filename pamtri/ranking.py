"""Retrieval metrics of re-identification: CMC, mAP and mINP.

The protocol is that of Market-1501 (Zheng et al., ICCV 2015), which VeRi-776, CityFlow-ReID and
PAMTRI use: for each query, gallery images of the same identity taken by the same camera are left
out, the rest is ordered by Euclidean distance. mINP is the mean inverse negative penalty of Ye et
al. (TPAMI 2022): matches over the rank of the last one.

Where it matters and others differ:

- Ties count against the ranking: of equally distant images, the wrong ones come first. The order
  of the gallery therefore never changes a score, and features that are all alike gain nothing.
  Distances that differ by no more than rounding (half a millionth of the features' mean squared
  length, about their middle) count as equal.
- A camera of -1 is unknown and equals no other.
- A query image that is also in the gallery is left out of its own ranking, told by its name.
- A query without any match left is not scored; it is counted in ``unmatched``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.distances import Distances, FeatureDistances, at_least_nearest, blocks

UNKNOWN = -1
"""The camera of an image whose camera is not known."""
DEPTH = 50
"""CMC is computed for ranks 1 to this."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """How well each of q queries ranked the gallery; rows follow the queries."""

    matches: tuple[Ints, ...]
    """Gallery rows of each query's right images, nearest first."""
    wrong_before: tuple[Ints, ...]
    """Of each of them, how many wrong images come before it."""
    top: Ints
    """(q, k) gallery rows of the nearest k images, filled up with -1."""
    removed: Ints
    """(q,) gallery images that were left out."""

    @cached_property
    def ranks(self) -> tuple[Ints, ...]:
        """Ranks of each query's right images, from 1, ascending."""
        return tuple(wrong + np.arange(1, len(wrong) + 1) for wrong in self.wrong_before)

    @cached_property
    def average_precision(self) -> Floats:
        """(q,) in 0..1, NaN where the query has no match."""
        return self.average_precision_within(None)

    def average_precision_within(self, depth: int | None) -> Floats:
        """(q,) of the first ``depth`` images alone: what comes after them counts as not found.

        Its precisions are divided by as many matches as there are, ``depth`` at most, so that a
        perfect list has 1. NaN where the query has no match.
        """
        return self._each(lambda ranks: _average_precision(ranks, depth))

    @cached_property
    def average_precision_at_r(self) -> Floats:
        """(q,) of the first R images of a query with R matches (Musgrave et al., ECCV 2020).

        What comes after them counts as not found; NaN where the query has no match.
        """
        return self._each(lambda ranks: _average_precision(ranks, len(ranks)))

    @cached_property
    def inverse_negative_penalty(self) -> Floats:
        """(q,) in 0..1, NaN where the query has no match."""
        return self._each(lambda ranks: len(ranks) / ranks[-1])

    @cached_property
    def first_match(self) -> Floats:
        """(q,) rank of the first right image, from 1; NaN where the query has no match."""
        return self._each(lambda ranks: ranks[0])

    @property
    def unmatched(self) -> int:
        """Queries that have no match and are not scored."""
        return sum(not len(rows) for rows in self.matches)

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

    def only(self, kept: Sequence[NDArray[np.bool_]]) -> Ranking:
        """The ranking in which only the matches ``kept`` (as ``matches``) were in the gallery.

        ``top`` and ``removed`` stay as they are.
        """
        pairs = tuple(zip(kept, self.matches, self.wrong_before, strict=True))
        return replace(
            self,
            matches=tuple(rows[some] for some, rows, _ in pairs),
            wrong_before=tuple(wrong[some] for some, _, wrong in pairs),
        )

    def _each(self, score: Callable[[Ints], float]) -> Floats:
        return np.array([score(r) if len(r) else np.nan for r in self.ranks], dtype=float)


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

    See ``rank_distances``. Raises DataError for features that are not finite or of another width.
    """
    return rank_distances(
        FeatureDistances(query_features, gallery_features),
        query_ids, gallery_ids, query_cameras, gallery_cameras, query_names, gallery_names, top,
    )  # fmt: skip


def rank_distances(
    distances: Distances,
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    query_cameras: ArrayLike | None = None,
    gallery_cameras: ArrayLike | None = None,
    query_names: ArrayLike | None = None,
    gallery_names: ArrayLike | None = None,
    top: int = 10,
) -> Ranking:
    """Rank the gallery for each query by ``distances``.

    Identities and cameras are integers, names are the images' names. Without cameras nothing is
    left out for its camera; without names nothing is left out as the query itself.
    """
    cameras = _or_unknown(query_cameras, distances.shape[0])
    others = _or_unknown(gallery_cameras, distances.shape[1])
    names = None if query_names is None else np.asarray(query_names)
    same_name = _rows_of([] if gallery_names is None else gallery_names)
    same_id = _rows_of(gallery_ids)
    right, out = [], []
    for query, identity in enumerate(np.asarray(query_ids)):
        match = same_id(identity)
        left = match[(others[match] == cameras[query]) & (cameras[query] != UNKNOWN)]
        if names is not None:
            left = np.union1d(left, same_name(names[query]))
        right.append(np.setdiff1d(match, left, assume_unique=True))
        out.append(left)
    return _rank_all(distances, right, out, top)


def _rank_all(
    distances: Distances, right: Sequence[Ints], out: Sequence[Ints], top: int
) -> Ranking:
    """Rank the gallery for each query, given its right rows and those that are left out."""
    rows = []
    for start, stop in blocks(distances):
        part = slice(start, stop)
        rows += _rank_block(distances.rows(start, stop), right[part], out[part], top)
    matches, wrong_before, nearest = zip(*rows, strict=True) if rows else ((), (), ())
    return Ranking(
        matches,
        wrong_before,
        np.array(nearest, dtype=np.int64).reshape(-1, top),
        np.array([len(left) for left in out], dtype=np.int64),
    )


def _rank_block(
    block: tuple[NDArray[np.float32], NDArray[np.float32]],
    right: Sequence[Ints],
    out: Sequence[Ints],
    top: int,
) -> list[tuple[Ints, Ints, Ints]]:
    """A function of its own, so that a block is gone before the next is made."""
    return [_ranked(*row, top) for row in zip(*block, right, out, strict=True)]


def _ranked(
    distance: NDArray[np.float32], slack: np.float32, right: Ints, out: Ints, top: int
) -> tuple[Ints, Ints, Ints]:
    """Right gallery rows by distance, the wrong ones before each, and the nearest ``top``.

    Overwrites ``distance`` (g,). To sort all of the gallery is quicker than to count for each
    match, and quicker by far than to sort rows along.
    """
    right = right[np.argsort(distance[right], kind="stable")]
    distance[right] += slack
    distance[out] = np.inf
    nearest = _nearest(distance, right, len(distance) - len(out), top)
    reach = distance[right]
    distance[right] = np.inf
    distance.sort()
    return right, np.searchsorted(distance, reach, side="right"), nearest


def _nearest(distance: NDArray[np.float32], right: Ints, there: int, top: int) -> Ints:
    """(top,) rows in order of distance, wrong ones first where equal, filled up with -1."""
    count = min(there, top)
    rows = np.full(top, -1)
    if count:
        near = at_least_nearest(distance, count)
        is_right = np.zeros(len(distance), dtype=bool)
        is_right[right] = True
        order = np.lexsort((near, is_right[near], distance[near]))
        rows[:count] = near[order[:count]]
    return rows


def _rows_of(values: ArrayLike) -> Callable[[object], Ints]:
    """A look-up of the rows of a value, ascending."""
    values = np.asarray(values)
    order = np.argsort(values, kind="stable")
    found, starts = np.unique(values[order], return_index=True)
    rows = dict(zip(found.tolist(), np.split(order, starts[1:]), strict=False))
    nothing = np.zeros(0, dtype=np.int64)
    return lambda value: rows.get(getattr(value, "item", lambda: value)(), nothing)


def _average_precision(ranks: Ints, depth: int | None) -> float:
    found = np.arange(1, len(ranks) + 1)
    if depth is None:
        return float((found / ranks).mean())
    within = ranks <= depth
    return float((found[within] / ranks[within]).sum() / min(len(ranks), depth))


def _or_unknown(cameras: ArrayLike | None, count: int) -> Ints:
    return np.full(count, UNKNOWN) if cameras is None else np.asarray(cameras)


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
