"""Whether a pose network's confidence means something.

Two questions. Does it tell visible points from others? Accuracy at one half, and the chance that a
visible point has a higher one than another (AUROC), which no monotone scale changes. And is it
honest, read as the chance that a point is visible and within PCK's tolerance? Its expected
calibration error: M. P. Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian
Binning", AAAI 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

BINS = 10
"""Equal stretches of confidence from 0 to 1."""
VISIBLE_FROM = 0.5

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def visibility(confidence: Array, visible: Bools) -> dict[str, float | None]:
    """Accuracy and AUROC of ``confidence`` as a sign of ``visible``, both (n, 36)."""
    if not confidence.size:
        return {"accuracy": None, "auroc": None}
    accuracy = float(((confidence >= VISIBLE_FROM) == visible).mean())
    return {"accuracy": accuracy, "auroc": auroc(confidence.ravel(), visible.ravel())}


def auroc(score: Array, positive: Bools) -> float | None:
    """Chance that a positive has a higher score than a negative, ties half; None without both."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    ranks = rankdata(score)[positive].sum() - positives * (positives + 1) / 2
    return float(ranks / (positives * negatives))


def reliability(confidence: Array, right: Bools) -> dict[str, Any]:
    """Bins of mean confidence and share ``right``, and the expected calibration error."""
    flat, hit = np.clip(confidence.ravel(), 0, 1), right.ravel()
    place = np.minimum((flat * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    filled = np.flatnonzero(count)
    sure = np.bincount(place, weights=flat, minlength=BINS)
    good = np.bincount(place, weights=hit, minlength=BINS)
    gap = float(np.abs(sure - good).sum() / count.sum()) if len(filled) else None
    bins = [
        {
            "points": int(count[i]),
            "confidence": float(sure[i] / count[i]),
            "right": float(good[i] / count[i]),
        }
        for i in filled
    ]
    return {"expected_calibration_error": gap, "bins": bins}
