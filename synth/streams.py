"""Random streams: one a factor, so that what one factor draws never depends on another."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from synth.distributions import Choice, Constant, LogUniform, Normal, Table, Uniform


@dataclass(frozen=True)
class Streams:
    """The random streams of one image (or fixed camera, or identity), each named by a key."""

    entropy: tuple[int, ...]
    """Non-negative; what sets this image apart: seed and index."""

    def rng(self, key: str) -> np.random.Generator:
        """The generator of ``key``, always at its start."""
        child = np.random.SeedSequence(self.entropy, spawn_key=(crc32(key.encode()),))
        return np.random.default_rng(child)

    def number(
        self,
        key: str,
        factor: Constant[float] | Uniform | Normal | LogUniform | Choice[float] | Table,
    ) -> float:
        """Draw a ``Number``. Tables draw by their file, and so share the row."""
        stream = f"row of {factor.file}" if isinstance(factor, Table) else key
        return float(factor.sample(self.rng(stream)))

    def name(self, key: str, factor: Constant[str] | Choice[str]) -> str:
        """Draw a ``Name``."""
        return factor.sample(self.rng(key))

    def happens(self, key: str, probability: float) -> bool:
        """True with ``probability``; what happens at 0.2 happens also at 0.3."""
        return bool(self.rng(key).random() < probability)

    def seed(self, key: str) -> int:
        """A seed for something that is drawn elsewhere, 0..2**31 - 1."""
        return int(self.rng(key).integers(2**31))
