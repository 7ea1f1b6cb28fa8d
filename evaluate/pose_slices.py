"""Pose scores of parts of a data set: by domain, side, size and occlusion of the vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.viewpoint import SIDES, sides_of
from pamtri import pck
from pamtri.keypoints import Visibility
from pamtri.record import Record

SIZES_PX = (32, 64, 128)
"""Bounds of the square root of the visible keypoints' box, which PCK measures by."""
OCCLUSIONS = (0.1, 0.3)
"""Bounds of ``Record.occlusion``, besides none at all."""
STATES = {
    Visibility.VISIBLE: "visible",
    Visibility.SELF_OCCLUDED: "self-occluded",
    Visibility.OCCLUDED: "occluded",
    Visibility.TRUNCATED: "truncated",
}
"""Of keypoints whose place is known, with the words for them."""

Array = NDArray[np.float64]
Parts = dict[str, NDArray[np.bool_]]
"""Masks (n,) of the images of each part, by its word."""


def part_scores(errors: Array) -> dict[str, Any]:
    """Images, keypoints, PCK at every tolerance and normalised mean error of ``errors`` (n, 36)."""
    scored = ~np.isnan(errors)
    return {
        "images": int(scored.any(axis=1).sum()),
        "keypoints": int(scored.sum()),
        "pck": pck.shares(errors),
        "nme": normalised_mean_error(errors),
    }


def normalised_mean_error(errors: Array) -> float | None:
    """Mean of ``pck.relative_errors`` (n, 36) over what is scored; None where nothing is."""
    scored = ~np.isnan(errors)
    return float(errors[scored].mean()) if scored.any() else None


def by_state(predicted: Array, true: Array, letters: NDArray[np.str_]) -> dict[str, Any]:
    """Scores of the keypoints in each visibility state that occurs; ``letters`` (n, 36).

    Errors are relative to the visible keypoints' box in every state.
    """
    errors = errors_by_state(predicted, true, letters)
    return {word: part_scores(of_state) for word, of_state in errors.items()}


def errors_by_state(predicted: Array, true: Array, letters: NDArray[np.str_]) -> dict[str, Array]:
    """``pck.relative_errors`` (n, 36) of the keypoints in each visibility state that occurs."""
    visible = letters == Visibility.VISIBLE
    return {
        word: pck.relative_errors(predicted, true, visible, letters == state)
        for state, word in STATES.items()
        if (letters == state).any()
    }


def by_part(errors: Array, records: Sequence[Record], sizes: Array) -> dict[str, Any]:
    """Scores by domain, azimuth, size and occlusion: the parts that there are images of.

    ``errors`` (n, 36) of n ``records``, ``sizes`` (n,) pixels. Images whose records do not tell are
    left out of a division.
    """
    return {
        name: {word: part_scores(errors[mask]) for word, mask in parts.items()}
        for name, parts in divisions(records, sizes).items()
    }


def divisions(records: Sequence[Record], sizes: Array) -> dict[str, Parts]:
    """Which of n ``records``, of ``sizes`` (n,), are in which part of each division."""
    size_words = [_size_word(size) for size in (1, *SIZES_PX)]
    return {
        "by_domain": parts([record.domain for record in records], ("real", "synthetic")),
        "by_azimuth": parts([side_word(record) for record in records], SIDES),
        "by_size": parts([_size_word(size) for size in sizes], size_words),
        "by_occlusion": parts([occlusion_word(r.occlusion) for r in records], OCCLUSION_WORDS),
    }


def parts(words: Sequence[str], order: Sequence[str]) -> Parts:
    """(n,) masks of the images that each word of ``order`` holds for, if any."""
    return {word: np.array(words) == word for word in order if word in words}


def side_word(record: Record) -> str:
    """Which of ``SIDES`` the camera sees; empty where it is unknown."""
    if record.viewpoint is None:
        return ""
    return SIDES[int(sides_of(np.array([record.viewpoint.azimuth_deg]))[0])]


def _size_word(size: float) -> str:
    if size >= SIZES_PX[-1]:
        return f"from {SIZES_PX[-1]} px"
    return f"below {next(bound for bound in SIZES_PX if size < bound)} px"


def occlusion_word(share: float | None) -> str:
    """Which part of ``OCCLUSION_WORDS`` ``Record.occlusion`` is in; empty where it is unknown."""
    if share is None:
        return ""
    if share == 0:
        return "none"
    if share > OCCLUSIONS[-1]:
        return f"over {100 * OCCLUSIONS[-1]:g} %"
    return f"up to {100 * next(bound for bound in OCCLUSIONS if share <= bound):g} %"


OCCLUSION_WORDS = tuple(occlusion_word(share) for share in (0.0, *OCCLUSIONS, 1.0))
"""Parts by occlusion, in order."""
