"""Where images lie on the map, and how alike each is to its nearest neighbour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri.errors import DataError
from pamtri.features import UNKNOWN, Features

FEWEST = 5
_PERPLEXITY = 30.0
_DIMENSIONS = 50
"""What features are reduced to first, by principal components, as van der Maaten does."""

Floats = NDArray[np.float64]


def chosen_rows(identities: Sequence[str], limit: int, seed: int = 0) -> list[int]:
    """Rows of at most ``limit`` images: whole identities, by chance, as long as they fit.

    An image of no known identity (empty) counts as one of its own.
    """
    groups: dict[object, list[int]] = defaultdict(list)
    for row, identity in enumerate(identities):
        groups[identity or row].append(row)
    members = list(groups.values())
    rows: list[int] = []
    for i in np.random.default_rng(seed).permutation(len(members)):
        if len(rows) + len(members[i]) <= limit:
            rows += members[i]
    return sorted(rows)


def map_places(features: NDArray[np.float32], seed: int = 0) -> Floats:
    """(n, 2) places of n features in 0..1 by t-SNE (van der Maaten and Hinton, 2008).

    Not by UMAP, which would bring umap-learn, numba and llvmlite for a map that says the same.
    Raises DataError when there are fewer than ``FEWEST``.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count, width = features.shape
    if count < FEWEST:
        raise DataError(f"a map needs at least {FEWEST} images, got {count}")
    if width > _DIMENSIONS and count > _DIMENSIONS:
        features = PCA(_DIMENSIONS, random_state=seed).fit_transform(features)
    places = TSNE(
        perplexity=min(_PERPLEXITY, (count - 1) / 3),
        init="pca" if features.shape[1] > 1 else "random",
        random_state=seed,
    ).fit_transform(features)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12), dtype=np.float64)


def nearest_others(features: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) the row of each image's nearest other one, by Euclidean distance."""
    centred = (features - features.mean(axis=0)).astype(np.float64)
    squares = (centred**2).sum(axis=1)
    distances = squares[None] - 2 * centred @ centred.T
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


@dataclass(frozen=True)
class Agreement:
    """How often an image and its nearest neighbour are alike, of those where both are known."""

    share: float
    """0..1."""
    chance: float
    """0..1, of two images picked by chance."""


def agreement(words: Sequence[str], nearest: NDArray[np.int64]) -> Agreement | None:
    """Of what images are called; empty where that is not known. None where too few are."""
    known = [(a, words[b]) for a, b in zip(words, nearest, strict=True) if a and words[b]]
    counts = Counter(word for word in words if word)
    total = sum(counts.values())
    if not known or total < 2:
        return None
    pairs = sum(count * (count - 1) for count in counts.values()) / (total * (total - 1))
    return Agreement(sum(a == b for a, b in known) / len(known), pairs)


def identity_words(features: Features) -> list[str]:
    """The identity of each image, empty where it is not known.

    Images of different domains are of different identities, whatever their numbers.
    """
    if features.labels is None:
        return [""] * len(features)
    several = len(set(features.labels.domain)) > 1
    return [
        "" if identity == UNKNOWN else f"{domain} {identity}" if several else str(identity)
        for identity, domain in zip(features.labels.identity, features.labels.domain, strict=True)
    ]


def attribute_words(features: Features, name: str) -> list[str]:
    """The ``colour``, ``type`` or ``domain`` of each image, empty where it is not known.

    Where no image has a label, the network's own words stand in for colour and type.
    """
    if features.labels is not None and any(getattr(features.labels, name)):
        return [str(word) for word in getattr(features.labels, name)]
    if name == "domain":
        return [""] * len(features)
    told = [features.told(name, row) for row in range(len(features))]
    return ["" if one is None else one[0] for one in told]
