"""Pose predictions as PAMTRI writes them: a row is a name and 36 times x, y, confidence.

Names are base names; coordinates are pixel indices with three decimals. In memory they are
continuous pixels, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.errors import DataError
from pamtri.formats.label_csv import PIXEL_CENTRE, decimals, read_rows, write_rows
from pamtri.keypoints import NUM_KEYPOINTS

_CENTRE = np.array([PIXEL_CENTRE, PIXEL_CENTRE, 0.0])


def write_predictions(path: Path, predictions: Mapping[str, ArrayLike]) -> None:
    """Write image base name -> (36, 3) x, y (continuous pixels) and confidence.

    The file is there whole or not at all. Raises DataError for another shape or a value that is
    not finite.
    """
    rows = []
    for name, prediction in predictions.items():
        points = np.asarray(prediction, dtype=float)
        if points.shape != (NUM_KEYPOINTS, 3) or not np.isfinite(points).all():
            raise DataError(
                f"{name}: expected {NUM_KEYPOINTS} finite keypoints (x, y, confidence), got an "
                f"array of shape {points.shape}"
            )
        indices = points - _CENTRE
        rows.append([name, *(decimals(value) for value in indices.ravel().tolist())])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    write_rows(temporary, rows)
    temporary.replace(path)


def read_predictions(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read image base name -> (36, 3) x, y (continuous pixels) and confidence, as it stands.

    Raises DataError naming file and line of a row without 36 finite keypoints, or of a name that
    comes twice.
    """
    predictions: dict[str, NDArray[np.float64]] = {}
    for row in read_rows(path):
        try:
            if row.name in predictions:
                raise DataError(f"{row.name} comes a second time")
            predictions[row.name] = row.points() + _CENTRE
        except DataError as error:
            raise DataError(f"{row.where}: {error}") from None
    return predictions
