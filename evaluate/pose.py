"""Scores of predicted keypoints against a data set's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.pose_confidence import reliability, visibility
from evaluate.pose_oks import oks_ap
from evaluate.pose_slices import by_part, by_state, part_scores
from evaluate.statistics import Measure
from pamtri import pck
from pamtri.errors import DataError
from pamtri.keypoints import Visibility
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
    records: tuple[Record, ...]
    """The labels, by image."""
    predicted: NDArray[np.float64]
    """(n, 36, 3) x, y, confidence."""

    @property
    def measures(self) -> dict[str, Measure]:
        """PCK at every tolerance, by image."""
        return {
            f"pck@{alpha:g}": Measure(*pck.counts_by_image(self.errors, alpha))
            for alpha in pck.ALPHAS
        }

    @property
    def sizes(self) -> NDArray[np.float64]:
        """(n,) square roots of the areas of the visible keypoints' boxes, pixels."""
        true, letters = labels_of(self.records)
        return np.sqrt(pck.box_areas(true, letters == Visibility.VISIBLE))

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; shares in 0..1."""
        whole = part_scores(self.errors)
        true, letters = labels_of(self.records)
        visible, confidence = letters == Visibility.VISIBLE, self.predicted[..., 2]
        right = np.nan_to_num(self.errors, nan=np.inf) <= pck.ALPHA
        scored = ~np.isnan(self.errors).all(axis=1)
        return {
            "images": len(self.names),
            "images_scored": whole["images"],
            "keypoints": whole["keypoints"],
            "pck": whole["pck"],
            "pck_by_group": pck.share_by_group(self.errors),
            "pck_by_keypoint": pck.share_by_keypoint(self.errors),
            "pck_pamtri_legacy": self.legacy,
            "nme": whole["nme"],
            **oks_ap(self.errors, confidence),
            "visibility": visibility(confidence, visible),
            "reliability": reliability(confidence[scored], right[scored]),
            "by_state": by_state(self.predicted[..., :2], true, letters),
            **by_part(self.errors, self.records, self.sizes),
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
    true, letters = labels_of(tuple(labelled.values()))
    shown = letters == Visibility.VISIBLE
    predicted = np.array([predictions[name] for name in labelled])
    return PoseScores(
        names=tuple(labelled),
        errors=pck.relative_errors(predicted[..., :2], true, shown),
        legacy=pck.pck_pamtri_legacy(predicted[..., :2], true, shown),
        records=tuple(labelled.values()),
        predicted=predicted,
    )


def labels_of(records: Sequence[Record]) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Points (n, 36, 2) and visibility letters (n, 36) of records that have keypoints."""
    points = [record.keypoints for record in records if record.keypoints]
    letters = np.array([list(p.visibility) for p in points])
    return np.array([p.xy_array() for p in points]), letters


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
