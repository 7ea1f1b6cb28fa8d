"""Scores of predicted keypoints against a data set's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.statistics import Measure
from pamtri import pck
from pamtri.errors import DataError
from pamtri.record import Record


@dataclass(frozen=True, eq=False)
class PoseScores:
    """PCK of n labelled images; see ``pamtri.pck`` for what it counts."""

    names: tuple[str, ...]
    """Base names of the images, in the data set's order."""
    errors: NDArray[np.float64]
    """(n, 36) of ``pck.relative_errors``."""
    legacy: float | None
    """``pck.pck_pamtri_legacy``."""

    @property
    def measures(self) -> dict[str, Measure]:
        """PCK at every tolerance, by image."""
        return {
            f"pck@{alpha:g}": Measure(*pck.counts_by_image(self.errors, alpha))
            for alpha in pck.ALPHAS
        }

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; shares in 0..1."""
        scored = ~np.isnan(self.errors)
        return {
            "images": len(self.names),
            "images_scored": int(scored.any(axis=1).sum()),
            "keypoints": int(scored.sum()),
            "pck": pck.shares(self.errors),
            "pck_by_group": pck.share_by_group(self.errors),
            "pck_by_keypoint": pck.share_by_keypoint(self.errors),
            "pck_pamtri_legacy": self.legacy,
        }


def score_pose(
    predictions: Mapping[str, NDArray[np.float64]], records: Iterable[Record], source: str
) -> PoseScores:
    """Score ``predictions`` (base name -> (36, 3): x, y, confidence) on the labelled ``records``.

    Records without keypoints are left out, a picture in two splits counts once. ``source`` names
    the predictions in errors. Raises DataError where no record is labelled or one has no
    prediction.
    """
    labelled = labelled_by_name(records)
    missing = [name for name in labelled if name not in predictions]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{source}: has no row for {missing[0]}{more} of the {len(labelled)} labelled images"
        )
    true = np.array([r.keypoints.xy_array() for r in labelled.values() if r.keypoints])
    shown = np.array([r.keypoints.visible_array() for r in labelled.values() if r.keypoints])
    predicted = np.array([predictions[name][:, :2] for name in labelled])
    return PoseScores(
        names=tuple(labelled),
        errors=pck.relative_errors(predicted, true, shown),
        legacy=pck.pck_pamtri_legacy(predicted, true, shown),
    )


def labelled_by_name(records: Iterable[Record]) -> dict[str, Record]:
    """The records that have keypoints, by base name, each picture once.

    Raises DataError where there are none, or two pictures of one name have different labels.
    """
    labelled: dict[str, Record] = {}
    for record in records:
        if record.keypoints is None:
            continue
        name = PurePosixPath(record.image).name
        other = labelled.setdefault(name, record)
        if other.keypoints != record.keypoints:
            raise DataError(
                f"{other.image} and {record.image} have different keypoints, and predictions are "
                "told apart by file name alone"
            )
    if not labelled:
        raise DataError("no image here has keypoint labels to score against")
    return labelled
