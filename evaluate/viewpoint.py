"""Scores of predicted viewpoints against a data set's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.angles import NEAR_DEG, degrees_apart
from pamtri.errors import DataError
from pamtri.record import Record, Viewpoint

SIDES = (
    *("front", "front left", "left", "rear left"),
    *("rear", "rear right", "right", "front right"),
)
"""Eighths of the circle in the order of azimuth, each about its middle."""
KINDS = ("near", "turned round", "front for rear", "left for right", "other", "no viewpoint")
"""What may become of an azimuth: it is near its label or near a flip of it. Front for rear keeps
the side: 60 degrees become 120; left for right keeps the end: 60 become 300; turned round is both:
60 become 240."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewpointScores:
    """Of n labelled images; degrees. What has no prediction is infinitely wrong."""

    names: tuple[str, ...]
    """Base names of the images, in the data set's order."""
    true: Array
    """(n,) azimuths."""
    predicted: Array
    """(n,) azimuths, NaN where the file has none."""
    elevation_error: Array
    """(n,) absolute."""
    rotation_error: Array
    """(n,) the angle that turns the predicted camera into the true one, roll included."""

    @property
    def azimuth_error(self) -> Array:
        """(n,) absolute, 0..180."""
        apart = degrees_apart(self.predicted, self.true)
        return np.where(np.isnan(apart), np.inf, apart)

    @property
    def kinds(self) -> NDArray[np.int64]:
        """(n,) position in ``KINDS`` of what became of each image's azimuth."""
        flips = np.stack([self.true, self.true + 180, 180 - self.true, -self.true])
        apart = degrees_apart(self.predicted, flips)
        apart[1:, apart[0] <= NEAR_DEG] = np.inf  # near the label is near, flip or not
        nearest = np.where(np.isnan(apart), np.inf, apart).argmin(axis=0)
        other = np.min(apart, axis=0) > NEAR_DEG
        kinds = np.where(other, KINDS.index("other"), nearest)
        return np.where(np.isnan(self.predicted), KINDS.index("no viewpoint"), kinds)

    @property
    def confusions(self) -> NDArray[np.int64]:
        """(8, 8) images by true and by predicted side."""
        counts = np.zeros((len(SIDES), len(SIDES)), dtype=np.int64)
        known = ~np.isnan(self.predicted)
        np.add.at(counts, (sides_of(self.true[known]), sides_of(self.predicted[known])), 1)
        return counts

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; shares in 0..1, degrees, None for an infinite one."""
        error, sides, kinds = self.azimuth_error, sides_of(self.true), self.kinds
        return {
            "images": len(self.names),
            "without_viewpoint": int(np.isnan(self.predicted).sum()),
            "azimuth": _scores(error),
            "rotation": _scores(self.rotation_error),
            "median_elevation_error_deg": _median(self.elevation_error),
            "azimuth_by_side": {
                side: {"images": int((sides == i).sum()), **_scores(error[sides == i])}
                for i, side in enumerate(SIDES)
                if (sides == i).any()
            },
            "kinds": {kind: float((kinds == i).mean()) for i, kind in enumerate(KINDS)},
            "confusions": {
                side: dict(zip(SIDES, row, strict=True))
                for side, row in zip(SIDES, self.confusions.tolist(), strict=True)
            },
        }


def score_viewpoint(
    predictions: Mapping[str, Viewpoint | None], records: Iterable[Record], source: str
) -> ViewpointScores:
    """Score ``predictions`` (by base name) on the records that have a viewpoint.

    ``source`` names the predictions in errors. Raises DataError where no record has a viewpoint,
    one has no row, or two pictures of one name have different ones.
    """
    labelled = _labelled(records)
    missing = [name for name in labelled if name not in predictions]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{source}: has no row for {missing[0]}{more} of the {len(labelled)} images with a "
            "viewpoint"
        )
    pairs = [(view, predictions[name]) for name, view in labelled.items()]
    return ViewpointScores(
        names=tuple(labelled),
        true=np.array([view.azimuth_deg for view, _ in pairs]),
        predicted=np.array([np.nan if said is None else said.azimuth_deg for _, said in pairs]),
        elevation_error=np.array(
            [
                np.inf if said is None else abs(said.elevation_deg - view.elevation_deg)
                for view, said in pairs
            ]
        ),
        rotation_error=np.array(
            [np.inf if said is None else rotation_error(view, said) for view, said in pairs]
        ),
    )


def sides_of(azimuth: Array) -> NDArray[np.int64]:
    """(n,) position in ``SIDES`` of (n,) azimuths in degrees."""
    return (np.floor(azimuth / 45 + 0.5) % len(SIDES)).astype(np.int64)


def rotation_error(a: Viewpoint, b: Viewpoint) -> float:
    """Degrees of the turn between two cameras that look at the vehicle (geodesic distance)."""
    turn = _rotation(a) @ _rotation(b).T
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def _rotation(view: Viewpoint) -> Array:
    azimuth, elevation, roll = np.radians([view.azimuth_deg, view.elevation_deg, view.roll_deg])
    return camera.pose_from_viewpoint(camera.Viewpoint(azimuth, elevation, roll, 1.0)).rotation


def _labelled(records: Iterable[Record]) -> dict[str, Viewpoint]:
    labelled: dict[str, tuple[Record, Viewpoint]] = {}
    for record in records:
        if record.viewpoint is None:
            continue
        name = PurePosixPath(record.image).name
        other, view = labelled.setdefault(name, (record, record.viewpoint))
        if view != record.viewpoint:
            raise DataError(
                f"{other.image} and {record.image} have different viewpoints, and predictions are "
                "told apart by file name alone"
            )
    if not labelled:
        raise DataError("no image here has a viewpoint to score against")
    return {name: view for name, (_, view) in labelled.items()}


def _scores(error: Array) -> dict[str, float | None]:
    return {
        "median_error_deg": _median(error),
        "acc_pi_6": float((error <= 30).mean()),
        "acc_pi_12": float((error <= 15).mean()),
    }


def _median(error: Array) -> float | None:
    median = float(np.median(error))
    return median if np.isfinite(median) else None
