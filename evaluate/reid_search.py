"""How a gallery is searched: plainly, with wider queries, re-ranked, by tracks of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri.distances import Distances, FeatureDistances, Floats
from pamtri.rerank import Reranked, expand_queries

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Search:
    """What is done beside comparing features by Euclidean distance; nothing looks at a label."""

    expand: int = 0
    """Mix so many of its nearest gallery images into each query."""
    rerank: bool = False
    """Order by k-reciprocal distance, with the settings of its authors."""

    def distances(self, query: Floats, gallery: Floats, same: bool = False) -> Distances:
        """Of ``query`` (q, d) to ``gallery`` (g, d); ``same`` where one is the other.

        Raises DataError as ``FeatureDistances``.
        """
        if self.expand:
            query, same = expand_queries(query, gallery, self.expand), False
        return (
            Reranked(query, gallery, same=same) if self.rerank else FeatureDistances(query, gallery)
        )

    @property
    def words(self) -> list[str]:
        """What is done, for people."""
        expanded = [f"queries expanded by their {self.expand} nearest"] if self.expand else []
        return expanded + (["k-reciprocal re-ranking"] if self.rerank else [])


class TrackDistances:
    """Distances to tracks: those to each one's nearest image.

    ``images`` has the images' distances in the tracks' order, ``starts`` where each track begins.
    """

    def __init__(self, images: Distances, starts: Ints) -> None:
        self._images, self._starts = images, starts

    @property
    def shape(self) -> tuple[int, int]:
        """(queries, tracks)."""
        return self._images.shape[0], len(self._starts)

    def rows(self, start: int, stop: int) -> tuple[Floats, Floats]:
        """See ``pamtri.distances.Distances``."""
        distances, slack = self._images.rows(start, stop)
        return np.minimum.reduceat(distances, self._starts, axis=1), slack


def pooled(features: Floats, starts: Ints) -> Floats:
    """One feature for each track (t, d): the mean of its images' (n, d), as long as they are.

    ``starts`` is where each track begins; tracks follow each other.
    """
    counts = np.diff([*starts, len(features)])[:, None]
    mean = np.add.reduceat(features, starts, axis=0) / counts
    lengths = np.add.reduceat(np.linalg.norm(features, axis=1), starts)[:, None] / counts
    short = np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return (mean * (lengths / short)).astype(np.float32)


def starts_of(tracks: Sequence[Sequence[object]]) -> Ints:
    """Where each track begins when they follow each other."""
    lengths = [len(track) for track in tracks]
    return np.cumsum([0, *lengths[:-1]]).astype(np.int64)
