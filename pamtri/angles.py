"""Azimuths that are predicted, against their labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR_DEG = 30.0
"""Pi/6: how near an azimuth must be to its label to count as right."""

Array = NDArray[np.float64]


def degrees_apart(a: Array, b: Array) -> Array:
    """Absolute difference of azimuths in degrees, 0..180."""
    return np.abs((a - b + 180) % 360 - 180)


def azimuth_scores(predicted: Array, true: Array) -> dict[str, float]:
    """Median error in degrees and share within 30 of (n,) azimuths, where ``true`` is no NaN.

    Empty where all are.
    """
    known = ~np.isnan(true)
    if not known.any():
        return {}
    apart = degrees_apart(predicted[known], true[known])
    return {
        "azimuth_median_error_deg": float(np.median(apart)),
        "azimuth_within_30": float((apart <= NEAR_DEG).mean()),
    }
