"""PAMTRI's pose labels: ``label_<set>.csv`` with name, width, height and 36 times x, y, visible.

All are integers, coordinates are pixel indices, and a set is a split. Labels lie beside the image
folders or in ``annot``. Names of VeRi's pattern tell identity, camera and frame too.
"""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath

from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats.images import Images, image_size, place_images
from pamtri.formats.label_csv import (
    PIXEL_CENTRE,
    Row,
    has_fields,
    image_folder,
    label_files,
    read_rows,
    write_rows,
)
from pamtri.formats.names import parse_name, veri_names
from pamtri.keypoints import Visibility
from pamtri.record import Keypoints, Record

_FIELDS = ("width", "height")
_SET = re.compile(r"[A-Za-z0-9_-]+")


def detect(root: Path) -> bool:
    """Whether ``root`` holds a ``label_*.csv`` whose rows have this many values."""
    return has_fields(root, len(_FIELDS))


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read every ``label_<set>.csv``; a point that is not visible comes as ``hidden``.

    Raises DataError for a row without 36 finite keypoints, a missing image folder or no labels.
    """
    damage = Damage(skip_damaged)
    records: list[Record] = []
    files = label_files(root)
    if not files:
        raise DataError(f"{root}: holds no label_*.csv of pose labels")
    for set_name, path in files.items():
        folder = image_folder(root, set_name)
        for row in read_rows(path, _FIELDS):
            with damage.at(row.where):
                records.append(_record(row, folder, set_name))
    info = DatasetInfo(name=root.resolve().name or "pamtri_pose", splits=tuple(files))
    return Dataset(root, tuple(records), info, "pamtri_pose", tuple(damage.skipped))


def _record(row: Row, folder: str, set_name: str) -> Record:
    points = row.points()
    wrong = set(points[:, 2]) - {0.0, 1.0}
    if wrong:
        raise DataError(f"a keypoint's visibility is {wrong.pop():g}, expected 0 or 1")
    name = parse_name(row.name)
    return Record(
        image=f"{folder}/{row.name}",
        domain="real",
        width=row.integer("width"),
        height=row.integer("height"),
        split=set_name,
        identity=name.identity if name else None,
        camera=name.camera if name else None,
        frame=name.frame if name else None,
        keypoints=Keypoints(
            xy=(points[:, :2] + PIXEL_CENTRE).tolist(),
            visibility="".join(
                Visibility.VISIBLE if v else Visibility.HIDDEN for v in points[:, 2]
            ),
        ),
    )


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write a ``label_<split>.csv`` and an ``image_<split>`` folder a split.

    Held are size, split, the pixel that a keypoint lies in, whether it is visible, and what VeRi's
    names hold where a record has it. Raises DataError for a record without keypoints or split.
    """
    rows: dict[str, list[list[str]]] = {}
    pairs = []
    for record, name in zip(dataset.records, pose_names(dataset), strict=True):
        split = record.split or ""
        if record.keypoints is None:
            raise DataError(f"{record.image}: has no keypoints, which pose labels need")
        if not _SET.fullmatch(split):
            raise DataError(f"{record.image}: its split is {record.split!r}, expected one word")
        rows.setdefault(split, []).append(_cells(record, name, image_size(dataset, record)))
        pairs.append((dataset.image_path(record), target / f"image_{split}" / name))
    place_images(pairs, images)
    for split, lines in rows.items():
        write_rows(target / f"label_{split}.csv", lines)


def pose_names(dataset: Dataset) -> list[str]:
    """VeRi's names where every record has identity and camera, else the images' own."""
    if all(r.identity is not None and r.camera is not None for r in dataset):
        return veri_names(dataset.records)
    return [PurePosixPath(r.image).name for r in dataset]


def _cells(record: Record, name: str, size: tuple[int, int]) -> list[str]:
    assert record.keypoints is not None
    cells = [name, str(size[0]), str(size[1])]
    for (x, y), visibility in zip(record.keypoints.xy, record.keypoints.visibility, strict=True):
        visible = int(visibility == Visibility.VISIBLE)
        cells += [str(math.floor(x)), str(math.floor(y)), str(visible)]
    return cells
