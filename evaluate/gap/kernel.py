"""The kernel distance between two clouds of features: unbiased, and with an interval.

Binkowski et al., "Demystifying MMD GANs", ICLR 2018: the squared maximum mean discrepancy under
the kernel ``(x.y / d + 1)^3``. Around 0 for two halves of one set; it may be below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALVES = 200
_ROWS = 512
"""Of the kernel's matrix that are held at once."""
_HALF_WIDTH = 1.96

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KernelDistance:
    """The distance over all images, and its 95 % interval."""

    value: float
    low: float
    high: float


def kernel_distance(first: Array, second: Array, seed: int = 0) -> KernelDistance:
    """Distance of features (n, d) and (m, d), four rows of each at least.

    The interval comes of random halves of both sets, drawn without replacement: a half's estimate
    strays from the whole's as far as the whole's strays from the truth (Shao and Wu, "A general
    theory for jackknife variance estimation", Ann. Statist. 17, 1989). Between sets that do not
    differ at all it is wider than it need be.
    """
    rng = np.random.default_rng(seed)
    picks = [_picks(len(features), rng) for features in (first, second)]
    within = [_within(f, p) for f, p in zip((first, second), picks, strict=True)]
    estimates = within[0] + within[1] - 2 * _between(first, second, *picks)
    value = float(estimates[0])
    half = _HALF_WIDTH * float(np.sqrt(np.mean((estimates[1:] - value) ** 2)))
    return KernelDistance(value, value - half, value + half)


def _picks(count: int, rng: np.random.Generator) -> Array:
    """(n, 1 + HALVES) of 0 and 1: all images in the first column, a random half in each other."""
    columns = [np.ones(count), *(rng.permutation(count) < count // 2 for _ in range(HALVES))]
    return np.stack(columns, axis=1).astype(float)


def _within(features: Array, picks: Array) -> Array:
    """(1 + HALVES,) mean kernel of two different images of each column of ``picks``."""
    total = _sums(features, features, picks, picks)
    itself = _kernel(np.einsum("nd,nd->n", features, features), features.shape[1])
    count = picks.sum(axis=0)
    mean: Array = (total - itself @ picks) / (count * (count - 1))
    return mean


def _between(first: Array, second: Array, a: Array, b: Array) -> Array:
    mean: Array = _sums(first, second, a, b) / (a.sum(axis=0) * b.sum(axis=0))
    return mean


def _sums(first: Array, second: Array, a: Array, b: Array) -> Array:
    """The kernel summed over the picked pairs, for each column of ``a`` and ``b``."""
    total = np.zeros(a.shape[1])
    for start in range(0, len(first), _ROWS):
        rows = slice(start, start + _ROWS)
        kernel = _kernel(first[rows] @ second.T, first.shape[1])
        total += (a[rows] * (kernel @ b)).sum(axis=0)
    return total


def _kernel(products: Array, width: int) -> Array:
    kernel: Array = (products / width + 1) ** 3
    return kernel
