"""The nearest of many features, found block by block without all distances at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri.distances import FeatureDistances, Floats, blocks, nearest_rows

_BLOCK_VALUES = 2**24  # 64 MB
_GROUPS = 4  # for each neighbour that is sought

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of each of q features, nearest first; of equally near ones the earlier first."""

    rows: Ints
    """(q, k) rows of the features that were searched."""
    distances: Floats
    """(q, k) squared."""


def nearest(plain: FeatureDistances, count: int) -> Neighbours:
    """The ``count`` gallery features nearest to each query, or as many as there are."""
    count = min(count, plain.shape[1])
    rows = [np.zeros((0, count), dtype=np.int64)]
    distances = [np.zeros((0, count), dtype=np.float32)]
    for start, stop in blocks(plain):
        for distance in plain.squared(start, stop):
            rows.append(nearest_rows(distance, count)[None])
            distances.append(distance[rows[-1]])
    return Neighbours(np.concatenate(rows), np.concatenate(distances))


def nearest_of_all(
    pool: Floats, count: int, kept: Floats | None = None
) -> tuple[Neighbours, Floats]:
    """The ``count`` nearest to each of ``pool`` (n, d) there, itself included, or all of them.

    With them (n,) the squared distance farthest from each. Each distance is computed once for both
    ends; those from the first q to the last g of n = q + g go into ``kept`` (q, g).
    """
    count = min(count, len(pool))
    lengths = np.einsum("nd,nd->n", pool, pool)
    found = _Search(len(pool), count)
    step = max(1, _BLOCK_VALUES // len(pool))
    for start in range(0, len(pool), step):
        block = -2 * pool[start : start + step] @ pool[start:].T
        block += lengths[start:]
        block += lengths[start : start + step, None]
        np.fill_diagonal(np.maximum(block, 0, out=block), 0)
        if kept is not None and start < len(kept):
            ours = kept[start : start + len(block)]
            ours[:] = block[: len(ours), len(kept) - start :]
        found.note(start, block)
        del block
    return found.result(), np.maximum(found.farthest, np.finfo(np.float32).tiny)


class _Search:
    """What is known of n features' nearest after some blocks of distances."""

    def __init__(self, size: int, count: int) -> None:
        self.farthest = np.zeros(size, dtype=np.float32)
        self._count = count
        self._least = np.full((size, count), np.inf, dtype=np.float32)
        """Small distances from each feature to different others: no more than ``count`` others are
        nearer than the last of them."""
        self._pairs: list[tuple[Ints, Ints, Floats]] = []

    def note(self, start: int, block: Floats) -> None:
        """Take in the distances of ``start`` and those that follow to it and all behind it."""
        behind = block[:, len(block) :]
        own = slice(start, start + len(block))
        self.farthest[own] = np.maximum(self.farthest[own], block.max(axis=1))
        for row, distance in enumerate(block):
            near = nearest_rows(distance, min(self._count, len(distance)))
            near = near[distance[near] <= self._least[start + row].max()]
            self._keep(np.full(len(near), start + row), start + near, distance[near])
        if behind.shape[1]:
            rest = slice(own.stop, None)
            self.farthest[rest] = np.maximum(self.farthest[rest], behind.max(axis=0))
            self._lower(rest, _group_minima(block, _GROUPS * self._count)[:, len(block) :])
            self._keep_behind(start, own.stop, behind)

    def _lower(self, rest: slice, minima: Floats) -> None:
        both = np.concatenate([self._least[rest], minima.T], axis=1)
        both.partition(self._count - 1, axis=1)
        self._least[rest] = both[:, : self._count]

    def _keep_behind(self, start: int, stop: int, behind: Floats) -> None:
        near = behind <= self._least[stop:].max(axis=1)
        if near.sum() <= 2 * _GROUPS * near.shape[1] * self._count:
            row, column = np.divmod(np.flatnonzero(near), near.shape[1])
            self._keep(stop + column, start + row, behind[row, column])
            return
        for image, distance in enumerate(behind.T, stop):  # ties beyond measure
            found = nearest_rows(distance, min(self._count, len(distance)))
            self._keep(np.full(len(found), image), start + found, distance[found])

    def _keep(self, image: Ints, other: Ints, distance: Floats) -> None:
        self._pairs.append((image, other, distance))

    def result(self) -> Neighbours:
        """The nearest, after all blocks."""
        image, other, distance = (np.concatenate(part) for part in zip(*self._pairs, strict=True))
        order = np.lexsort((other, distance, image))
        first = np.searchsorted(image[order], np.arange(len(self.farthest)))
        chosen = order[first[:, None] + np.arange(self._count)]
        return Neighbours(other[chosen], distance[chosen])


def _group_minima(block: Floats, groups: int) -> Floats:
    """(groups, columns) least numbers of groups of rows; all rows where there are too few."""
    size = len(block) // groups
    if size < 2:
        return block
    least: Floats = block[: size * groups].reshape(size, groups, -1).min(axis=0)
    return least
