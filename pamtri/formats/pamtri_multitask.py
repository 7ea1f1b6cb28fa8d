"""PAMTRI's multi-task labels: ``label_<set>.csv`` with name, vehicle, colour, type and keypoints.

The 36 keypoints are a pose network's: x, y as pixel indices and a confidence. Names are VeRi's and
tell the camera; colour and type are VeRi's ids, from 1, and -1 where they are not known. Sets are
train, query and test, which is the gallery.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pamtri.attributes import COLOUR_INDEX, COLOURS, TYPE_INDEX, TYPES
from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats.images import Images, place_images
from pamtri.formats.label_csv import (
    PIXEL_CENTRE,
    Row,
    decimals,
    has_fields,
    image_folder,
    label_files,
    read_rows,
    write_rows,
)
from pamtri.formats.names import parse_name, veri_names
from pamtri.keypoints import Visibility
from pamtri.record import Keypoints, Record

_FIELDS = ("vehicle id", "colour id", "type id")
_SPLIT_OF_SET = {"train": "train", "query": "query", "test": "gallery"}
SET_OF_SPLIT = {split: set_name for set_name, split in _SPLIT_OF_SET.items()}
_UNKNOWN = -1
VISIBLE_CONFIDENCE = 0.5
"""From this confidence on PAMTRI trusts a predicted point (it blanks segments below it)."""


def detect(root: Path) -> bool:
    """Whether ``root`` holds a ``label_*.csv`` whose rows have this many values."""
    return has_fields(root, len(_FIELDS))


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read every ``label_<set>.csv``.

    A point is ``visible`` from confidence 0.5 on, else ``hidden``. Heatmap peaks overshoot, so
    confidences are clipped to 0..1. Raises DataError for a row without 36 finite keypoints, an
    unknown id, a missing image folder or no labels.
    """
    damage = Damage(skip_damaged)
    records: list[Record] = []
    files = label_files(root)
    if not files:
        raise DataError(f"{root}: holds no label_*.csv of multi-task labels")
    for set_name, path in files.items():
        folder = image_folder(root, set_name)
        split = _SPLIT_OF_SET.get(set_name, set_name)
        for row in read_rows(path, _FIELDS):
            with damage.at(row.where):
                records.append(_record(row, folder, split))
    splits = tuple(_SPLIT_OF_SET.get(s, s) for s in files)
    info = DatasetInfo(name=root.resolve().name or "pamtri_multitask", splits=splits)
    return Dataset(root, tuple(records), info, "pamtri_multitask", tuple(damage.skipped))


def _record(row: Row, folder: str, split: str) -> Record:
    points = row.points()
    confidence = np.clip(points[:, 2], 0, 1)
    name = parse_name(row.name)
    return Record(
        image=f"{folder}/{row.name}",
        domain="real",
        split=split,
        identity=row.integer("vehicle id"),
        camera=name.camera if name else None,
        frame=name.frame if name else None,
        colour=_word(row, "colour id", COLOURS),
        type=_word(row, "type id", TYPES),
        keypoints=Keypoints(
            xy=(points[:, :2] + PIXEL_CENTRE).tolist(),
            visibility="".join(
                Visibility.VISIBLE if c >= VISIBLE_CONFIDENCE else Visibility.HIDDEN
                for c in confidence
            ),
            confidence=confidence.tolist(),
        ),
    )


def _word(row: Row, field: str, words: tuple[Any, ...]) -> Any:
    number = row.integer(field)
    if number == _UNKNOWN:
        return None
    if not 1 <= number <= len(words):
        raise DataError(f"{field} is {number}, expected 1 to {len(words)}")
    return words[number - 1]


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write a ``label_<set>.csv`` and an ``image_<set>`` folder a split.

    Held are split, identity, camera, frame, colour, type, and keypoints with their confidence to
    three decimals (1 or 0 by visibility where a record has none). Raises DataError for a record
    without keypoints, identity or camera, or in another split.
    """
    rows: dict[str, list[list[str]]] = {}
    pairs = []
    for record, name in zip(dataset.records, veri_names(dataset.records), strict=True):
        set_name = SET_OF_SPLIT.get(record.split or "")
        if set_name is None:
            there = ", ".join(SET_OF_SPLIT)
            raise DataError(
                f"{record.image}: is in split '{record.split}', but multi-task labels have {there}"
            )
        rows.setdefault(set_name, []).append(_cells(record, name))
        pairs.append((dataset.image_path(record), target / f"image_{set_name}" / name))
    place_images(pairs, images)
    for set_name, lines in rows.items():
        write_rows(target / f"label_{set_name}.csv", lines)


def _cells(record: Record, name: str) -> list[str]:
    keypoints = record.keypoints
    if keypoints is None:
        raise DataError(f"{record.image}: has no keypoints, which multi-task labels need")
    confidence = keypoints.confidence or keypoints.visible_array().astype(float).tolist()
    colour = _UNKNOWN if record.colour is None else COLOUR_INDEX[record.colour] + 1
    type_ = _UNKNOWN if record.type is None else TYPE_INDEX[record.type] + 1
    cells = [name, str(record.identity), str(colour), str(type_)]
    for (x, y), c in zip(keypoints.xy, confidence, strict=True):
        cells += [decimals(x - PIXEL_CENTRE), decimals(y - PIXEL_CENTRE), decimals(c)]
    return cells
