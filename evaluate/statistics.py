"""How sure the numbers of trainings are: means over seeds, and differences between two arms.

A difference has two sources of chance, and its interval covers both:

- the test images. Both arms are scored on the same images, so each draw of the bootstrap takes the
  same images for both (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13:
  percentile interval), with each image's mean over the seeds;
- the seeds of the trainings. Three of them are too few to be drawn from again, which would make the
  interval too short: each draw adds Student's t instead, as wide as the seeds differ beyond what
  the test images explain (two-way analysis of variance, Searle, Casella and McCulloch, "Variance
  Components", 1992, chapter 4; degrees of freedom after Welch and Satterthwaite).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DRAWS = 2000
CHANCE = 0.05
"""Of an interval to miss the truth, and of a p to be below it by chance alone."""
_BLOCK = 200
_KEPT_IMAGES = 4000
"""Up to so many images the bootstrap's draws are kept for the next metric: 64 MB."""
_TAILS = [CHANCE / 2, 1 - CHANCE / 2]

Array = NDArray[np.float64]
Key = TypeVar("Key")


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
class SeedMean:
    """The mean of a metric over seeds; its 95 % interval needs two of them at least."""

    value: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True)
class Difference:
    """Second less first, in the metric's own unit, with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided; below 0.05 where the interval excludes zero."""
    covers_seeds: bool
    """False where an arm was trained once: the interval covers the choice of images only."""
    p_corrected: float | None = None
    """``p`` corrected for all differences that it was looked at with; see ``corrected``."""

    @property
    def shown(self) -> bool:
        """True where the interval excludes zero, and still does so after a correction."""
        excludes = self.low > 0 or self.high < 0
        return excludes and (self.p_corrected is None or self.p_corrected < CHANCE)


def mean_over_seeds(values: Sequence[float]) -> SeedMean:
    """The mean of one value a seed, with the interval of Student's t."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return SeedMean(mean, None, None, count)
    error = np.std(values, ddof=1) / np.sqrt(count)
    half = float(stats.t.ppf(_TAILS[1], count - 1) * error)
    return SeedMean(mean, mean - half, mean + half, count)


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
    could = could[kept]
    arms = [np.array([m.got[kept] for m in measures]) for measures in (first, second)]
    gains = arms[1].mean(axis=0) - arms[0].mean(axis=0)
    draws = _image_draws(gains, could, seed)
    covers_seeds = all(len(arm) > 1 for arm in arms)
    if covers_seeds:
        draws = draws + _seed_draws(arms, could, seed)
    low, high = np.quantile(draws, _TAILS)
    value = float(gains.sum() / could.sum())
    return Difference(value, float(low), float(high), _p(draws), covers_seeds)


def corrected(differences: Mapping[Key, Difference]) -> dict[Key, Difference]:
    """The same differences with their p corrected for each other's sake, after Holm (1979)."""
    ps = holm([d.p for d in differences.values()])
    pairs = zip(differences.items(), ps, strict=True)
    return {key: replace(d, p_corrected=p) for (key, d), p in pairs}


def holm(ps: Sequence[float]) -> list[float]:
    """Each p times the number of those not smaller, never below a smaller one's, 1 at most.

    The chance that any true null hypothesis has one below 0.05 is at most 5 % (Holm, "A simple
    sequentially rejective multiple test procedure", 1979).
    """
    order = np.argsort(ps, kind="stable")
    scaled = np.asarray(ps, dtype=float)[order] * np.arange(len(ps), 0, -1)
    found = np.empty(len(ps))
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(p) for p in found]


def _p(draws: Array) -> float:
    """Twice the share of draws on the far side of zero, which 1 is added to: it is never 0."""
    fewer = min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0))
    return min(1.0, 2 * (1 + fewer) / (len(draws) + 1))


def _image_draws(gains: Array, could: Array, seed: int) -> Array:
    """(DRAWS,) ratios of resampled images, in blocks so that memory stays small."""
    return np.concatenate([(b @ gains) / (b @ could) for b in _blocks(len(gains), seed)])


def _blocks(images: int, seed: int) -> Iterator[Array]:
    """How often each draw takes each image: DRAWS rows in blocks."""
    make = _kept_block if images <= _KEPT_IMAGES else _block
    return (make(images, seed, number) for number in range(DRAWS // _BLOCK))


def _block(images: int, seed: int, number: int) -> Array:
    rng = np.random.default_rng([seed, number])
    even = np.full(images, 1 / images)
    return rng.multinomial(images, even, size=_BLOCK).astype(float)


_kept_block = lru_cache(maxsize=DRAWS // _BLOCK)(_block)


def _seed_draws(arms: Sequence[Array], could: Array, seed: int) -> Array:
    """(DRAWS,) by how much the choice of the seeds may have moved the difference.

    ``arms`` hold (seeds, images) values each. The variance between an arm's seeds holds some of
    what images and seeds make together, which the images' draws cover: that part is taken off.
    """
    between, together, weights = 0.0, 0.0, 0.0
    for arm in arms:
        count = len(arm)
        mean_square = float(np.var(arm.sum(axis=1) / could.sum(), ddof=1)) / count
        between += mean_square
        together += _interaction(arm, could) / count
        weights += mean_square**2 / (count - 1)
    spread = max(between - together, 0.0)
    if spread == 0:
        return np.zeros(DRAWS)
    rng = np.random.default_rng([seed, DRAWS])
    return np.sqrt(spread) * rng.standard_t(between**2 / weights, DRAWS)


def _interaction(arm: Array, could: Array) -> float:
    """The variance of one seed's ratio that comes of images which suit one seed, not another."""
    seeds, images = arm.shape
    if images < 2:
        return 0.0
    ratios = arm.sum(axis=1, keepdims=True) / could.sum()
    influence = (arm - ratios * could) / could.mean()
    rest = influence - influence.mean(axis=0)
    return float((rest**2).sum() / ((seeds - 1) * (images - 1)) / images)
