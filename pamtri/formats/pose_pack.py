"""Pose predictions of many images in one file that is looked into, not loaded.

A NumPy ``.npy`` array with a row an image: ``name`` (base name, UTF-8), ``size`` (width, height),
``points`` (36, 2) in continuous pixels, ``peak`` (36,), how sure each place is, and, where the
network learns it, ``visibility`` (36, 3), the probabilities of visible, occluded and absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pamtri.errors import DataError
from pamtri.formats.pose_csv import read_predictions
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.pose import Pose

SUFFIX = ".npy"
_FIELDS: list[tuple[str, str, tuple[int, ...]]] = [
    ("size", "<i4", (2,)),
    ("points", "<f4", (NUM_KEYPOINTS, 2)),
    ("peak", "<f4", (NUM_KEYPOINTS,)),
]
_VISIBILITY = ("visibility", "<f4", (NUM_KEYPOINTS, 3))


class PosePack(Mapping[str, NDArray[np.float64]]):
    """Image base name -> (36, 3) x, y (continuous pixels) and confidence, read when asked for."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        self._rows = rows
        self._index = {name.decode(): i for i, name in enumerate(rows["name"].tolist())}

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.pose(name).rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def pose(self, name: str) -> Pose:
        """All that is stored of one image; raises KeyError for one that is not there."""
        row = self._rows[self._index[name]]
        known = "visibility" in (self._rows.dtype.names or ())
        return Pose(
            size=(int(row["size"][0]), int(row["size"][1])),
            points=row["points"].astype(float),
            peak=row["peak"].astype(float),
            visibility=row["visibility"].astype(float) if known else None,
        )


def write_pack(path: Path, poses: Mapping[str, Pose]) -> None:
    """Write image base name -> pose; the file is there whole or not at all."""
    names = [name.encode() for name in poses]
    known = bool(poses) and all(pose.visibility is not None for pose in poses.values())
    length = max(map(len, names), default=1)
    dtype = np.dtype([("name", f"S{length}"), *_FIELDS, *([_VISIBILITY] if known else [])])
    rows = np.zeros(len(names), dtype)
    for row, name, pose in zip(rows, names, poses.values(), strict=True):
        row["name"], row["size"] = name, pose.size
        row["points"], row["peak"] = pose.points, pose.peak
        if known:
            row["visibility"] = pose.visibility
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.save(file, rows, allow_pickle=False)
    temporary.replace(path)


def open_pack(path: Path) -> PosePack:
    """Open a packed file; its rows stay on the disk until they are asked for.

    Raises DataError when it is none.
    """
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: is no packed pose file ({error})") from None
    names = getattr(rows.dtype, "names", None) or ()
    expected = ("name", *(field[0] for field in _FIELDS))
    if rows.ndim != 1 or names[: len(expected)] != expected:
        raise DataError(
            f"{path}: is no packed pose file: expected rows of {', '.join(expected)}, got an array "
            f"of shape {rows.shape} and type {rows.dtype}"
        )
    return PosePack(rows)


def open_predictions(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """Image base name -> (36, 3) x, y (continuous pixels) and confidence, of a packed file or CSV.

    Raises DataError when it is neither.
    """
    return open_pack(path) if path.suffix == SUFFIX else read_predictions(path)


def read_places(path: Path) -> dict[str, NDArray[np.float64]]:
    """Image base name -> (36, 3) x, y and how sure the place is, seen or not, of either file.

    A CSV has one confidence a point, which stands for it. Raises DataError as
    ``open_predictions``.
    """
    if path.suffix != SUFFIX:
        return read_predictions(path)
    pack = open_pack(path)
    return {name: pack.pose(name).places for name in pack}
