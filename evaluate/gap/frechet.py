"""The Fréchet distance between two clouds of features, each taken for a Gaussian.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
NeurIPS 2017: ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``. It is biased upwards, the more so the
fewer the images: compare values at equal numbers of images only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def frechet_distance(first: Array, second: Array) -> float:
    """Squared distance of features (n, d) and (m, d), two rows of each at least."""
    means = [features.mean(axis=0) for features in (first, second)]
    roots = [_root(features) for features in (first, second)]
    # The trace of the product's root is the sum of the singular values of one root by the other,
    # which needs no root of a singular matrix where there are fewer images than features.
    common = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(float((root**2).sum()) for root in roots)
    return max(0.0, float(((means[0] - means[1]) ** 2).sum() + spread - 2 * common))


def _root(features: Array) -> Array:
    """A matrix R with R^T R the covariance, of as few rows as the features allow."""
    centred = features - features.mean(axis=0)
    root: Array = np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)
    return root
