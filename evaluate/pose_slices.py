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
    visible = letters == Visibility.VISIBLE
    return {
        word: part_scores(pck.relative_errors(predicted, true, visible, letters == state))
        for state, word in STATES.items()
        if (letters == state).any()
    }


def by_part(errors: Array, records: Sequence[Record], sizes: Array) -> dict[str, Any]:
    """Scores by domain, azimuth, size and occlusion: the parts that there are images of.

    ``errors`` (n, 36) of n ``records``, ``sizes`` (n,) pixels. Images whose records do not tell are
    left out of a division.
    """
    divisions: dict[str, list[str]] = {
        "by_domain": [record.domain for record in records],
        "by_azimuth": [_side(record) for record in records],
        "by_size": [_size_word(size) for size in sizes],
        "by_occlusion": [occlusion_word(record.occlusion) for record in records],
    }
    order: dict[str, Sequence[str]] = {
        "by_domain": ("real", "synthetic"),
        "by_azimuth": SIDES,
        "by_size": [_size_word(size) for size in (1, *SIZES_PX)],
        "by_occlusion": OCCLUSION_WORDS,
    }
    return {
        name: {
            word: part_scores(errors[np.array(words) == word])
            for word in order[name]
            if word in words
        }
        for name, words in divisions.items()
    }


def _side(record: Record) -> str:
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
