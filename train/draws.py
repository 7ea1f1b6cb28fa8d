"""Which images make up each batch, the same on every machine.

Both plans are functions of (seed, step) alone: workers, processes and interruptions cannot change
what is drawn. How many images each source gives is ``train.mixing``'s.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np

from pamtri.errors import DataError
from train.curriculum import NO_CURRICULUM, Curriculum
from train.mixing import Apportioned, Mix
from train.mixing_config import DOMAINS

T = TypeVar("T")
_IMAGES, _IDENTITIES, _GROUP = 1, 2, 3  # streams of random numbers


@dataclass(frozen=True)
class Draw:
    """One image of a batch: its source, and its index among the source's images."""

    source: str
    index: int


class Plan(Protocol):
    """The batches of a run."""

    curriculum: Curriculum
    group: int
    """Draws that belong together: processes share a batch out by whole groups."""

    def batch(self, step: int) -> list[Draw]:
        """The draws of step 0, 1, 2, ..."""


class ImagePlan:
    """Batches of single images: each source is dealt out in full, then shuffled anew.

    ``sizes`` counts the images of each source. Under a ``curriculum`` each round deals the images
    that take part when it begins. Raises DataError when a needed source is empty.
    """

    group = 1

    def __init__(
        self,
        sizes: Mapping[str, int],
        batch_size: int,
        mix: Mix,
        seed: int,
        curriculum: Curriculum = NO_CURRICULUM,
    ) -> None:
        for source in mix.sources:
            if not sizes.get(source):
                raise DataError(f"data.{source}: has no usable image")
        self._sizes, self._seed, self.curriculum = sizes, seed, curriculum
        self._sources, self._counts = mix.sources, Apportioned(mix, batch_size)
        self._rounds: dict[str, list[int]] = {source: [0] for source in mix.sources}
        self._shuffled = lru_cache(maxsize=4)(self._shuffle)

    def batch(self, step: int) -> list[Draw]:
        """The draws of one step, the sources spread evenly over it."""
        edges = zip(self._counts.until(step), self._counts.until(step + 1), strict=True)
        return interleaved(
            [
                [Draw(source, self._dealt(source, position)) for position in range(start, stop)]
                for source, (start, stop) in zip(self._sources, edges, strict=True)
            ]
        )

    def _dealt(self, source: str, position: int) -> int:
        """The image at ``position`` of the endless sequence of a source's images."""
        starts = self._rounds[source]
        while starts[-1] <= position:
            starts.append(starts[-1] + self._taking_part(source, starts[-1]))
        number = bisect.bisect_right(starts, position) - 1
        return int(self._shuffled(source, number)[position - starts[number]])

    def _taking_part(self, source: str, position: int) -> int:
        """How many images the round that begins at ``position`` deals."""
        step = self._counts.step_of(self._sources.index(source), position)
        return self.curriculum.count(source, self._sizes[source], step)

    def _shuffle(self, source: str, number: int) -> np.ndarray:
        starts = self._rounds[source]
        images = self.curriculum.easiest(source, starts[number + 1] - starts[number])
        return np.random.default_rng([self._seed, _IMAGES, *_key(source), number]).permutation(
            images
        )


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
        mix: Mix,
        seed: int,
        cameras: Mapping[str, Sequence[Hashable]] | None = None,
        families: Mapping[str, Sequence[Hashable]] | None = None,
        curriculum: Curriculum = NO_CURRICULUM,
    ) -> None:
        self.group = images_per_identity
        self._identities, self._p, self._k = identities, identities_a_batch, images_per_identity
        self._sources, self._counts = mix.sources, Apportioned(mix, identities_a_batch)
        self._seed, self._cameras, self.curriculum = seed, cameras, curriculum
        for source, share in zip(mix.sources, mix.most, strict=True):
            there, most = len(identities.get(source, ())), int(np.ceil(self._p * share - 1e-9))
            if there < most:
                raise DataError(
                    f"data.{source}: {there} {'identity' if there == 1 else 'identities'} to train "
                    f"on, expected at least {most} for batches of {self._p} identities, of which "
                    f"it gives up to {share:.0%}"
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
        self._drawn = {s: np.zeros(len(self._identities[s]), int) for s in self._sources}

    def _choose(self) -> list[tuple[str, list[int]]]:
        """The identities of the next step, those together that are drawn together."""
        step, self._next = self._next, self._next + 1
        edges = zip(self._counts.until(step), self._counts.until(step + 1), strict=True)
        return interleaved(
            [
                [(source, together) for together in self._least_drawn(source, stop - start, step)]
                for source, (start, stop) in zip(self._sources, edges, strict=True)
            ]
        )

    def _least_drawn(self, source: str, count: int, step: int) -> list[list[int]]:
        """``count`` identities of those drawn least so far, ties broken at random.

        The relatives of one come along where they were drawn as seldom, so that a family never
        makes others wait. While room is short, one with fewer relatives goes before it.
        """
        drawn = self._drawn[source]
        stream = [self._seed, _IDENTITIES, *_key(source), step]
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
        stream = [self._seed, _GROUP, *_key(source), step, identity]
        images = self.curriculum.easiest_of(
            source, self._identities[source][identity], self._k, step
        )
        order = np.random.default_rng(stream).permutation(images).tolist()
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


def _key(source: str) -> list[int]:
    """A source's name as numbers for its streams: its domain, and its place in a list if any."""
    domain, _, place = source.partition(".")
    return [DOMAINS.index(domain), *map(int, filter(None, [place]))]
