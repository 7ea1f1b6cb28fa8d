"""The project's own layout; see ``pamtri.dataset``."""

from __future__ import annotations

from pathlib import Path

from pamtri.dataset import INFO_FILE, Dataset, read_native, write_native
from pamtri.formats.images import Images, place_images


def detect(root: Path) -> bool:
    """Whether ``root`` holds ``dataset.yaml``."""
    return (root / INFO_FILE).is_file()


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read a native data set."""
    return read_native(root, skip_damaged)


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write every record unchanged, with its image and masks."""
    files = dict.fromkeys(path for r in dataset for path in r.files)
    place_images([(dataset.root / path, target / path) for path in files], images)
    write_native(target, dataset.records, dataset.info)
