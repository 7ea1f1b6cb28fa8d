"""What VeRi, CityFlow-ReID and VehicleX folders share: name lists, labels, image folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats.label_xml import Item, read_items
from pamtri.record import Record

_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Split:
    """Where one split lies."""

    name: str
    list_file: str
    folder: str
    label_file: str
    labelled: bool = True
    """Whether an image without a label is damage."""
    own_labels: bool = True
    """Whether the label file is of this split alone, so that it can stand in for a missing list."""


def read_reid_folder(
    root: Path,
    format: str,
    splits: Sequence[Split],
    make_record: Callable[[Item, str, str], Record],
    skip_damaged: bool,
) -> Dataset:
    """Read every split that is there; ``make_record(item, image path, split name)``.

    Raises DataError when an image folder, label file or label is missing.
    """
    damage = Damage(skip_damaged)
    records = [r for split in splits for r in _read_split(root, split, make_record, damage)]
    names = tuple(dict.fromkeys(r.split for r in records if r.split))
    info = DatasetInfo(name=root.resolve().name or format, splits=names)
    return Dataset(root, tuple(records), info, format, tuple(damage.skipped))


def _read_split(
    root: Path,
    split: Split,
    make_record: Callable[[Item, str, str], Record],
    damage: Damage,
) -> list[Record]:
    labels = root / split.label_file
    items = {item.name: item for item in read_items(labels)} if labels.exists() else {}
    names = _names(root, split, items)
    if not names:
        return []
    if not (root / split.folder).is_dir():
        raise DataError(f"{root}: has no folder {split.folder}, where the {split.name} images lie")
    if split.labelled and not labels.exists():
        raise DataError(f"{labels}: is missing, so the {split.name} images have no labels")
    records: list[Record] = []
    for name, where in names:
        item = items.get(name)
        with damage.at(item.where if item else where):
            if item is None and split.labelled:
                raise DataError(f"{name} has no label in {split.label_file}")
            item = item or Item({"imageName": name}, where)
            records.append(make_record(item, f"{split.folder}/{name}", split.name))
    return records


def _names(root: Path, split: Split, items: dict[str, Item]) -> list[tuple[str, str]]:
    """The images' base names, each with where it is named."""
    path, folder = root / split.list_file, root / split.folder
    if path.exists():
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read as text ({error})") from None
        numbered = ((line.strip(), i) for i, line in enumerate(lines, start=1))
        return [(name, f"{path}, line {i}") for name, i in numbered if name]
    if split.own_labels and items:
        return [(item.name, item.where) for item in items.values()]
    if folder.is_dir():
        files = sorted(f.name for f in folder.iterdir() if f.suffix.lower() in _IMAGE_SUFFIXES)
        return [(name, str(folder / name)) for name in files]
    return []
