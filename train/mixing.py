"""Which images make up each batch: an exact share of synthetic ones, the same on every machine.

Both plans are functions of (seed, step) alone: workers, processes and interruptions cannot change
what is drawn. After any number of steps the synthetic draws are the ratio times all draws, to
within half a draw, so every batch is within one draw of the ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from pamtri.errors import DataError

REAL, SYNTHETIC = "real", "synthetic"
SOURCES = (REAL, SYNTHETIC)
_IMAGES, _IDENTITIES, _GROUP = 1, 2, 3  # streams of random numbers


@dataclass(frozen=True)
class Draw:
    """One image of a batch: its source, and its index among the source's images."""

    source: str
    index: int


class Plan(Protocol):
    """The batches of a run."""

    group: int
    """Draws that belong together: processes share a batch out by whole groups."""

    def batch(self, step: int) -> list[Draw]:
        """The draws of step 0, 1, 2, ..."""


def synthetic_until(step: int, draws: int, ratio: float) -> int:
    """Synthetic draws in all batches before ``step``, at ``draws`` a batch."""
    return int(np.floor(step * draws * ratio + 0.5))


class ImagePlan:
    """Batches of single images: each source is dealt out in full, then shuffled anew.

    ``sizes`` counts the images of each source. Raises DataError when a needed source is empty.
    """

    group = 1

    def __init__(self, sizes: Mapping[str, int], batch_size: int, ratio: float, seed: int) -> None:
        for source in _needed(ratio):
            if not sizes.get(source):
                raise DataError(f"data.{source}: has no usable image")
        self._sizes, self._batch_size, self._ratio, self._seed = sizes, batch_size, ratio, seed
        self._shuffled = lru_cache(maxsize=4)(self._shuffle)

    def batch(self, step: int) -> list[Draw]:
        """The draws of one step, real ones first."""
        synthetic = [synthetic_until(s, self._batch_size, self._ratio) for s in (step, step + 1)]
        real = [s * self._batch_size - n for s, n in zip((step, step + 1), synthetic, strict=True)]
        return [
            Draw(source, self._dealt(source, position))
            for source, (start, stop) in ((REAL, real), (SYNTHETIC, synthetic))
            for position in range(start, stop)
        ]

    def _dealt(self, source: str, position: int) -> int:
        """The image at ``position`` of the endless sequence of a source's images."""
        cycle, place = divmod(position, self._sizes[source])
        return int(self._shuffled(source, cycle)[place])

    def _shuffle(self, source: str, cycle: int) -> np.ndarray:
        stream = [self._seed, _IMAGES, SOURCES.index(source), cycle]
        return np.random.default_rng(stream).permutation(self._sizes[source])


class IdentityPlan:
    """Batches of P identities with K images each (Hermans et al., 2017), for triplet losses.

    ``identities`` lists, for each source, the image indices of each identity. A batch never holds
    an identity twice, and all identities of a source are drawn equally often, to within one. An
    identity with fewer than K images gives all of them and repeats as few as it must.
    Raises DataError when a source has fewer identities than a batch needs.
    """

    def __init__(
        self,
        identities: Mapping[str, Sequence[Sequence[int]]],
        identities_a_batch: int,
        images_per_identity: int,
        ratio: float,
        seed: int,
    ) -> None:
        self.group = images_per_identity
        self._identities, self._p, self._k = identities, identities_a_batch, images_per_identity
        self._ratio, self._seed = ratio, seed
        most = {
            REAL: int(np.ceil(self._p * (1 - ratio))),
            SYNTHETIC: int(np.ceil(self._p * ratio)),
        }
        for source in _needed(ratio):
            there = len(identities.get(source, ()))
            if there < most[source]:
                raise DataError(
                    f"data.{source}: {there} identities to train on, expected at least "
                    f"{most[source]} for batches of {self._p} identities at "
                    f"mixing.synthetic_ratio {ratio:g}"
                )
        self._restart()

    def batch(self, step: int) -> list[Draw]:
        """The draws of one step: K of each identity in a row, real identities first."""
        if step < self._next:
            self._restart()
        while self._next < step:
            self._choose()
        return [
            Draw(source, index)
            for source, identity in self._choose()
            for index in self._images(source, identity, step)
        ]

    def _restart(self) -> None:
        self._next = 0
        self._drawn = {s: np.zeros(len(self._identities.get(s, ())), int) for s in SOURCES}

    def _choose(self) -> list[tuple[str, int]]:
        """The identities of the next step: those drawn least so far, ties broken at random."""
        step, self._next = self._next, self._next + 1
        synthetic = synthetic_until(step + 1, self._p, self._ratio) - synthetic_until(
            step, self._p, self._ratio
        )
        chosen: list[tuple[str, int]] = []
        for source, count in ((REAL, self._p - synthetic), (SYNTHETIC, synthetic)):
            drawn = self._drawn[source]
            stream = [self._seed, _IDENTITIES, SOURCES.index(source), step]
            shuffled = np.random.default_rng(stream).permutation(len(drawn))
            least = shuffled[np.argsort(drawn[shuffled], kind="stable")[:count]]
            drawn[least] += 1
            chosen += [(source, int(identity)) for identity in least]
        return chosen

    def _images(self, source: str, identity: int, step: int) -> list[int]:
        images = self._identities[source][identity]
        stream = [self._seed, _GROUP, SOURCES.index(source), step, identity]
        order = np.resize(np.random.default_rng(stream).permutation(len(images)), self._k)
        return [images[i] for i in order]


def _needed(ratio: float) -> list[str]:
    """The sources that a ratio draws from."""
    return [REAL] * (ratio < 1) + [SYNTHETIC] * (ratio > 0)
