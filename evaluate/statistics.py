"""How sure a difference between two trainings is: paired bootstrap over the test images.

Both arms are scored on the same images, so each draw takes the same images for both (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: percentile interval). Arms that
were trained with several seeds enter with each image's mean over the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
_BLOCK = 200

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measure:
    """A ratio over n test images: what each image got right, and what it could have got."""

    got: Array
    """(n,) counts of right keypoints for PCK; average precisions for mAP."""
    could: Array
    """(n,) counts of scored keypoints; 1, or 0 where an image is not scored, for mAP."""

    @property
    def value(self) -> float | None:
        """The ratio over all images; None where nothing is scored."""
        return float(self.got.sum() / self.could.sum()) if self.could.sum() else None


@dataclass(frozen=True)
class Difference:
    """Second less first, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """True where the interval excludes zero."""
        return self.low > 0 or self.high < 0


def paired_difference(
    first: Sequence[Measure], second: Sequence[Measure], seed: int = 0
) -> Difference | None:
    """Bootstrap the difference of two arms, each given by one measure a training seed.

    All measures are of the same images. None where no image is scored.
    """
    could = first[0].could
    if not all(np.array_equal(could, m.could) for m in (*first, *second)):
        raise ValueError("the measures of a paired difference must be of the same images")
    kept = could > 0
    if not kept.any():
        return None
    gains = (_mean_got(second) - _mean_got(first))[kept]
    draws = _draws(gains, could[kept], np.random.default_rng(seed))
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(gains.sum() / could.sum()), float(low), float(high))


def _mean_got(measures: Sequence[Measure]) -> Array:
    mean: Array = np.mean([m.got for m in measures], axis=0)
    return mean


def _draws(gains: Array, could: Array, rng: np.random.Generator) -> Array:
    """(DRAWS,) ratios of resampled images, in blocks so that memory stays small."""
    even = np.full(len(gains), 1 / len(gains))
    counts = (rng.multinomial(len(gains), even, size=_BLOCK) for _ in range(DRAWS // _BLOCK))
    return np.concatenate([(times @ gains) / (times @ could) for times in counts])
