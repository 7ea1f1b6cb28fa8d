"""The rose of a viewpoint evaluation: where cameras stand about the vehicle, and how far off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from evaluate.viewpoint import NEAR_DEG, ViewpointScores

PETALS = 24
_WIDTH = 2 * np.pi / PETALS
_TRUE, _PREDICTED = "#8a8f98", "#2a6fdb"

Array = NDArray[np.float64]


def petal_of(azimuth_deg: Array) -> NDArray[np.int64]:
    """(n,) which petal an azimuth is in, each about its middle; the first is the front."""
    return (np.floor(azimuth_deg / 360 * PETALS + 0.5) % PETALS).astype(np.int64)


def petal_errors(scores: ViewpointScores) -> tuple[Array, Array]:
    """(PETALS,) median azimuth error in degrees and share beyond pi/6, NaN for an empty petal."""
    petals = petal_of(scores.true)
    median, missed = np.full(PETALS, np.nan), np.full(PETALS, np.nan)
    for i in np.unique(petals):
        error = scores.azimuth_error[petals == i]
        median[i] = np.median(np.minimum(error, 180.0))
        missed[i] = (error > NEAR_DEG).mean()
    return median, missed


def write_rose(path: Path, scores: ViewpointScores) -> None:
    """Write a PNG: the vehicle faces up, its left side is on the left."""
    figure = Figure(figsize=(12, 4.4), layout="constrained", dpi=110)
    counts, errors, misses = figure.subplots(1, 3, subplot_kw={"projection": "polar"})
    known = scores.predicted[~np.isnan(scores.predicted)]
    middles = np.arange(PETALS) * _WIDTH
    true = np.bincount(petal_of(scores.true), minlength=PETALS)
    said = np.bincount(petal_of(known), minlength=PETALS)
    counts.bar(middles, true, width=_WIDTH, color=_TRUE, alpha=0.6, label="labels")
    counts.bar(middles, said, width=_WIDTH, fill=False, edgecolor=_PREDICTED, label="predictions")
    counts.legend(loc="lower left", bbox_to_anchor=(-0.15, -0.15), frameon=False, fontsize=8)
    median, missed = petal_errors(scores)
    errors.bar(middles, np.nan_to_num(median), width=0.9 * _WIDTH, color=_PREDICTED)
    misses.bar(middles, 100 * np.nan_to_num(missed), width=0.9 * _WIDTH, color=_PREDICTED)
    titles = ("images", "median azimuth error, degrees", "off by more than 30 degrees, %")
    for axes, title in zip((counts, errors, misses), titles, strict=True):
        _vehicle_up(axes, title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})


def _vehicle_up(axes: PolarAxes, title: str) -> None:
    axes.set_theta_zero_location("N")
    axes.set_thetagrids([0, 90, 180, 270], ["front", "left", "rear", "right"])
    axes.set_rlabel_position(45)
    axes.tick_params(labelsize=8)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
