"""PCK: the share of visible keypoints that a prediction puts close enough.

As intended by PAMTRI (Tang et al., ICCV 2019), a visible keypoint is right when its error is at
most ``0.5 * 0.25 * sqrt(area)``, the area being that of the box around the image's keypoints. Only
visible points make that box here, since the coordinates of hidden ones may mean nothing.

Shapes: n images, 36 keypoints; coordinates in pixels as in ``pamtri.camera``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.keypoints import GROUPS, NAMES

ALPHA = 0.125
"""PAMTRI's tolerance, 0.5 * 0.25, as a share of the square root of the box's area."""
ALPHAS = (0.05, 0.1, ALPHA, 0.2)
"""The tolerances that are reported."""

Array = NDArray[np.float64]


def pck(
    predicted: ArrayLike, true: ArrayLike, visible: ArrayLike, alpha: float = ALPHA
) -> float | None:
    """Share of visible keypoints with an error of at most ``alpha * sqrt(box area)``.

    ``predicted`` and ``true`` (n, 36, 2), ``visible`` (n, 36) bool. None where nothing can be
    scored.
    """
    return share_right(relative_errors(predicted, true, visible), alpha)


def relative_errors(
    predicted: ArrayLike, true: ArrayLike, visible: ArrayLike, scored: ArrayLike | None = None
) -> Array:
    """(n, 36) errors over the square root of each image's keypoint box area.

    NaN marks what is not scored: points that are not visible (or not in ``scored``, bool as
    ``visible``), and all points of an image whose visible points span no area. A prediction that
    is not finite is infinitely wrong.
    """
    visible = np.asarray(visible, dtype=bool)
    chosen = visible if scored is None else np.asarray(scored, dtype=bool)
    size = np.sqrt(box_areas(true, visible))
    return _distances(predicted, true, chosen) / np.where(size > 0, size, np.nan)[:, None]


def box_areas(true: ArrayLike, visible: ArrayLike) -> Array:
    """(n,) areas of the boxes around each image's visible keypoints, square pixels."""
    shown = np.asarray(visible, dtype=bool)[..., None]
    true = np.asarray(true, dtype=float)
    low = np.where(shown, true, np.inf).min(axis=1)
    high = np.where(shown, true, -np.inf).max(axis=1)
    sides = np.where(np.isfinite(high - low), high - low, 0.0)
    return sides[:, 0] * sides[:, 1]


def share_right(errors: Array, alpha: float = ALPHA) -> float | None:
    """Share of the scored entries of ``relative_errors`` that are at most ``alpha``."""
    scored = ~np.isnan(errors)
    return float((errors[scored] <= alpha).mean()) if scored.any() else None


def share_by_keypoint(errors: Array, alpha: float = ALPHA) -> dict[str, float | None]:
    """``share_right`` of every keypoint by its name."""
    return {name: share_right(errors[:, i], alpha) for i, name in enumerate(NAMES)}


def share_by_group(errors: Array, alpha: float = ALPHA) -> dict[str, float | None]:
    """``share_right`` of every keypoint group (wheel, fender, ...)."""
    return {name: share_right(errors[:, list(group)], alpha) for name, group in GROUPS.items()}


def counts_by_image(errors: Array, alpha: float = ALPHA) -> tuple[Array, Array]:
    """Right points and scored points of each image, both (n,): what a bootstrap resamples."""
    return (errors <= alpha).sum(axis=1).astype(float), (~np.isnan(errors)).sum(axis=1).astype(
        float
    )


def shares(errors: Array, alphas: Sequence[float] = ALPHAS) -> dict[str, float | None]:
    """``share_right`` at several tolerances; keys read like ``0.125``."""
    return {f"{alpha:g}": share_right(errors, alpha) for alpha in alphas}


def pck_pamtri_legacy(predicted: ArrayLike, true: ArrayLike, visible: ArrayLike) -> float | None:
    """The figure that PAMTRI's own evaluation prints, for comparison with published numbers.

    Its areas are all 1 and its norm runs over the whole test set of n images, so that the
    threshold is ``0.125 * sqrt(n)`` pixels whatever the vehicle's size (4.07 px on VeRi).
    """
    visible = np.asarray(visible, dtype=bool)
    return share_right(_distances(predicted, true, visible), ALPHA * float(np.sqrt(len(visible))))


def _distances(predicted: ArrayLike, true: ArrayLike, visible: NDArray[np.bool_]) -> Array:
    """(n, 36) pixels; NaN where not visible, infinite where the prediction is not finite."""
    apart = np.asarray(predicted, dtype=float) - np.asarray(true, dtype=float)
    distances = np.hypot(apart[..., 0], apart[..., 1])
    return np.where(visible, np.where(np.isnan(distances), np.inf, distances), np.nan)
