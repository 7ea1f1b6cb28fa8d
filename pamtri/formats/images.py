"""Image files of a data set: putting them in place, and their size."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.progress import progress
from pamtri.record import Record

Images = Literal["copy", "link"]


def place_images(pairs: Sequence[tuple[Path, Path]], images: Images) -> None:
    """Copy or hard-link each (source, target). Raises DataError when a source is missing or two
    sources have one target."""
    with progress(len(pairs), "images") as bar:
        for source, target in pairs:
            if target.exists():
                raise DataError(f"{source}: a second image of the name {target.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _place(source, target, images)
            except OSError as error:
                raise DataError(f"{source}: cannot be copied ({error.strerror})") from None
            bar.update()


def _place(source: Path, target: Path, images: Images) -> None:
    if images == "link":
        try:
            target.hardlink_to(source.resolve())
            return
        except OSError:  # another file system, or one without links
            pass
    shutil.copyfile(source, target)


def image_size(dataset: Dataset, record: Record) -> tuple[int, int]:
    """(width, height) in pixels: as recorded, or else as the image file's header says.

    Raises DataError when the file is missing or is no image.
    """
    if record.width is not None and record.height is not None:
        return record.width, record.height
    path = dataset.image_path(record)
    try:
        with Image.open(path) as image:
            return image.size
    except FileNotFoundError:
        raise DataError(f"{path}: the image is missing") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        raise DataError(f"{path}: is not a readable image") from None
