"""Stanford Cars: car models as identities. J. Krause et al., "3D Object Representations for
Fine-Grained Categorization", 3dRR-13.

Two layouts: the devkit's ``cars_train_annos.mat`` with ``cars_meta.mat``, and an ``index.csv`` with
the columns file, model_id and, where known, model_name, body_type, azimuth_deg, elevation_deg,
roll_deg and split. There are no cameras; everything is ``train`` unless it says otherwise.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from pamtri.attributes import BODY_TYPES
from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.record import Record, Viewpoint

INDEX_FILE = "index.csv"
_REQUIRED = ("file", "model_id")
_ANNOTATIONS = {
    "cars_train_annos.mat": ("train", "cars_train"),
    "cars_test_annos_withlabels.mat": ("test", "cars_test"),
}


def detect(root: Path) -> bool:
    """Whether ``root`` holds an index with the required columns, or the devkit's annotations."""
    index = root / INDEX_FILE
    if index.is_file():
        with index.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline().strip().split(",")
        return all(name in header for name in _REQUIRED)
    return any(_find(root, name) for name in _ANNOTATIONS)


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read the index where there is one, else the devkit.

    A body type goes into ``style`` as it stands and into ``type`` as VeRi's word for it. Raises
    DataError for a missing column, folder or file, or an ill-typed value.
    """
    damage = Damage(skip_damaged)
    has_index = (root / INDEX_FILE).is_file()
    records = _read_index(root, damage) if has_index else _read_devkit(root, damage)
    splits = tuple(dict.fromkeys(r.split for r in records if r.split))
    info = DatasetInfo(name=root.resolve().name or "stanford_cars", splits=splits)
    return Dataset(root, tuple(records), info, "stanford_cars", tuple(damage.skipped))


def _read_index(root: Path, damage: Damage) -> list[Record]:
    path = root / INDEX_FILE
    folder = "images/" if (root / "images").is_dir() else ""
    records: list[Record] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _REQUIRED if c not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: has no column '{missing[0]}'")
            for row in reader:
                with damage.at(f"{path}, line {reader.line_num}"):
                    records.append(_index_record(row, folder))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from None
    return records


def _index_record(row: dict[str, Any], folder: str) -> Record:
    if None in row or None in row.values():
        raise DataError("has more or fewer values than the header has columns")
    body = row.get("body_type") or None
    if body is not None and body not in BODY_TYPES:
        raise DataError(f"body_type is '{body}', expected one of {', '.join(BODY_TYPES)}")
    viewpoint = None
    if row.get("azimuth_deg") and row.get("elevation_deg"):
        viewpoint = Viewpoint(
            azimuth_deg=_number(row, "azimuth_deg") % 360 % 360,  # -1e-20 % 360 is 360
            elevation_deg=_number(row, "elevation_deg"),
            roll_deg=_number(row, "roll_deg") if row.get("roll_deg") else 0.0,
        )
    return Record(
        image=folder + row["file"],
        domain="real",
        split=row.get("split") or "train",
        identity=_integer(row, "model_id"),
        type=BODY_TYPES[body] if body else None,
        style=body,
        viewpoint=viewpoint,
    )


def _number(row: dict[str, Any], column: str) -> float:
    try:
        return float(row[column])
    except ValueError:
        raise DataError(f"{column} is '{row[column]}', expected a number") from None


def _integer(row: dict[str, Any], column: str) -> int:
    try:
        return int(row[column])
    except ValueError:
        raise DataError(f"{column} is '{row[column]}', expected an integer") from None


def _find(root: Path, name: str) -> Path | None:
    """A devkit file in ``root`` or ``root/devkit``."""
    return next((p for p in (root / name, root / "devkit" / name) if p.is_file()), None)


def _read_devkit(root: Path, damage: Damage) -> list[Record]:
    meta = _find(root, "cars_meta.mat")
    if meta is None:
        raise DataError(f"{root}: has no cars_meta.mat, which names the car models")
    names = [str(name) for name in _load(meta, "class_names")]
    records: list[Record] = []
    for file, (split, folder) in _ANNOTATIONS.items():
        path = _find(root, file)
        if path is None:
            continue
        if not (root / folder).is_dir():
            raise DataError(f"{root}: has no folder {folder}, where the {split} images lie")
        for number, row in enumerate(_load(path, "annotations"), start=1):
            with damage.at(f"{path}, annotation {number}"):
                records.append(_devkit_record(row, names, split, folder))
    return records


def _devkit_record(row: Any, names: list[str], split: str, folder: str) -> Record:
    model = int(row["class"])
    if not 1 <= model <= len(names):
        raise DataError(f"class is {model}, expected 1 to {len(names)}")
    body = body_type(names[model - 1])
    left, top, right, bottom = (float(row[f"bbox_{corner}"]) for corner in ("x1", "y1", "x2", "y2"))
    return Record(
        image=f"{folder}/{row['fname']}",
        domain="real",
        split=split,
        identity=model,
        type=BODY_TYPES[body] if body else None,
        style=body,
        box=(left - 1, top - 1, right, bottom),  # pixels count from 1, the last one included
    )


def _load(path: Path, variable: str) -> Any:
    """One variable of a MATLAB file as a flat array. Raises DataError when it is not there."""
    from scipy.io import loadmat  # slow to import

    try:
        content = loadmat(path, squeeze_me=True)
    except Exception as error:  # the parser's errors on a damaged file are of any kind
        raise DataError(f"{path}: cannot be read as a MATLAB file ({error})") from None
    if variable not in content:
        raise DataError(f"{path}: has no variable '{variable}'")
    return np.atleast_1d(content[variable])


def body_type(model_name: str) -> str | None:
    """The body type that a model's name tells, as in ``Acura TL Sedan 2012``; None where none.

    The last such word counts (``Cargo Van Minivan``); a name with ``Cab`` is a pickup's.
    """
    words = re.findall(r"[a-z]+", model_name.lower())
    told = ["pickup" if word == "cab" else word for word in words]
    return next((word for word in reversed(told) if word in BODY_TYPES), None)
