"""OKS-AP: COCO's measure of keypoints, for images of one vehicle each.

An image's object keypoint similarity is the mean over its visible keypoints of
``exp(-d^2 / (2 area (2 sigma)^2))`` (https://cocodataset.org/#keypoints-eval). The area is that of
the box around the visible keypoints, and sigma is 0.05 for every keypoint: COCO's, measured on
people, run from 0.025 to 0.107, and nobody measured them for these 36 points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGMA = 0.05
THRESHOLDS = np.arange(10) * 0.05 + 0.5
"""COCO's, from 0.5 to 0.95."""
_RECALLS = np.linspace(0, 1, 101)

Array = NDArray[np.float64]


def similarities(relative_errors: Array) -> Array:
    """(n,) OKS of ``pamtri.pck.relative_errors`` (n, 36); NaN for an image that has none."""
    each = np.exp(-(relative_errors**2) / (2 * (2 * SIGMA) ** 2))
    scored = ~np.isnan(relative_errors)
    count = scored.sum(axis=1)
    total = np.where(scored, each, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def average_precision(oks: Array, confidence: Array, threshold: float) -> float | None:
    """COCO's AP (precision at 101 recalls) of n images, one detection each.

    ``oks`` and ``confidence`` (n,); images whose OKS is NaN are left out, None when all are.
    """
    scored = ~np.isnan(oks)
    if not scored.any():
        return None
    order = np.argsort(-confidence[scored], kind="stable")
    right = np.cumsum(oks[scored][order] >= threshold)
    precision = right / np.arange(1, len(order) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    first = np.searchsorted(right / len(order), _RECALLS, side="left")
    reached = first < len(order)
    return float(np.where(reached, best_from_here[np.minimum(first, len(order) - 1)], 0.0).mean())


def oks_ap(relative_errors: Array, confidence: Array) -> dict[str, float | None]:
    """``oks_ap`` (mean over the thresholds), ``oks_ap_50``, ``oks_ap_75`` and the mean OKS.

    ``confidence`` (n, 36); a detection's is the mean of its keypoints'.
    """
    oks = similarities(relative_errors)
    sure = confidence.mean(axis=1)
    each = [average_precision(oks, sure, threshold) for threshold in THRESHOLDS]
    known = [value for value in each if value is not None]
    return {
        "oks_ap": float(np.mean(known)) if known else None,
        "oks_ap_50": each[0],
        "oks_ap_75": each[5],
        "oks": float(np.nanmean(oks)) if known else None,
    }
