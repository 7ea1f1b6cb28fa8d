"""Random streams: one a factor, so that what one factor draws never depends on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from synth.distributions import Name, Number, Probability, ProbabilityByCase, Source


@dataclass(frozen=True)
class Streams:
    """The random streams of one image (or fixed camera, or identity), each named by a key."""

    entropy: tuple[int, ...]
    """Non-negative; what sets this image apart: seed and index."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What factors may depend on: the vehicle's ``type`` and ``style``, the fixed ``camera``."""

    def rng(self, key: str) -> np.random.Generator:
        """The generator of ``key``, always at its start."""
        child = np.random.SeedSequence(self.entropy, spawn_key=(crc32(key.encode()),))
        return np.random.default_rng(child)

    def number(self, key: str, factor: Number) -> float:
        """Draw a ``Number``."""
        return float(factor.sample(self._source(key)))

    def name(self, key: str, factor: Name) -> str:
        """Draw a ``Name``."""
        return factor.sample(self._source(key))

    def happens(self, key: str, probability: Probability) -> bool:
        """True with ``probability``; what happens at 0.2 happens also at 0.3."""
        if isinstance(probability, ProbabilityByCase):
            probability = probability.case(self.facts)
        return bool(self.rng(key).random() < probability)

    def seed(self, key: str) -> int:
        """A seed for something that is drawn elsewhere, 0..2**31 - 1."""
        return int(self.rng(key).integers(2**31))

    def _source(self, key: str) -> Source:
        return Source(self.rng(key), self.rng, self.facts)
