"""A plain folder of pictures, taken for a data set that knows nothing but its images."""

from __future__ import annotations

from pathlib import Path

from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats import FORMATS, open_dataset
from pamtri.images import damage_of
from pamtri.progress import say
from pamtri.record import Record

PLAIN = "pictures"
"""The format of such a data set."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def open_images(path: Path, layout: str | None = None) -> Dataset:
    """The data set in ``path``, or its pictures where it is none of a known layout.

    Raises DataError when there is neither.
    """
    known = layout is not None or any(f.detect and f.detect(path) for f in FORMATS.values())
    return open_dataset(path, layout) if known else pictures_in(path)


def pictures_in(folder: Path) -> Dataset:
    """The image files of a plain folder and the folders in it, ordered by path.

    Files that cannot be decoded are left out, and that is said: one of thousands is no reason to
    do without the others. Raises DataError when there are none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such file or folder")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{folder}: holds no image ({', '.join(IMAGE_SUFFIXES)}) and no data set")
    damaged = {path: why for path in files if (why := damage_of(path)) is not None}
    if damaged:
        first = next(iter(damaged.values()))
        if len(damaged) == len(files):
            raise DataError(f"{folder}: none of its {len(files)} images can be read, first {first}")
        say(f"{folder}: {len(damaged)} of {len(files)} images left out, first {first}")
    whole = (path for path in files if path not in damaged)
    records = (Record(image=p.relative_to(folder).as_posix(), domain="real") for p in whole)
    return Dataset(folder, tuple(records), DatasetInfo(name=folder.name or "."), format=PLAIN)
