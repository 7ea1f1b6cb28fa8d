"""PAMTRI's CSV files: a row is a name, a few fields, then 36 times x, y and a third value.

There is no header. Coordinates are pixel indices: 0 is the first pixel's centre.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pamtri.errors import DataError
from pamtri.keypoints import NAMES, NUM_KEYPOINTS

PIXEL_CENTRE = 0.5
"""Continuous coordinate of a pixel's centre, less the pixel's index."""


@dataclass(frozen=True)
class Row:
    """The cells of one row and where they stand (``file, line n``)."""

    cells: tuple[str, ...]
    where: str
    fields: tuple[str, ...]
    """Names of the fields between the image's name and the keypoints."""

    @property
    def name(self) -> str:
        """The image's base name. Raises DataError when it is empty."""
        name = self.cells[0].strip()
        if not name:
            raise DataError("the image's name is empty")
        return name

    def integer(self, field: str) -> int:
        """The value of a field. Raises DataError when it is no integer."""
        text = self.cells[1 + self.fields.index(field)]
        try:
            return int(text)
        except ValueError:
            raise DataError(f"{field} is '{text}', expected an integer") from None

    def points(self) -> NDArray[np.float64]:
        """(36, 3) numbers as they stand.

        Raises DataError when there are more or fewer, or one is not a finite number.
        """
        texts = self.cells[1 + len(self.fields) :]
        if len(texts) != 3 * NUM_KEYPOINTS:
            keypoints, rest = divmod(len(texts), 3)
            got = f"{len(texts)} values" if rest else f"{keypoints} keypoints"
            layout = ", ".join(("name", *self.fields))
            raise DataError(f"expected {NUM_KEYPOINTS} keypoints after {layout}, got {got}")
        values = np.array([_number(text) for text in texts])
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            keypoint, column = divmod(int(bad[0]), 3)
            raise DataError(
                f"{('x', 'y', 'third value')[column]} of keypoint {keypoint} ({NAMES[keypoint]}) "
                f"is '{texts[bad[0]]}', expected a finite number"
            )
        return values.reshape(NUM_KEYPOINTS, 3)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def read_rows(path: Path, fields: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of a CSV file; empty lines are left out.

    Raises DataError when the file cannot be read as CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                if cells:
                    yield Row(tuple(cells), f"{path}, line {reader.line_num}", fields)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from None


def write_rows(path: Path, rows: list[list[str]]) -> None:
    """Write a CSV file without a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def decimals(value: float) -> str:
    """Three decimals, as PAMTRI writes; never ``-0.000``."""
    return f"{round(value, 3) + 0.0:.3f}"


def label_files(root: Path) -> dict[str, Path]:
    """``label_<set>.csv`` by set: those in ``root``, or else those in ``root/annot``."""
    paths = sorted(root.glob("label_*.csv")) or sorted(root.glob("annot/label_*.csv"))
    return {path.stem.removeprefix("label_"): path for path in paths}


def has_fields(root: Path, number: int) -> bool:
    """Whether a label file's first row has ``number`` fields between name and keypoints.

    Counted modulo 3, which tells 2 (pose) from 3 (multi-task) though a keypoint be missing.
    """
    firsts = (next(read_rows(path), None) for path in label_files(root).values())
    return any(row is not None and len(row.cells) % 3 == (1 + number) % 3 for row in firsts)


def image_folder(root: Path, set_name: str) -> str:
    """The folder of a set's images relative to ``root``: ``image_<set>`` or ``images/image_<set>``.

    Raises DataError when there is neither.
    """
    folders = (f"image_{set_name}", f"images/image_{set_name}")
    for folder in folders:
        if (root / folder).is_dir():
            return folder
    raise DataError(f"{root}: has no folder {' or '.join(folders)} for label_{set_name}.csv")
