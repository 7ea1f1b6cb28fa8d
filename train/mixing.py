"""Which images make up each batch: an exact share of synthetic ones, the same on every machine.

Both plans are functions of (seed, step) alone: workers, processes and interruptions cannot change
what is drawn. After any number of steps the synthetic draws are the ratio times all draws, to
within half a draw, so every batch is within one draw of the ratio.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np

from pamtri.errors import DataError

T = TypeVar("T")
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
        """The draws of one step, the sources spread evenly over it."""
        synthetic = [synthetic_until(s, self._batch_size, self._ratio) for s in (step, step + 1)]
        real = [s * self._batch_size - n for s, n in zip((step, step + 1), synthetic, strict=True)]
        return interleaved(
            [
                [Draw(source, self._dealt(source, position)) for position in range(start, stop)]
                for source, (start, stop) in ((REAL, real), (SYNTHETIC, synthetic))
            ]
        )

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

    With ``cameras``, the camera of each image, an identity's images are of as many different
    cameras as can be. With ``families``, a key for each identity, identities of the same key come
    into batches together, side by side; only where a family does not fit it is parted.
    Raises DataError when a source has fewer identities than a batch needs.
    """

    def __init__(
        self,
        identities: Mapping[str, Sequence[Sequence[int]]],
        identities_a_batch: int,
        images_per_identity: int,
        ratio: float,
        seed: int,
        cameras: Mapping[str, Sequence[Hashable]] | None = None,
        families: Mapping[str, Sequence[Hashable]] | None = None,
    ) -> None:
        self.group = images_per_identity
        self._identities, self._p, self._k = identities, identities_a_batch, images_per_identity
        self._ratio, self._seed, self._cameras = ratio, seed, cameras
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
        self._relatives = {
            source: _relatives((families or {}).get(source) or range(len(there)))
            for source, there in identities.items()
        }
        self._restart()

    def batch(self, step: int) -> list[Draw]:
        """The draws of one step: K of each identity in a row, the sources spread evenly over it."""
        if step < self._next:
            self._restart()
        while self._next < step:
            self._choose()
        return [
            Draw(source, index)
            for source, together in self._choose()
            for identity in together
            for index in self._images(source, identity, step)
        ]

    def _restart(self) -> None:
        self._next = 0
        self._drawn = {s: np.zeros(len(self._identities.get(s, ())), int) for s in SOURCES}

    def _choose(self) -> list[tuple[str, list[int]]]:
        """The identities of the next step, those together that are drawn together."""
        step, self._next = self._next, self._next + 1
        synthetic = synthetic_until(step + 1, self._p, self._ratio) - synthetic_until(
            step, self._p, self._ratio
        )
        counts = {REAL: self._p - synthetic, SYNTHETIC: synthetic}
        return interleaved(
            [
                [(source, together) for together in self._least_drawn(source, counts[source], step)]
                for source in SOURCES
            ]
        )

    def _least_drawn(self, source: str, count: int, step: int) -> list[list[int]]:
        """``count`` identities of those drawn least so far, ties broken at random.

        The relatives of one come along where they were drawn as seldom, so that a family never
        makes others wait. While room is short, one with fewer relatives goes before it.
        """
        drawn = self._drawn[source]
        stream = [self._seed, _IDENTITIES, SOURCES.index(source), step]
        shuffled = np.random.default_rng(stream).permutation(len(drawn))
        waiting = shuffled[np.argsort(drawn[shuffled], kind="stable")].tolist()
        chosen: list[list[int]] = []
        while count:
            taken = {i for together in chosen for i in together}
            chosen.append(self._next_together(source, waiting, taken, count))
            count -= len(chosen[-1])
        drawn[[i for together in chosen for i in together]] += 1
        return chosen

    def _next_together(
        self, source: str, waiting: Sequence[int], taken: set[int], room: int
    ) -> list[int]:
        """The first of ``waiting`` that is not taken, with its relatives; or its first equal that
        fits into ``room`` with them; or as many of the first as fit."""
        drawn, first = self._drawn[source], None
        for i in waiting:
            if i in taken:
                continue
            if first is not None and drawn[i] > drawn[first[0]]:
                break
            together = [j for j in self._relatives[source][i] if drawn[j] == drawn[i]]
            if len(together) <= room:
                return together
            first = first or together
        assert first is not None
        return first[:room]

    def _images(self, source: str, identity: int, step: int) -> list[int]:
        stream = [self._seed, _GROUP, SOURCES.index(source), step, identity]
        images = np.random.default_rng(stream).permutation(self._identities[source][identity])
        order = images.tolist()
        if self._cameras is not None:
            order = _by_turns(order, [self._cameras[source][i] for i in order])
        return [order[i % len(order)] for i in range(self._k)]


def interleaved(parts: Sequence[Sequence[T]]) -> list[T]:
    """All elements of ``parts``, each part in its order and spread evenly over the whole."""
    places = [
        ((i + 0.5) / len(part), number, i)
        for number, part in enumerate(parts)
        for i in range(len(part))
    ]
    return [parts[number][i] for _, number, i in sorted(places)]


def _relatives(families: Sequence[Hashable]) -> list[list[int]]:
    """For each member, the members of its family, itself first."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for i, family in enumerate(families):
        members[family].append(i)
    return [[i, *(j for j in members[family] if j != i)] for i, family in enumerate(families)]


def _by_turns(images: Sequence[int], cameras: Sequence[Hashable]) -> list[int]:
    """The images in order, but an n-th of any camera before the (n + 1)-th of another."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for camera in cameras:
        turns.append(seen[camera])
        seen[camera] += 1
    return [images[i] for i in np.argsort(turns, kind="stable")]


def _needed(ratio: float) -> list[str]:
    """The sources that a ratio draws from."""
    return [REAL] * (ratio < 1) + [SYNTHETIC] * (ratio > 0)
