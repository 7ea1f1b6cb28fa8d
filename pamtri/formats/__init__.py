"""Every data set layout the project reads and writes, and the one door to them: ``open_dataset``.

A layout is a module with ``detect(root)``, ``read(root, skip_damaged)`` and, where a writer makes
sense, ``write(dataset, target, images)``; it is listed in ``FORMATS``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pamtri.config import nearest
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats import (
    cityflow,
    coco,
    native,
    pamtri_full,
    pamtri_multitask,
    pamtri_pose,
    stanford_cars,
    vehicleid,
    vehiclex,
    veri,
    webdataset,
)
from pamtri.formats.images import Images


@dataclass(frozen=True)
class Format:
    """One layout: what tells it, and how it is read and written."""

    marks: str
    """What a folder must hold to be taken for it, in words."""
    detect: Callable[[Path], bool] | None
    read: Callable[[Path, bool], Dataset] | None
    write: Callable[[Dataset, Path, Images], None] | None = None


FORMATS: dict[str, Format] = {
    "native": Format("dataset.yaml", native.detect, native.read, native.write),
    "veri": Format(
        "train_label.xml with names like 0001_c001_00016450_0.jpg",
        veri.detect,
        veri.read,
        veri.write,
    ),
    "pamtri_pose": Format(
        "label_*.csv with name, width, height and 36 keypoints",
        pamtri_pose.detect,
        pamtri_pose.read,
        pamtri_pose.write,
    ),
    "pamtri_multitask": Format(
        "label_*.csv with name, vehicle, colour, type and 36 keypoints",
        pamtri_multitask.detect,
        pamtri_multitask.read,
        pamtri_multitask.write,
    ),
    "cityflow": Format("train_label.xml with other names", cityflow.detect, cityflow.read),
    "vehiclex": Format(
        "train_label.xml with names like 00001_c006_1.jpg", vehiclex.detect, vehiclex.read
    ),
    "vehicleid": Format(
        "train_test_split with train_list.txt or test_list_800.txt",
        vehicleid.detect,
        vehicleid.read,
    ),
    "stanford_cars": Format(
        "index.csv, or cars_train_annos.mat", stanford_cars.detect, stanford_cars.read
    ),
    "webdataset": Format(
        "info.json and *.tar", webdataset.detect, webdataset.read, webdataset.write
    ),
    "coco": Format("annotations/*.json", None, None, coco.write),
    "pamtri_full": Format("as pamtri_multitask", None, None, pamtri_full.write),
}

READABLE = tuple(name for name, f in FORMATS.items() if f.read)
WRITABLE = tuple(name for name, f in FORMATS.items() if f.write)


def open_dataset(path: Path, format: str | None = None, skip_damaged: bool = False) -> Dataset:
    """Read the data set in the folder ``path``; its layout is detected unless named.

    Raises DataError when the folder or its layout is not there, a row is damaged (unless
    ``skip_damaged``) or nothing is in it.
    """
    if not path.is_dir():
        raise DataError(f"{path}: no such data set folder")
    if format is None:
        format = detect_format(path)
    chosen = FORMATS.get(format)
    if chosen is None or chosen.read is None:
        hint = nearest(format, READABLE) or f" (there are: {', '.join(READABLE)})"
        raise DataError(f"no data set format '{format}' can be read{hint}")
    dataset = chosen.read(path, skip_damaged)
    if not dataset.records:
        why = f"; all rows are damaged, first {dataset.skipped[0]}" if dataset.skipped else ""
        raise DataError(f"{path}: the {format} data set is empty{why}")
    return dataset


def detect_format(path: Path) -> str:
    """The layout of the data set in the folder ``path``, told by its files.

    Raises DataError when none or several fit.
    """
    found = [name for name, f in FORMATS.items() if f.detect and f.detect(path)]
    if len(found) > 1:
        raise DataError(f"{path}: could be {' or '.join(found)}; name one as the format")
    if not found:
        known = "; ".join(f"{name}: {FORMATS[name].marks}" for name in READABLE)
        raise DataError(f"{path}: holds no data set of a known layout ({known})")
    return found[0]


def write_dataset(dataset: Dataset, target: Path, format: str, images: Images = "copy") -> None:
    """Write ``dataset`` in another layout into the new folder ``target``, whole or not at all.

    ``images="link"`` makes hard links where the file system can, which takes no space.
    Raises DataError when ``target`` holds anything, an image is missing, or the layout cannot hold
    the records.
    """
    chosen = FORMATS.get(format)
    if chosen is None or chosen.write is None:
        hint = nearest(format, WRITABLE) or f" (there are: {', '.join(WRITABLE)})"
        raise DataError(f"no data set format '{format}' can be written{hint}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target}: is not empty; choose another folder")
    unfinished = target.with_name(target.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        chosen.write(dataset, unfinished, images)
        unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
